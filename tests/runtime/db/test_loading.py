"""Opening a database: what it finds, what it says where there is nothing, and one first commit."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import pytest
from tests.faults import Fine, ShortenBody, SpoilBody, proxy
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor, sensors

from streamdb import (
    AsyncStream,
    ConnectionFailed,
    DatabaseClosed,
    NotAStateStream,
    RetryPolicy,
    StreamDBError,
    StreamNotFound,
)
from streamdb_server import Serving

QUICK = RetryPolicy(attempts=2, initial=0.01)


async def filled(url: str, *events: Any) -> AsyncStream:
    stream = await AsyncStream.create(url)
    if events:
        await stream.append_many(events)
    return stream


async def test_an_empty_stream_is_loaded_at_once(url: str) -> None:
    """ATOM-6: up to date without data; trap 8."""
    async with await filled(url), AsyncChat(url) as db:
        assert (db.status, len(db.messages), db.metrics.events) == ("live", 0, 0)


@pytest.mark.parametrize("form", [AsyncChat, Chat])
async def test_a_missing_stream(url: str, form: type[AsyncChat] | type[Chat]) -> None:
    db = form(url)
    with pytest.raises(StreamNotFound, match=r"no such stream.*create=True") as caught:
        await _preload(db)
    assert db.url in str(caught.value)
    assert (db.status, db.error) == ("error", caught.value)
    await _close(db)
    assert (db.status, db.error) == ("closed", caught.value)


async def test_a_database_that_found_no_stream_runs_nothing_more(url: str) -> None:
    db = AsyncChat(url)
    with pytest.raises(StreamNotFound):
        await db.preload()
    await asyncio.sleep(0)  # its tasks take their end
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("streamdb")] == []
    await db.aclose()


@pytest.mark.parametrize("form", [AsyncChat, Chat])
async def test_a_stream_that_is_no_json(url: str, form: type[AsyncChat] | type[Chat]) -> None:
    async with await AsyncStream.create(url, content_type="text/plain"):
        for create in (False, True):
            db = form(url, create=create)
            with pytest.raises(NotAStateStream, match="text/plain, not application/json"):
                await _preload(db)
            await _close(db)


@pytest.mark.parametrize("form", [AsyncChat, Chat])
async def test_an_unreachable_server(form: type[AsyncChat] | type[Chat]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    db = form(f"http://127.0.0.1:{port}/v1/stream/x", retry=QUICK, create=True)
    with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{port}"):
        await _preload(db)
    with pytest.raises(DatabaseClosed, match="could not be opened") as caught:
        db.messages.insert(message(1))
    assert isinstance(caught.value.__cause__, ConnectionFailed)
    await _close(db)


async def test_errors_end_what_waits(embedded_url: str) -> None:
    """TXID-4, and `changes` raises; one error for all, and nothing hangs."""
    db = AsyncChat(embedded_url)
    changes = db.messages.changes()
    waiters = [
        asyncio.create_task(db.await_txid("t", timeout=60)),
        asyncio.create_task(db.preload()),
        asyncio.create_task(anext(changes)),
    ]
    results = await asyncio.gather(*waiters, return_exceptions=True)
    assert [type(result) for result in results] == [StreamNotFound] * 3
    with pytest.raises(StreamNotFound):
        await db.preload()
    await db.aclose()


async def test_the_context_manager_closes_what_it_could_not_open(embedded_url: str) -> None:
    db = AsyncChat(embedded_url)
    with pytest.raises(StreamNotFound):
        await db.__aenter__()
    assert db.status == "closed"
    blocking = Chat(embedded_url)
    with pytest.raises(StreamNotFound), blocking:
        pass
    assert blocking.status == "closed"


async def test_several_create_the_same_stream(url: str) -> None:
    dbs = [AsyncChat(url, create=True) for _ in range(8)]
    await asyncio.gather(*(db.preload() for db in dbs))
    await dbs[0].messages.insert(message(1))
    for db in dbs:
        if not len(db.messages):
            await anext(db.messages.changes(initial=True))
        assert list(db.messages) == [message(1)]
    await asyncio.gather(*(db.aclose() for db in dbs))


async def test_creating_finds_a_stream_of_another_configuration(url: str) -> None:
    async with await AsyncStream.create(url, ttl_seconds=3600), AsyncChat(url, create=True) as db:
        assert db.status == "live"


async def test_the_first_load_commits_once(server: Serving, http_url: str) -> None:
    """ATOM-3: over many pages; nobody sees a part of it."""
    async with await filled(http_url) as stream:
        for number in range(30):
            await stream.append(messages.insert(message(number, "x" * 100), txid=f"t{number}"))
        tail = (await stream.head()).offset
        pages = [batch async for batch in stream.read()]
        assert len(pages) > 5
        db = AsyncChat(http_url)
        seen: list[int] = []
        changes = db.messages.changes()
        db.messages.subscribe(lambda changes: seen.append(len(changes)))
        await db.preload()
        assert seen == [30]
        assert len(await anext(changes)) == 30
        assert (db.metrics.commits, db.metrics.events, db.offset) == (1, 30, tail)
        await db.await_txid("t0", timeout=0)
        await db.aclose()


async def test_the_offset_is_of_the_committed_state(url: str) -> None:
    """ATOM-4, ATOM-5: whoever looks sees them move together."""
    async with await filled(url) as stream, AsyncChat(url) as db:
        offsets: list[tuple[int, str]] = []
        db.messages.subscribe(lambda _: offsets.append((len(db.messages), db.offset)))
        expected = []
        for number in range(5):
            appended = await stream.append(messages.insert(message(number), txid=f"t{number}"))
            await db.await_txid(f"t{number}")
            expected.append((number + 1, appended.offset))
        assert offsets == expected


async def test_a_closed_stream_is_loaded_and_ends(url: str) -> None:
    """END-1: the state stays readable."""
    async with await filled(url, messages.insert(message(1), txid="t")) as stream:
        await stream.close_stream()
        db = AsyncChat(url)
        await db.preload()
        assert list(db.messages) == [message(1)]
        assert [item async for item in db.messages.changes()] == []
        assert (db.status, db.error) == ("ended", None)
        await db.await_txid("t")
        with pytest.raises(StreamDBError, match="the stream has ended"):
            await db.await_txid("never", timeout=60)
        await db.aclose()
        assert list(db.messages) == [message(1)]


async def test_closing_the_stream_ends_a_live_database(url: str) -> None:
    async with await filled(url) as stream, AsyncChat(url) as db:
        changes = db.messages.changes()
        await stream.close_stream(messages.insert(message(1)))
        assert [[c.key for c in item] async for item in changes] == [["1"]]
        assert (db.status, list(db.messages)) == ("ended", [message(1)])


async def test_deleting_the_stream_is_a_fatal_error(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """END-2: the last committed state stays readable."""
    async with (
        await filled(url, messages.insert(message(1))) as stream,
        AsyncChat(url, live="long-poll") as db,
    ):
        changes = db.messages.changes()
        await stream.delete()
        with pytest.raises(StreamNotFound):
            await anext(changes)
        assert (db.status, list(db.messages)) == ("error", [message(1)])
        assert isinstance(db.error, StreamNotFound)
        with pytest.raises(StreamNotFound):
            await db.preload()
    # Perhaps nobody awaits anything: the log says it, once.
    errors = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert [error.startswith(f"{db.url}: reading stopped for good: ") for error in errors] == [True]


@pytest.mark.parametrize("live", ["auto", "sse", "long-poll"])
async def test_every_way_to_follow(url: str, live: str) -> None:
    async with await filled(url) as stream, AsyncChat(url, live=live) as db:
        await stream.append(sensors.insert(sensor(1), txid="t"))
        await db.await_txid("t")
        assert list(db.sensors) == [sensor(1)]


async def test_preload_in_time(embedded_url: str) -> None:
    async with await filled(embedded_url):
        db = AsyncChat(embedded_url)
        await asyncio.gather(db.preload(60), db.preload())
        await db.preload(0.001)
        await db.aclose()


@pytest.mark.parametrize("form", [AsyncChat, Chat])
async def test_preload_out_of_time(form: type[AsyncChat] | type[Chat]) -> None:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        db = form(f"http://127.0.0.1:{mute.getsockname()[1]}/v1/stream/x")
        with pytest.raises(TimeoutError, match=r"longer than 0\.05 s .*status connecting"):
            await _preload(db, timeout=0.05)
        assert db.status == "connecting"
        await _close(db)


async def test_after_closing(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        await db.messages.insert(message(1)).synced()
    await db.aclose()
    assert (db.status, db.error, len(db.messages)) == ("closed", None, 1)
    with pytest.raises(DatabaseClosed):
        await db.preload()
    with pytest.raises(DatabaseClosed):
        db.messages.upsert(message(1))
    with pytest.raises(DatabaseClosed):
        db.messages.update("1", content="x")
    with pytest.raises(DatabaseClosed), db.transaction():
        pass
    with pytest.raises(DatabaseClosed):
        await db.await_txid("t")
    for watch in (db.messages.changes, lambda: db.messages.subscribe(print)):
        with pytest.raises(DatabaseClosed):
            watch()


async def test_closing_while_loading() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        db = AsyncChat(f"http://127.0.0.1:{mute.getsockname()[1]}/v1/stream/x")
        waiting = asyncio.create_task(db.preload())
        await asyncio.sleep(0)
        await asyncio.gather(db.aclose(), db.aclose())
        with pytest.raises(DatabaseClosed):
            await waiting


async def test_an_async_database_keeps_to_its_loop(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        with pytest.raises(StreamDBError, match="one event loop"):
            await asyncio.to_thread(db.messages.insert, message(1))
        await db.messages.insert(message(1))  # the failed one left nothing behind


def test_options_are_checked(embedded_url: str) -> None:
    with pytest.raises(TypeError, match="no option 'creat': did you mean 'create'"):
        AsyncChat(embedded_url, creat=True)
    with pytest.raises(ValueError, match="on_invalid is 'ignor': it must be one of report, raise"):
        AsyncChat(embedded_url, on_invalid="ignor")
    with pytest.raises(ValueError, match="live is 'no'"):
        AsyncChat(embedded_url, live="no")


async def _never_awaited(_: object) -> None: ...


def test_an_async_callback_is_refused_at_once(embedded_url: str) -> None:
    with pytest.raises(TypeError, match="on_invalid calls a plain function"):
        AsyncChat(embedded_url, on_invalid=_never_awaited)


def test_a_second_collection_class_needs_a_declaration(embedded_url: str) -> None:
    db = AsyncChat(embedded_url)
    assert list(db.collections) == ["messages", "sensors", "profiles"]
    assert repr(db) == f"<AsyncChat {embedded_url} idle>"
    with pytest.raises(StreamDBError, match="has no collection 'nothing'"):
        db._collection(type(db.messages), "nothing")


async def test_a_reader_does_not_log_rows(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with AsyncChat(embedded_url, create=True) as db:
        await db.messages.insert(message(1, "secret")).synced()
    assert "secret" not in caplog.text


async def _preload(db: AsyncChat | Chat, timeout: float | None = None) -> None:
    if isinstance(db, AsyncChat):
        await db.preload(timeout)
    else:
        await asyncio.to_thread(db.preload, timeout)


async def _close(db: AsyncChat | Chat) -> None:
    if isinstance(db, AsyncChat):
        await db.aclose()
    else:
        await asyncio.to_thread(db.close)


@pytest.mark.parametrize("live", ["sse", "long-poll"])
async def test_a_damaged_page_costs_a_try_and_no_event(
    server: Serving, http_url: str, live: str
) -> None:
    name = http_url.removeprefix(server.url)
    events = [messages.insert(message(number)) for number in range(9)]
    damaged = [Fine(), ShortenBody(30), SpoilBody(70)]  # the first is asked for the media type
    options: dict[str, Any] = {"live": live, "reconnect": RetryPolicy(initial=0.01, maximum=0.02)}
    async with (
        await filled(http_url, *events),
        proxy(server.url, damaged) as between,
        AsyncChat(between.url(name), **options) as db,
    ):
        assert db.messages.keys() == [str(number) for number in range(9)]
        assert db.metrics.invalid == 0
        assert len(between.heads) >= 4
