"""Opening a database from its cache beside catching up over loopback, of the same rows.

Run it in the project's folder: `python -m benchmarks.cache [ROWS [ROUNDS]]`. The server is a
process of its own, and so is each opening; the two kinds take turns, and the median counts.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from tests.runtime.serving_process import ServingProcess

from streamdb import AsyncStream, AsyncStreamDB, collection

_ROWS: Final = 500_000
_ROUNDS: Final = 5
_APPENDED: Final = 10_000
_TEXT: Final = "the quick brown fox jumps over a lazy dog while seven agents stream events into "


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A row as the compiler would write it."""

    id: str
    role: Literal["user", "assistant"]
    content: str
    created_at: Annotated[dt.datetime, msgspec.Meta(tz=True)] = msgspec.field(name="createdAt")


class Session(AsyncStreamDB):
    """One collection."""

    messages = collection(Message, type="message", primary_key="id")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cache", description=__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=_ROWS, help="default: %(default)s")
    parser.add_argument("rounds", nargs="?", type=int, default=_ROUNDS, help="default: %(default)s")
    parser.add_argument("--open", nargs=2, metavar=("URL", "CACHE"), help="for the command itself")
    chosen = parser.parse_args()
    if chosen.open:
        url, cache = chosen.open
        print(asyncio.run(_open(url, cache, chosen.rows)))
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        ServingProcess(Path(folder) / "streams.db") as server,
    ):
        url, file = f"{server.url}session", Path(folder) / "session.cache"
        asyncio.run(_fill(url, chosen.rows))
        print(f"{chosen.rows:,} rows, {chosen.rounds} rounds; seconds to have them")
        first = _opened(url, str(file), chosen.rows)
        size = file.stat().st_size / 2**20
        print(f"first time, and the cache written:{first:7.2f}   the file: {size:.0f} MiB")
        kinds = {"over loopback": "", "from the cache": str(file)}
        times: dict[str, list[float]] = {name: [] for name in kinds}
        for _ in range(chosen.rounds):
            for name, path in kinds.items():
                times[name].append(_opened(url, path, chosen.rows))
        medians = {name: statistics.median(taken) for name, taken in times.items()}
        for name, taken in times.items():
            print(f"{name:33}{medians[name]:8.2f}   ({min(taken):.2f} to {max(taken):.2f})")
        ratio = medians["over loopback"] / medians["from the cache"]
        print(f"from the cache: {ratio:.1f} times as fast")


async def _fill(url: str, rows: int) -> None:
    async with await AsyncStream.create(url) as stream:
        at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        for begin in range(0, rows, _APPENDED):
            await stream.append_many(
                Session.messages.events.insert(
                    Message(
                        id=f"m-{number}",
                        role="user" if number % 2 else "assistant",
                        content=_TEXT,
                        created_at=at + dt.timedelta(seconds=number),
                    )
                )
                for number in range(begin, min(begin + _APPENDED, rows))
            )


def _opened(url: str, cache: str, rows: int) -> float:
    command = [sys.executable, "-m", "benchmarks.cache", str(rows), "--open", url, cache]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


async def _open(url: str, cache: str, rows: int) -> float:
    options: dict[str, Any] = {"cache": cache} if cache else {}
    began_at = time.perf_counter()
    async with Session(url, **options) as db:
        took = time.perf_counter() - began_at
        assert len(db.messages) == rows
    return took


if __name__ == "__main__":
    main()
