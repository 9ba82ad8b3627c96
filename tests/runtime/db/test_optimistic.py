"""Local writes show at once, and go without a trace if they fail; synced data never waits."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import SCHEMA, AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.held import held_writes, overtake, unread

from streamdb import (
    AsyncStream,
    Batch,
    Change,
    MissingKey,
    TransactionFailed,
    TransactionUnresolved,
)
from streamdb.db.state import CameBack, DatabaseState


def kinds(changes: list[tuple[Change[Any, Any], ...]]) -> list[list[tuple[str, str]]]:
    return [[(change.kind, change.key) for change in commit] for commit in changes]


async def events_of(url: str) -> list[Any]:
    async with AsyncStream(url) as stream:
        return [event async for batch in stream.read() for event in stream.items(batch)]


async def test_a_write_shows_at_once_and_its_echo_is_no_change(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        seen: list[Any] = []
        db.messages.subscribe(seen.append)
        transaction = db.messages.insert(message(1, "hi"))
        assert db.messages["1"] == message(1, "hi")
        assert transaction.status in ("queued", "sent")
        shown = db.messages["1"]
        await transaction.synced()
        assert db.messages["1"] is shown
        assert kinds(seen) == [[("insert", "1")]]
        assert not transaction.conflict


def test_the_blocking_form_shows_at_once_too(url: str) -> None:
    with Chat(url, create=True) as db:
        transactions = [db.messages.insert(message(n)) for n in range(3)]
        db.messages.update("1", content="x")
        db.messages.delete("0")
        assert list(db.messages) == [message(1, "x"), message(2)]
        for transaction in transactions:
            transaction.synced(10)
        assert list(db.messages) == [message(1, "x"), message(2)]


async def test_a_transaction_shows_as_a_whole_when_its_block_ends(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        seen: list[Any] = []
        db.messages.subscribe(lambda changes: seen.append((kinds([changes]), len(db.sensors))))
        with db.transaction() as transaction:
            db.messages.insert(message(1))
            db.messages.insert(message(2))
            db.messages.update("1", content="x")
            db.messages.delete("2")
            db.sensors.insert(sensor(1))
            assert len(db.messages) == 0
        assert seen == [([[("insert", "1")]], 1)]
        await transaction.synced()
        assert [event["key"] for event in await events_of(url)] == ["1", "1"]


async def test_rows_that_others_write_go_before_those_that_are_pending(url: str) -> None:
    """The order is that of the stream, and what it does not have yet comes last."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        with held_writes(db):
            transaction = db.messages.insert(message("mine"))
            await stream.append(messages.insert(message("theirs"), txid="t"))
            await db.await_txid("t")
            assert db.messages.keys() == ["theirs", "mine"]
        await transaction.synced()
        assert db.messages.keys() == ["theirs", "mine"]


async def test_what_others_write_shows_under_a_pending_change(url: str) -> None:
    """A pending update is one of fields: the others are those of whoever wrote last."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        with held_writes(db):
            transaction = db.messages.update("1", note="mine")
            await stream.append(messages.update(message(1, "theirs"), txid="t"))
            await db.await_txid("t")
            assert db.messages["1"] == message(1, "theirs", note="mine")
        await transaction.synced()
        assert db.messages["1"] == message(1, "theirs", note="mine")
        assert not transaction.conflict, "it was made of what they wrote"


async def test_a_write_that_is_refused_goes_with_what_stands_on_it(tmp_path: Path) -> None:
    """And with nothing else: others are written, synced data stays."""
    async with AsyncChat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        await db.messages.insert(message(1, "synced")).synced()
        seen: list[Any] = []
        db.messages.subscribe(seen.append)
        too_large = "x" * (70 * 1024 * 1024)
        refused = db.messages.insert(message(2, too_large))
        standing = db.messages.update("2", content="small")
        other = db.messages.update("1", content="changed")
        assert db.messages.keys() == ["1", "2"]
        with pytest.raises(TransactionFailed):
            await refused
        with pytest.raises(TransactionFailed, match="an earlier one wrote"):
            await standing
        await other.synced()
        assert list(db.messages) == [message(1, "changed")]
        assert kinds(seen) == [
            [("insert", "2")],
            [("update", "2")],
            [("update", "1")],
            [("delete", "2")],
        ]


@pytest.mark.parametrize("updated", ["1", "2"])
async def test_what_stands_on_it_by_one_row_alone_goes_with_it(
    tmp_path: Path, updated: str
) -> None:
    """Whatever it does to the others: a whole row needs none below, an update does."""
    async with AsyncChat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        with db.transaction() as refused:
            db.messages.insert(message(1, "x" * 70_000_000))
            db.messages.insert(message(2))
        with db.transaction() as above:
            for key in ("1", "2"):
                if key == updated:
                    db.messages.update(key, content="small")
                else:
                    db.messages.upsert(message(key, "small"))
        whole = db.messages.upsert(message(2, "whole"))
        with pytest.raises(TransactionFailed, match="an earlier one wrote"):
            await above
        assert refused.status == "failed"
        await whole.synced()
        assert list(db.messages) == [message(2, "whole")]


async def test_another_writer_in_between_is_told(url: str) -> None:
    """The last write stands, and the transaction says that there was another one."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        first = db.messages.update("1", content="one")
        second = db.messages.update("1", content="two")
        await second.synced()
        assert not first.conflict
        assert not second.conflict
        with unread(db):
            await stream.append(messages.update(message(1, "theirs")))
            late = db.messages.update("1", note="mine")
            await late
        await late.synced()
        assert late.conflict
        assert db.messages["1"] == message(1, "two", note="mine")


