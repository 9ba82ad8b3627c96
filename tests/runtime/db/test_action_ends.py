"""When an action is over, and what its end says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from tests.runtime.chat_schema import AsyncChat, message, messages
from tests.runtime.db.idle_actions import pause

from streamdb import (
    AsyncActionTransaction,
    AsyncStream,
    AsyncTransaction,
    StreamClosed,
    StreamDBError,
    StreamParseError,
    TransactionFailed,
    TransactionUnresolved,
)


async def test_a_failure_after_the_outcome_changes_nothing(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            await tx.send()
            raise RuntimeError("too late")

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist, name="greet")
        await transaction.synced()
        await pause()
        assert "persist of the action 'greet' failed when its outcome stood already" in caplog.text
        assert db.messages.keys() == ["1"]


async def test_it_is_awaited_until_persist_returns_though_it_has_come_back(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            async with AsyncStream(url) as server:
                await server.append(messages.insert(message(1), txid=tx.txid))
            await db.await_txid(tx.txid)
            await going_on.wait()
            with pytest.raises(StreamDBError, match="has come back: nothing of it is pending"):
                _ = tx.events
            if next(fails):
                raise RuntimeError("too late")
            await tx.send()

        fails = iter((False, True))
        for _ in range(2):
            going_on.clear()
            transaction = db.perform(lambda: db.messages.upsert(message(1)), persist)
            await pause()
            assert transaction.status == "sent"
            going_on.set()
            await transaction
            assert transaction.status == "synced"


async def test_closing_waits_for_what_is_written_when_the_last_one_is_over(url: str) -> None:
    written: list[AsyncTransaction] = []

    async def persist(_: AsyncActionTransaction) -> None:
        await pause()
        asyncio.get_running_loop().call_soon(lambda: written.append(db.messages.insert(message(1))))

    async with AsyncChat(url, create=True) as db:
        db.perform(lambda: None, persist)
    await written[0]


async def test_closing_gives_up_waiting_for_one_that_has_come_back(url: str) -> None:
    """Which is on the stream, whatever its `persist` still does."""

    async def persist(tx: AsyncActionTransaction) -> None:
        async with AsyncStream(url) as server:
            await server.append(messages.insert(message(1), txid=tx.txid))
        await asyncio.Event().wait()

    async with AsyncChat(url, create=True, close_timeout=0.05) as db:
        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
        await db.await_txid(transaction.txid)
        assert transaction.status == "sent"
    assert transaction.status == "synced"
    await transaction.synced()


async def test_closing_waits_for_it_and_then_gives_it_up(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            await pause()
            await tx.send()

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
    assert transaction.status in ("durable", "synced")

    async with AsyncChat(url, close_timeout=0.05) as db:

        async def wait_for_ever(_: AsyncActionTransaction) -> None:
            await asyncio.Event().wait()

        transaction = db.perform(lambda: db.messages.insert(message(2)), wait_for_ever)
        await pause()
    with pytest.raises(TransactionUnresolved):
        await transaction
    assert db.messages.keys() == ["1"]


@pytest.mark.parametrize("has_outbox", [False, True])
async def test_closing_waits_for_it_though_the_stream_has_ended(
    has_outbox: bool, url: str, tmp_path: Path
) -> None:
    outbox = {"cache": tmp_path / "c", "outbox": True} if has_outbox else {}
    async with await AsyncStream.create(url) as server:
        db = AsyncChat(url, close_timeout=20, **cast("Any", outbox))
        await db.preload()
        going_on, is_over = asyncio.Event(), asyncio.Event()

        async def persist(_: AsyncActionTransaction) -> None:
            await going_on.wait()
            await pause()
            is_over.set()

        db.perform(lambda: db.messages.insert(message(1)), persist)
        await pause()
        await server.close_stream()
        with pytest.raises(StreamClosed):
            await db.until(lambda: False)
        closing = asyncio.ensure_future(db.aclose())
        await pause()
        assert not closing.done()
        going_on.set()
        await closing
        assert is_over.is_set()


async def test_closing_does_not_wait_for_a_request_that_the_end_of_the_stream_broke_off(
    url: str, tmp_path: Path
) -> None:
    async with await AsyncStream.create(url) as server:
        db = AsyncChat(url, close_timeout=20, cache=tmp_path / "c", outbox=True)
        await db.preload()

        async def deliver(*_: object) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await pause()  # the action ends first

        db._session.sender.deliver = deliver

        async def persist(_: AsyncActionTransaction) -> None:
            with suppress(TransactionFailed):
                await db.messages.insert(message(2))

        db.perform(lambda: db.messages.insert(message(1)), persist)
        await pause()
        await server.close_stream()
        with pytest.raises(StreamClosed):
            await db.until(lambda: False)
        async with asyncio.timeout(5):
            await db.aclose()


@pytest.mark.parametrize("has_outbox", [False, True])
async def test_what_ends_the_reading_says_nothing_of_it(
    has_outbox: bool, url: str, tmp_path: Path
) -> None:
    outbox = {"cache": tmp_path / "c", "outbox": True} if has_outbox else {}
    async with (
        await AsyncStream.create(url) as server,
        AsyncChat(url, **cast("Any", outbox)) as db,
    ):
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            await server.append(messages.insert(message(1), txid=tx.txid))

        def refuse(_: object) -> Iterator[Any]:
            raise StreamParseError("not JSON")

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
        db._state.steps = refuse
        await server.append(messages.insert(message(2)))
        with pytest.raises(StreamParseError):
            await db.until(lambda: False)
        assert transaction.status == ("unresolved" if has_outbox else "sent")
        going_on.set()
        if has_outbox:
            with pytest.raises(TransactionUnresolved, match="its outcome is unknown: not JSON"):
                await transaction
        else:
            await transaction


async def test_a_cancelled_waiter_does_not_end_it(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            await pause()
            await tx.send()

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await transaction
        await transaction.synced()


async def test_who_cancels_it_from_inside_has_failed_it(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(_: AsyncActionTransaction) -> None:
            raise asyncio.CancelledError

        with pytest.raises(TransactionFailed, match="CancelledError"):
            await db.perform(lambda: db.messages.insert(message(1)), persist)
        assert db.messages.keys() == []
