"""Databases with a cache that are closed at any moment, opened again, or forked."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages
from tests.runtime.db.cached import cache, warned

from streamdb import (
    AsyncStream,
    CacheError,
    StreamNotFound,
)
from streamdb_server import Serving

__all__ = ["cache", "warned"]


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

@atexit.register
def end():
    db.messages.insert(message("b")).synced()
    db.close()
"""


def test_closed_when_the_interpreter_ends(server: Serving, cache: Path) -> None:
    """What is read when no thread takes on work any more is written by closing."""
    url = f"{server.url}cached-at-exit"
    command = [sys.executable, "-c", AT_EXIT, url, str(cache)]
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert done.stderr == ""
    with Chat(url, cache=str(cache)) as db:
        assert (db.messages.keys(), db.metrics.cached) == (["a", "b"], 2)


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
