"""Kills a process that writes with an outbox at any moment, and looks what the stream holds.

Each transaction that was in the outbox is on the stream exactly once, whole, and in order; so is
every other one that is there at all.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tests.faults import (
    Busy,
    CutAnswer,
    CutRequest,
    DeliverAgain,
    DeliverTwice,
    Fault,
    Fine,
    LoseAnswer,
    Proxy,
    Refuse,
    Slow,
    proxy,
)
from tests.runtime.chat_schema import AsyncChat, message, messages
from tests.runtime.db.outbox_child import OPTIONS

from streamdb import AsyncStream
from streamdb_server import Options, serving

_LONGEST = 60.0


@dataclass
class Outcome:
    """What came of all rounds.

    Attributes:
        written: transactions that processes have begun to write.
        stored: those of them that were in the outbox, as far as was told.
        acknowledged: those that were acknowledged before the end of their process.
        on_stream: those that are on the stream.
        left: how many were sent by a later process, in all.
    """

    written: int = 0
    stored: int = 0
    acknowledged: int = 0
    on_stream: int = 0
    left: int = 0


class Killing:
    """One stream and one outbox, over many deaths."""

    def __init__(self, between: Proxy, stream: AsyncStream, cache: Path, seed: int) -> None:
        self._between = between
        self._url = between.url("killed")
        self._stream = stream
        self._cache = cache
        self._chance = random.Random(seed)
        self._round = 0
        self._written: dict[str, int] = {}  # how many events, by txid, in order
        self._stored: set[str] = set()
        self._acknowledged: set[str] = set()

    async def round(self) -> None:
        """Have a process die while it writes."""
        chance = self._chance
        self._round += 1
        self._between.trouble_posts([self._fault() for _ in range(chance.choice([0, 3, 10, 40]))])
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.runtime.db.outbox_child"),
            *(chance.choice(["async", "blocking"]), self._url, str(self._cache)),
            *(str(self._round), str(chance.randrange(2**32))),
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdout is not None
        others = asyncio.create_task(self._write_as_others())
        wanted = chance.choice([0, 1, 2, 5, 30, 100, 300])  # lines before it dies
        lines: list[bytes] = []
        async with asyncio.timeout(_LONGEST):
            while len(lines) < wanted and (line := await child.stdout.readline()):
                lines.append(line)
            await asyncio.sleep(chance.uniform(0, 0.02) if wanted else chance.uniform(0.2, 0.8))
            child.kill()
            lines += [line async for line in child.stdout]
            await child.wait()
        others.cancel()
        await asyncio.gather(others, return_exceptions=True)
        for line in lines:
            self._hear(*line.decode().split(maxsplit=2))

    def _hear(self, what: str, txid: str = "", more: str = "") -> None:
        match what:
            case "wrote":
                self._written[txid] = int(more)
            case "stored":
                self._stored.add(txid)
            case "durable":
                self._acknowledged.add(txid)
            case "lost":
                raise AssertionError(f"{txid}: {more}")
            case _:
                assert what == "open", what

    def _fault(self) -> Fault:
        chance = self._chance
        return chance.choice(
            [
                Fine(),
                Fine(),
                Refuse(),
                CutRequest(chance.randrange(800)),
                CutAnswer(chance.randrange(600)),
                LoseAnswer(),
                LoseAnswer(),
                Busy(chance.choice([429, 500, 503])),
                Slow(0.01),
                DeliverTwice(),
                DeliverAgain(chance.uniform(0, 2)),
            ]
        )

    async def _write_as_others(self) -> None:
        count = 0
        while True:
            count += 1
            await asyncio.shield(self._stream.append(messages.upsert(message("other", str(count)))))
            await asyncio.sleep(self._chance.choice([0.005, 0.05]))

    async def end(self) -> Outcome:
        """Have the rest sent, and judge what is on the stream."""
        self._between.trouble_posts([])
        async with AsyncChat(self._url, cache=self._cache, **OPTIONS) as db:
            left = len(db.outbox.pending)
            async with asyncio.timeout(_LONGEST):
                await db.until(lambda: not db.outbox.pending)
            await self._between.settle()
            await self._stream.append(messages.upsert(message("last")))
            await db.until(lambda: "last" in db.messages)
            rows = (dict(db.messages.items()), dict(db.sensors.items()))
            assert not db.outbox.refused, db.outbox.refused
        async with AsyncChat(self._url) as fresh:  # what the stream says, from its beginning
            assert rows == (dict(fresh.messages.items()), dict(fresh.sensors.items()))
        found = await self._found()
        unknown = [txid for txid, _ in found if txid not in self._written]
        assert len(unknown) <= self._round, "a process died before it could say what it wrote"
        known = [(txid, count) for txid, count in found if txid in self._written]
        told = [(txid, count) for txid, count in self._written.items() if (txid, count) in known]
        assert known == told, "a transaction is twice or in part on the stream, or out of order"
        assert len(set(found)) == len(found), "a transaction is on the stream twice"
        missing = (self._stored | self._acknowledged).difference(txid for txid, _ in known)
        assert not missing, f"stored, and not on the stream: {missing}"
        return Outcome(
            len(self._written), len(self._stored), len(self._acknowledged), len(found), left
        )

    async def _found(self) -> list[tuple[str, int]]:
        """Return what the stream holds of transactions: each run of events of one, in order."""
        txids: list[str] = []
        async for batch in self._stream.read():
            events = [event for part in batch.parts for event in json.loads(part)]
            txids += [event["headers"].get("txid", "") for event in events]
        return [(txid, len(list(run))) for txid, run in groupby(filter(None, txids))]


@asynccontextmanager
async def killings(folder: Path, seed: int) -> AsyncGenerator[Killing]:
    """Prepare a stream behind a proxy that damages what goes through it."""
    with serving(folder / "streams.db", options=Options(long_poll_timeout=0.5)) as server:
        async with (
            proxy(server.url) as between,
            await AsyncStream.create(f"{server.url}killed") as stream,
        ):
            yield Killing(between, stream, folder / "session.cache", seed)
