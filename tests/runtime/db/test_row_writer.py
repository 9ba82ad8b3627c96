"""Writers: rows show at once, go in few requests, and the stream holds a beginning of them, once.

Delays of an hour stand for "not yet", limits and flushes for "now": no test measures time.
"""

from __future__ import annotations

import asyncio
import math
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.faults import DeliverTwice, LoseAnswer, Refuse, RefuseWrite, proxy
from tests.runtime.chat_schema import AsyncChat, Chat, message
from tests.runtime.db.held import held_writes
from tests.runtime.streams.histories import in_a_hurry

from streamdb import (
    AsyncActionTransaction,
    AsyncStream,
    BufferFull,
    DatabaseClosed,
    DuplicateKey,
    HandleClosed,
    InvalidRow,
    StreamDBError,
    TransactionFailed,
    TransactionUnresolved,
    WaitTimeout,
    WouldDeadlock,
    WriterFailed,
    debounce,
)
from streamdb.db.pace import Pace
from streamdb.db.pending_writes import PendingWrites
from streamdb.query_functions import running_functions
from streamdb.streams.loop_thread import shared_loop_thread
from streamdb_server import Serving

HOUR = 3600.0
TOO_LARGE = "x" * (70 * 1024 * 1024)


async def events_of(url: str) -> list[Any]:
    async with AsyncStream(url) as stream:
        return [event async for batch in stream.read() for event in stream.items(batch)]


async def keys_of(url: str) -> list[str]:
    return [event["key"] for event in await events_of(url)]


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


