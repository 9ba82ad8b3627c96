"""The cache of a database: it goes on from there, and what is there is never wrong (B6, Q54)."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.faults import proxy
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.cached import cache, content_of, warned, write
from tests.runtime.db.test_resets import reset
from tests.runtime.task_rows import KINDS, SCHEMA, task

from streamdb import (
    AsyncStream,
    AsyncStreamDB,
    CacheInUse,
    InvalidEventError,
    collection,
)
from streamdb.cache import store
from streamdb.cache.saved import Read
from streamdb.db import caching
from streamdb.protocol.exchange import Batch
from streamdb_server import Serving

__all__ = ["cache", "warned"]


def mode_of(file: Path) -> int:
    return file.stat().st_mode & 0o777


def make_readable(file: Path) -> None:
    file.chmod(0o644)


def requests(heads: Iterable[bytes]) -> list[str]:
    """Methods, and of reads the offsets."""
    found: list[str] = []
    for head in heads:
        method, target, _ = head.decode().split(" ", 2)
        offset = parse_qs(urlsplit(target).query).get("offset", [""])[0]
        found.append(f"{method} {offset}".strip())
    return found


async def test_a_database_goes_on_from_its_cache(server: Serving, cache: Path) -> None:
    """B6: nothing is read again but the last piece, by which the stream is known."""
    async with proxy(server.url) as between:
        url = between.url("goes-on")
        async with AsyncChat(url, create=True, cache=cache) as db:
            for key in range(20):  # more than one page of the server
                await db.messages.upsert(message(key)).synced()
            await db.messages.delete("3").synced()
            await db.messages.upsert(message(3, "again")).synced()
            await db.sensors.insert(sensor(7)).synced()
            before, rows, sensors = db.offset, db.messages.items(), db.sensors.items()
        async with AsyncStream(url) as stream:
            last = [batch.offset async for batch in stream.read()][-2:]
        between.heads.clear()
        async with AsyncChat(url, cache=cache, live="long-poll") as db:
            assert (db.offset, db.messages.items(), db.sensors.items()) == (before, rows, sensors)
            assert (db.metrics.events, db.metrics.cached) == (0, 23)
        asked = requests(between.heads)
        assert asked[0] == "HEAD"
        assert asked[2:3] == [f"GET {before}"]
        assert asked[1] > f"GET {last[0]}", "what identifies the stream is the last commit alone"
        assert set(asked[3:]) <= {f"GET {before}"}


def test_a_blocking_database_does_too(server: Serving, cache: Path) -> None:
    url = f"{server.url}blocking-goes-on"
    with Chat(url, create=True, cache=str(cache)) as db:
        tx = db.messages.insert(message("a"))
        tx.synced()
    with Chat(url, cache=str(cache)) as db:
        assert db.messages.keys() == ["a"]
        assert (db.metrics.events, db.metrics.cached) == (0, 1)
        db.await_txid(tx.txid, timeout=0)  # txids are remembered, too
        db.messages.insert(message("b")).synced()
    with Chat(url, cache=str(cache)) as db:
        assert (db.messages.keys(), db.metrics.cached) == (["a", "b"], 2)


async def test_the_next_commit_waits_until_the_file_has_the_last(
    url: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a kill loses one commit at most."""
    monkeypatch.setattr(caching, "_LONGEST_WAIT", 60)
    may_write, waits = threading.Event(), asyncio.Queue[None]()
    add, written = store.CacheStore.add, caching.Cache.written

    def add_later(self: store.CacheStore, reads: list[Read]) -> None:
        assert may_write.wait(60)
        add(self, reads)

    async def wait_for_file(self: caching.Cache) -> None:
        waits.put_nowait(None)
        await written(self)

    async with AsyncChat(url, create=True, cache=cache) as db:
        await write(url, 1)
        await db.until(lambda: len(db.messages) == 1)
        monkeypatch.setattr(store.CacheStore, "add", add_later)
        monkeypatch.setattr(caching.Cache, "written", wait_for_file)
        await write(url, 2)
        await db.until(lambda: len(db.messages) == 2)
        await waits.get()
        await write(url, 3)
        await waits.get()  # the third one was received
        await asyncio.sleep(0.1)
        assert len(db.messages) == 2
        may_write.set()
        await db.until(lambda: len(db.messages) == 3)


