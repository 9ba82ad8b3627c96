"""Live queries beside TanStack DB, in one run: the first load, and what a change costs.

Run it in the project's folder: `make bench-livequery`, or `python -m benchmarks.livequery
[--cases NAME,NAME] [--sizes N,N] [--rounds N] [--cycles N]`. Each case runs in processes of its
own, in turns, and the median of all rounds counts. Ratios are what can be quoted: theirs over ours,
above 1 ours is better. A change is measured from the event to the call of the query's subscriber:
in Python from its bytes, in TypeScript from the parsed event. "none" is no query: the collection's
own subscriber is called. The chain tells a reducer of each chunk in Python; in TypeScript, which
has none, a function goes through all chunks of the message.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path
from typing import Any, Final

from tests.interop.node import FOLDER, find_node, packages_installed

from benchmarks.livequery.workload import write_workload

_ROWS: Final = ("1000", "10000", "100000")
_CHUNKS: Final = ("100x10", "1000x10", "10000x10", "1000x100", "100x1000")
_SIZES: Final = {
    "none": _ROWS,
    "filter": _ROWS,
    "top50": _ROWS,
    "full": _ROWS,
    "join": _ROWS,
    "join-inner": _ROWS,
    "group": (*_CHUNKS, "10x10000"),
    "group-collect": (*_CHUNKS, "10x10000"),
    "chain": _CHUNKS,
    "chain-approvals": _CHUNKS,
}

Measured = dict[str, Any]


def main() -> None:
    """Print a table."""
    given = _arguments()
    node = find_node()
    if node is None:
        sys.exit("needs Node.js 20 or later, for TanStack DB")
    print(f"{'case':16} {'size':>9}  {'':22} {'ours':>12} {'TanStack DB':>13} {'ratio':>7}")
    with packages_installed(node), tempfile.TemporaryDirectory() as name:
        for case in given.cases:
            for size in _sizes(case, given.sizes):
                file = write_workload(Path(name), case, size, given.cycles)
                peers = FOLDER / "peers"
                commands: list[list[str | Path]] = [
                    [sys.executable, "-m", "benchmarks.livequery.jobs", case, file],
                    [
                        node.node,
                        "--expose-gc",
                        "--max-old-space-size=8192",
                        "--import",
                        (peers / "collect_hook.mjs").resolve().as_uri(),
                        peers / "livequery_benchmark.mjs",
                        case,
                        file,
                    ],
                ]
                runs = [[_run(command) for command in commands] for _ in range(given.rounds)]
                ours, theirs = ([run[side] for run in runs] for side in (0, 1))
                if ours[0]["rows"] != theirs[0]["rows"]:
                    sys.exit(f"{case}: {ours[0]['rows']} and {theirs[0]['rows']} rows")
                _print_case(case, size, ours, theirs)
                file.unlink()


def _sizes(case: str, wanted: list[str]) -> list[str]:
    return [size for size in _SIZES[case] if size in wanted or not wanted]


def _print_case(case: str, size: str, ours: list[Measured], theirs: list[Measured]) -> None:
    label = f"{case:16} {size:>9}"
    for what in ("load", *ours[0]["changes"]):
        sides = [[_seconds(run, what) for run in runs] for runs in (ours, theirs)]
        if not all(map(all, sides)):
            print(f"{label}  {what:22} one of them calls no subscriber", flush=True)
            continue
        our, their = map(statistics.median, sides)
        unit, factor = ("ms", 1e3) if what == "load" else ("µs", 1e6)
        print(
            f"{label}  {what:22} {our * factor:9.1f} {unit} {their * factor:10.1f} {unit} "
            f"{their / our:7.1f}",
            flush=True,
        )


def _seconds(run: Measured, what: str) -> float:
    return run["load"] if what == "load" else run["changes"].get(what, 0.0)


def _run(command: list[str | Path]) -> Measured:
    # In development, TanStack DB copies every row.
    environment = {**os.environ, "NODE_ENV": "production"}
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, encoding="utf-8", env=environment
    )
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.livequery", description=__doc__)
    parser.add_argument("--cases", type=_list, default=list(_SIZES), help="default: all")
    parser.add_argument(
        "--sizes", type=_list, default=[], help="of those of each case; default: all"
    )
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--cycles", type=int, default=200, help="default: %(default)s")
    given = parser.parse_args()
    for case in given.cases:
        if case not in _SIZES:
            parser.error(f"no case {case!r}; the cases: {', '.join(_SIZES)}")
    sizes = list(dict.fromkeys(chain.from_iterable(_SIZES.values())))
    for size in given.sizes:
        if size not in sizes:
            parser.error(f"no size {size!r}; the sizes: {', '.join(sizes)}")
    return given


def _list(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    main()
