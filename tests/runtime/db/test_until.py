"""Waiting for a state of the database, in both forms."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor, sensors
from tests.runtime.db.held import held_writes, unread

from streamdb import (
    ActionTransaction,
    AsyncActionTransaction,
    AsyncStream,
    ConditionTimeout,
    DatabaseClosed,
    NotConnected,
    StreamClosed,
    WouldDeadlock,
)
from streamdb.streams.loop_thread import shared_loop_thread


async def test_what_is_true_already_is_returned_at_once(url: str) -> None:
    async with await AsyncStream.create(url) as stream:
        await stream.append_many([messages.insert(message(1)), messages.insert(message(2))])
        async with AsyncChat(url) as db:
            assert await db.until(lambda: len(db.messages), timeout=0) == 2
            assert await db.until(db.messages, timeout=0) == message(1)


async def test_it_is_looked_at_after_every_commit(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        waiting = [
            asyncio.create_task(db.until(lambda: "2" in db.messages and db.sensors.get(7))),
            asyncio.create_task(db.until(db.messages, where=lambda m: m.content == "two")),
            asyncio.create_task(db.until(db.sensors, where=lambda s: s.room == "attic")),
        ]
        await stream.append_many([messages.insert(message(1)), messages.insert(message(2))])
        await stream.append(messages.update(message(2, "two")))
        await stream.append(sensors.insert(sensor(7, "attic")))
        assert await asyncio.gather(*waiting) == [
            sensor(7, "attic"),
            message(2, "two"),
            sensor(7, "attic"),
        ]


async def test_nothing_is_looked_at_before_the_first_load(url: str) -> None:
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message(1)))
        db = AsyncChat(url)
        loading = asyncio.create_task(db.preload())
        await asyncio.sleep(0)
        counts: list[int] = []

        def look() -> bool:
            counts.append(len(db.messages))
            return True

        await db.until(look)
        await loading
        assert counts == [1]
        await db.aclose()


async def test_what_was_waited_for_in_vain_says_where_the_reading_stands(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1)).synced()
        with pytest.raises(ConditionTimeout) as caught:
            await db.until(lambda: False, timeout=0.01)
        [txid] = db._state.txids.last()
        assert str(caught.value) == (
            f"it did not become true within 0.01 s (url {db.url}, status live, "
            f"offset {db.offset}, last seen: {txid})"
        )
        with pytest.raises(ConditionTimeout):
            await db.until(db.sensors, timeout=0.01)


async def test_what_the_function_raises_goes_to_who_waits(url: str) -> None:
    """A TimeoutError of its own is not taken for that of the wait."""

    def fail() -> bool:
        raise TimeoutError("my own")

    async with AsyncChat(url, create=True) as db:
        with pytest.raises(TimeoutError, match="my own"):
            await db.until(fail, timeout=60)
        assert db.status == "live"


@pytest.mark.parametrize("over", ["ended", "closed"])
async def test_the_end_of_the_reading_ends_the_wait(url: str, over: str) -> None:
    async with await AsyncStream.create(url) as stream:
        db = AsyncChat(url)
        await db.preload()
        waiting = [
            asyncio.create_task(db.until(lambda: False)),
            asyncio.create_task(db.until(db.messages, where=lambda m: m.content == "x")),
        ]
        await asyncio.sleep(0)
        if over == "ended":
            await stream.close_stream(messages.insert(message(1)))
        else:
            await db.aclose()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        expected = {"ended": StreamClosed, "closed": DatabaseClosed}[over]
        assert [type(result) for result in results] == [expected] * 2
        # What is true at the end is still true.
        assert await db.until(lambda: db.status == over)
        with pytest.raises(expected):
            await db.until(db.sensors)
        await db.aclose()


async def test_a_database_that_nobody_connects_is_not_waited_for(embedded_url: str) -> None:
    db = AsyncChat(embedded_url)
    with pytest.raises(NotConnected):
        await db.until(lambda: True)
    with pytest.raises(NotConnected):
        await db.until(db.messages)


async def test_a_condition_goes_with_a_collection_only(embedded_url: str) -> None:
    db: Any = AsyncChat(embedded_url)
    with pytest.raises(TypeError, match="`where` goes with a collection"):
        await db.until(lambda: True, where=lambda m: m.content == "x")


async def test_a_wait_leaves_nothing_behind(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        for _ in range(3):
            with pytest.raises(ConditionTimeout):
                await db.until(lambda: False, timeout=0)
            with pytest.raises(ConditionTimeout):
                await db.until(db.messages, timeout=0)
        waiting = asyncio.create_task(db.until(lambda: False))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert db._state.signal.waiters == 0


def test_the_blocking_form(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        writing = threading.Thread(
            target=lambda: [db.messages.insert(message(n)).result(20) for n in range(3)]
        )
        writing.start()
        assert db.until(lambda: len(db.messages) == 3 and "yes", timeout=20) == "yes"
        assert db.until(db.messages, where=lambda m: m.id == "2", timeout=20) == message(2)
        writing.join(20)
        with pytest.raises(ConditionTimeout, match=r"within 0\.01 s .*status live"):
            db.until(lambda: False, timeout=0.01)
        with pytest.raises(ConditionTimeout):
            db.until(db.sensors, timeout=0.01)
    with pytest.raises(DatabaseClosed):
        db.until(lambda: False)
    idle = Chat(embedded_url)
    with pytest.raises(NotConnected):
        idle.until(idle.messages)
    with pytest.raises(ValueError, match="of another database"):
        idle.until(db.messages)


def test_a_callback_may_wait(embedded_url: str) -> None:
    """It runs on the thread of its database's callbacks, which brings no commits."""
    with Chat(embedded_url, create=True) as db:
        answered = threading.Event()

        def answer(_: object) -> None:
            if "answer" not in db.messages:
                db.messages.insert(message("answer")).result(20)
                db.until(lambda: "answer" in db.messages, timeout=20)
                answered.set()

        db.messages.subscribe(answer)
        db.messages.insert(message("question"))
        assert answered.wait(20)


