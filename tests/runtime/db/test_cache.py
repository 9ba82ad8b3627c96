"""The cache of a database: it goes on from there, and what is there is never wrong (B6, Q54)."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec import Struct
from tests.faults import Busy, Fine, proxy
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.test_resets import reset
from tests.runtime.task_rows import KINDS, SCHEMA, task

from streamdb import (
    AsyncStream,
    AsyncStreamDB,
    CacheError,
    CacheInUse,
    InvalidEventError,
    RetryPolicy,
    StreamNotFound,
    collection,
)
from streamdb.cache import store
from streamdb.cache.saved import Read
from streamdb.db import caching
from streamdb.protocol.exchange import Batch
from streamdb_server import Serving

WARNED = "is not used, and built anew"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "session.cache"


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, logger="streamdb.cache")
    return caplog


async def write(url: str, *keys: int, content: str = "") -> str:
    """Write messages, each in a request of its own; return the offset behind them."""
    async with AsyncStream(url) as stream:
        for key in keys:
            await stream.append(messages.upsert(message(key, content)))
        return (await stream.head()).offset


def content_of(file: Path) -> bytes:
    return file.read_bytes()


def write_file(file: Path, text: str) -> None:
    file.write_text(text)


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


# --- another stream, another schema, another file


async def is_rebuilt(
    database: type[AsyncChat], url: str, cache: Path, warned: Any, reason: str, **options: Any
) -> list[str]:
    """Open a database, which must find its cache of no use; return the keys of its messages."""
    warned.clear()
    async with database(url, cache=cache, **options) as db:
        keys = db.messages.keys()
        assert db.metrics.cached == 0
    assert WARNED in warned.text
    assert reason in warned.text
    kept = re.search(r"it is kept as (\S+)", warned.text)
    assert kept is not None
    assert content_of(Path(kept[1]))
    warned.clear()
    async with database(url, cache=cache, **options) as db:
        assert db.messages.keys() == keys
    assert warned.text == ""
    return keys


async def test_a_stream_made_anew(url: str, cache: Path, warned: Any) -> None:
    """The protocol knows no identity of streams: the data tells."""
    for keys, reason in (((5,), "it ends before"), (range(9), "it holds other data")):
        async with AsyncChat(url, create=True, cache=cache) as db:
            for key in range(3):
                await db.messages.upsert(message(key)).synced()
        async with AsyncChat(url, cache=cache):
            pass  # it reads that nothing is new, by which no stream is known
        async with AsyncStream(url) as stream:
            await stream.delete()
        await write_new(url, *keys)
        assert await is_rebuilt(AsyncChat, url, cache, warned, reason) == [*map(str, keys)]
        async with AsyncStream(url) as stream:
            await stream.delete()


async def test_a_stream_made_anew_that_begins_alike(url: str, cache: Path, warned: Any) -> None:
    """Both are filled with the same rows first, and are read in one page."""
    fixtures = [messages.insert(message(key, "x" * 30_000)) for key in range(3)]
    for content in ("old", "new"):
        async with await AsyncStream.create(url) as stream:
            await stream.append_many([*fixtures, messages.insert(message("last", content))])
        async with AsyncChat(url, cache=cache) as db:
            assert db.messages["last"].content == content
        async with AsyncStream(url) as stream:
            await stream.delete()
    assert "it holds other data" in warned.text


async def write_new(url: str, *keys: int) -> None:
    async with await AsyncStream.create(url):
        await write(url, *keys)


async def test_a_stream_made_anew_by_this_database(url: str, cache: Path, warned: Any) -> None:
    async with AsyncChat(url, create=True, cache=cache) as db:
        await db.messages.insert(message("a")).synced()
    async with AsyncStream(url) as stream:
        await stream.delete()
    assert await is_rebuilt(AsyncChat, url, cache, warned, "ends before", create=True) == []


async def test_a_stream_that_is_not_there(url: str, cache: Path) -> None:
    """It is an error as ever, and the cache stays for when it is back."""
    async with AsyncChat(url, create=True, cache=cache) as db:
        await db.messages.insert(message("a")).synced()
    content = content_of(cache)
    async with AsyncStream(url) as stream:
        await stream.delete()
    with pytest.raises(StreamNotFound):
        async with AsyncChat(url, cache=cache):
            pass
    assert content_of(cache) == content


async def test_a_server_that_is_down_leaves_the_cache(server: Serving, cache: Path) -> None:
    async with proxy(server.url) as between:
        url = between.url("down")
        async with AsyncChat(url, create=True, cache=cache) as db:
            await db.messages.insert(message("a")).synced()
        await between.trouble([Fine(), Busy(500), Busy(500)])
        once = RetryPolicy(attempts=1)
        with pytest.raises(Exception, match="500"):
            async with AsyncChat(url, cache=cache, retry=once):
                pass
        await between.trouble([Busy(500), Fine(), Busy(503), Fine(), Busy(503)])
        async with AsyncChat(url, cache=cache, retry=RetryPolicy(initial=0.001)) as db:
            assert (db.messages.keys(), db.metrics.cached) == (["a"], 1)


async def test_another_address(tmp_path: Path, cache: Path, warned: Any) -> None:
    first, second = (f"embedded:{tmp_path / 's.db'}#{name}" for name in ("a", "b"))
    await write_new(second, 1)
    async with AsyncChat(first, create=True, cache=cache) as db:
        await db.messages.insert(message("a")).synced()
    assert await is_rebuilt(AsyncChat, second, cache, warned, "of another stream") == ["1"]


async def test_another_schema(url: str, cache: Path, warned: Any) -> None:
    class Note(Struct, frozen=True):
        id: str

    class Other(AsyncStreamDB):
        messages = collection(Note, type="message", primary_key="id")

    async with AsyncChat(url, create=True, cache=cache) as db:
        await db.messages.insert(message("a")).synced()
    other: Any = Other
    assert await is_rebuilt(other, url, cache, warned, "of another schema") == ["a"]
    assert await is_rebuilt(other, url, cache, warned, "of another schema", strict=True) == ["a"]
    upcast: Any = {"message": dict}
    assert await is_rebuilt(other, url, cache, warned, "of another schema", upcast=upcast) == ["a"]


async def test_a_fork_has_no_cache_of_its_source(url: str, cache: Path) -> None:
    async with AsyncChat(url, create=True, cache=cache) as db:
        await db.messages.insert(message("a")).synced()
        async with await db.fork(f"{url}-fork") as fork:
            assert fork.messages.keys() == ["a"]
    async with AsyncChat(f"{url}-fork", cache=f"{cache}-fork") as fork:
        assert fork.messages.keys() == ["a"]


@pytest.mark.parametrize(
    ("pragma", "reason"),
    [
        ("user_version = 999", "another version of streamdb (format 999"),
        ("user_version = 0", "another version of streamdb (format 0"),
    ],
)
async def test_other_versions_and_programs(
    url: str, cache: Path, warned: Any, pragma: str, reason: str
) -> None:
    async with AsyncChat(url, create=True, cache=cache) as db:
        await db.messages.insert(message("a")).synced()
    with sqlite3.connect(cache) as file:
        file.execute(f"PRAGMA {pragma}")
    file.close()
    assert await is_rebuilt(AsyncChat, url, cache, warned, reason) == ["a"]


def make_diary(file: Path) -> None:
    write_file(file, "a diary")


def make_database(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE diary (day TEXT)")
    db.close()


@pytest.mark.parametrize("make", [make_diary, make_database])
async def test_a_file_of_somebody_else_stays_where_it_is(
    url: str, cache: Path, make: Callable[[Path], None]
) -> None:
    await write_new(url, 1)
    make(cache)
    before = content_of(cache)
    for _ in range(2):
        with pytest.raises(CacheError, match="is no cache of streamdb"):
            async with AsyncChat(url, cache=cache):
                pass
    assert content_of(cache) == before
    assert not list(cache.parent.glob("*set-aside*"))


async def test_what_cannot_be_a_cache_is_an_error(tmp_path: Path, embedded_url: str) -> None:
    data_file = tmp_path / "streams.db"
    for path, reason in (
        (tmp_path, "it is no file"),
        (tmp_path / "missing" / "x.cache", "No such file or directory"),
        (data_file, "holds the stream itself"),
    ):
        with pytest.raises(CacheError, match=reason):
            async with AsyncChat(embedded_url, create=True, cache=path):
                pass
    await write_new(embedded_url, 1)
    with pytest.raises(CacheError, match="holds streams, and is no cache"):
        async with AsyncChat(f"embedded:{tmp_path / 'other.db'}#a", create=True, cache=data_file):
            pass
    async with AsyncChat(embedded_url) as db:
        assert db.messages.keys() == ["1"]


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


# --- what must not stop the database


async def test_a_disk_that_takes_nothing(
    url: str, cache: Path, warned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncChat(url, create=True, cache=cache) as db:
        await db.messages.insert(message("a")).synced()

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(store.CacheStore, "add", full)
    async with AsyncChat(url, cache=cache) as db:
        for key in "bc":
            await db.messages.insert(message(key)).synced()
    assert warned.text.count("is not written any more, the database goes on without") == 1
    assert "No space left on device" in warned.text
    monkeypatch.undo()
    async with AsyncChat(url, cache=cache) as db:
        assert (db.messages.keys(), db.metrics.cached, db.metrics.events) == (["a", "b", "c"], 1, 2)


async def test_what_cannot_be_written_is_not_kept_either(
    url: str, cache: Path, warned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    for method in ("add", "rewrite"):
        monkeypatch.setattr(store.CacheStore, method, full)
    async with AsyncChat(url, create=True, cache=cache) as db:
        while "is not written any more" not in warned.text:
            await db.messages.upsert(message("a")).synced()
        for number in range(20):
            await db.messages.upsert(message(number)).synced()
        kept = [one for one in gc.get_objects() if isinstance(one, Read)]
    assert kept == []


class Choosy(Struct):
    """A row whose class says no to what was a row before, and quotes it."""

    id: str
    text: str
    refuses: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.refuses:
            raise ValueError(f"no such text: {self.text}")


async def test_the_log_quotes_no_row(
    url: str, cache: Path, warned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = type("Texts", (AsyncStreamDB,), {"texts": collection(Choosy, primary_key="id")})
    async with database(url, create=True, cache=cache) as db:
        await db.texts.insert(Choosy("a", "C0NTENT")).synced()
    monkeypatch.setattr(Choosy, "refuses", True)
    async with database(url, cache=cache) as db:
        assert len(db.texts) == 0
    assert "it is damaged: refused by its class (ValueError)" in warned.text
    assert "C0NTENT" not in warned.text


async def test_what_there_was_no_room_for_is_written_in_the_end(
    url: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk is slow, what is read does not pile up without bound."""
    may_go_on = threading.Event()
    rewrite = store.CacheStore.rewrite

    def slow(*arguments: Any) -> None:
        assert may_go_on.wait(20)
        rewrite(*arguments)

    monkeypatch.setattr(caching, "_MOST_WAITING", 0)
    monkeypatch.setattr(store.CacheStore, "rewrite", slow)
    async with AsyncChat(url, create=True, cache=cache) as db:
        for key in "abc":
            await db.messages.insert(message(key)).synced()
        may_go_on.set()
    async with AsyncChat(url, cache=cache) as db:
        assert (db.messages.keys(), db.metrics.cached) == (["a", "b", "c"], 3)


