"""What a cache cannot hold, and what goes wrong with its file, does not stop the database."""

from __future__ import annotations

import gc
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec import Struct
from tests.runtime.chat_schema import AsyncChat, message, messages
from tests.runtime.db.cached import cache, warned

from streamdb import (
    AsyncStream,
    AsyncStreamDB,
    collection,
)
from streamdb.cache import store
from streamdb.cache.saved import Read
from streamdb.db import caching

__all__ = ["cache", "warned"]


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