def test_nobody_waits_on_the_thread_that_brings_the_commits(embedded_url: str) -> None:
    thread = shared_loop_thread()
    with Chat(embedded_url, create=True) as db:
        for wait in (lambda: db.until(lambda: False), lambda: db.await_txid("t"), db.preload):

            async def on_the_loop(wait: Any = wait) -> None:
                wait()

            with pytest.raises(WouldDeadlock):
                thread.run(on_the_loop(), 20)


async def test_an_async_function_is_refused(embedded_url: str) -> None:
    async def look() -> bool:
        return True

    db: Any = AsyncChat(embedded_url)
    with pytest.raises(TypeError, match="until calls a plain function"):
        await db.until(look)


async def test_it_is_looked_at_whenever_a_transaction_has_moved_on(url: str) -> None:
    async with AsyncChat(url, create=True) as db, asyncio.timeout(10):
        going_on, returning = asyncio.Event(), asyncio.Event()

        async def persist(_: AsyncActionTransaction) -> None:
            await going_on.wait()

        acting = db.perform(lambda: None, persist)
        assert await db.until(lambda: acting.status == "sent")
        waiting = asyncio.create_task(db.until(lambda: acting.status == "durable"))
        going_on.set()
        assert await waiting

        async def send(tx: AsyncActionTransaction) -> None:
            await returning.wait()
            await tx.send()

        with held_writes(db):
            sending = db.perform(lambda: db.messages.insert(message(1)), send)
            assert await db.until(lambda: sending.status == "sent")
            waiting = asyncio.create_task(db.until(lambda: sending.status == "queued"))
            returning.set()
            assert await waiting
        with unread(db):
            written = db.messages.insert(message(2))
            assert await db.until(lambda: written.status == "sent")
            assert await db.until(lambda: written.status == "durable")
        assert await db.until(lambda: written.status == "synced")


async def test_it_is_looked_at_when_what_fails_has_shown_nothing(url: str) -> None:
    async with AsyncChat(url, create=True) as db, asyncio.timeout(10):

        async def refuse(_: AsyncActionTransaction) -> None:
            raise ValueError("no")

        failing = db.perform(lambda: None, refuse)
        assert await db.until(lambda: failing.status == "failed")
        opened = db.begin()
        waiting = asyncio.create_task(db.until(lambda: opened.status == "failed"))
        await asyncio.sleep(0)
        opened.rollback()
        assert await waiting
        with db.transaction() as outer:
            parts: list[Any] = []
            waiting = asyncio.create_task(
                db.until(lambda: [part.status for part in parts] == ["failed"])
            )
            with suppress(ZeroDivisionError), db.transaction() as part:
                parts.append(part)
                await asyncio.sleep(0.05)
                raise ZeroDivisionError
            assert await waiting
        assert outer.status == "synced"


async def test_it_is_looked_at_when_a_write_will_not_be_seen_to_come_back(url: str) -> None:
    async with AsyncChat(url, create=True) as db, asyncio.timeout(10):
        with unread(db):
            written = db.messages.insert(message(1))
            await written
            waiting = asyncio.create_task(db.until(lambda: written.error is not None))
            await asyncio.sleep(0)
            db._session.sender.failed.expect_no_echo(StreamClosed("it has ended", final_offset="1"))
            assert await waiting


def test_it_is_looked_at_for_a_transaction_in_the_blocking_form(url: str) -> None:
    with Chat(url, create=True) as db:
        going_on = threading.Event()

        def refuse(_: ActionTransaction) -> None:
            going_on.wait()
            raise ValueError("no")

        failing = db.perform(lambda: None, refuse)
        threading.Timer(0.05, going_on.set).start()
        assert db.until(lambda: failing.status == "failed", timeout=10)
