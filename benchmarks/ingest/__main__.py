"""Loading a stream into collections: its speed and memory, beside other ways, in one run.

Run it in the project's folder: `make bench-ingest` installs what it is measured beside and runs
`python -m benchmarks.ingest [--sizes N,N] [--rounds N]`. Everything is done in a process of its
own, in turns, and the median of all rounds counts. Ratios are what can be quoted: above 1 ours is
better.

Of a preload, the time for the bytes alone is the server's: the ratio behind it is what a client
would have that takes no time at all.

A row's bytes are what the process has grown by once the answer is forgotten, over the rows: the
dictionaries, what the memory allocator cannot give back and the ordinals are in it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.interop.node import FOLDER, Node, find_node, packages_installed
from tests.interop.processes import running

import streamdb
from benchmarks.ingest.events import event_texts, page_of, stamped
from benchmarks.ingest.mixes import MIXES

_SIZES: Final = (10_000, 100_000, 500_000, 1_000_000)
_MIXED: Final = 500_000
_PRELOADED: Final = 100_000
_BODY_EVENTS: Final = 1000  # of an append
# TypeScript's StreamDB takes minutes for more.
_MOST_FOR_TYPESCRIPT: Final = 500_000

Measured = dict[str, Any]


def main() -> None:
    """Print tables."""
    sizes, rounds = _arguments()
    node = find_node()
    if node is None:
        sys.exit("needs Node.js 20 or later, for the reference server and StreamDB of TypeScript")
    with packages_installed(node), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table in (_print_sizes, _print_mixes, _print_preloads):
            table(Bench(node, folder, sizes, rounds))


class Bench:
    """Runs every case in a process of its own."""

    def __init__(self, node: Node, folder: Path, sizes: Sequence[int], rounds: int) -> None:
        self.node: Final = node.node
        self.folder: Final = folder
        self.sizes: Final = sizes
        self._rounds: Final = rounds

    def python(self, job: str, source: str | Path) -> list[str | Path]:
        return [sys.executable, "-m", "benchmarks.ingest.jobs", job, source]

    def typescript(self, job: str, source: str | Path) -> list[str | Path]:
        peer = FOLDER / "peers" / "ingest_benchmark.mjs"
        return [self.node, "--expose-gc", "--max-old-space-size=8192", peer, job, source]

    def medians(self, *commands: list[str | Path]) -> list[Measured]:
        """Run commands in turns; return the numbers of each that say how fast it was."""
        runs = [[_run(command) for command in commands] for _ in range(self._rounds)]
        return [_median(list(of_one)) for of_one in zip(*runs, strict=True)]


def _arguments() -> tuple[list[int], int]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, _SIZES)), help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("at least one round is needed")
    return [int(size) for size in given.sizes.split(",")], given.rounds


def _print_sizes(bench: Bench) -> None:
    print("from the bytes of one answer to collections; the TypeScript one gets parsed events")
    print(
        f"{'events':>9}  {'ours':>12} {'bytes/row':>9}  {'check':>7}  "
        f"{'orjson, dicts':>14} {'bytes/row':>9} {'ratio':>6}  {'TypeScript':>12} {'ratio':>6}"
    )
    for size in bench.sizes:
        page = bench.folder / f"{size}.json"
        page.write_bytes(page_of(stamped(event_texts(size))))
        commands = [bench.python("collections", page), bench.python("dicts", page)]
        if size <= _MOST_FOR_TYPESCRIPT:
            commands.append(bench.typescript("parsed", page))
        ours, dicts, *typescript = bench.medians(*commands)
        line = (
            f"{size:9,}  {_rate(size, ours)} {ours['bytes']:9.0f}  "
            f"{1e6 * ours['checking'] / size:4.2f} µs  "
            f"{_rate(size, dicts):>14} {dicts['bytes']:9.0f} {_ratio(ours, dicts)}"
        )
        for other in typescript:
            line += f"  {_rate(size, other)} {_ratio(ours, other)}"
        print(line, flush=True)


def _print_mixes(bench: Bench) -> None:
    print(f"\nthe same of {_MIXED:,} events that are not all as declared")
    texts = stamped(event_texts(_MIXED))
    page = bench.folder / "mixed.json"
    for name, mix in MIXES.items():
        page.write_bytes(page_of(mix(texts)))
        (ours,) = bench.medians(bench.python("collections", page))
        print(f"{name:38} {_rate(_MIXED, ours)}", flush=True)


def _print_preloads(bench: Bench) -> None:
    print(f"\ndatabases of {_PRELOADED:,} events, preloaded over loopback")
    print(
        f"{'from':28} {'ours':>9} {'TypeScript':>11} {'ratio':>6} {'bytes alone':>12} {'ratio':>6}"
    )
    for server, listening in (("the reference server", _reference), ("ours", _own)):
        with listening(bench) as root:
            url = f"{root}/ingest"
            _fill(url)
            ours, other, fetched = bench.medians(
                bench.python("preload", url),
                bench.typescript("preload", url),
                bench.python("fetch", url),
            )
        if ours["rows"] != other["rows"]:
            sys.exit(f"they differ: {ours['rows']} and {other['rows']} rows")
        print(
            f"{server:28} {1000 * ours['seconds']:6.0f} ms {1000 * other['seconds']:8.0f} ms "
            f"{_ratio(ours, other)} {1000 * fetched['seconds']:9.0f} ms {_ratio(fetched, other)}",
            flush=True,
        )


def _fill(url: str) -> None:
    texts = event_texts(_PRELOADED)
    with streamdb.Stream.create(url) as stream:
        for begin in range(0, len(texts), _BODY_EVENTS):
            stream.append_many([json.loads(text) for text in texts[begin : begin + _BODY_EVENTS]])


@contextmanager
def _reference(bench: Bench) -> Generator[str]:
    with running([bench.node, FOLDER / "peers" / "reference-server.mjs"]) as process:
        yield json.loads(process.receive())["result"] + "/v1/stream"


@contextmanager
def _own(bench: Bench) -> Generator[str]:
    file = bench.folder / "streams.db"
    with running([sys.executable, FOLDER / "peers" / "own_server.py", file]) as process:
        yield process.receive().split()[-1].rstrip("/")


def _run(command: list[str | Path]) -> Measured:
    # In development, TanStack DB copies every row.
    environment = {**os.environ, "NODE_ENV": "production"}
    done = subprocess.run(
        command, check=True, capture_output=True, encoding="utf-8", env=environment
    )
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def _median(runs: list[Measured]) -> Measured:
    numbers = {name for name, value in runs[0].items() if isinstance(value, float)}
    return {
        name: statistics.median(run[name] for run in runs) if name in numbers else value
        for name, value in runs[0].items()
    }


def _rate(events: int, measured: Measured) -> str:
    return f"{events / measured['seconds'] / 1e6:8.3f} M/s"


def _ratio(ours: Measured, other: Measured) -> str:
    return f"{other['seconds'] / ours['seconds']:6.2f}"


if __name__ == "__main__":
    main()
