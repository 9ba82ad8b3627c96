"""Local writes beside TanStack DB, in one run: until they show, until they are confirmed.

Run it in the project's folder: `make bench-writes`, or `python -m benchmarks.writes [--rounds N]`.
Each case runs in processes of its own, in turns, and the median of all rounds counts. Ratios are
what can be quoted: theirs over ours, above 1 ours is better.

*Visible* is from the call until the collection's subscriber was called, with 1,000 rows, while so
many other writes are pending, with no server; and on a server, one at a time, so that no call finds
in the processor's caches what the one before left there. *Confirmed* is from the call until the
write has come back, one at a time, over loopback, both on the same server. *Chunks* are 10,000 a
second through a writer, read back and folded: the CPU of this process, as share of a core; the
other side has no such thing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.interop.node import FOLDER, Node, find_node, packages_installed
from tests.interop.processes import LineProcess

from benchmarks.livequery.workload import message_rows

_PENDING: Final = (0, 10, 100, 2_000)
_CALLS: Final = 300
_RATE: Final = 10_000
_SECONDS: Final = 5
_PEERS: Final = FOLDER / "peers"

Measured = dict[str, float]


def main() -> None:
    """Print a table."""
    rounds = _rounds()
    node = find_node()
    if node is None:
        sys.exit("needs Node.js 20 or later, for TanStack DB")
    print(f"{'case':34} {'ours':>12} {'TanStack DB':>13} {'ratio':>7}")
    with packages_installed(node), tempfile.TemporaryDirectory() as name:
        file = _write_rows(Path(name) / "rows.json")
        theirs = [node.node, "--max-old-space-size=8192", _PEERS / "writes_benchmark.mjs"]
        ours = [sys.executable, "-m", "benchmarks.writes.jobs"]
        for pending in _PENDING:
            case = ["visible", str(pending)]
            runs = [(_run([*ours, *case]), _run([*theirs, *case, file])) for _ in range(rounds)]
            for what in ("insert", "update"):
                _print(f"{what} visible, {pending} pending", runs, what, "µs")
        for server, command in _servers(node, Path(name)).items():
            with _serving(command) as root:
                streams = (f"{root}{number}" for number in itertools.count())
                runs = [
                    (
                        _run([*ours, "confirmed", next(streams), str(_CALLS)]),
                        _run([*theirs, "confirmed", next(streams), str(_CALLS), file]),
                    )
                    for _ in range(rounds)
                ]
                _print(f"visible, {server}", runs, "visible", "µs")
                _print(f"the call returns, {server}", runs, "returned", "µs")
                _print(f"confirmed, {server}", runs, "synced", "ms")
                _print_chunks(
                    server,
                    [
                        _run([*ours, "chunks", next(streams), str(_RATE), str(_SECONDS)])
                        for _ in range(rounds)
                    ],
                )


def _print(case: str, runs: list[tuple[Measured, Measured]], what: str, unit: str) -> None:
    our, their = (statistics.median(run[side][what] for run in runs) for side in (0, 1))
    factor = {"ms": 1e3, "µs": 1e6}[unit]
    print(
        f"{case:34} {our * factor:9.2f} {unit} {their * factor:10.2f} {unit} {their / our:7.1f}",
        flush=True,
    )


def _print_chunks(server: str, runs: list[Measured]) -> None:
    share, rate, loop = (
        statistics.median(run[what] for run in runs) for what in ("share", "rate", "calibration")
    )
    print(
        f"chunks, {server}: {share:.2f} of a core at {_RATE} a second ({rate:.0f} a second were "
        f"reached; a million rounds of an empty loop took {loop * 1e3:.0f} ms of CPU)",
        flush=True,
    )


def _write_rows(file: Path) -> Path:
    """Write the rows of the peer: those of `benchmarks.writes.jobs`."""
    base = [
        {"type": "message", "key": row["id"], "value": row, "headers": {"operation": "insert"}}
        for row in message_rows(1_000)
    ]
    rows = [{**row, "id": f"new{row['id']}"} for row in message_rows(max(_PENDING) + 350, seed=5)]
    file.write_text(json.dumps({"base": base, "rows": rows}), "utf-8")
    return file


def _servers(node: Node, folder: Path) -> dict[str, list[str | Path]]:
    return {
        "reference server": [node.node, _PEERS / "reference-server.mjs"],
        "our server": [sys.executable, _PEERS / "own_server.py", folder / "streams.db"],
    }


@contextmanager
def _serving(command: list[str | Path]) -> Iterator[str]:
    process = LineProcess(command)
    try:
        said = process.receive()
        is_ours = not said.startswith("{")
        yield said.split()[-1] if is_ours else f"{json.loads(said)['result']}/v1/stream/"
    finally:
        process.stop()


def _run(command: list[str | Path]) -> Measured:
    # In development, TanStack DB copies every row.
    environment = {**os.environ, "NODE_ENV": "production"}
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, encoding="utf-8", env=environment
    )
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def _rounds() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    given: int = parser.parse_args().rounds
    if given < 1:
        parser.error("at least one round is needed")
    return given


if __name__ == "__main__":
    main()