async def test_nobody_has_a_turn_between_a_commit_and_its_way_into_the_file(
    url: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They might close the database, and what they have seen would not be in the file."""
    order, others = list[str](), asyncio.Event()
    took = caching.Cache.took

    def note(self: caching.Cache, batch: Batch, restart_from: str | None) -> None:
        order.append("kept")
        took(self, batch, restart_from)

    def others_next(_: Any) -> None:
        asyncio.get_running_loop().call_soon(order.append, "others")
        asyncio.get_running_loop().call_soon(others.set)

    async with AsyncChat(url, create=True, cache=cache) as db:
        monkeypatch.setattr(caching.Cache, "took", note)
        db.messages.subscribe(others_next)
        await write(url, 1)
        await others.wait()
        assert order[-2:] == ["kept", "others"]


@pytest.mark.parametrize("live", ["sse", "long-poll"])
async def test_what_came_meanwhile_is_read(url: str, cache: Path, live: Any) -> None:
    """However much that is, and however its pages are cut."""
    async with AsyncChat(url, create=True, cache=cache, live=live) as db:
        await db.messages.insert(message("a")).synced()
    await write(url, *range(15))
    async with AsyncChat(url, cache=cache, live=live) as db:
        assert db.messages.keys() == ["a", *map(str, range(15))]
        assert (db.metrics.cached, db.metrics.events) == (1, 15)
        await db.messages.delete("a").synced()
    async with AsyncChat(url, cache=cache, live=live) as db:
        assert db.messages.keys() == [*map(str, range(15))]
        assert (db.metrics.cached, db.metrics.events) == (17, 0)


async def test_much_at_once(url: str, cache: Path) -> None:
    """A batch of many pages, and rows larger than what the stream is known by."""
    async with await AsyncStream.create(url) as stream:
        await stream.append_many([messages.insert(message(key, "é" * 400)) for key in range(300)])
        await stream.append(messages.insert(message("big", "x" * 500_000)))
        async with AsyncChat(url, cache=cache) as db:
            assert len(db.messages) == 301
        await stream.append_many([messages.insert(message(key, "ab " * 400)) for key in range(300)])
        for _ in range(2):
            async with AsyncChat(url, cache=cache) as db:
                assert len(db.messages) == 301
                assert db.metrics.cached >= 301


async def test_rows_are_written_anew_when_much_was_read(
    url: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_LEAST_TO_REWRITE", 500)
    async with AsyncChat(url, create=True, cache=cache) as db:
        for number in range(100):
            await db.messages.upsert(message(number % 7, f"{number}")).synced()
        rows = db.messages.items()
    with sqlite3.connect(cache) as file:
        (size,) = file.execute("SELECT sum(length(content)) FROM pieces").fetchone()
    file.close()
    assert size < 100 * 60, "much less than 100 events"
    async with AsyncChat(url, cache=cache) as db:
        assert (db.messages.items(), db.metrics.cached) == (rows, 100)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_rows_of_every_kind(
    kind: Any, embedded_url: str, cache: Path, warned: pytest.LogCaptureFixture
) -> None:
    declared = collection(kind, type="task", primary_key="id", schema=SCHEMA)
    database = type("Tasks", (AsyncStreamDB,), {"tasks": declared})
    async with database(embedded_url, create=True) as db:
        await db.tasks.insert(task(kind)).synced()
        await db.tasks.insert(task(kind, "t2", note="n", parent=None)).synced()
        await db.tasks.insert(task(kind, "t\u00e9", title="\U0001f600")).synced()
    for _ in range(2):  # written as rows, then read
        async with database(embedded_url, cache=cache) as db:
            rows = list(db.tasks)
            assert rows == [
                task(kind),
                task(kind, "t2", note="n", parent=None),
                task(kind, "t\u00e9", title="\U0001f600"),
            ]
            assert {type(row) for row in rows} == {kind if kind is dict else type(task(kind))}
            cached = db.metrics.cached
    assert cached == 3
    assert warned.text == ""


async def test_half_a_surrogate_pair(url: str, cache: Path) -> None:
    """INVALID-9: legal in JSON, as content, as key and as txid."""
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message("\ud83d", "\ud83d"), txid="t\ud83d"))
    for _ in range(2):
        async with AsyncChat(url, cache=cache) as db:
            assert db.messages.items() == [("\ud83d", message("\ud83d", "\ud83d"))]
            await db.await_txid("t\ud83d", timeout=0)
    assert db.metrics.cached == 1


# --- one database at a time


async def test_two_databases_on_one_cache(url: str, cache: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.cache"
    link.symlink_to(cache)
    async with AsyncChat(url, create=True, cache=cache) as db:
        for path in (cache, link):
            with pytest.raises(CacheInUse, match=re.escape(str(cache))):
                async with AsyncChat(url, cache=path):
                    pass
        await db.messages.insert(message("a")).synced()
    async with AsyncChat(url, cache=link) as db:
        assert db.messages.keys() == ["a"]


# --- what the log may hold


async def test_resets(url: str, cache: Path) -> None:
    """RESET-1, RESET-3, RESET-8: what a reset led to is in the cache, and is not read again."""
    async with await AsyncStream.create(url) as stream:
        async with AsyncChat(url, cache=cache) as db:
            mark = await write(url, 1, 2)
            await stream.append_many([messages.insert(message("3"), txid="3"), reset()])
            await db.await_txid("3")
            await stream.append_many([messages.insert(message("4"), txid="4"), reset(mark)])
            await stream.append(messages.insert(message("5"), txid="5"))
            await db.await_txid("5")
            rows = db.messages.keys()
        for number in (6, 7):
            async with AsyncChat(url, cache=cache) as db:
                assert db.messages.keys() == rows
                assert db.metrics.events == 0
                await db.messages.insert(message(number)).synced()
                rows.append(str(number))


async def test_a_closed_stream(url: str, cache: Path) -> None:
    """END-1."""
    async with await AsyncStream.create(url) as stream:
        await stream.close_stream(messages.insert(message("a")))
    for cached in (0, 1):
        async with AsyncChat(url, cache=cache) as db:
            assert (db.messages.keys(), db.metrics.cached) == (["a"], cached)


async def test_nothing_yet(url: str, cache: Path) -> None:
    for _ in range(2):
        async with AsyncChat(url, create=True, cache=cache) as db:
            assert len(db.messages) == 0
    await write(url, 1)
    async with AsyncChat(url, cache=cache) as db:
        assert (db.messages.keys(), db.metrics.cached) == (["1"], 0)


async def test_invalid_events_are_reported_once(url: str, cache: Path) -> None:
    """INVALID-3: when they are read."""
    reported: list[Any] = []
    async with await AsyncStream.create(url) as stream:
        await stream.append_many([messages.insert(message("a")), {"headers": {}}])
        for _ in range(2):
            async with AsyncChat(url, cache=cache, on_invalid=reported.append) as db:
                assert db.messages.keys() == ["a"]
    assert len(reported) == 1


async def test_what_was_invalid_is_kept(url: str, cache: Path) -> None:
    """As if it were read: also what was added to the file later, under another policy, too."""
    other = {"type": "other", "key": "\ud83d", "headers": {"operation": "insert"}, "value": 1}
    async with await AsyncStream.create(url) as stream:
        async with AsyncChat(url, cache=cache, on_invalid="ignore") as db:
            await stream.append_many([messages.insert(message("a")), {"headers": {}}, other])
            await db.messages.upsert(message("b")).synced()
            await stream.append_many([{**other, "key": ""}, {"n": 1}, other])
            await db.messages.upsert(message("c")).synced()
            found, counted = db.invalid_events, db.metrics
            assert (len(found), counted.undeclared) == (3, {"other": 2})
        for _ in range(2):
            async with AsyncChat(url, cache=cache, on_invalid="ignore") as db:
                assert db.metrics.events == 0
                assert (db.metrics.invalid, db.metrics.undeclared) == (3, counted.undeclared)
                assert list(db.invalid_events) == list(found)
        with pytest.raises(InvalidEventError, match="no operation and no control"):
            async with AsyncChat(url, cache=cache, on_invalid="raise"):
                pass
        async with AsyncChat(url, cache=cache, on_invalid="ignore") as db:
            assert db.metrics.invalid == 3


# --- who may read it, and what is not in it


async def test_it_is_private_and_holds_no_secret(server: Serving, cache: Path) -> None:
    address = server.url.replace("http://", "http://ann:PASSW0RD@") + "private?token=T0KEN"
    options: dict[str, Any] = {
        "cache": cache,
        "create": True,
        "headers": {"x-key": "K3Y"},
        "params": {"more": "PAR4M"},
    }
    async with AsyncChat(address, **options) as db:
        await db.messages.insert(message("a", "content")).synced()
        files = sorted(cache.parent.glob(f"{cache.name}*"))
        assert [file.name.removeprefix(cache.name) for file in files] == [
            "",
            "-lock",
            "-shm",
            "-wal",
        ]
        for file in files:
            assert mode_of(file) == 0o600, file
    held = content_of(cache)
    assert b"content" in held
    for secret in (b"PASSW0RD", b"T0KEN", b"K3Y", b"PAR4M", b"ann"):
        assert secret not in held
    make_readable(cache)
    async with AsyncChat(address, **options) as db:
        assert mode_of(cache) == 0o600
        assert db.metrics.cached == 1
