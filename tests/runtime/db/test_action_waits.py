"""What waits for an action, and what an action waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, message
from tests.runtime.db.held import held_writes
from tests.runtime.db.idle_actions import pause

from streamdb import (
    AsyncActionTransaction,
    AsyncStream,
    TransactionFailed,
)


async def test_later_writes_of_its_rows_wait_and_others_do_not(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            await tx.send()

        action = db.perform(lambda: db.messages.insert(message(1)), persist)
        on_top = db.messages.update("1", content="x")
        behind = db.messages.upsert(message(1, "y"))
        other = db.messages.insert(message(2))
        await other.synced()
        assert (action.status, on_top.status, behind.status) == ("sent", "queued", "queued")
        assert db.messages["1"].content == "y"
        going_on.set()
        await behind.synced()
        await action.synced()  # which is when `persist` has returned, too
        assert (action.status, on_top.status) == ("synced", "synced")
        assert db.messages["1"].content == "y"
        assert db.messages.keys() == ["2", "1"]


async def test_what_waits_holds_back_what_stands_on_it_and_keeps_its_order(url: str) -> None:
    """Though the action has not written all of these rows."""

    async def persist(tx: AsyncActionTransaction) -> None:
        await may_go_on.wait()
        await tx.send()

    may_go_on = asyncio.Event()
    async with AsyncChat(url, create=True) as db:
        acting = db.perform(lambda: db.messages.insert(message(1)), persist)
        with db.transaction() as first:
            db.messages.update("1", content="first")
            db.messages.insert(message(2))
        with db.transaction() as second:
            db.messages.update("2", content="second")
            db.messages.insert(message(3))
        third = db.messages.update("3", content="third")
        await db.messages.insert(message("other"))
        assert {one.status for one in (first, second, third)} == {"queued"}
        may_go_on.set()
        await third.synced()
        async with AsyncStream(url) as stream:
            events: list[Any] = [
                event async for batch in stream.read() for event in stream.items(batch)
            ]
        txids = dict.fromkeys(event["headers"]["txid"] for event in events[1:])
        assert list(txids) == [one.txid for one in (acting, first, second, third)]


async def test_it_waits_for_what_it_stands_on(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        order: list[str] = []

        def persisting(name: str) -> Callable[[AsyncActionTransaction], Any]:
            async def persist(tx: AsyncActionTransaction) -> None:
                order.append(f"{name} begins")
                await pause()
                await tx.send()
                await pause()
                order.append(f"{name} ends")

            return persist

        db.messages.insert(message(1))
        first = db.perform(lambda: db.messages.update("1", content="a"), persisting("first"))
        second = db.perform(lambda: db.messages.update("1", content="b"), persisting("second"))
        other = db.perform(lambda: db.messages.insert(message(2)), persisting("other"))
        for transaction in (first, second, other):
            await transaction.synced()
        await db.aclose()
        assert order.index("first ends") < order.index("second begins")
        assert order.index("other begins") < order.index("first ends")
        assert db.messages["1"].content == "b"


async def test_it_fails_with_what_it_stands_on_and_is_not_persisted(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        called: list[Any] = []

        async def refuse(_: AsyncActionTransaction) -> None:
            await pause()
            raise RuntimeError("no")

        async def persist(tx: AsyncActionTransaction) -> None:
            called.append(tx)

        first = db.perform(lambda: db.messages.insert(message(1)), refuse)
        second = db.perform(lambda: db.messages.update("1", content="x"), persist)
        with pytest.raises(TransactionFailed):
            await first
        with pytest.raises(TransactionFailed, match="an earlier one wrote"):
            await second
        await pause()
        assert (called, db.messages.keys()) == ([], [])


async def test_closing_waits_for_what_is_sent_when_an_action_ends(url: str) -> None:
    async def persist(_: AsyncActionTransaction) -> None:
        """Be done at once."""

    async with AsyncChat(url, create=True) as db:
        with held_writes(db):
            sent = db.messages.insert(message(1))
            await db.perform(lambda: None, persist)
            closing = asyncio.create_task(db.aclose())
            for _ in range(100):
                await asyncio.sleep(0)
        await closing
        await sent
