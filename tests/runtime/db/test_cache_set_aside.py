"""Caches of another stream, another schema or another program: set aside, and built anew."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from tests.faults import Busy, Fine, proxy
from tests.runtime.chat_schema import AsyncChat, message, messages
from tests.runtime.db.cached import WARNED, cache, content_of, warned, write

from streamdb import (
    AsyncStream,
    AsyncStreamDB,
    CacheError,
    RetryPolicy,
    StreamNotFound,
    collection,
)
from streamdb.db import caching
from streamdb_server import Serving

__all__ = ["cache", "warned"]


def write_file(file: Path, text: str) -> None:
    file.write_text(text)


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
