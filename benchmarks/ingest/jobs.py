"""What is measured, each in a process of its own: ``python -m benchmarks.ingest.jobs JOB INPUT``.

A job prints one JSON object. Times are those of the main thread, without the time that it stood
ready to run while others ran: on a machine of one's own, that is the time on the clock.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.ingest.rows import SCHEMA

_PRIMARY_KEYS: Final = {"message": "id", "presence": "userId", "agent": "agentId"}


def collections(source: str) -> dict[str, Any]:
    """From the bytes of one answer to typed collections, and what these take of memory."""
    from streamdb.db.state import DatabaseState
    from streamdb.protocol import names
    from streamdb.protocol.exchange import Batch
    from streamdb.protocol.soundness import damage_of_page

    state = DatabaseState(SCHEMA, url="", report=_refuse)
    before = _resident()
    page = Path(source).read_bytes()
    batch = Batch((page,), "1", None, True, False, names.JSON_MEDIA_TYPE)
    clock = Clock()
    damage_of_page(batch, "0")
    checking, clock = clock.seconds(), Clock()
    state.take(batch)
    seconds = clock.seconds()
    del page, batch
    gc.collect()
    rows = {name: len(table.rows) for name, table in state.tables.items()}
    size = (_resident() - before) / sum(rows.values())
    return {"seconds": seconds, "checking": checking, "rows": rows, "bytes": size}


def dicts(source: str) -> dict[str, Any]:
    """The same by orjson into dicts: what they hold is not looked at, and instants are text."""
    import orjson

    before = _resident()
    page = Path(source).read_bytes()
    tables: dict[str, dict[str, Any]] = {name: {} for name in _PRIMARY_KEYS}
    clock = Clock()
    for event in orjson.loads(page):
        headers, key = event["headers"], event["key"]
        rows = tables[event["type"]]
        if headers["operation"] == "delete":
            rows.pop(key, None)
        else:
            row = event["value"]
            if row[_PRIMARY_KEYS[event["type"]]] != key:
                raise ValueError(f"the key {key} is another one in the row")
            rows[key] = row
    seconds = clock.seconds()
    del page, event, headers, rows
    gc.collect()
    counts = {name: len(rows) for name, rows in tables.items()}
    size = (_resident() - before) / sum(counts.values())
    return {"seconds": seconds, "rows": counts, "bytes": size}


def preload(source: str) -> dict[str, Any]:
    """A database on a server, until it is loaded."""
    from streamdb import AsyncStreamDB

    for name in ("db.session", "streams.direct_wire", "streams.httpx_wire"):
        import_module(f"streamdb.{name}")  # imports are no part of it, in either language

    async def load() -> dict[str, Any]:
        clock = Clock()
        async with AsyncStreamDB(SCHEMA, source) as db:
            seconds = clock.seconds()
            rows = {name: len(collection) for name, collection in db.collections.items()}
        return {"seconds": seconds, "rows": rows}

    return asyncio.run(load())


def fetch(source: str) -> dict[str, Any]:
    """The bytes of a stream and nothing made of them: what the server takes, whoever reads."""
    address = urlsplit(source)
    assert address.hostname is not None
    connection = HTTPConnection(address.hostname, address.port)
    offset, is_up_to_date, size = "-1", False, 0
    clock = Clock()
    while not is_up_to_date:
        connection.request("GET", f"{address.path}?offset={offset}")
        answer = connection.getresponse()
        size += len(answer.read())
        offset = answer.headers["Stream-Next-Offset"]
        is_up_to_date = answer.headers["Stream-Up-To-Date"] == "true"
    seconds = clock.seconds()
    connection.close()
    return {"seconds": seconds, "size": size}


class Clock:
    """Measures from when it is made."""

    def __init__(self) -> None:
        self._began, self._waited = time.perf_counter(), waited()

    def seconds(self) -> float:
        return time.perf_counter() - self._began - (waited() - self._waited)


_SCHEDULING: Final = os.open("/proc/self/schedstat", os.O_RDONLY)


def waited() -> float:
    """Seconds that the main thread stood ready to run, so far.

    It is asked before each change that is measured: what it does itself, and what it drives out of
    the caches, must be little beside that.
    """
    return int(os.pread(_SCHEDULING, 64, 0).split()[1]) / 1e9


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _refuse(event: object) -> None:
    raise ValueError(f"no event is invalid here: {event}")


JOBS: Final[Mapping[str, Callable[[str], dict[str, Any]]]] = {
    "collections": collections,
    "dicts": dicts,
    "preload": preload,
    "fetch": fetch,
}

if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](sys.argv[2])))
