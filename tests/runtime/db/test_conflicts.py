"""Two who write the same row: the last write stands, and whoever overwrote something is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages
from tests.runtime.db.held import held_writes, unread
from tests.runtime.db.span_rows import ModelSpan, Span

from streamdb import (
    AsyncActionTransaction,
    AsyncStream,
    AsyncStreamDB,
    InvalidRow,
    Stream,
    TransactionFailed,
    collection,
    debounce,
)

TOO_LARGE = "x" * (70 * 1024 * 1024)


@pytest.mark.parametrize(
    ("write", "is_conflict"),
    [
        (lambda rows: rows.insert(message("new", "mine")), True),
        (lambda rows: rows.upsert(message(1, "mine")), True),
        (lambda rows: rows.delete("1"), True),
        (lambda rows: rows.update("1", content="mine"), True),
        (lambda rows: rows.update("1", note="mine"), False),
        (lambda rows: rows.update("1", content="theirs"), False),
        (lambda rows: rows.upsert(message(1, "theirs")), False),
        (lambda rows: rows.insert(message("new", "theirs")), False),
        (lambda rows: rows.upsert(message("other", "mine")), False),
    ],
    ids=[
        "an insert that meets a row",
        "an upsert",
        "a removal",
        "an update of the field that they changed",
        "an update of another field",
        "an update to what they wrote",
        "an upsert of what they wrote",
        "an insert of what they inserted",
        "another row",
    ],
)
@pytest.mark.parametrize("waiting", ["alone", "in a block", "in a paced block"])
async def test_what_others_wrote_before_a_write_was_sent(
    url: str, write: Callable[[Any], Any], is_conflict: bool, waiting: str
) -> None:
    """It is told if the write undoes it; of an update, only its fields count."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        block: Any = {
            "alone": lambda: held_writes(db),
            "in a block": db.transaction,
            "in a paced block": lambda: db.paced(debounce(0.01)),
        }[waiting]()
        with block as opened:
            written = write(db.messages)
            await stream.append(messages.update(message(1, "theirs")))
            await stream.append(messages.upsert(message("new", "theirs"), txid="t"))
            await db.await_txid("t")
        transaction: Any = written if waiting == "alone" else opened
        await transaction.synced()
        assert transaction.conflict is is_conflict


def test_an_insert_that_meets_a_row_in_the_blocking_form(url: str) -> None:
    with Chat(url, create=True) as db, Stream(url) as stream:
        with held_writes(db):
            transaction = db.messages.insert(message(1, "mine"))
            stream.append(messages.insert(message(1, "theirs"), txid="t"))
            db.await_txid("t")
        transaction.synced(10)
        assert transaction.conflict
        assert db.messages["1"].content == "mine"


async def test_a_refused_batch_that_is_sent_again_overwrites_and_says_so(tmp_path: Path) -> None:
    url = f"embedded:{tmp_path / 's.db'}#s"
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        await db.messages.insert(message(2, "old")).synced()
        sender = db._session.sender
        send = sender._send

        async def send_late(to: AsyncStream, drafts: list[Any]) -> None:
            if [draft.outcome.txid for draft in drafts] == [same.txid]:
                await stream.append(messages.update(message(1, "theirs")))
                await stream.append(messages.update(message(2, "theirs"), txid="t"))
                await db.await_txid("t")
            await send(to, drafts)

        sender._send = send_late  # type: ignore[method-assign]  # somebody writes in between
        same = db.messages.update("1", content="mine")
        other = db.messages.update("2", note="mine")
        refused = db.messages.insert(message(3, TOO_LARGE))
        with pytest.raises(TransactionFailed):
            await refused
        await same.synced()
        await other.synced()
        assert same.conflict
        assert not other.conflict, "what they wrote is still there"
        assert db.messages["2"] == message(2, "theirs", note="mine")


async def test_what_was_made_on_a_write_that_failed_is_no_conflict(tmp_path: Path) -> None:
    """Nobody else wrote the row."""
    async with AsyncChat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        await db.messages.insert(message(1, "before")).synced()
        refused = db.messages.upsert(message(1, TOO_LARGE))
        upsert = db.messages.upsert(message(1, "mine"))
        with pytest.raises(TransactionFailed):
            await refused
        await upsert.synced()
        assert not upsert.conflict


async def test_what_was_there_before_the_first_load_is_no_conflict(url: str) -> None:
    """Nobody wrote it in between; only an insert says that nothing was there."""
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message(1, "theirs")))
        await stream.append(messages.insert(message(2, "theirs")))
        db = AsyncChat(url)
        with held_writes(db):
            upsert = db.messages.upsert(message(1, "mine"))
            insert = db.messages.insert(message(2, "mine"))
            await db.preload()
        await insert.synced()
        assert not upsert.conflict
        assert insert.conflict
        await db.aclose()