@dataclass
class Shouting:
    """A row whose class reads another one than it wrote."""

    id: str
    text: str

    def __post_init__(self) -> None:
        self.text += "!"


async def test_rows_that_would_come_back_as_others(url: str, cache: Path, warned: Any) -> None:
    """They are not kept: a cache shows what the stream does."""
    database = type("Shouts", (AsyncStreamDB,), {"shouts": collection(Shouting, primary_key="id")})
    event = {"type": "shouts", "key": "1", "headers": {"operation": "insert"}}
    async with await AsyncStream.create(url) as stream:
        await stream.append({**event, "value": {"id": "1", "text": "hey"}})
    for _ in range(2):
        warned.clear()
        async with database(url, cache=cache) as db:
            assert [row.text for row in db.shouts] == ["hey!"]
            assert db.metrics.cached == 0
        assert "rows of Shouting are not the same when they are read again" in warned.text


async def test_rows_of_any_size(url: str, cache: Path) -> None:
    async with await AsyncStream.create(url) as stream:
        for key in range(12):
            text = "x" * (3_000_000 if key in (3, 4, 9) else key)
            await stream.append(messages.insert(message(key, text)))
    for events in (12, 0):
        async with AsyncChat(url, cache=cache) as db:
            assert [len(row.content) for row in db.messages][2:5] == [2, 3_000_000, 3_000_000]
            assert (len(db.messages), db.metrics.events) == (12, events)


