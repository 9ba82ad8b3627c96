"""Transactions that are filled over time, and committed or rolled back by hand (Q45-Q50)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.held import held_writes

from streamdb import (
    ActionTransaction,
    AsyncActionTransaction,
    AsyncStream,
    MissingKey,
    RolledBack,
    StreamDBError,
    TransactionFailed,
    WaitTimeout,
    WouldDeadlock,
    debounce,
)


async def offset(url: str) -> str | None:
    async with AsyncStream(url) as stream:
        return (await stream.head()).offset


async def events_of(url: str) -> list[Any]:
    async with AsyncStream(url) as stream:
        return [event async for batch in stream.read() for event in stream.items(batch)]


async def test_each_block_shows_and_all_of_them_are_one_transaction(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        seen: list[Any] = []
        db.messages.subscribe(lambda changes: seen.append([change.key for change in changes]))
        before = await offset(url)
        tx = db.begin()
        with tx:
            db.messages.insert(message(1))
            inner = db.messages.insert(message(2))
            assert "1" not in db.messages, "it shows when the block ends"
        with tx as again:
            assert again is tx
            db.messages.update("1", content="later")
            db.sensors.insert(sensor(5))
        assert seen == [["1", "2"], ["1"]]
        assert (tx.status, db.messages.meta("1").pending) == ("open", True)
        await asyncio.sleep(0.02)
        assert await offset(url) == before, "nothing is sent before it is committed"
        await tx.commit()
        assert (tx.status, inner.txid) == (inner.status, tx.txid)
        await tx.synced()
        assert list(db.messages) == [message(1, "later"), message(2)]
        assert seen == [["1", "2"], ["1"]], "what comes back is what showed"
    events = await events_of(url)
    assert [event["key"] for event in events] == ["1", "2", "5"]
    assert {event["headers"]["txid"] for event in events} == {tx.txid}


async def test_rolled_back_nothing_of_it_was(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "old")).synced()
        tx = db.begin()
        with tx:
            db.messages.update("1", content="new")
            db.messages.insert(message(2))
        stands_on_it = db.messages.update("2", content="on top")
        alone = db.messages.upsert(message(1, "alone"))
        assert list(db.messages) == [message(1, "alone"), message(2, "on top")]
        tx.rollback()
        assert list(db.messages) == [message(1, "alone")]
        assert tx.status == stands_on_it.status == "failed"
        with pytest.raises(RolledBack):
            await tx
        with pytest.raises(TransactionFailed) as caught:
            await stands_on_it
        assert isinstance(caught.value.__cause__, RolledBack)
        await alone.synced()  # which waited for it, and makes sense without it
        assert [event["value"]["content"] for event in await events_of(url)] == ["old", "alone"]
        assert list(db.messages) == [message(1, "alone")]
        assert db.messages.meta("1").error is None
        tx.rollback()  # which is no news


async def test_what_writes_its_rows_waits_and_goes_behind_it(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        tx = db.begin()
        with tx:
            db.messages.insert(message(1))
        later = db.messages.update("1", content="later")
        latest = db.messages.update("1", note="latest")
        await db.messages.insert(message(2))  # which waits for nothing
        assert (later.status, latest.status) == ("queued", "queued")
        tx.commit()
        for each in (tx, later, latest):
            await each.synced()
            assert not each.conflict
        assert [*db.messages] == [message(2), message(1, "later", note="latest")]


async def test_it_may_stand_on_what_was_written_since_it_began(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        with held_writes(db):
            tx = db.begin()
            with tx:
                db.messages.insert(message(1))
            waiting = db.messages.update("1", note="waits")
            other = db.messages.insert(message(2))
            with tx:
                db.messages.update("2", content="stands on the other")
            tx.commit()
        for each in (other, tx, waiting):
            await each.synced()
            assert not each.conflict
        expected = [message(2, "stands on the other"), message(1, note="waits")]
        assert sorted(db.messages, key=lambda m: m.id, reverse=True) == expected


async def test_what_waits_goes_with_it_whenever_it_was_written_last(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        tx = db.begin()
        with tx:
            db.sensors.insert(sensor(5))
        waiting = db.sensors.delete(5)
        with tx:  # which is written last, and still sent before what waits
            db.messages.insert(message(1))
        tx.rollback()
        with pytest.raises(TransactionFailed) as caught:
            await waiting
        assert caught.value.__cause__ is tx.error
    assert await events_of(url) == []


async def test_it_goes_with_what_it_stands_on(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        tx = db.begin()
        with held_writes(db):
            bad = db.messages.insert(message(1, "x" * (70 * 1024 * 1024)))
            with tx:
                db.messages.update("1", content="on what is too large")
        with pytest.raises(TransactionFailed):
            await bad
        assert (tx.status, list(db.messages)) == ("failed", [])
        with pytest.raises(StreamDBError, match="has failed already"), tx:
            raise AssertionError("no block runs")
        with pytest.raises(TransactionFailed):
            await tx.commit()


async def test_its_removal_goes_with_what_is_below_its_upsert_of_the_row(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "old")).synced()
        below, tx = db.begin(), db.begin()
        with below:
            db.messages.update("1", content="below")
        with tx:
            db.messages.upsert(message(1, "upserted"))
        with tx:
            db.messages.delete("1")
        below.rollback()
        assert (tx.status, list(db.messages)) == ("failed", [message(1, "old")])


async def test_its_removal_stays_if_what_was_below_its_upsert_had_failed_before(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "old")).synced()
        below, tx = db.begin(), db.begin()
        with below:
            db.messages.update("1", content="below")
        with tx:
            db.messages.upsert(message(1, "upserted"))
        below.rollback()
        assert (tx.status, list(db.messages)) == ("open", [message(1, "upserted")])
        with tx:
            db.messages.delete("1")
        await tx.commit()
        await tx.synced()
        assert list(db.messages) == []
    operations = [event["headers"]["operation"] for event in await events_of(url)]
    assert operations == ["insert", "delete"]


async def test_it_cannot_go_both_before_and_behind(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        tx = db.begin()
        with tx:
            db.messages.insert(message(1))
        with db.transaction() as waits:
            db.messages.update("1", content="mine")
            db.messages.insert(message(2))
        for key in ("1", "2"):
            with pytest.raises(StreamDBError, match="which waits for this one"), tx:
                db.messages.update(key, note="no")
        assert list(db.messages) == [message(1, "mine"), message(2)]
        await tx.commit()
        await waits.synced()


async def test_a_block_that_raises_leaves_nothing_behind(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        tx = db.begin()
        with tx:
            db.messages.insert(message(1))
        with suppress(ZeroDivisionError), tx:
            db.messages.update("1", content="no")
            raise ZeroDivisionError
        assert (tx.status, list(db.messages)) == ("open", [message(1)])
        await tx.commit().synced()
        assert list(db.messages) == [message(1)]


async def test_what_is_undone_is_never_sent(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        before = await offset(url)
        tx = db.begin()
        with tx:
            db.messages.insert(message(1))
        with tx:
            db.messages.delete("1")
        assert list(db.messages) == []
        await tx.commit().synced()
        await db.begin().commit().synced()  # an empty one is free
        assert await offset(url) == before


async def test_what_others_removed_meanwhile_may_be_inserted(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        await db.messages.insert(message(1)).synced()
        tx = db.begin()
        with tx:
            db.messages.update("1", content="new")
        await server.append(messages.delete("1", txid="theirs"))
        await db.await_txid("theirs")
        with pytest.raises(MissingKey), tx:
            db.messages.update("1", content="newer")
        with tx:
            db.messages.insert(message(1, "again"))
        await tx.commit().synced()
        assert list(db.messages) == [message(1, "again")]


async def test_a_row_is_removed_and_inserted_by_a_later_block(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1)).synced()
        tx = db.begin()
        with tx:
            db.messages.update("1", content="changed")
            db.messages.insert(message(2))
        with tx:
            for key in (1, 2):
                db.messages.delete(str(key))
                db.messages.insert(message(key, "anew"))
        await tx.commit().synced()
        kinds = [event["headers"]["operation"] for event in (await events_of(url))[1:]]
        assert kinds == ["delete", "insert", "insert"]
        assert sorted(db.messages, key=lambda m: m.id) == [message(1, "anew"), message(2, "anew")]


async def test_its_key_is_mapped_if_it_was_written_while_the_action_showed(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            tx.map_key(db.messages, "1", "m17")
            await tx.send()

        action = db.perform(lambda: db.messages.insert(message(1)), persist)
        tx = db.begin()
        with tx:
            db.messages.update("1", content="of what is called otherwise soon")
        going_on.set()
        await action.synced()
        with tx:
            db.messages.insert(message(2))
            db.messages.update("1", note="by its old key")
        await tx.commit().synced()
        expected = message("m17", "of what is called otherwise soon", note="by its old key")
        assert list(db.messages) == [expected, message(2)]


async def test_it_ends_once(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        tx = db.begin()
        with pytest.raises(WouldDeadlock, match="commit it, or roll it back"):
            await tx
        for call in (tx.commit, tx.rollback):
            with pytest.raises(StreamDBError, match="do it outside of that block"), tx:
                call()
        with tx:
            db.messages.insert(message(1))
        await tx.commit()
        for call in (tx.commit, tx.rollback):
            with pytest.raises(StreamDBError, match="was committed already"):
                call()
        with pytest.raises(StreamDBError, match="was committed already"), tx:
            raise AssertionError("no block runs")
        with pytest.raises(TypeError, match="nothing is awaited here"):
            async with tx:  # type: ignore[attr-defined]  # the fault
                pass


@pytest.mark.parametrize("patience", [0.0, 5.0])
async def test_closing_rolls_it_back(url: str, patience: float) -> None:
    async with AsyncChat(url, create=True, close_timeout=patience) as db:
        tx = db.begin()
        with tx:
            db.messages.insert(message(1))
        stands_on_it = db.messages.update("1", content="x")
    assert list(db.messages) == []
    for each in (tx, stands_on_it):
        with pytest.raises(TransactionFailed, match="closed"):
            await each


async def test_paced_writes_and_actions_wait_like_others(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        order: list[str] = []

        async def persist(tx: AsyncActionTransaction) -> None:
            order.append("persist")
            await tx.send()

        typing = db.paced(debounce(0.001))
        tx = db.begin()
        with tx:
            db.messages.insert(message(1))
        with typing:
            db.messages.update("1", content="typed")
        action = db.perform(lambda: db.messages.update("1", note="acted"), persist)
        await asyncio.sleep(0.02)
        order.append("commit")
        await tx.commit()
        await typing.flush()
        await action.synced()
        assert order == ["commit", "persist"]
        assert list(db.messages) == [message(1, "typed", note="acted")]


async def test_two_of_them_on_one_row(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        one, other = db.begin(), db.begin()
        with one:
            db.messages.insert(message(1))
        with other:
            db.messages.update("1", content="other")
        other.commit()
        later = db.messages.update("1", note="later")
        await asyncio.sleep(0.02)
        assert (one.status, other.status, later.status) == ("open", "queued", "queued")
        one.commit()
        await later.synced()
        assert list(db.messages) == [message(1, "other", note="later")]
        assert not any(tx.conflict for tx in (one, other, later))


def test_the_blocking_form(url: str) -> None:
    def persist(tx: ActionTransaction) -> None:
        tx.map_key(db.messages, "1", "m17")
        tx.send()

    with Chat(url, create=True) as db:
        tx = db.begin()
        with tx:
            db.messages.insert(message(1))
        with pytest.raises(WouldDeadlock):
            tx.result()
        later = db.messages.update("1", content="later")
        with pytest.raises(WaitTimeout):
            later.result(0.02)
        tx.rollback()
        assert list(db.messages) == []
        with pytest.raises(RolledBack):
            tx.result()
        tx = db.begin()
        action = db.perform(lambda: db.messages.insert(message(1)), persist)
        with tx:
            db.messages.update("1", note="of what is called otherwise soon")
        tx.commit().result(10)
        tx.synced(10)
        action.synced(10)
        assert list(db.messages) == [message("m17", note="of what is called otherwise soon")]
