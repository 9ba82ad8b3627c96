"""Writes with an outbox survive the end of the program, and are on the stream exactly once."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, is_typeddict

import msgspec
import pytest
from msgspec import UNSET
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.outbox_place import OPTIONS, Place, contents, emptied, place, read, sent
from tests.runtime.task_rows import KINDS, task
from tests.runtime.task_rows import SCHEMA as TASK

from streamdb import (
    AsyncActionTransaction,
    AsyncStream,
    AsyncStreamDB,
    CacheError,
    CacheInUse,
    DatabaseClosed,
    NotConnected,
    OutboxEntry,
    Stream,
    StreamDBError,
    TransactionKept,
    WriterFailed,
    collection,
)
from streamdb.cache import store
from streamdb.cache.outbox_file import OutboxFile
from streamdb.db import txids

__all__ = ["place"]


async def test_what_was_not_sent_is_sent_by_the_next_process(place: Place) -> None:
    async with place.open() as db:
        place.cut()
        first = db.messages.insert(message("a", "1"))
        await sent(db)
        with db.transaction() as tx:
            db.messages.update("old", content="2")
            db.messages.insert(message("b", "2"))
            db.sensors.upsert(sensor(7))
        last = db.messages.delete("a")
        shown = contents(db)
        await last.stored()
        assert [entry.status for entry in db.outbox.pending] == ["sent", "queued", "queued"]
    for transaction in (first, tx, last):
        assert transaction.status == "kept"
        with pytest.raises(TransactionKept, match="is in the outbox"):
            await transaction
    assert contents(db) == shown == [("old", "2"), ("b", "2")]
    async with place.open() as again:
        assert contents(again) == shown, "it shows at once, though nothing of it is on the stream"
        assert again.sensors[7] == sensor(7)
        assert [one.txid for one in again.outbox.pending] == [first.txid, tx.txid, last.txid]
        assert again.outbox.pending[1].writes[0].value["content"] == "2"
        assert await place.keys() == [("insert", "old")]
        place.mend()
        await emptied(again)
        await again.await_txid(last.txid)
        assert contents(again) == shown
    expected = [("insert", "a"), ("update", "old"), ("insert", "b"), ("upsert", "7")]
    assert await place.keys() == [("insert", "old"), *expected, ("delete", "a")]
    found = [event["headers"].get("txid") for event in (await place.events())[1:]]
    assert found == [first.txid, tx.txid, tx.txid, tx.txid, last.txid]


def test_the_blocking_form(embedded_url: str, tmp_path: Path) -> None:
    cache = tmp_path / "c"
    refused: list[OutboxEntry] = []
    with Chat(
        embedded_url, create=True, cache=cache, outbox=True, on_outbox_error=refused.append
    ) as db:
        db.messages.insert(message("a")).stored(timeout=20)
        db.messages.insert(message("b")).result(timeout=20)
        with db.transaction() as empty:
            pass
        empty.stored()
        assert db.outbox.pending == ()
        with Stream(embedded_url) as stream:
            stream.close_stream()
        db.until(lambda: db.status == "ended", timeout=20)
        with pytest.raises(DatabaseClosed, match="reading is over"):
            db.messages.insert(message("c"))
    with Chat(embedded_url, cache=cache, outbox=True) as db:
        assert db.messages.keys() == ["a", "b"]
    assert refused == []


def test_a_write_is_pending_from_the_call_on(embedded_url: str, tmp_path: Path) -> None:
    with Chat(embedded_url, create=True, cache=tmp_path / "c", outbox=True) as db:
        let_go = threading.Event()
        db._on_loop(let_go.wait)  # which would put it into the outbox
        try:
            transaction = db.messages.insert(message("a"))
            with suppress(ZeroDivisionError), db.transaction():
                db.messages.insert(message("b"))
                raise ZeroDivisionError
            pending = db.outbox.pending
        finally:
            let_go.set()
        assert [(entry.txid, entry.status) for entry in pending] == [(transaction.txid, "queued")]
        assert [write.key for write in pending[0].writes] == ["a"]
        db.until(lambda: not db.outbox.pending, timeout=20)
        assert transaction.status in ("durable", "synced")


async def test_what_cannot_be_kept_is_pending_no_more(place: Place) -> None:
    async with place.open() as db:
        async with AsyncStream(place.direct) as stream:
            await stream.close_stream()
        await db.until(lambda: db.status == "ended", timeout=20)
        with pytest.raises(DatabaseClosed):
            db.messages.insert(message("a"))
        assert db.outbox.pending == ()


async def test_an_update_is_made_of_the_row_as_it_is_when_it_is_sent(place: Place) -> None:
    """Of one that waits, the changed fields are kept, and not the row."""
    async with place.open() as db:
        place.cut()
        db.messages.insert(message("a"))
        await sent(db)
        await db.messages.update("old", note="mine").stored()
    async with AsyncStream(place.direct) as others:
        await others.append(messages.upsert(message("old", "theirs", role="assistant")))
    expected = message("old", "theirs", role="assistant", note="mine")
    async with place.open() as db:
        assert db.messages["old"] == expected
        place.mend()
        await emptied(db)
        assert db.messages["old"] == expected
    async with AsyncChat(place.direct) as fresh:
        assert fresh.messages["old"] == expected


@pytest.mark.parametrize("is_expected", [True, False])
async def test_an_update_expects_the_row_after_a_restart_too(
    place: Place, is_expected: bool
) -> None:
    async with place.open() as db:
        place.cut()
        db.messages.insert(message("a"))
        await sent(db)
        db.messages.update("old", content="mine", expect=db.messages["old"])
    if not is_expected:
        async with AsyncStream(place.direct) as others:
            await others.append(messages.upsert(message("old", "theirs")))
    async with place.open() as db:
        place.mend()
        await emptied(db)
        await db.until(lambda: not db.messages.meta("old").pending)
        assert db.messages["old"].content == ("mine" if is_expected else "theirs")
        assert ["is another one by now" in str(one.reason) for one in db.outbox.refused] == [
            True
        ] * (not is_expected)


async def test_an_action_that_the_database_sends_goes_before_what_waits_for_it(
    place: Place,
) -> None:
    """After a restart, too, though that was in the outbox before."""

    async def persist(tx: AsyncActionTransaction) -> None:
        await may_persist.wait()
        await tx.send()

    may_persist = asyncio.Event()
    async with place.open() as db:
        place.cut()
        db.messages.insert(message("x"))
        await sent(db)
        db.perform(lambda: db.messages.insert(message("a", "1")), persist)
        await db.messages.update("a", content="2").stored()
        assert len(db.outbox.pending) == 2, "what the application may bring by itself is not in it"
        may_persist.set()
        async with asyncio.timeout(10):
            while len(db.outbox.pending) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    async with place.open() as db:
        assert db.messages["a"].content == "2"
        place.mend()
        await emptied(db)
        assert db.outbox.refused == ()
    keys = [("insert", "old"), ("insert", "x"), ("insert", "a"), ("update", "a")]
    assert await place.keys() == keys


async def test_rows_that_do_not_fit_the_schema_any_more(place: Place) -> None:
    """What was sent is sent again as it was; what waits is refused, and kept."""
    async with place.open() as db:
        place.cut()
        db.messages.insert(message("a", "sent"))
        await sent(db)
        db.messages.insert(message("b", "waits"))

    class Numbered(msgspec.Struct, frozen=True, kw_only=True):
        id: str
        content: int = 0

    numbered = collection(Numbered, type="message", primary_key="id")
    database = type("Newer", (AsyncStreamDB,), {"messages": numbered})
    place.mend()
    async with database(place.url, cache=place.cache, on_invalid="ignore", **OPTIONS) as newer:
        await emptied(newer)
        (refused,) = newer.outbox.refused
        assert "it does not fit the schema" in str(refused.reason)
        assert refused.writes[0].value == {"id": "b", "content": "waits"}
    assert await place.keys() == [("insert", "old"), ("insert", "a")]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_rows_of_every_kind(kind: Any, place: Place) -> None:
    declared = collection(kind, type="task", primary_key="id", schema=TASK)
    database = type("Tasks", (AsyncStreamDB,), {"tasks": declared})
    open_tasks: Any = lambda: database(place.url, cache=place.cache, **OPTIONS)  # noqa: E731
    async with open_tasks() as db:
        await db.tasks.insert(task(kind, "t1", note="n")).synced()
        place.cut()
        db.tasks.insert(task(kind, "t\u00e9", title="\U0001f600"))
        await sent(db)
        db.tasks.update("t1", count=3)
        db.tasks.update("t1", parent=None)
        absent = UNSET if kind is dict or is_typeddict(kind) else None
        await db.tasks.update("t1", note=absent).stored()
        shown = db.tasks.items()
    async with open_tasks() as db:
        assert db.tasks.items() == shown
        place.mend()
        await emptied(db)
        assert db.tasks.items() == shown
    async with database(place.direct) as db:
        assert db.tasks.items() == shown


async def test_no_conflict_is_reported_where_nobody_else_has_written(place: Place) -> None:
    async with place.open() as db:
        place.cut()
        mine, theirs = db.messages.update("old", content="1"), db.messages.insert(message("a"))
        await sent(db)
    async with AsyncStream(place.direct) as others:
        await others.append(messages.insert(message("a", "theirs")))
    async with place.open() as db:
        outcomes = {txid: draft.outcome for txid, draft in db._session.sender._in_flight.items()}
        place.mend()
        await asyncio.wrap_future(outcomes[mine.txid].synced)
        await asyncio.wrap_future(outcomes[theirs.txid].synced)
        assert not outcomes[mine.txid].conflict
        assert outcomes[theirs.txid].conflict


async def test_what_is_left_to_the_next_process_is_told_when_it_is_on_the_disk(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not when it is told to be kept, which is before."""
    write, may_write = OutboxFile.write, threading.Event()

    def write_late(file: OutboxFile, changes: Any) -> None:
        may_write.wait()
        write(file, changes)

    async with place.open() as db:
        monkeypatch.setattr(OutboxFile, "write", write_late)
        transaction = db.messages.insert(message("a"))
        stored = asyncio.ensure_future(transaction.stored())
        closing = asyncio.ensure_future(db.aclose())
        with pytest.raises(TransactionKept):
            await transaction
        await asyncio.sleep(0)
        is_told = stored.done()
        may_write.set()
        await closing
        await stored
        assert not is_told
    assert [record.txid for record in read(place.cache)[1]] == [transaction.txid]