# --- closing at any moment, and forking


async def test_closed_while_it_is_opened(http_url: str, cache: Path) -> None:
    """Nothing is left behind, and the cache is what it was."""
    async with AsyncChat(http_url, create=True, cache=cache) as db:
        for key in range(50):
            await db.messages.upsert(message(key)).synced()
        rows = db.messages.items()
    for steps in range(25):
        db = AsyncChat(http_url, cache=cache)
        opening = asyncio.create_task(db.preload())
        for _ in range(steps * 3):
            await asyncio.sleep(0)
        await db.aclose()
        await asyncio.gather(opening, return_exceptions=True)
    async with AsyncChat(http_url, cache=cache) as db:
        assert (db.messages.items(), db.metrics.cached, db.metrics.events) == (rows, 50, 0)


def make_folder(path: str) -> Path:
    Path(path).mkdir()
    return Path(path)


async def test_what_cannot_be_set_aside_is_an_error(tmp_path: Path, cache: Path) -> None:
    """It says what to do, and nothing is left behind that would be in the way."""
    first, second = (f"embedded:{tmp_path / 's.db'}#{name}" for name in ("a", "b"))
    async with AsyncChat(first, create=True, cache=cache) as db:
        await db.messages.insert(message("a")).synced()
    in_the_way = make_folder(f"{cache}-set-aside")
    for _ in range(2):
        with pytest.raises(CacheError, match=f"cannot be kept as {in_the_way}: Is a directory: "):
            async with AsyncChat(second, create=True, cache=cache):
                pass
    in_the_way.rmdir()
    async with AsyncChat(second, create=True, cache=cache) as db:
        assert len(db.messages) == 0


