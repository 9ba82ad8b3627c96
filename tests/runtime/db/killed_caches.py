"""Kills a process with a cached database at any moment, and looks what its cache is worth.

Nothing that was in the file is lost, nothing is doubled, and nothing is read again but the data by
which the stream is known and what was not in the file yet.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.faults import Proxy, proxy
from tests.runtime.chat_schema import AsyncChat, Message, message, messages

from streamdb import AsyncStream, ChangeEvent
from streamdb_server import serving

_LONGEST = 60.0
_KEYS = 40


@dataclass
class Log:
    """What was written, folded in the plainest way."""

    rows: dict[str, tuple[Message, int]] = field(default_factory=dict[str, tuple[Message, int]])
    events: int = 0

    def draw(self, chance: random.Random) -> list[ChangeEvent[Any]]:
        """Draw the events of one append, and apply them."""
        drawn: list[ChangeEvent[Any]] = []
        for _ in range(chance.choice([1, 1, 1, 3, 20])):
            self.events += 1
            key = str(chance.randrange(_KEYS))
            if chance.random() < 0.2:
                self.rows.pop(key, None)
                drawn.append(messages.delete(key))
            else:
                row = message(key, f"{self.events}" * chance.choice([1, 1, 50]))
                self.rows[key] = row, self.events
                drawn.append(messages.upsert(row))
        return drawn


@dataclass(frozen=True)
class Outcome:
    """What a killing cost.

    Attributes:
        shown: so many commits were seen before it.
        lost: so many of them were not in the file yet.
        writes: so many times the file was written.
    """

    shown: int
    lost: int
    writes: int


class Killing:
    """One stream and one cache, over many deaths."""

    def __init__(self, between: Proxy, stream: AsyncStream, cache: Path, seed: int) -> None:
        self._between = between
        self._url = between.url("killed")
        self._stream = stream
        self._cache = cache
        self._chance = random.Random(seed)
        self._log = Log()

    async def round(self) -> Outcome:
        """Have a process die while much is written; raise if its cache is not what it must be."""
        chance = self._chance
        least = chance.choice(["100", "2000", "1000000"])
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.runtime.db.cached_child"),
            *(chance.choice(["async", "blocking"]), self._url, str(self._cache), least),
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdout is not None
        writing = asyncio.create_task(self._write())
        said: list[tuple[str, str]] = []
        wanted = chance.choice([0, 1, 2, 5, 30, 100])  # lines before it dies
        while len(said) < wanted and (line := await child.stdout.readline()):
            said.append(self._parsed(line))
        await asyncio.sleep(chance.uniform(0, 0.02) if wanted else chance.uniform(0.2, 0.6))
        child.kill()
        said += [self._parsed(line) async for line in child.stdout]
        await child.wait()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        return await self._look(said)

    def _parsed(self, line: bytes) -> tuple[str, str]:
        what, _, offset = line.decode().strip().partition(" ")
        return what, offset

    async def _write(self) -> None:
        while True:
            # What is drawn is written: no cancellation comes between.
            await asyncio.shield(self._stream.append_many(self._log.draw(self._chance)))
            await asyncio.sleep(self._chance.choice([0, 0.001, 0.005, 0.02]))

    async def _look(self, said: list[tuple[str, str]]) -> Outcome:
        await self._stream.append_many(
            self._log.draw(self._chance)
        )  # behind all that is on its way
        self._between.heads.clear()
        async with AsyncChat(self._url, cache=self._cache, live="long-poll") as db:
            rows = [(row, db.messages.meta(key).seq) for key, row in db.messages.items()]
        assert rows == list(self._log.rows.values()), "a row, its place or its event is not right"
        asked = [_offset(head) for head in self._between.heads]
        resumed = asked[2] if db.metrics.cached else "-1"  # behind what identifies the stream
        saved = [offset for what, offset in said if what == "saved"]
        shown = [offset for what, offset in said if what != "saved"]
        assert resumed >= max(saved, default="-1"), f"{max(saved)} was in the file: {asked}"
        assert all(offset >= resumed for offset in asked[3:]), f"more was read again: {asked}"
        assert db.metrics.cached + db.metrics.events == self._log.events
        assert not list(self._cache.parent.glob("*-set-aside*"))
        lost = [offset for offset in shown if offset > resumed]
        return Outcome(len(shown), len(set(lost)), len(saved))


def _offset(head: bytes) -> str:
    target = head.decode().split(" ", 2)[1]
    return parse_qs(urlsplit(target).query).get("offset", [""])[0]


@asynccontextmanager
async def killings(folder: Path, seed: int) -> AsyncGenerator[Killing]:
    """Prepare a stream behind a proxy that notes what is asked."""
    with serving(folder / "streams.db") as server:
        async with (
            proxy(server.url) as between,
            await AsyncStream.create(f"{server.url}killed") as stream,
        ):
            yield Killing(between, stream, folder / "session.cache", seed)
