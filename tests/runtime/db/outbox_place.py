"""A stream to which writes go only when a test lets them, and a look into an outbox."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults import Proxy, Refuse, proxy
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages

from streamdb import (
    AsyncStream,
    RetryPolicy,
)
from streamdb.cache.outbox_file import PRODUCER, OutboxFile, outbox_path
from streamdb.cache.outbox_records import TransactionRecord, written
from streamdb.db import outbox_keeper
from streamdb_server import Serving

_NUMBERS = itertools.count()
OPTIONS: dict[str, Any] = {
    "outbox": True,
    "reconnect": RetryPolicy(attempts=2, initial=0.01),
    "close_timeout": 0.05,
}


class Place:
    """A stream behind a proxy, through which writes go only when it lets them, and a cache."""

    def __init__(self, between: Proxy, direct: str, folder: Path) -> None:
        name = f"outbox-{next(_NUMBERS)}"
        self.between = between
        self.url = between.url(name)
        self.direct = f"{direct}{name}"
        self.cache = folder / "session.cache"
        self._folder = folder

    def open(self, cache: Path | None = None, **options: Any) -> AsyncChat:
        return AsyncChat(self.url, cache=cache or self.cache, **{**OPTIONS, **options})

    def blocking(self, **options: Any) -> Chat:
        return Chat(self.url, cache=self.cache, **{**OPTIONS, **options})

    def cut(self) -> None:
        """Let no write through."""
        self.between.trouble_posts(itertools.repeat(Refuse()))

    def mend(self) -> None:
        self.between.trouble_posts([])

    def as_of_now(self) -> Path:
        """Copy what is on the disk, as a process that is killed now leaves it."""
        folder = self._folder / f"copy-{next(_NUMBERS)}"
        folder.mkdir()
        for file in self.cache.parent.glob("session.cache*"):
            if not file.name.endswith("-lock"):
                shutil.copy(file, folder)
        return folder / self.cache.name

    async def events(self) -> list[Any]:
        async with AsyncStream(self.direct) as stream:
            return [event async for batch in stream.read() for event in stream.items(batch)]

    async def keys(self) -> list[tuple[str, str]]:
        return [(event["headers"]["operation"], event["key"]) for event in await self.events()]


@pytest.fixture
async def place(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    patience = RetryPolicy(initial=0.01, maximum=0.05)
    monkeypatch.setattr(outbox_keeper, "_PATIENCE", patience)
    async with proxy(server.url) as between:
        made = Place(between, server.url, tmp_path)
        async with await AsyncStream.create(made.direct) as stream:
            await stream.append(messages.insert(message("old", "as it was")))
        yield made


async def sent(db: AsyncChat) -> None:
    """Wait until the first transaction is being sent, and is on the disk as it is sent."""
    async with asyncio.timeout(10):
        while not any(entry.status == "sent" for entry in db.outbox.pending):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    keeper = db._session.outbox
    assert keeper is not None
    await asyncio.to_thread(keeper.wait)


async def emptied(db: AsyncChat) -> None:
    await db.until(lambda: not db.outbox.pending, timeout=20)


def contents(db: Any) -> list[tuple[str, str]]:
    return [(row.id, row.content) for row in db.messages]


def read(cache: Path) -> tuple[Any, list[TransactionRecord]]:
    """Look into the outbox of a cache that nobody has open."""
    producer, records = read_numbered(cache)
    return producer, list(records.values())


def read_numbered(cache: Path) -> tuple[Any, dict[int, TransactionRecord]]:
    file = OutboxFile(outbox_path(cache))
    try:
        return file.read()
    finally:
        file.close()


def rewrite(
    cache: Path, producer: Any, records: dict[int, TransactionRecord] | None = None
) -> None:
    file = OutboxFile(outbox_path(cache))
    changes = {number: written(record) for number, record in (records or {}).items()}
    file.write({PRODUCER: written(producer), **changes})
    file.close()
