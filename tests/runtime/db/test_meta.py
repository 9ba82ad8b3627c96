"""What is known of a row beside its fields, by key and in queries."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.held import held_writes

from streamdb import AsyncStream, DatabaseClosed, RowMeta, Stream, TransactionFailed

TOO_LARGE = "x" * (70 * 1024 * 1024)


async def test_of_a_row_from_the_first_write_to_its_echo(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        with held_writes(db):
            transaction = db.messages.insert(message(1))
            assert db.messages.meta("1") == RowMeta("1", True, "local", None, None, None)
        await transaction.synced()
        meta = db.messages.meta("1")
        assert (meta.pending, meta.origin, meta.seq) == (False, "local", 1)
        with held_writes(db):
            later = db.messages.update("1", content="x")
            meta = db.messages.meta("1")
            assert (meta.pending, meta.seq) == (True, 1), "the stream has an older row"
        await later.synced()
        assert db.messages.meta("1").seq == 2


def test_of_a_row_in_the_blocking_form(url: str) -> None:
    with Chat(url, create=True) as db:
        with held_writes(db):
            transaction = db.messages.insert(message(1))
            assert db.messages.meta("1").pending
            with pytest.raises(KeyError):
                db.messages.meta("2")
        transaction.synced(10)
        with Stream(url) as stream:
            stream.append(messages.update(message(1, "theirs"), txid="t"))
        db.await_txid("t")
        meta = db.messages.meta("1")
        assert (meta.pending, meta.origin, meta.seq) == (False, "remote", 2)


async def test_who_wrote_what_shows(url: str) -> None:
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message(1)))
        async with AsyncChat(url) as db:
            assert db.messages.meta("1").origin == "remote"
            await db.messages.update("1", content="mine").synced()
            assert db.messages.meta("1").origin == "local"
            await stream.append(messages.update(message(1, "theirs"), txid="t"))
            await db.await_txid("t")
            assert db.messages.meta("1").origin == "remote"
            await db.messages.delete("1").synced()
            await stream.append(messages.insert(message(1), txid="u"))
            await db.await_txid("u")
            assert db.messages.meta("1").origin == "remote"
        async with AsyncChat(url) as again:
            assert again.messages.meta("1").origin == "remote", "it was another database"


async def test_the_origin_of_what_comes_back_with_a_reset(url: str) -> None:
    async with AsyncChat(url, create=True) as db, AsyncStream(url) as stream:
        await db.messages.insert(message(1)).synced()
        offset = (await stream.head()).offset
        with held_writes(db):
            transactions = [db.messages.insert(message(2)), db.messages.insert(message(3))]
            await stream.append(
                {"headers": {"control": "reset", "offset": offset}},
            )
            await stream.append(messages.upsert(message(4), txid="t"))
            await db.await_txid("t")
            origins = [db.messages.meta(key).origin for key in ("4", "2", "3")]
            assert origins == ["remote", "local", "local"]
        for transaction in transactions:
            await transaction.synced()
        assert [db.messages.meta(key).origin for key in ("2", "3", "4")] == [
            "local",
            "local",
            "remote",
        ]


async def test_why_the_last_write_of_a_row_failed(tmp_path: Path) -> None:
    async with AsyncChat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        await db.messages.insert(message(1, "old")).synced()
        assert db.messages.meta("1").error is None
        refused = db.messages.update("1", content=TOO_LARGE)
        new = db.messages.insert(message(2, TOO_LARGE))
        seen: list[Any] = []
        db.messages.subscribe(lambda _: seen.append(db.messages.meta("1").error))
        for transaction in (refused, new):
            with pytest.raises(TransactionFailed):
                await transaction
        assert seen[0] is refused.error, "who is told that it shows no more can ask why"
        meta = db.messages.meta("1")
        assert meta.error is refused.error
        assert (meta.pending, meta.origin, meta.seq) == (False, "local", 1)
        assert db.messages.meta("2") == RowMeta("2", False, "local", new.error, None, None)
        await db.messages.update("1", content="new").synced()
        assert db.messages.meta("1").error is None


async def test_a_snapshot_keeps_what_was_known(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        with held_writes(db):
            transaction = db.messages.insert(message(1))
            opened = db.snapshot()
            opened.__enter__()
        await transaction.synced()
        assert db.messages.meta("1") == RowMeta("1", True, "local", None, None, None)
        assert [meta.pending for _, meta in db.messages.with_meta().fetch()] == [True]
        opened.__exit__(None, None, None)
        assert not db.messages.meta("1").pending


async def test_a_query_is_told_when_a_row_comes_back_though_it_is_the_same(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await stream.append(messages.insert(message("theirs"), txid="t"))
        await db.await_txid("t")
        pending = db.live(
            db.messages.with_meta().where(lambda m, meta: meta.pending).map(lambda m, _: m.id)
        )
        own = db.live(db.messages.with_meta().where(lambda m, meta: meta.origin == "local"))
        told: list[Any] = []
        pending.subscribe(lambda changes: told.append([change.kind for change in changes]))
        assert list(pending) == []
        with held_writes(db):
            first, second = db.messages.insert(message(1)), db.messages.update("theirs", note="x")
            assert sorted(pending) == ["1", "theirs"]
            assert sorted(row.id for row, _ in own) == ["1", "theirs"]
        await first.synced()
        await second.synced()
        assert list(pending) == []
        assert told == [["insert"], ["insert"], ["delete", "delete"]]
        assert {row.id: meta.seq for row, meta in own} == {"theirs": 3, "1": 2}


def test_a_blocking_query_of_metas(tmp_path: Path) -> None:
    with Chat(f"embedded:{tmp_path / 's.db'}#s", create=True) as db:
        db.messages.insert(message(1)).synced()
        failed = db.live(db.messages.with_meta().where(lambda m, meta: meta.error.is_not_null()))
        assert len(failed) == 0
        refused = db.messages.update("1", content=TOO_LARGE)
        with pytest.raises(TransactionFailed):
            refused.result()
        ((row, meta),) = list(failed)
        assert (row.content, meta.error) == ("", refused.error)
        db.messages.update("1", content="new").synced()
        assert len(failed) == 0
        assert db.messages.with_meta().where(lambda m, meta: meta.key == "1").fetch()


async def test_a_query_of_metas_follows_a_reset(url: str) -> None:
    async with AsyncChat(url, create=True) as db, AsyncStream(url) as stream:
        await db.messages.insert(message(1)).synced()
        own = db.live(db.messages.with_meta().where(lambda m, meta: meta.origin == "local"))
        assert len(own) == 1
        await stream.append({"headers": {"control": "reset"}})
        await stream.append(messages.upsert(message(1), txid="t"))
        await db.await_txid("t")
        assert len(own) == 0
        assert db.messages.meta("1").origin == "remote"


async def test_rows_of_several_collections_in_the_order_of_their_last_events(url: str) -> None:
    """What the design calls ``fn.seq``, in ``where``, ``select`` and ``order_by``."""
    async with AsyncChat(url, create=True) as db:
        first = db.messages.with_meta().select(lambda m, meta: (m.content, meta.seq))
        other = db.sensors.with_meta().select(lambda s, meta: (s.room, meta.seq))
        timeline = db.live(first.union(other).order_by(lambda _, seq: seq))
        late = db.live(db.messages.with_meta().where(lambda m, meta: meta.seq > 2))
        await db.messages.insert(message(1, "a")).synced()
        await db.sensors.insert(sensor(7, "b")).synced()
        await db.messages.insert(message(2, "c")).synced()
        await db.messages.upsert(message(1, "d")).synced()
        assert list(timeline) == [("b", 2), ("c", 3), ("d", 4)]
        assert sorted(m.content for m, _ in late) == ["c", "d"]


async def test_subscribers_are_told_of_what_fails_when_the_stream_has_ended(url: str) -> None:
    """What iterates over changes has ended: nothing comes from the stream any more."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        every = db.live(db.messages.with_meta())
        told: list[Any] = []
        rows: list[Any] = []

        def note(into: list[Any]) -> Any:
            return lambda changes: into.append([each.new for each in changes])

        every.subscribe(note(told))
        db.messages.subscribe(note(rows))
        iterated = every.changes()
        await stream.close_stream()
        await db.until(lambda: db.status == "ended")
        assert [change async for change in iterated] == []
        failed = db.messages.update("1", content="x")
        with pytest.raises(TransactionFailed):
            await failed
        assert [
            [(row.content, meta.pending, meta.error) for row, meta in each] for each in told
        ] == [
            [("x", True, None)],
            [("old", False, failed.error)],
        ]
        assert [[row.content for row in each] for each in rows] == [["x"], ["old"]]

        late: list[Any] = []
        errors = db.live(db.messages.with_meta().where(lambda _, meta: meta.error.is_not_null()))
        errors.subscribe(note(late), initial=True)
        again = db.messages.update("1", content="y")
        with pytest.raises(TransactionFailed):
            await again
        assert [meta.error for ((_, meta),) in late] == [failed.error, failed.error, again.error]
        count = len(told)
    with pytest.raises(DatabaseClosed):
        db.messages.update("1", content="z")
    assert len(told) == count


def test_so_they_are_in_the_blocking_form(url: str) -> None:
    with Stream.create(url) as stream, Chat(url) as db:
        db.messages.insert(message(1, "old")).synced()
        told = threading.Event()
        errors = db.live(db.messages.with_meta().where(lambda _, meta: meta.error.is_not_null()))
        errors.subscribe(lambda _: told.set())
        stream.close_stream()
        db.until(lambda: db.status == "ended")
        db.messages.update("1", content="x")
        assert told.wait(10)