def test_a_blocking_database_ends_its_threads_then(tmp_path: Path, cache: Path) -> None:
    first, second = (f"embedded:{tmp_path / 's.db'}#{name}" for name in ("a", "b"))
    with Chat(first, create=True, cache=cache) as db:
        db.messages.insert(message("a")).synced()
    make_folder(f"{cache}-set-aside")
    batches: list[Any] = []
    with pytest.raises(CacheError), Chat(second, create=True, cache=cache, on_batch=batches.append):
        pass
    assert not [one for one in threading.enumerate() if one.name.startswith("streamdb-callbacks")]


async def test_opened_again_after_it_failed(url: str, cache: Path) -> None:
    """Who has not got a database need not close it."""
    missing = AsyncChat(url, cache=cache)
    with pytest.raises(StreamNotFound):
        await missing.preload()
    async with AsyncChat(url, create=True, cache=cache) as db:
        await db.messages.insert(message("a")).synced()
    await missing.aclose()


async def test_opened_again_after_the_stream_ended(url: str, cache: Path) -> None:
    async with await AsyncStream.create(url) as stream:
        await stream.close_stream(messages.insert(message("a")))
    ended = AsyncChat(url, cache=cache)
    await ended.preload()
    await ended.until(lambda: ended.status == "ended")
    await ended.aclose()
    async with AsyncChat(url, cache=cache) as db:
        assert db.metrics.cached == 1


