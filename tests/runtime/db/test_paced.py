"""Paced writes show at once, are sent when the rhythm says so, and keep every promise of a write.

Rhythms of hours stand for "not yet", those of a moment for "soon": no test measures time.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncGenerator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.held import held_writes

from streamdb import (
    AsyncStream,
    AsyncTransaction,
    DatabaseClosed,
    DuplicateKey,
    MissingKey,
    StreamDBError,
    TransactionFailed,
    WaitTimeout,
    debounce,
    in_turn,
    throttle,
)
from streamdb.db import pace
from streamdb.db.rhythms import Moments

HOUR = 3600.0
MOMENT = 0.001
TOO_LARGE = "x" * (70 * 1024 * 1024)


async def events_of(url: str) -> list[Any]:
    async with AsyncStream(url) as stream:
        return [event async for batch in stream.read() for event in stream.items(batch)]


async def contents_of(url: str) -> list[str]:
    return [event["value"]["content"] for event in await events_of(url)]


async def test_blocks_that_wait_are_one_transaction(url: str) -> None:
    """They show at once, each as a whole; a row is written once; whoever has one can await it."""
    async with AsyncChat(url, create=True) as db:
        seen: list[list[str]] = []
        db.messages.subscribe(lambda changes: seen.append([change.kind for change in changes]))
        typing = db.paced(debounce(HOUR))
        with typing as first:
            db.messages.insert(message(1, "h"))
            db.sensors.insert(sensor(1))
        with typing as second:
            db.messages.update("1", content="hi")
            db.messages.update("1", note="draft")
        assert db.messages["1"] == message(1, "hi", note="draft")
        assert first.txid == second.txid
        assert (first.status, second.status) == ("queued", "queued")
        assert await events_of(url) == []
        await typing.flush()
        assert first.status in ("durable", "synced")
        await second.synced()
        assert [(event["type"], event["key"]) for event in await events_of(url)] == [
            ("message", "1"),
            ("sensor", "1"),
        ]
        assert seen == [["insert"], ["update"]]


def test_the_blocking_form(url: str) -> None:
    with Chat(url, create=True) as db:
        typing = db.paced(debounce(HOUR))
        with typing as first:
            db.messages.insert(message(1, "h"))
        with typing as second:
            db.messages.update("1", content="hi")
        assert db.messages["1"].content == "hi"
        assert (first.txid, first.status) == (second.txid, "queued")
        with pytest.raises(WaitTimeout):
            second.result(0)
        typing.flush(30)
        second.synced(30)
        assert list(db.messages) == [message(1, "hi")]


def test_threads_share_a_rhythm(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        paced = db.paced(throttle(MOMENT))

        def write(thread: int) -> None:
            for number in range(20):
                with paced:
                    db.messages.insert(message(f"{thread}-{number}"))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        paced.flush(30)
        db.until(lambda: not any(table.overlay for table in db._state.tables.values()))
        assert len(db.messages) == 80


@pytest.mark.parametrize("rhythm", [debounce(MOMENT), throttle(MOMENT), in_turn(MOMENT)])
async def test_all_is_sent_by_itself_in_time(url: str, rhythm: Any) -> None:
    async with AsyncChat(url, create=True) as db:
        paced = db.paced(rhythm)
        for number in range(5):
            with paced as transaction:
                db.messages.upsert(message(1, str(number)))
            await asyncio.sleep(MOMENT * number)
        await transaction.synced()
        assert db.messages["1"].content == "4"
        assert (await contents_of(url))[-1] == "4"


@pytest.mark.parametrize("rhythm", [debounce(MOMENT), throttle(MOMENT), in_turn(MOMENT)])
def test_all_is_sent_by_itself_in_time_in_the_blocking_form(embedded_url: str, rhythm: Any) -> None:
    with Chat(embedded_url, create=True) as db:
        paced = db.paced(rhythm)
        for number in range(5):
            with paced as transaction:
                db.messages.upsert(message(1, str(number)))
        transaction.synced(30)
        assert db.messages["1"].content == "4"


async def test_throttle_sends_the_first_at_once_and_the_rest_as_one(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        paced = db.paced(throttle(HOUR))
        transactions = []
        for number in range(4):
            with paced as transaction:
                db.messages.upsert(message(1, str(number)))
            transactions.append(transaction)
        await transactions[0]
        assert await contents_of(url) == ["0"]
        assert len({transaction.txid for transaction in transactions[1:]}) == 1
        await paced.flush()
        assert await contents_of(url) == ["0", "3"]


async def test_in_turn_keeps_transactions_apart(url: str) -> None:
    """Each goes in a request of its own, when the one before has its outcome; a failure is one."""
    async with AsyncChat(url, create=True) as db:
        paced = db.paced(in_turn())
        transactions = []
        for number in range(4):
            with paced as transaction:
                db.messages.insert(message(number, TOO_LARGE if number == 1 else "ok"))
            transactions.append(transaction)
        assert len({transaction.txid for transaction in transactions}) == 4
        assert len(db.messages) == 4
        with pytest.raises(TransactionFailed):
            await transactions[1]
        await transactions[3].synced()
        assert [transaction.status for transaction in transactions[2:]] == ["synced"] * 2
        assert db.messages.keys() == ["0", "2", "3"]
        bodies = [event["headers"]["txid"] for event in await events_of(url)]
        assert bodies == [one.txid for one in (transactions[0], *transactions[2:])]


def test_what_the_rhythms_say() -> None:
    at = Moments(first=10.0, last=14.0, sent=8.0)
    assert debounce(3).due(at) == 17.0
    assert debounce(3, max_wait=5).due(at) == 15.0
    assert throttle(5).due(at) == 13.0
    assert throttle(1).due(at) == 10.0
    assert in_turn(5).due(at) == 13.0
    assert throttle(1).due(at._replace(sent=-math.inf)) == 10.0


@pytest.mark.parametrize("wait", [0, -1, math.inf, math.nan])
def test_times_that_are_none(wait: float) -> None:
    for rhythm in (debounce, throttle):
        with pytest.raises(ValueError, match="is no time"):
            rhythm(wait)
    with pytest.raises(ValueError, match="max_wait"):
        debounce(2, max_wait=1)
    with pytest.raises(ValueError, match="is no time"):
        in_turn(-1)


async def test_only_rhythms_and_only_with(embedded_url: str) -> None:
    db = AsyncChat(embedded_url)
    with pytest.raises(TypeError, match="debounce"):
        db.paced(0.2)  # type: ignore[arg-type]  # that is the mistake
    with pytest.raises(TypeError, match="use `with`"):
        async with db.paced(debounce(1)):  # type: ignore[attr-defined]  # likewise
            pass
    await db.aclose()


async def test_another_write_of_the_row_has_it_sent_before(url: str) -> None:
    """What shows is what the stream will hold, so nothing of a row overtakes what waits."""
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "old")).synced()
        typing, other = db.paced(debounce(HOUR)), db.paced(debounce(HOUR))
        with typing as waiting:
            db.messages.update("1", content="paced")
        unrelated = db.messages.insert(message(2))
        await unrelated
        assert waiting.status == "queued"
        plain = db.messages.update("1", note="plain")
        await plain
        assert waiting.status in ("durable", "synced")
        with typing as again:
            db.messages.update("1", content="again")
        with other as others:
            db.messages.update("1", note="other")
        await again
        assert others.status == "queued"
        await other.flush()
        rows = [event["value"] for event in await events_of(url) if event["key"] == "1"]
        assert [(row["content"], row.get("note")) for row in rows] == [
            ("old", None),
            ("paced", None),
            ("paced", "plain"),
            ("again", "plain"),
            ("again", "other"),
        ]


async def test_what_was_sent_or_undone_is_in_nobodys_way(embedded_url: str) -> None:
    """Another write of its rows has nothing sent that writes others."""
    async with AsyncChat(embedded_url, create=True) as db:
        paced = db.paced(debounce(HOUR))
        with paced:
            db.messages.insert(message(1))
        await paced.flush()
        with paced as waiting:
            db.messages.insert(message(2))
            db.messages.insert(message(3))
        with paced:
            db.messages.delete("3")
        await db.messages.update("1", content="other")
        await db.messages.insert(message(3))
        assert waiting.status == "queued"
        await paced.flush()
        assert not db._mutations.holders


async def test_in_turn_waits_from_the_outcome_on(
    embedded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that took to come."""
    now = [0.0]
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: now[0]))
    async with AsyncChat(embedded_url, create=True) as db:
        paced = db.paced(in_turn(HOUR))
        with held_writes(db):
            with paced as first:
                db.messages.insert(message(1))
            with paced as second:
                db.messages.insert(message(2))
            now[0] = 2 * HOUR
        await first.synced()
        assert second.status == "queued"
        await paced.flush()
        await second


