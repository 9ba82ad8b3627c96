"""Actions among other writes of the same rows: what random histories have found, one by one."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages
from tests.runtime.db.held import unread

from streamdb import ActionTransaction, AsyncActionTransaction, AsyncStream


async def test_one_that_shows_nothing_is_free(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        before = (await server.head()).offset
        transaction = db.perform(lambda: None, lambda tx: tx.send())
        await transaction.synced()
        assert transaction.status == "synced"
        assert (await server.head()).offset == before


async def test_what_was_made_of_a_row_that_came_back_as_it_showed_is_no_conflict(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append_many(tx.events)

        with unread(db):
            action = db.perform(lambda: db.messages.insert(message(1, "hi")), persist)
            await action
            later = db.messages.update("1", note="made of what showed")
            await later
            latest = db.messages.update("1", content="hello")
            await latest
        for transaction in (action, later, latest):
            await transaction.synced()
            assert not transaction.conflict
        assert list(db.messages) == [message(1, "hello", note="made of what showed")]


async def test_a_key_is_mapped_of_what_is_written_while_the_action_shows(url: str) -> None:
    """What was written before it, or after it came back, is of another row of that key."""
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        came_back = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            new = messages.insert(message("m17", "new"), txid=tx.txid)
            again = messages.insert(message("1", "theirs, later"))
            await server.append_many([new, again])
            await came_back.wait()
            tx.map_key(db.messages, "1", "m17")

        with unread(db):
            before = db.messages.insert(message(1, "old"))
            await before
            removal = db.messages.delete("1")
            await removal
            action = db.perform(lambda: db.messages.insert(message(1, "new")), persist)
        for transaction in (before, removal):
            await transaction.synced()
        await db.until(lambda: "m17" in db.messages)
        later = db.messages.update("1", note="of theirs")
        came_back.set()
        for transaction in (action, later):
            await transaction.synced()
        assert list(db.messages) == [
            message("m17", "new"),
            message(1, "theirs, later", note="of theirs"),
        ]


async def test_earlier_writes_that_are_durable_keep_their_key(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        seen: list[Any] = []

        async def persist(tx: AsyncActionTransaction) -> None:
            tx.map_key(db.messages, "1", "m17")
            seen.append(db.messages.keys())
            await server.append_many(tx.events)

        with unread(db):
            before = db.messages.insert(message(1, "old"))
            await before
            await db.perform(lambda: db.messages.upsert(message(1, "new")), persist)
            assert seen == [["1", "m17"]]
        await before.synced()
        await db.until(lambda: not db.messages.meta("m17").pending)
        assert list(db.messages) == [message(1, "old"), message("m17", "new")]


async def test_a_row_that_comes_by_another_key_is_own(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            rows = message("m17"), message("m18")
            await server.append_many([messages.insert(row, txid=tx.txid) for row in rows])

        await db.perform(lambda: db.messages.insert(message("new")), persist).synced()
        assert [db.messages.meta(key).origin for key in ("m17", "m18")] == ["local", "local"]


def test_a_thread_that_outlives_its_database_ends_quietly(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    begun, going_on, threads = threading.Event(), threading.Event(), list[threading.Thread]()

    def persist(_: ActionTransaction) -> None:
        threads.append(threading.current_thread())
        begun.set()
        going_on.wait(10)
        raise RuntimeError("nobody is there any more")

    with Chat(url, create=True, close_timeout=0) as db:
        db.perform(lambda: db.messages.insert(message(1)), persist)
        assert begun.wait(10)
    going_on.set()
    threads[0].join(10)
    assert not raised