def test_opened_again_after_its_loop_has_ended(embedded_url: str, cache: Path) -> None:
    """A program that closes nothing, or is interrupted, has written what it read."""

    async def leave(*, closing: bool) -> None:
        db = AsyncChat(embedded_url, create=True, cache=cache)
        await db.preload()
        await db.messages.upsert(message("a")).synced()
        left.append(db)
        if closing:
            left.append(asyncio.create_task(db.aclose()))
            await asyncio.sleep(0)

    async def look() -> tuple[list[str], int]:
        async with AsyncChat(embedded_url, cache=cache) as db:
            return db.messages.keys(), db.metrics.cached

    left: list[Any] = []  # not even garbage
    asyncio.run(leave(closing=False))
    assert asyncio.run(look()) == (["a"], 1)
    asyncio.run(leave(closing=True))
    assert asyncio.run(look()) == (["a"], 2)


AT_EXIT = """
import atexit, sys
from tests.runtime.chat_schema import Chat, message
url, cache = sys.argv[1:]
db = Chat(url, create=True, cache=cache)
db.preload()
db.messages.insert(message("a")).synced()
atexit.register(db.close)
"""


def test_closed_when_the_interpreter_ends(server: Serving, cache: Path) -> None:
    url = f"{server.url}cached-at-exit"
    command = [sys.executable, "-c", AT_EXIT, url, str(cache)]
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert done.stderr == ""
    with Chat(url, cache=str(cache)) as db:
        assert (db.messages.keys(), db.metrics.cached) == (["a"], 1)


FORKING = """
import gc, os, sys
from tests.runtime.chat_schema import Chat, message
url, cache = sys.argv[1:]
db = Chat(url, create=True, cache=cache)
db.preload()
db.messages.insert(message("a")).synced()
child = os.fork()
if child == 0:
    del db
    gc.collect()
    with Chat(url, cache=cache + "-of-child") as own:
        assert own.messages.keys() == ["a"]
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
db.messages.insert(message("b")).synced()
db.close()
"""


def test_a_forked_child_leaves_the_cache_alone(server: Serving, cache: Path) -> None:
    url = f"{server.url}forked-cache"
    subprocess.run([sys.executable, "-c", FORKING, url, str(cache)], check=True, timeout=60)
    with Chat(url, cache=str(cache)) as db:
        assert (db.messages.keys(), db.metrics.cached) == (["a", "b"], 2)


async def test_a_stream_that_is_made_anew_at_that_very_moment(
    url: str, cache: Path, warned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A next offset below the one that was asked for tells, too."""
    async with AsyncChat(url, create=True, cache=cache) as db:
        for key in "abc":
            await db.messages.insert(message(key)).synced()

    async def confirmed(*_: object) -> bool:
        async with AsyncStream(url) as stream:
            await stream.delete()
        await write_new(url, 1)
        return True

    with monkeypatch.context() as patch:
        patch.setattr(caching, "is_confirmed", confirmed)
        async with AsyncChat(url, cache=cache, reconnect=RetryPolicy(initial=0.001)) as db:
            assert (db.messages.keys(), db.metrics.cached) == (["1"], 0)
    assert "the stream is another one" in warned.text
    async with AsyncChat(url, cache=cache) as db:
        assert (db.messages.keys(), db.metrics.cached) == (["1"], 1)
