"""The status of a database: every state shows, in order, to whoever follows; nothing hangs."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.faults import Fine, ShortenBody, proxy
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages

from streamdb import (
    AsyncStream,
    DatabaseClosed,
    NotConnected,
    RetryPolicy,
    Status,
    StreamDBError,
    StreamNotFound,
)
from streamdb.collections.commit_lock import CommitLock
from streamdb.db.status import StatusBoard
from streamdb_server import Serving

QUICK = RetryPolicy(initial=0.01, maximum=0.01)


async def collected(db: AsyncChat) -> asyncio.Task[list[Status]]:
    """Follow the status from now to the end."""
    followed = db.status_changes()

    async def collect() -> list[Status]:
        return [status async for status in followed]

    return asyncio.create_task(collect())


async def test_from_the_first_contact_to_the_close(url: str) -> None:
    async with await AsyncStream.create(url):
        db = AsyncChat(url)
        assert db.status == "idle"
        statuses = await collected(db)
        await db.preload()
        await db.aclose()
        assert await statuses == ["connecting", "catching_up", "live", "closed"]
        assert [status async for status in db.status_changes()] == []


async def test_a_blocking_database_is_followed_by_a_plain_loop(embedded_url: str) -> None:
    async with await AsyncStream.create(embedded_url):
        db = Chat(embedded_url)
        followed = db.status_changes()
        collecting = asyncio.create_task(asyncio.to_thread(list, followed))
        await asyncio.to_thread(db.preload)
        await asyncio.to_thread(db.close)
        assert await collecting == ["connecting", "catching_up", "live", "closed"]


async def test_the_end_of_the_stream(url: str) -> None:
    async with await AsyncStream.create(url) as stream:
        db = AsyncChat(url)
        statuses = await collected(db)
        await db.preload()
        await stream.close_stream()
        await db.until(lambda: db.status == "ended", timeout=20)
        await db.aclose()
        assert await statuses == ["connecting", "catching_up", "live", "ended", "closed"]


async def test_an_error_is_one_of_the_states_and_says_why(embedded_url: str) -> None:
    db = AsyncChat(embedded_url)
    followed = db.status_changes()
    with pytest.raises(StreamNotFound) as caught:
        await db.preload()
    assert [await anext(followed), await anext(followed)] == ["connecting", "error"]
    assert db.error is caught.value
    await db.aclose()
    assert [status async for status in followed] == ["closed"]


async def test_a_lost_connection(server: Serving, http_url: str) -> None:
    """The pages of the load are cut, and the connection comes back by itself."""
    name = http_url.removeprefix(server.url)
    damaged = [Fine(), ShortenBody(30)]
    async with await AsyncStream.create(http_url) as stream, proxy(server.url, damaged) as between:
        await stream.append(messages.insert(message(1, "x" * 100)))
        db = AsyncChat(between.url(name), reconnect=QUICK)
        statuses = await collected(db)
        await db.preload()
        await db.aclose()
    assert await statuses == [
        "connecting",
        "catching_up",
        "reconnecting",
        "live",
        "closed",
    ]


def test_a_slow_follower_has_the_last_hundred_and_costs_no_more() -> None:
    board = StatusBoard(CommitLock("test"))
    feed = board.follow(lambda: None)
    for _ in range(500):
        board.set("reconnecting")
        board.set("live")
        board.set("live")  # no change
    board.set("closed")
    taken = [feed.take() for _ in range(100)]
    assert taken == [*["live", "reconnecting"] * 49, "live", "closed"]


async def test_following_may_be_given_up(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        followed = db.status_changes()
        waiting = asyncio.ensure_future(anext(followed))
        await asyncio.sleep(0)
        followed.close()
        with pytest.raises(StopAsyncIteration):
            await waiting


@pytest.fixture
def mute_url() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield f"http://127.0.0.1:{mute.getsockname()[1]}/v1/stream/x"


def test_a_blocking_preload_ends_when_another_thread_closes(mute_url: str) -> None:
    db = Chat(mute_url)
    raised: list[BaseException] = []

    def load() -> None:
        try:
            db.preload()
        except DatabaseClosed as error:
            raised.append(error)

    loading = threading.Thread(target=load)
    followed = db.status_changes()
    loading.start()
    assert next(followed) == "connecting"
    db.close()
    loading.join(20)
    assert len(raised) == 1


async def test_a_preload_that_is_cancelled_leaves_the_load_to_others(url: str) -> None:
    async with await AsyncStream.create(url):
        db = AsyncChat(url)
        first = asyncio.create_task(db.preload())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await db.preload()
        assert db.status == "live"
        await db.aclose()


async def test_reading_that_others_cancel_hangs_nobody(mute_url: str) -> None:
    """A framework that cancels all tasks of the loop, ours too."""
    db = AsyncChat(mute_url)
    waiting: list[asyncio.Task[Any]] = [
        asyncio.create_task(db.preload()),
        asyncio.create_task(db.await_txid("t", timeout=60)),
        asyncio.create_task(db.until(lambda: False)),
    ]
    await asyncio.sleep(0)
    writing = db.messages.insert(message(1))
    for task in asyncio.all_tasks():
        if task.get_name() == "streamdb-reader":
            task.cancel()
    results = await asyncio.gather(*waiting, writing.synced(), return_exceptions=True)
    assert all(isinstance(result, StreamDBError) for result in results), results
    assert all("cancelled" in str(result) for result in results), results
    assert (db.status, "cancelled" in str(db.error)) == ("error", True)
    await db.aclose()


async def test_an_error_while_live_reaches_whoever_waits_the_status_and_the_log(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with await AsyncStream.create(url) as stream:
        db = AsyncChat(url, live="long-poll")
        await db.preload()
        statuses = db.status_changes()
        waiting = [
            asyncio.ensure_future(anext(db.messages.changes())),
            asyncio.ensure_future(db.until(lambda: False)),
            asyncio.ensure_future(db.until(db.messages)),
            asyncio.ensure_future(db.await_txid("t", timeout=60)),
        ]
        await asyncio.sleep(0)
        await stream.delete()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert results == [db.error] * 4
        assert isinstance(db.error, StreamNotFound)
        assert await anext(statuses) == "error"
        assert [one.levelno for one in caplog.records if one.name == "streamdb.db"] == [
            logging.ERROR
        ]
        await db.aclose()


def test_what_was_never_connected_is_not_empty(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        db.messages.insert(message(1)).synced(5)
    db = Chat(embedded_url)
    reads: list[Callable[[], object]] = [
        lambda: len(db.messages),
        lambda: db.messages["1"],
        lambda: db.messages.get("1"),
        lambda: "1" in db.messages,
        lambda: list(db.messages),
        lambda: db.messages.keys(),
        lambda: db.messages.items(),
        lambda: db.messages.first(),
        lambda: db.messages.meta("1"),
    ]
    for read in reads:
        with pytest.raises(NotConnected, match="use it as a context manager, or call preload"):
            read()
    assert repr(db.messages) == "<Messages 'messages' with 0 rows>"
    with db:
        assert len(db.messages) == 1
    assert len(db.messages) == 1  # rows stay
    with pytest.raises(DatabaseClosed):
        db.messages.subscribe(print)