async def test_an_update_of_a_row_that_was_removed_meanwhile_fails(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        with held_writes(db):
            transaction = db.messages.update("1", note="mine")
            await stream.append(messages.delete("1", txid="t"))
            await db.await_txid("t")
            assert db.messages.get("1") is None
        with pytest.raises(TransactionFailed) as failed:
            await transaction
        assert isinstance(failed.value.__cause__, MissingKey)


async def test_another_writer_before_a_removal_is_told(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        with unread(db):
            await stream.append(messages.update(message(1, "theirs")))
            removal = db.messages.delete("1")
            await removal
        await removal.synced()
        assert removal.conflict
        assert list(db.messages) == []


async def test_a_row_that_is_put_last_comes_back_as_the_row_that_shows(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1)).synced()
        await db.messages.insert(message(2)).synced()
        seen: list[Any] = []
        with db.transaction() as transaction:
            db.messages.delete("1")
            db.messages.insert(message(1, "anew"))
        db.messages.subscribe(seen.append)
        shown = db.messages["1"]
        await transaction.synced()
        assert db.messages.keys() == ["2", "1"]
        assert db.messages["1"] is shown
        assert seen == []
        assert not transaction.conflict


async def test_who_is_told_that_a_row_goes_can_ask_why(tmp_path: Path) -> None:
    async with AsyncChat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        refused = db.messages.insert(message(1, "x" * (70 * 1024 * 1024)))
        standing = db.messages.update("1", content="small")
        seen: list[Any] = []
        db.messages.subscribe(lambda _: seen.append((refused.status, standing.status)))
        with pytest.raises(TransactionFailed):
            await standing
        assert seen == [("failed", "failed")]


async def test_what_was_refused_beside_another_write_is_made_anew(tmp_path: Path) -> None:
    """Of the row as it stands when it is sent again, so that it overwrites nothing."""
    url = f"embedded:{tmp_path / 's.db'}#s"
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        overtake(db, lambda: other.txid, stream, messages.update(message(1, "theirs"), txid="t"))
        other = db.messages.update("1", note="mine")
        refused = db.messages.insert(message(2, "x" * (70 * 1024 * 1024)))
        with pytest.raises(TransactionFailed):
            await refused
        await other.synced()
        assert db.messages["1"] == message(1, "theirs", note="mine")
        assert not other.conflict


async def test_what_was_refused_and_cannot_be_made_anew_is_not_on_the_stream(
    tmp_path: Path,
) -> None:
    """The request that it was sent in was refused, so its outcome is known."""
    url = f"embedded:{tmp_path / 's.db'}#s"
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        overtake(db, lambda: other.txid, stream, messages.delete("1", txid="t"))
        other = db.messages.update("1", note="mine")
        db.messages.insert(message(2, "x" * (70 * 1024 * 1024)))
        with pytest.raises(TransactionFailed) as failed:
            await other
        assert not isinstance(failed.value, TransactionUnresolved)
        assert isinstance(failed.value.__cause__, MissingKey)


def test_writes_around_a_reset_in_one_batch_all_come_back() -> None:
    """Ordinals begin anew at a reset: two events of one batch must not be taken for one."""
    state, came = DatabaseState(SCHEMA, url="u", report=lambda _: None), list[CameBack]()
    state.in_flight, state.on_commit = {"a", "b"}, came.append
    state.take(Batch((b"[]",), "0001", None, True, False, ""))
    events = [
        messages.insert(message(1), txid="a"),
        messages.insert(message(1), txid="b"),
    ]
    body = b'[%s,{"headers":{"control":"reset"}},%s]' % tuple(one.to_json() for one in events)
    state.take(Batch((body,), "0002", None, True, False, ""))
    assert sorted(came[-1].events.values()) == ["a", "b"]


async def test_what_was_sent_together_is_unknown_together(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever closes before the answer learns of none that it is not on the stream: both are."""
    async with await AsyncStream.create(url) as stream:
        db = AsyncChat(url, close_timeout=0)
        await db.preload()
        first, second = db.messages.insert(message(1)), db.messages.update("1", content="x")
        to = db._session._stream
        assert to is not None
        append, is_stored = to.append_once, asyncio.Event()

        async def lose_answer(*arguments: Any, **options: Any) -> None:
            await append(*arguments, **options)
            is_stored.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(to, "append_once", lose_answer)
        with unread(db):
            await is_stored.wait()
            await db.aclose()
        assert isinstance(first.error, TransactionUnresolved)
        assert isinstance(second.error, TransactionUnresolved)
        assert len([each async for batch in stream.read() for each in stream.items(batch)]) == 2