async def test_rows_of_a_writer_that_are_left_are_not_told_to_be_unwritten(place: Place) -> None:
    """Who writes these again has them twice: the next process sends them."""
    async with place.open() as db:
        place.cut()
        writer = db.messages.writer(max_rows=1)
        for number in range(2):
            await writer.write(message(number))
        await sent(db)
    with pytest.raises(WriterFailed) as failed:
        await writer.flush()
    assert (failed.value.unwritten, failed.value.unknown) == ((), (message(0), message(1)))
    assert isinstance(failed.value.__cause__, TransactionKept)


async def test_a_disk_that_is_full(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent that is not on the disk; it waits for that."""

    def fail(*_: object) -> None:
        raise CacheError("the disk is full")

    async with place.open() as db:
        with monkeypatch.context() as patched:
            patched.setattr(OutboxFile, "write", fail)
            tx = db.messages.insert(message("a"))
            with pytest.raises(CacheError, match="full"):
                await tx.stored()
            assert await place.keys() == [("insert", "old")]
        await tx
    assert await place.keys() == [("insert", "old"), ("insert", "a")]


async def test_the_cache_never_holds_what_the_outbox_still_has(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart it would not be seen to come back, and would show as pending for ever."""
    write, is_slow = OutboxFile.write, False

    def write_slowly(file: OutboxFile, changes: Any) -> None:
        if is_slow:
            raise CacheError("not now")
        write(file, changes)

    monkeypatch.setattr(OutboxFile, "write", write_slowly)
    # So that nothing else tells: the cache is rows, and remembers no txids.
    monkeypatch.setattr(store, "_LEAST_TO_REWRITE", 0)
    monkeypatch.setattr(txids, "_REMEMBERED", 0)
    async with place.open() as db:
        place.cut()
        tx = db.messages.insert(message("a"))
        await sent(db)
        is_slow = True
        async with AsyncStream(place.direct) as stream:  # it has arrived all the same
            _, (record,) = read(place.as_of_now())
            assert record.sent is not None
            await stream.append_many([json.loads(event) for event in record.sent.events])
        await tx.synced()
        killed = place.as_of_now()
    is_slow = False
    async with place.open(killed) as db:
        assert db.messages.keys() == ["old", "a"]
        assert db.outbox.pending == ()


async def test_one_database_has_an_outbox(place: Place) -> None:
    async with place.open():
        second = place.open()
        with pytest.raises(CacheInUse, match="in use by another database"):
            await second.preload()
        await second.aclose()


async def test_an_outbox_of_another_stream(place: Place) -> None:
    async with place.open() as db:
        place.cut()
        await db.messages.insert(message("a")).stored()
    place.mend()
    other = AsyncChat(f"{place.url}-other", create=True, cache=place.cache, **OPTIONS)
    with pytest.raises(CacheError, match="holds 1 transactions that are not on their stream yet"):
        await other.preload()
    await other.aclose()
    async with place.open() as db:
        await emptied(db)
    async with AsyncChat(f"{place.url}-other", create=True, cache=place.cache, **OPTIONS) as db:
        await db.messages.insert(message("b"))


async def test_it_has_to_be_connected_before_it_is_written_to(place: Place) -> None:
    db = place.open()
    with pytest.raises(NotConnected, match="cannot be written to before it is connected"):
        db.messages.insert(message("a"))
    db.live(db.messages)  # what does not write may be first
    await db.aclose()


async def test_a_fork_has_none(place: Place) -> None:
    async with place.open() as db, await db.fork(f"{place.url}-fork") as fork:
        with pytest.raises(StreamDBError, match="no outbox: open it with outbox=True"):
            fork.outbox  # noqa: B018 - that is the test
        tx = fork.messages.insert(message("a"))
        with pytest.raises(StreamDBError, match="the transaction is in no outbox"):
            await tx.stored()
        await tx


async def test_a_cache_without_the_outbox_that_is_beside_it(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.open() as db:
        place.cut()
        await db.messages.insert(message("a")).stored()
    async with place.open(outbox=False) as db:
        assert db.messages.keys() == ["old"]
    assert "open it with outbox=True to have them sent" in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"outbox": True}, "outbox=True keeps writes beside a cache: give cache='session.cache'"),
        ({"on_outbox_error": print}, "pass outbox=True as well"),
    ],
)
def test_options_that_need_others(options: dict[str, Any], words: str) -> None:
    for kind in (Chat, AsyncChat):
        with pytest.raises(ValueError, match=words):
            kind("http://127.0.0.1:1/v1/stream/x", **options)
