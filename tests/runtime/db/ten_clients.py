"""Ten clients write to one stream, each through a network of its own that damages what it carries.

Run it in the project's folder: `python -m tests.runtime.db.ten_clients [SECONDS [SEED]]`. Half of
them are async and half blocking; they insert, update and remove rows of their own and of others,
alone, in transactions over two collections, at a pace, and by writers. At the end all networks are
fine, and everything is held against the stream as it is on the server: all clients show what it
folds to, what was acknowledged is there, once, and what has failed is not.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults import (
    BrokenChunks,
    Busy,
    CutAnswer,
    CutRequest,
    DeliverAgain,
    DeliverTwice,
    EndEvents,
    Fault,
    Fine,
    LoseAnswer,
    Refuse,
    RefuseWrite,
    Replay,
    Rubbish,
    ShortenBody,
    Silent,
    Slow,
    SpoilBody,
    Stall,
    WrongLength,
    proxy,
)
from tests.runtime.chat_schema import AsyncChat, Chat, message, sensor
from tests.runtime.naive_fold import NaiveFold
from tests.runtime.streams.histories import in_a_hurry

from streamdb import (
    AsyncStream,
    BufferFull,
    DuplicateKey,
    MissingKey,
    RetryPolicy,
    TransactionFailed,
    TransactionUnresolved,
    WriterFailed,
    debounce,
    throttle,
)
from streamdb_server import Options, serving

CLIENTS: Final = 10
_PATIENCE: Final = 120.0  # seconds for what is under way when the time is over
_FINE: Final = 0.6  # of all requests
_TIRELESS: Final = RetryPolicy(initial=0.001, maximum=0.02)
_SENSORS: Final = 20  # which all of them write

Place = tuple[str, str]  # the type of an event, and its key


@dataclass
class Written:
    """What one client did.

    Attributes:
        transactions: each with the rows that it writes.
        paced: those of paced blocks, which may be one and the same.
        streaks: the rows that a writer took, in order, and what it failed with.
    """

    transactions: list[tuple[Any, set[Place]]] = field(default_factory=list)
    paced: list[Any] = field(default_factory=list)
    streaks: list[tuple[list[str], WriterFailed | None]] = field(default_factory=list)


class Client:
    """Writes what chance says; every write is a plain call in both forms of a database."""

    def __init__(self, number: int, url: str, seed: int) -> None:
        self.number: Final = number
        self.is_async: Final = number % 2 == 0
        form: Any = AsyncChat if self.is_async else Chat
        self.db: Any = form(
            url,
            retry=_TIRELESS,
            reconnect=_TIRELESS,
            timeout=2.0,
            idle_timeout=1.5,
            close_timeout=_PATIENCE,
        )
        self.written: Final = Written()
        self._random: Final = random.Random(f"{seed} {number}")
        self._count = 0
        self._paced: Final = [self.db.paced(debounce(0.02)), self.db.paced(throttle(0.05))]
        self._writer: Any = None
        self._streak: list[str] = []

    def act(self) -> None:
        """Do one thing; that others have just removed or written a row is no fault."""
        deeds = (self._insert, self._update, self._update, self._delete, self._set_sensor)
        more = (self._write_together, self._write_paced, self._write_paced, self._write_many)
        with suppress(MissingKey, DuplicateKey):
            self._random.choice(deeds + more)()

    def pause(self) -> float:
        return self._random.choice((0.0, 0.001, 0.01, 0.03))

    def _insert(self) -> None:
        key = self._new_key("m")
        self._note(self.db.messages.insert(message(key, key)), ("message", key))

    def _update(self) -> None:
        if key := self._some_key():
            self._note(self.db.messages.update(key, content=self._new_key("c")), ("message", key))

    def _delete(self) -> None:
        if key := self._some_key():
            self._note(self.db.messages.delete(key), ("message", key))

    def _set_sensor(self) -> None:
        number = self._random.randrange(_SENSORS)
        self._note(self.db.sensors.upsert(self._sensor(number)), ("sensor", str(number)))

    def _write_together(self) -> None:
        key, number, other = self._new_key("t"), self._random.randrange(_SENSORS), self._some_key()
        places = {("message", key), ("sensor", str(number))}
        with self.db.transaction() as transaction:
            self.db.messages.insert(message(key, key))
            self.db.sensors.upsert(self._sensor(number))
            if other:
                self.db.messages.update(other, content=key)
                places.add(("message", other))
        self.written.transactions.append((transaction, places))

    def _write_paced(self) -> None:
        key = self._some_key()
        with self._random.choice(self._paced) as transaction:
            if key and self._random.random() < 0.7:
                self.db.messages.update(key, content=self._new_key("p"))
            else:
                self.db.messages.insert(message(self._new_key("p")))
        self.written.paced.append(transaction)

    def _write_many(self) -> None:
        if self._writer is None:
            self._writer = self.db.messages.writer(max_delay=0.01, max_rows=20, max_pending=200)
        for _ in range(self._random.randrange(30)):
            key = self._new_key("w")
            try:
                self._writer.write_nowait(message(key, key))
            except BufferFull:
                return
            except WriterFailed as failure:
                self._end_streak(failure)
                return
            self._streak.append(key)

    def _end_streak(self, failure: WriterFailed | None) -> None:
        self.written.streaks.append((self._streak, failure))
        self._writer, self._streak = None, []

    def _note(self, transaction: Any, *places: Place) -> None:
        self.written.transactions.append((transaction, set(places)))

    def _some_key(self) -> str | None:
        keys = self.db.messages.keys()
        return self._random.choice(keys) if keys else None

    def _new_key(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self.number}-{self._count}"

    def _sensor(self, number: int) -> Any:
        return sensor(number, room=self._new_key("r"))

    # --- what differs between the forms

    async def run(self, until: float) -> None:
        """Act until the time is over."""
        if not self.is_async:
            await asyncio.to_thread(self._run_blocking, until)
            return
        await self.db.preload()
        while time.monotonic() < until:
            self.act()
            await asyncio.sleep(self.pause())

    def _run_blocking(self, until: float) -> None:
        self.db.preload()
        while time.monotonic() < until:
            self.act()
            time.sleep(self.pause())

    async def finish(self) -> None:
        """Wait until everything has its outcome."""
        for paced in self._paced:
            with suppress(TransactionFailed):
                await self._call(paced.flush)
        if self._writer is not None:
            failure = None
            try:
                await self._call(self._writer.flush)
            except WriterFailed as error:
                failure = error
            self._end_streak(failure)
        for transaction in [*(each for each, _ in self.written.transactions), *self.written.paced]:
            with suppress(TransactionFailed):
                await self._call(transaction.synced)

    async def catch_up(self, offset: str) -> None:
        """Wait until the database has read up to there."""
        await self._call(self.db.until, lambda: self.db.offset >= offset)

    async def close(self) -> None:
        await self._call(self.db.aclose if self.is_async else self.db.close)

    async def _call(self, method: Any, *arguments: Any) -> None:
        if self.is_async:
            await method(*arguments)
        else:
            await asyncio.to_thread(method, *arguments)


class Trouble:
    """The faults of one network, without an end, and how often each kind was met."""

    def __init__(self, seed: str) -> None:
        self._random: Final = random.Random(seed)
        self.met: Final = Counter[str]()

    def __iter__(self) -> Iterator[Fault]:
        while True:
            fault = self._draw()
            self.met[type(fault).__name__] += 1
            yield fault

    def _draw(self) -> Fault:
        number = self._random.randrange
        if self._random.random() < _FINE:
            return Fine()
        if self._random.random() < 0.02:  # they cost as long as a client waits
            return self._random.choice((Silent(), Stall(number(400))))
        return self._random.choice(
            (
                Refuse(),
                CutRequest(number(800)),
                CutAnswer(number(1000)),
                LoseAnswer(),
                LoseAnswer(),
                Busy(self._random.choice((429, 500, 503))),
                RefuseWrite(self._random.choice((400, 413))),
                Rubbish(),
                Slow(0.01),
                DeliverAgain(0.05),
                DeliverTwice(),
                Replay(),
                SpoilBody(number(1000)),
                ShortenBody(1 + number(500)),
                WrongLength(number(-300, 300)),
                BrokenChunks(number(3)),
                EndEvents(number(4)),
            )
        )


async def run_clients(seconds: float, seed: int, folder: Path) -> Counter[str]:
    """Let them write for so long, and judge what became of it; return the counts.

    Raises:
        AssertionError: something is not as it must be.
    """
    counts = Counter[str]()
    options = Options(long_poll_timeout=0.5, sse_lifetime=2.0, page_bytes=20_000)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(serving(folder / "streams.db", options=options))
        stream = await stack.enter_async_context(
            await AsyncStream.create(f"{server.url}shared", content_type="application/json")
        )
        troubles = [Trouble(f"{seed} {number}") for number in range(CLIENTS)]
        networks = [await stack.enter_async_context(proxy(server.url)) for _ in troubles]
        clients = [
            Client(number, network.url("shared"), seed) for number, network in enumerate(networks)
        ]
        for client in clients:
            stack.push_async_callback(client.close)
        for network, trouble in zip(networks, troubles, strict=True):
            await network.trouble(trouble)
        until = time.monotonic() + seconds
        await asyncio.gather(*(client.run(until) for client in clients))
        for network in networks:
            await network.trouble()
            await network.settle()
        async with asyncio.timeout(_PATIENCE):
            await asyncio.gather(*(client.finish() for client in clients))
            events, offset = await _all_events(stream)
            await asyncio.gather(*(client.catch_up(offset) for client in clients))
        _judge_rows(events, clients)
        for client in clients:
            _judge_writes(events, client.written, counts)
        for trouble in troubles:
            counts.update({f"fault {name}": times for name, times in trouble.met.items()})
    counts["events on the stream"] = len(events)
    return counts


async def _all_events(stream: AsyncStream) -> tuple[list[Any], str]:
    events: list[Any] = []
    offset = "-1"
    async for batch in stream.read():
        events += stream.items(batch)
        offset = batch.offset
    return events, offset


def _judge_rows(events: list[Any], clients: list[Client]) -> None:
    """All show the same, in the same order: what the stream folds to."""
    fold = NaiveFold()
    fold.apply_all(events)
    assert fold.invalid == 0
    for client in clients:
        shown = {name: list(client.db.collections[name]) for name in ("messages", "sensors")}
        for name, rows in shown.items():
            assert rows == list(fold.rows[name].values()), f"client {client.number}: {name}"


def _judge_writes(events: list[Any], written: Written, counts: Counter[str]) -> None:
    stored: dict[str, list[Place]] = {}
    order: dict[str, int] = {}
    for number, event in enumerate(events):
        stored.setdefault(event["headers"]["txid"], []).append((event["type"], event["key"]))
        if event["headers"]["operation"] == "insert":
            assert event["key"] not in order, f"{event['key']} is stored twice"
            order[event["key"]] = number
    for txid, places in stored.items():
        assert len(set(places)) == len(places), f"{txid} is stored twice"
    for transaction, places in written.transactions:
        found = stored.get(transaction.txid, [])
        _judge_outcome(transaction, is_stored=set(found) == places, is_absent=not found)
        counts[f"transactions {_outcome(transaction)}"] += 1
    for txid, transaction in {each.txid: each for each in written.paced}.items():
        _judge_outcome(transaction, is_stored=txid in stored, is_absent=txid not in stored)
        counts[f"paced {_outcome(transaction)}"] += 1
    counts["paced blocks"] += len(written.paced)
    for keys, failure in written.streaks:
        unwritten = [] if failure is None else [row.id for row in failure.unwritten]
        unknown = [] if failure is None else [row.id for row in failure.unknown]
        assert not unknown, "no database was closed, so every outcome is known"
        known = keys[: len(keys) - len(unwritten)]
        assert unwritten == keys[len(known) :], "what failed is the end of what was written"
        places_of_rows = [order.get(key, -1) for key in known]
        assert -1 not in places_of_rows, "a row of a writer that was acknowledged is lost"
        assert places_of_rows == sorted(places_of_rows)
        assert not any(key in order for key in unwritten)
        counts["rows of writers stored"] += len(known)
        counts["rows of writers refused"] += len(unwritten)


def _judge_outcome(transaction: Any, *, is_stored: bool, is_absent: bool) -> None:
    told = f"{transaction}: {transaction.error}"
    match _outcome(transaction):
        case "stored":
            assert is_stored, f"acknowledged, and not on the stream: {told}"
        case "failed":
            assert is_absent, f"failed, and on the stream: {told}"
        case _:
            assert is_stored or is_absent, f"half of it is on the stream: {told}"
            print(f"unresolved, {'stored' if is_stored else 'not stored'}: {told}")


def _outcome(transaction: Any) -> str:
    if transaction.status in ("failed", "unresolved"):
        is_unknown = isinstance(transaction.error, TransactionUnresolved)
        assert is_unknown is (transaction.status == "unresolved")
        return str(transaction.status)
    assert transaction.status in ("durable", "synced"), f"it has no outcome: {transaction}"
    return "stored"


def main() -> None:
    """Run them, and print the counts."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    print(f"{CLIENTS} clients, {seconds:g} s, seed {seed}", flush=True)
    logging.disable()
    with tempfile.TemporaryDirectory() as name, in_a_hurry():
        counts = asyncio.run(run_clients(seconds, seed, Path(name)))
    for what, count in sorted(counts.items()):
        print(f"{what:32} {count:>8}")
    print("all of them show what the stream holds; nothing is lost, and nothing doubled")


if __name__ == "__main__":
    main()