@pytest.mark.parametrize("others_write", [False, True])
@pytest.mark.parametrize("comes_first", [False, True])
async def test_what_persist_writes_over_what_its_action_shows(
    comes_first: bool, others_write: bool, url: str
) -> None:
    """What shows is not on the stream: nobody else has written where that is missing there."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        inner: list[Any] = []

        async def persist(tx: AsyncActionTransaction) -> None:
            with unread(db):
                if comes_first:
                    await stream.append_many(tx.events)
                if others_write:
                    await stream.append(messages.update(message(1, "theirs"), txid="t"))
                inner.append(db.messages.update("1", note="by persist"))
                await inner[0]
            await inner[0].synced()
            tx.release()

        await db.perform(lambda: db.messages.update("1", content="shown"), persist)
        assert inner[0].conflict is others_write
        assert db.messages["1"] == message(1, "shown", note="by persist")


@dataclass(frozen=True)
class OddSpan(Span):
    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ZeroDivisionError  # no error that rows have


@pytest.mark.parametrize("is_read_first", [True, False])
async def test_what_persist_writes_is_no_conflict_for_what_waited_when_its_action_fails(
    is_read_first: bool, url: str
) -> None:
    """Whether what persist wrote has come back by then or not: it was nobody else."""
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "before")).synced()
        later_is_there = asyncio.Event()

        async def persist(_: AsyncActionTransaction) -> None:
            await later_is_there.wait()
            own = db.messages.upsert(message(1, "written by persist"))
            await (own.synced() if is_read_first else own)
            raise ZeroDivisionError

        with nullcontext() if is_read_first else unread(db):
            action = db.perform(lambda: db.messages.update("1", content="shown"), persist)
            later = db.messages.upsert(message(1, "written later"))
            later_is_there.set()
            with pytest.raises(TransactionFailed):
                await action
            await later
        await later.synced()
        assert not later.conflict


@pytest.mark.parametrize("row", [Span, ModelSpan, OddSpan])
async def test_an_update_that_does_not_go_with_what_others_wrote(row: Any, url: str) -> None:
    """What they wrote shows as it is, and the write fails: nothing of theirs is undone."""
    declared = collection(row, type="span", primary_key="id")
    spans: Any = type("Spans", (AsyncStreamDB,), {"spans": declared})
    async with await AsyncStream.create(url) as stream, spans(url) as db:
        await db.spans.insert(row(id="a", start=1, end=5)).synced()
        with held_writes(db):
            transaction = db.spans.update("a", end=3)
            later = db.spans.update("a", label="x")
            assert db.spans["a"] == row(id="a", start=1, end=3, label="x")
            value = {"id": "a", "start": 4, "end": 6, "label": "theirs"}
            headers = {"operation": "update", "txid": "t"}
            await stream.append({"type": "span", "key": "a", "value": value, "headers": headers})
            await db.await_txid("t")
            assert db.spans["a"] == row(id="a", start=4, end=6, label="x")
        with pytest.raises(TransactionFailed) as failed:
            await transaction
        with pytest.raises(TransactionFailed):
            await later
        assert isinstance(failed.value.__cause__, InvalidRow)
        assert db.spans["a"] == row(id="a", start=4, end=6, label="theirs")


async def test_an_update_shows_again_when_it_goes_with_what_others_wrote(url: str) -> None:
    spans: Any = type(
        "Spans", (AsyncStreamDB,), {"spans": collection(Span, type="span", primary_key="id")}
    )
    async with await AsyncStream.create(url) as stream, spans(url) as db:
        await db.spans.insert(Span("a", 1, 5)).synced()
        with held_writes(db):
            transaction = db.spans.update("a", end=3)
            for start, shown in ((4, Span("a", 4, 6)), (2, Span("a", 2, 3))):
                headers = {"operation": "update", "txid": f"t{start}"}
                value = {"id": "a", "start": start, "end": 6, "label": ""}
                event = {"type": "span", "key": "a", "value": value, "headers": headers}
                await stream.append(event)
                await db.await_txid(f"t{start}")
                assert db.spans["a"] == shown
        await transaction.synced()
        assert db.spans["a"] == Span("a", 2, 3)


async def test_an_end_of_the_stream_takes_back_what_is_pending(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        seen: list[Any] = []
        db.messages.subscribe(lambda changes: seen.extend(change.kind for change in changes))
        with held_writes(db):
            transaction = db.messages.insert(message(1))
            await stream.close_stream()
            with pytest.raises(TransactionFailed):
                await transaction
        assert seen == ["insert", "delete"]
        late = db.messages.insert(message(2))
        with pytest.raises(TransactionFailed, match="the stream has ended"):
            await late
        assert len(db.messages) == 0


def test_a_write_on_its_way_to_the_loop_when_the_stream_ends_is_taken_back(url: str) -> None:
    """Its row has shown, so subscribers are told that it goes."""
    with Stream.create(url) as stream, Chat(url) as db:
        seen: list[Any] = []
        db.messages.subscribe(lambda changes: seen.extend(change.kind for change in changes))
        late: list[Any] = []
        on_loop = db._on_loop
        db._on_loop = late.append  # type: ignore[method-assign]  # the loop is busy
        with unread(db):
            stream.close_stream()
            transaction = db.messages.insert(message(1))
        db.until(lambda: transaction.status == "failed", timeout=10)
        with pytest.raises(TransactionFailed, match="the stream has ended"):
            transaction.result(10)
        on_loop(late[0])
    assert seen == ["insert", "delete"]
    assert len(db.messages) == 0
