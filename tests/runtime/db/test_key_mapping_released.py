"""A key is told of a row that shows no more: that reaches what was written while it showed."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.runtime.chat_schema import AsyncChat, message, messages
from tests.runtime.db.held import unread

from streamdb import AsyncActionTransaction, AsyncStream


async def test_what_is_written_after_a_release_is_of_another_row(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        is_released, go_on = asyncio.Event(), asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append(messages.insert(message("m17", "hi"), txid="t"))
            await db.await_txid("t")
            tx.release()
            is_released.set()
            await go_on.wait()
            tx.map_key(db.messages, "new", "m17")

        action = db.perform(lambda: db.messages.insert(message("new", "hi")), persist)
        before = db.messages.update("new", note="while it showed")
        await is_released.wait()
        after = db.messages.upsert(message("new", "another"))
        go_on.set()
        for transaction in (action, before, after):
            await transaction.synced()
        assert list(db.messages) == [
            message("m17", "hi", note="while it showed"),
            message("new", "another"),
        ]


async def test_what_was_written_before_a_released_action_keeps_its_key(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        for row in (message("m17"), message("new", "old")):
            await db.messages.insert(row).synced()

        async def persist(tx: AsyncActionTransaction) -> None:
            tx.release()
            tx.map_key(db.messages, "new", "m17")

        with unread(db):
            removal = db.messages.delete("new")
            await removal
            await db.perform(lambda: db.messages.insert(message("new")), persist)
            assert db.messages.keys() == ["m17"]
        await removal.synced()
        assert db.messages.keys() == ["m17"]


async def test_what_a_durable_part_has_sent_by_a_key_is_called_so(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            own = db.messages.upsert(message("new", "itself"))
            with unread(db):
                await own
                tx.release()
                tx.map_key(db.messages, "new", "m17")
                assert db.messages.keys() == ["new"]
            await own.synced()

        await db.perform(lambda: db.messages.insert(message("new")), persist)
        assert list(db.messages) == [message("new", "itself")]


async def test_what_is_on_its_way_by_a_key_when_the_row_comes_by_another_is_called_so(
    url: str,
) -> None:
    """The stream will have it by the key that it is sent by, and so it shows."""
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        seen: list[list[str]] = []
        sender = db._session.sender
        deliver = sender.deliver

        async def persist(tx: AsyncActionTransaction) -> None:
            assert tx.txid  # a server writes the row by and by

        async def deliver_late(*arguments: Any) -> None:
            await server.append(messages.insert(message("m17", "hi"), txid=action.txid))
            await db.until(lambda: "m17" in db.messages)
            seen.append(db.messages.keys())
            await deliver(*arguments)

        action = db.perform(lambda: db.messages.insert(message("new", "hi")), persist)
        await action
        sender.deliver = deliver_late
        later = db.messages.update("new", note="sent before it came")
        await later.synced()
        assert [set(keys) for keys in seen] == [{"m17", "new"}]
        expected = [message("m17", "hi"), message("new", "hi", note="sent before it came")]
        assert list(db.messages) == expected