async def test_closing_sends_what_waits(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        paced = [db.paced(debounce(HOUR)), db.paced(throttle(HOUR)), db.paced(in_turn(HOUR))]
        transactions = []
        for number, each in enumerate(paced):
            for again in range(3):
                with each as transaction:
                    db.messages.upsert(message(number, str(again)))
                transactions.append(transaction)
    assert all(transaction.status in ("durable", "synced") for transaction in transactions)
    assert (await contents_of(url)).count("2") == 3


def test_closing_sends_what_waits_in_the_blocking_form(url: str) -> None:
    """Behind what it stands on, which this thread has just queued."""
    with Chat(url, create=True) as db:
        db.messages.insert(message(1))
        with db.paced(debounce(HOUR)) as transaction:
            db.messages.update("1", content="x")
    transaction.result(0)
    with Chat(url) as again:
        assert again.messages["1"].content == "x"


async def test_a_block_that_raises_leaves_nothing(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        paced = db.paced(debounce(HOUR))
        with paced as first:
            db.messages.insert(message(1, "kept"))

        def write_twice() -> None:
            with paced as transaction:
                transactions.append(transaction)
                db.messages.insert(message(2))
                db.messages.insert(message(1))

        transactions: list[AsyncTransaction] = []
        with pytest.raises(DuplicateKey):
            write_twice()
        assert transactions[0].status == "failed"
        with paced as empty:
            pass
        assert empty.status == "synced"
        assert first.status == "queued"
        await paced.flush()
        await first.synced()
        assert list(db.messages) == [message(1, "kept")]


async def test_what_is_undone_is_never_sent(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        paced = db.paced(debounce(HOUR))
        with paced as first:
            db.messages.insert(message(1))
        with paced as second:
            db.messages.delete("1")
        assert (first.status, second.status) == ("synced", "synced")
        assert len(db.messages) == 0
        with paced as third:
            db.messages.insert(message(1, "anew"))
        await paced.flush()
        await third.synced()
        assert await contents_of(url) == ["anew"]


async def test_an_inserted_row_keeps_its_place(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        paced = db.paced(debounce(HOUR))
        with paced:
            db.messages.insert(message(1))
        held = db.paced(debounce(HOUR))
        with held:
            db.messages.insert(message(2))
        with paced:
            db.messages.update("1", content="x")
        assert db.messages.keys() == ["1", "2"]


async def test_it_fails_with_what_it_stands_on(tmp_path: Path) -> None:
    """All its blocks go, and the next one begins anew."""
    async with AsyncChat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        await db.messages.insert(message(1, "synced")).synced()
        paced = db.paced(debounce(HOUR))
        with paced as first:
            db.messages.update("1", content="paced")
        refused = db.messages.insert(message(2, TOO_LARGE))
        with paced as second:
            db.messages.update("2", content="small")
        with pytest.raises(TransactionFailed):
            await refused
        with pytest.raises(TransactionFailed, match="an earlier one wrote"):
            await second
        assert first.status == "failed"
        assert list(db.messages) == [message(1, "synced")]
        with paced as third:
            db.messages.update("1", content="anew")
        with pytest.raises(TransactionFailed, match="an earlier one wrote"):
            await paced.flush()
        await third.synced()
        await paced.flush()
        assert list(db.messages) == [message(1, "anew")]


async def test_what_others_do_meanwhile(url: str) -> None:
    """A paced update is of fields as any is; if its row is gone when it is sent, it fails."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        for number in (1, 2):
            await db.messages.insert(message(number, "old")).synced()
        paced = db.paced(debounce(HOUR))
        with paced as transaction:
            db.messages.update("1", note="mine")
        await stream.append(messages.update(message(1, "theirs"), txid="t1"))
        await db.await_txid("t1")
        assert db.messages["1"] == message(1, "theirs", note="mine")
        await paced.flush()
        assert not transaction.conflict
        with paced as gone:
            db.messages.update("2", note="mine")
        await stream.append(messages.delete("2", txid="t2"))
        await db.await_txid("t2")
        with paced as inserted:
            db.messages.insert(message(2, "anew"))
        assert gone.txid != inserted.txid, "no update goes on as an insert"
        with pytest.raises(TransactionFailed) as failed:
            await paced.flush()
        assert isinstance(failed.value.__cause__, MissingKey)
        assert db.messages.keys() == ["1"]


async def test_transactions_inside_are_part_of_it(url: str) -> None:
    """So actions can be paced; one that raises leaves nothing, and the block goes on without it."""
    async with AsyncChat(url, create=True) as db:
        paced = db.paced(debounce(HOUR))
        with paced as first:
            db.messages.insert(message(1))
        with paced as second:
            db.messages.insert(message(2, "a"))
            with db.transaction() as inner:
                db.messages.update("2", content="b")
                db.messages.update("1", content="b")
            failed = fail_inside(db)
        assert len({one.txid for one in (first, second, inner)}) == 1
        assert failed.status == "failed"
        assert (second.status, inner.status) == ("queued", "queued")
        await paced.flush()
        await inner.synced()
        assert list(db.messages) == [message(1, "b"), message(2, "b")]


def fail_inside(db: AsyncChat) -> AsyncTransaction:
    made: list[AsyncTransaction] = []
    with suppress(ZeroDivisionError), db.transaction() as transaction:
        made.append(transaction)
        db.messages.update("2", content="lost")
        db.messages.delete("1")
        raise ZeroDivisionError
    return made[0]


def test_transactions_inside_in_the_blocking_form(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        with db.paced(debounce(HOUR)) as outer, db.transaction() as inner:
            db.messages.insert(message(1))
        assert inner.status == "queued"
    inner.result(0)
    assert inner.txid == outer.txid


async def test_blocks_do_not_nest(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        paced = db.paced(debounce(HOUR))
        with paced, pytest.raises(StreamDBError, match="do not nest"), db.paced(throttle(1)):
            pass
        with db.transaction(), pytest.raises(StreamDBError, match="do not nest"), paced:
            pass
        with paced as transaction:
            db.messages.insert(message(1))
        await paced.flush()
        await transaction


async def test_a_block_that_another_task_leaves(embedded_url: str) -> None:
    """As it closes a generator that was not finished: that one has failed, and no other."""
    async with AsyncChat(embedded_url, create=True) as db:
        paced = db.paced(debounce(HOUR))

        async def writing(number: int) -> AsyncGenerator[AsyncTransaction]:
            with paced as transaction:
                db.messages.insert(message(number))
                yield transaction

        async def begin(number: int) -> tuple[AsyncGenerator[AsyncTransaction], AsyncTransaction]:
            generator = writing(number)
            return generator, await anext(generator)

        begun = [await asyncio.create_task(begin(number)) for number in range(2)]
        with paced as own:
            db.messages.insert(message("own"))
            await begun[0][0].aclose()
            db.messages.insert(message("more"))
        assert [one.status for _, one in begun] == ["failed", "open"]
        assert own.status == "queued"
        await begun[1][0].aclose()
        assert begun[1][1].status == "failed"
        await paced.flush()
        assert db.messages.keys() == ["own", "more"]


async def test_a_block_of_an_exit_stack(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        paced = db.paced(debounce(HOUR))
        with ExitStack() as stack:
            transaction = stack.enter_context(paced)
            db.messages.insert(message(1))
        assert transaction.status == "queued"
        left = ExitStack()
        left.enter_context(paced)

        async def leave() -> None:
            left.close()

        with pytest.raises(StreamDBError, match="another task"):
            await asyncio.create_task(leave())


async def test_cancelling_a_flush_ends_the_wait_alone(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        paced = db.paced(debounce(HOUR))
        with paced as transaction:
            db.messages.insert(message(1))
        flush = asyncio.ensure_future(paced.flush())
        await asyncio.sleep(0)
        flush.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flush
        await transaction.synced()


async def test_once_the_stream_is_gone(embedded_url: str) -> None:
    """A stream that has ended fails what waits; a database that is closed takes no more."""
    async with await AsyncStream.create(embedded_url) as stream, AsyncChat(embedded_url) as db:
        paced = db.paced(debounce(HOUR))
        with paced as transaction:
            db.messages.insert(message(1))
        await stream.close_stream()
        with pytest.raises(TransactionFailed):
            await transaction
        assert len(db.messages) == 0
        with pytest.raises(TransactionFailed):
            await paced.flush()
    with pytest.raises(DatabaseClosed), paced:
        pass


def test_a_paced_write_connects_as_any_write_does(embedded_url: str) -> None:
    db = Chat(embedded_url, create=True)
    with db.paced(debounce(MOMENT)) as transaction:
        db.messages.upsert(message(1))
    transaction.synced(30)
    db.close()
