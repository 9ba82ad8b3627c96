"""Our side of the benchmark, in a process for each case: ``... .jobs CASE ARGUMENT...``.

It prints what the peer in TypeScript prints, `tests/interop/peers/writes_benchmark.mjs`: medians of
seconds. Moments in which others had the processor are left out where a call takes microseconds.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec

from benchmarks.ingest.jobs import waited
from benchmarks.livequery.rows import Chat, Chunk, Message
from benchmarks.livequery.workload import chunk_rows, message_rows
from streamdb import AsyncTransaction
from streamdb.protocol import names
from streamdb.protocol.exchange import Batch

_ROWS: Final = 1_000
_DATABASES: Final = 10
_CALLS: Final = 30  # of each kind and database
_NOWHERE: Final = "http://127.0.0.1:9/never-connected"


async def visible(pending: str) -> dict[str, Any]:
    """How long an insert and an update take until a subscriber is called, with writes pending."""
    base, new = _events(message_rows(_ROWS)), _messages(int(pending) + _CALLS)
    seconds: dict[str, list[float]] = {"insert": [], "update": []}
    for number in range(_DATABASES + 1):
        if number == 1:  # the first one was to warm up
            seconds = {"insert": [], "update": []}
        await _visible(base, new, seconds)
    return {what: statistics.median(each) for what, each in seconds.items()}


async def _visible(base: Batch, new: list[Message], seconds: dict[str, list[float]]) -> None:
    db = Chat(_NOWHERE)
    db._session.status.set("live")  # nothing is connected, so all writes stay pending
    db._state.take(base)
    for row in new[_CALLS:]:
        db.messages.insert(row)
    called = 0.0

    def note(_: object) -> None:
        nonlocal called
        called = time.perf_counter()

    def timed(write: Callable[[], object], into: list[float]) -> None:
        others, began = waited(), time.perf_counter()
        write()
        if waited() == others:
            into.append(called - began)

    with db.messages.subscribe(note):
        for row in new[:_CALLS]:
            timed(partial(db.messages.insert, row), seconds["insert"])
        for index in range(_CALLS):
            timed(partial(db.messages.update, f"m{index}", content="new"), seconds["update"])
    db._session.close_timeout = 0  # type: ignore[misc]  # its writes are lost: nothing is connected
    await db.aclose()


async def confirmed(url: str, calls: str) -> dict[str, Any]:
    """How long an insert takes, one at a time: until it shows, it returns, and it has come back."""
    seconds: dict[str, list[float]] = {"visible": [], "returned": [], "synced": []}
    called = 0.0

    def note(_: object) -> None:
        nonlocal called
        called = called or time.perf_counter()

    async with Chat(url, create=True) as db:
        with db.messages.subscribe(note):
            for number, row in enumerate(_messages(int(calls) + 50)):
                called = 0.0
                began = time.perf_counter()
                transaction: AsyncTransaction = db.messages.insert(row)
                returned = time.perf_counter()
                await transaction.synced()
                if number >= 50:
                    seconds["visible"].append(called - began)
                    seconds["returned"].append(returned - began)
                    seconds["synced"].append(time.perf_counter() - began)
    return {what: statistics.median(each) for what, each in seconds.items()}


async def chunks(url: str, rate: str, seconds: str) -> dict[str, Any]:
    """What so many chunks a second through a writer cost, read back and all, as share of a core."""
    per_second, count = int(rate), int(rate) * int(seconds)
    rows = msgspec.convert(list(chunk_rows(100, -(-count // 100))), list[Chunk])[:count]
    async with Chat(url, create=True) as db:
        cpu, began = time.process_time(), time.perf_counter()
        async with db.chunks.writer() as writer:
            for number, row in enumerate(rows):
                if number % 20 == 0:  # as they come from some answers at once
                    await asyncio.sleep(began + number / per_second - time.perf_counter())
                await writer.write(row)
        took = time.perf_counter() - began
        await db.until(lambda: not db._state.tables["chunks"].overlay)
        return {
            "share": (time.process_time() - cpu) / count * per_second,
            "rate": count / took,
            "rows": len(db.chunks),
            "calibration": _calibration(),
        }


CASES: Final = {"visible": visible, "confirmed": confirmed, "chunks": chunks}


def _calibration() -> float:
    """CPU seconds of a million rounds of a loop: how fast this machine is just now."""
    began, total = time.process_time(), 0
    for number in range(1_000_000):
        total += number
    return time.process_time() - began


def _events(rows: Any) -> Batch:
    events = [
        {"type": "message", "key": row["id"], "value": row, "headers": {"operation": "insert"}}
        for row in rows
    ]
    text = json.dumps(events).encode()
    return Batch((text,), "1", None, True, False, names.JSON_MEDIA_TYPE)


def _messages(count: int) -> list[Message]:
    rows = [{**row, "id": f"new{row['id']}"} for row in message_rows(count, seed=5)]
    return msgspec.convert(rows, list[Message])


if __name__ == "__main__":
    import logging

    logging.disable()
    print(json.dumps(asyncio.run(CASES[sys.argv[1]](*sys.argv[2:]))))