async def test_rows_show_at_once_and_are_stored_in_order(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        async with db.messages.writer(max_rows=7) as writer:
            for number in range(50):
                await writer.write(message(number))
                assert db.messages.keys()[-1] == str(number)
        assert writer.pending == 0
        assert await keys_of(url) == numbers(50)
        txids = [event["headers"]["txid"] for event in await events_of(url)]
        assert len(set(txids)) == 8
        await db.until(lambda: not db._state.tables["messages"].overlay)
        assert db.messages.keys() == numbers(50)


def test_the_blocking_form(url: str) -> None:
    with Chat(url, create=True) as db:
        with db.messages.writer(max_rows=7, max_pending=10) as writer:
            for number in range(50):
                writer.write(message(number))
                assert str(number) in db.messages
        assert writer.pending == 0
        db.until(lambda: not db._state.tables["messages"].overlay, timeout=30)
        assert db.messages.keys() == numbers(50)


async def test_what_has_batches_sent(url: str) -> None:
    """Its rows, its bytes, a flush; and else its delay, which passes without anybody's doing."""
    async with AsyncChat(url, create=True) as db:
        writer = db.messages.writer(max_delay=HOUR, max_rows=3, max_bytes=10_000)
        for number in range(4):
            await writer.write(message(number))
        await db.until(lambda: writer.pending == 1)
        assert await keys_of(url) == numbers(3)
        await writer.write(message(4, "x" * 10_000))
        await db.until(lambda: writer.pending == 0)
        await writer.write(message(5))
        await writer.flush()
        assert await keys_of(url) == numbers(6)
        quick = db.messages.writer(max_delay=0.001)
        await quick.write(message(6))
        await db.until(lambda: quick.pending == 0)
        assert await keys_of(url) == numbers(7)


async def test_writing_waits_while_too_much_is_on_its_way(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        writer = db.messages.writer(max_delay=HOUR, max_pending=3)
        for number in range(3):
            await writer.write(message(number))
        with pytest.raises(BufferFull):
            writer.write_nowait(message(3))
        assert len(db.messages) == 3
        waiting = asyncio.ensure_future(writer.write(message(3)))
        await asyncio.sleep(0)
        assert not waiting.done()
        await waiting
        assert writer.pending <= 3
        writer.write_nowait(message(4))
        await writer.aclose()
        assert await keys_of(url) == numbers(5)


async def test_a_write_that_is_cancelled_is_none(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        async with db.messages.writer(max_delay=HOUR, max_pending=1) as writer:
            await writer.write(message(0))
            waiting = asyncio.ensure_future(writer.write(message(1)))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert "1" not in db.messages
            await writer.write(message(2))
        assert await keys_of(url) == ["0", "2"]


def test_threads_share_a_writer(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        writer = db.messages.writer(max_rows=5, max_pending=8)

        def write(thread: int) -> None:
            for number in range(30):
                writer.write(message(f"{thread}-{number}"))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writer.close(30)
        assert writer.pending == 0
        db.until(lambda: not db._state.tables["messages"].overlay, timeout=30)
        for thread in range(4):
            mine = [key for key in db.messages.keys() if key.startswith(f"{thread}-")]  # noqa: SIM118
            assert mine == [f"{thread}-{number}" for number in range(30)]


async def test_a_row_that_cannot_be_written_is_that_rows_fault_alone(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        async with db.messages.writer() as writer:
            await writer.write(message(0))
            with pytest.raises(InvalidRow):
                await writer.write(message(1, 7))  # type: ignore[arg-type]  # that is the mistake
            with pytest.raises(DuplicateKey):
                await writer.write(message(0))
            await writer.write(message(2))
        assert await keys_of(url) == ["0", "2"]


async def test_nothing_behind_a_batch_that_is_refused_is_written(tmp_path: Path) -> None:
    """The writer is told by the next call, has stopped, and has its rows back."""
    url = f"embedded:{tmp_path / 's.db'}#s"
    async with AsyncChat(url, create=True) as db:
        writer = db.messages.writer(max_delay=HOUR, max_rows=2)
        for number in range(7):  # batches of 2, the second one with a row that is too large
            await writer.write(message(number, TOO_LARGE if number == 3 else "ok"))
        other = db.messages.insert(message("other"))
        with pytest.raises(WriterFailed, match="5 rows are not on the stream") as failed:
            await writer.flush()
        assert [row.id for row in failed.value.unwritten] == ["2", "3", "4", "5", "6"]
        assert failed.value.unknown == ()
        await other.synced()
        assert db.messages.keys() == ["0", "1", "other"]
        for call in (writer.write(message(8)), writer.flush()):
            with pytest.raises(WriterFailed):
                await call
        with pytest.raises(WriterFailed):
            writer.write_nowait(message(8))
        await writer.aclose()  # it was told
        assert await keys_of(url) == ["0", "1", "other"]
        async with db.messages.writer() as again:
            for row in failed.value.unwritten:
                await again.write(message(row.id, "ok"))
        assert await keys_of(url) == ["0", "1", "other", "2", "3", "4", "5", "6"]


def test_nothing_behind_a_refused_batch_in_the_blocking_form(tmp_path: Path) -> None:
    with Chat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        writer = db.messages.writer(max_delay=HOUR, max_rows=2)
        for number in range(4):
            writer.write(message(number, TOO_LARGE if number == 3 else "ok"))
        with pytest.raises(WriterFailed) as failed:
            writer.flush(30)
        assert [row.id for row in failed.value.unwritten] == ["2", "3"]
        with pytest.raises(WriterFailed):
            writer.write(message(4))
        writer.close()
        assert db.messages.keys() == ["0", "1"]


async def test_the_end_of_the_block_tells(tmp_path: Path) -> None:
    async with AsyncChat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        with pytest.raises(WriterFailed):
            async with db.messages.writer() as writer:
                await writer.write(message(1, TOO_LARGE))

        async def write_and_raise(row: Any) -> None:
            async with db.messages.writer() as writer:
                await writer.write(row)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError) as raised:
            await write_and_raise(message(2))
        assert db.messages.keys() == ["2"]
        assert not hasattr(raised.value, "__notes__")
        with pytest.raises(ZeroDivisionError) as raised:
            await write_and_raise(message(3, TOO_LARGE))
        assert "1 rows are not on the stream" in raised.value.__notes__[0]


async def test_a_block_that_is_cancelled_is_left_at_once(url: str) -> None:
    """What was written goes on; closing the database waits for it."""
    async with AsyncChat(url, create=True) as db:
        has_written = asyncio.Event()

        async def write() -> None:
            async with db.messages.writer(max_delay=HOUR) as writer:
                await writer.write(message(1))
                has_written.set()
                await asyncio.Event().wait()

        task = asyncio.ensure_future(write())
        await has_written.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await keys_of(url) == ["1"]


async def test_closing_the_database_sends_what_waits(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        writer = db.messages.writer(max_delay=HOUR)
        await writer.write(message(1))
    assert await keys_of(url) == ["1"]
    with pytest.raises(DatabaseClosed):
        await writer.write(message(2))
    with pytest.raises(DatabaseClosed):
        db.messages.writer()
    await writer.aclose()
    with pytest.raises(HandleClosed):
        await writer.write(message(2))


def test_closing_the_database_sends_what_waits_in_the_blocking_form(url: str) -> None:
    with Chat(url, create=True) as db:
        writer = db.messages.writer(max_delay=HOUR)
        writer.write(message(1))
    writer.close()
    with Chat(url) as again:
        assert again.messages.keys() == ["1"]
    with pytest.raises(HandleClosed):
        writer.write(message(2))


async def test_closing_before_the_answer_leaves_rows_of_unknown_outcome(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await AsyncStream.create(url):
        db = AsyncChat(url, close_timeout=0)
        await db.preload()
        writer = db.messages.writer(max_delay=HOUR)
        await writer.write(message(1))
        to, is_sent = db._session._stream, asyncio.Event()
        assert to is not None

        async def never_answer(*_: Any, **__: Any) -> None:
            is_sent.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(to, "append_once", never_answer)
        flush = asyncio.ensure_future(writer.flush())
        await is_sent.wait()
        await writer.write(message(2))
        await db.aclose()
        with pytest.raises(WriterFailed, match=r"1 rows are not .* 1 rows may be") as failed:
            await flush
        assert [row.id for row in failed.value.unknown] == ["1"]
        assert [row.id for row in failed.value.unwritten] == ["2"]
        assert isinstance(failed.value.__cause__, TransactionUnresolved)


async def test_exactly_once_through_a_bad_network(server: Serving, http_url: str) -> None:
    """Lost answers, refused connections and doubled requests leave every row once, in order."""
    faults = [LoseAnswer(), Refuse(), DeliverTwice(), LoseAnswer()] * 4
    name = http_url.removeprefix(server.url)
    with in_a_hurry():
        async with proxy(server.url) as between:
            async with AsyncChat(between.url(name), create=True) as db:
                between.trouble_posts(faults)
                async with db.messages.writer(max_rows=5, max_delay=0.001) as writer:
                    for number in range(200):
                        await writer.write(message(number))
                        if number % 10 == 9:
                            await writer.flush()
                assert next(between._faults_of_posts, None) is None, "all of them were met"
            assert await keys_of(http_url) == numbers(200)


async def test_a_refusal_in_a_bad_network(server: Serving, http_url: str) -> None:
    """Whatever is on the stream is a beginning of what was written, and the rest is told."""
    name = http_url.removeprefix(server.url)
    async with proxy(server.url) as between, AsyncChat(between.url(name), create=True) as db:
        between.trouble_posts([RefuseWrite(400), RefuseWrite(400)])
        writer = db.messages.writer(max_delay=HOUR, max_rows=10)
        for number in range(50):
            await writer.write(message(number))
        with pytest.raises(WriterFailed) as failed:
            await writer.flush()
        written = await keys_of(http_url)
        assert written + [row.id for row in failed.value.unwritten] == numbers(50)


async def test_other_writes_of_its_rows(url: str) -> None:
    """They go behind the rows, which are sent for it."""
    async with AsyncChat(url, create=True) as db:
        writer = db.messages.writer(max_delay=HOUR)
        await writer.write(message(1))
        await db.messages.update("1", content="changed").synced()
        await writer.write(message(2))
        with db.paced(debounce(HOUR)) as paced:
            db.messages.delete("2")
        await writer.flush()
        assert paced.status == "queued"
        await writer.write(message(2, "anew"))
        await writer.flush()
        await db.until(lambda: not db._state.tables["messages"].overlay)
        assert await keys_of(url) == ["1", "1", "2", "2", "2"]
        assert list(db.messages) == [message(1, "changed"), message(2, "anew")]


async def test_not_inside_of_a_transaction(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db, db.messages.writer() as writer:
        with db.transaction(), pytest.raises(StreamDBError, match="do not nest"):
            writer.write_nowait(message(1))
        assert len(db.messages) == 0


async def test_a_stream_that_has_ended(embedded_url: str) -> None:
    async with await AsyncStream.create(embedded_url) as stream, AsyncChat(embedded_url) as db:
        writer = db.messages.writer(max_delay=HOUR)
        await writer.write(message(1))
        await stream.close_stream()
        with pytest.raises(WriterFailed):
            await writer.flush()
        assert len(db.messages) == 0


def test_a_flush_that_takes_too_long_gives_nothing_up(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        writer = db.messages.writer(max_delay=HOUR)
        writer.write(message(1))
        with pytest.raises(WaitTimeout):
            writer.flush(0)
        writer.flush(30)
        writer.close()


def test_a_writer_that_was_not_waited_for_is_waited_for_again(tmp_path: Path) -> None:
    """And tells what has failed, once."""
    with Chat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        writer = db.messages.writer(max_delay=HOUR)
        with held_writes(db):
            writer.write(message(1, TOO_LARGE))
            for _ in range(2):
                with pytest.raises(WaitTimeout):
                    writer.close(0.01)
            with pytest.raises(HandleClosed):
                writer.write(message(2))
        with pytest.raises(WriterFailed):
            writer.close(30)
        writer.close()


async def test_a_writer_whose_closing_was_cancelled_is_waited_for_again(tmp_path: Path) -> None:
    async with AsyncChat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        writer = db.messages.writer(max_delay=HOUR)
        with held_writes(db):
            await writer.write(message(1, TOO_LARGE))
            closing = asyncio.ensure_future(writer.aclose())
            await asyncio.sleep(0)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            with pytest.raises(HandleClosed):
                await writer.write(message(2))
        with pytest.raises(WriterFailed):
            await writer.aclose()
        await writer.aclose()


async def test_a_block_that_was_cancelled_can_be_waited_for(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        writer = db.messages.writer(max_delay=HOUR)
        await writer.write(message(1))
        await writer.__aexit__(None, asyncio.CancelledError(), None)
        assert writer.pending == 1
        await writer.aclose()
        assert writer.pending == 0
        assert await keys_of(embedded_url) == ["1"]


async def test_batches_wait_for_one_that_waits_for_an_action(url: str) -> None:
    """They do not overtake it, and go or fail with it."""

    async def persist(_: AsyncActionTransaction) -> None:
        await may_go_on.wait()
        raise ZeroDivisionError

    may_go_on = asyncio.Event()
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "old")).synced()
        acting = db.perform(lambda: db.messages.delete("1"), persist)
        writer = db.messages.writer(max_rows=1)
        for number in range(1, 4):
            await writer.write(message(number))
        other = db.messages.insert(message("other"))
        await other
        assert await keys_of(url) == ["1", "other"]
        may_go_on.set()
        with pytest.raises(TransactionFailed):
            await acting
        with pytest.raises(WriterFailed) as failed:
            await writer.flush()
        assert [row.id for row in failed.value.unwritten] == ["1", "2", "3"]
        assert list(db.messages) == [message(1, "old"), message("other")]


def test_a_row_that_is_written_while_a_batch_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is behind that batch, or refused: what fails with it is known to nobody too early."""
    dependents = PendingWrites.dependents
    raised: list[BaseException] = []

    def write_second() -> None:
        try:
            writer.write(message(2))
        except WriterFailed as error:
            raised.append(error)

    second = threading.Thread(target=write_second)

    def held_up(*arguments: Any) -> Any:
        found = dependents(*arguments)
        second.start()
        second.join(0.05)
        return found

    monkeypatch.setattr(PendingWrites, "dependents", held_up)
    with Chat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        writer = db.messages.writer(max_delay=HOUR)
        writer.write(message(1, TOO_LARGE))
        with pytest.raises(WriterFailed):
            writer.flush(30)
        second.join()
        with pytest.raises(WriterFailed):
            writer.flush(30)
        assert len(raised) == 1
        assert len(db.messages) == 0


def test_who_waits_knows_the_outcome_though_it_wakes_before_that_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that brings it may be held up in between."""
    settle = Pace._settle

    def settle_late(pace: Pace, draft: Any, outcome: Any) -> None:
        threading.Event().wait(0.05)
        settle(pace, draft, outcome)

    monkeypatch.setattr(Pace, "_settle", settle_late)
    with Chat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        for wait in ("flush", "close"):
            writer = db.messages.writer(max_delay=HOUR)
            writer.write(message(1, TOO_LARGE))
            with pytest.raises(WriterFailed):
                getattr(writer, wait)(30)
        writer = db.messages.writer(max_delay=HOUR)
        writer.write(message(1))
        assert writer.pending == 1
        writer.flush(30)
        assert writer.pending == 0


def test_who_would_wait_for_ever_is_refused_before_it_waits(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        writer = db.messages.writer(max_delay=HOUR, max_pending=1)
        writer.write(message(1))
        for write in (writer.write, writer.write_nowait):
            with running_functions, pytest.raises(StreamDBError, match="a function of a query"):
                write(message(2))
        assert writer.pending == 1, "and has nothing sent"

        async def write() -> None:
            with pytest.raises(WouldDeadlock):
                writer.write(message(2))

        shared_loop_thread().run(write())
        assert db.messages.keys() == ["1"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_delay", -1),
        ("max_delay", math.nan),
        ("max_delay", math.inf),
        ("max_rows", 0),
        ("max_bytes", 0),
        ("max_pending", 0),
    ],
)
def test_limits_that_make_no_sense(embedded_url: str, option: str, value: Any) -> None:
    db = AsyncChat(embedded_url)
    with pytest.raises(ValueError, match=option):
        db.messages.writer(**{option: value})
    with pytest.raises(TypeError, match="did you mean"):
        db.messages.writer(**{option[:-1]: 1})


async def test_the_forms_are_not_mixed_up(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        with pytest.raises(TypeError, match="async with"), db.messages.writer():  # type: ignore[attr-defined]  # that is the mistake
            pass
