"""Our stream client beside the TypeScript client and the Python client on PyPI, in one run.

Run it in the project's folder: `make bench-client` installs the PyPI client and runs
`python -m benchmarks.client [ROUNDS]`. Every client is a process of its own and so is the server,
the TypeScript reference server; the clients take turns, each case on a stream of its own, and the
median over all rounds counts. Ratios are what can be quoted: above 1 ours is better.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.interop.node import FOLDER, find_node, packages_installed
from tests.interop.processes import LineProcess

import streamdb
from streamdb.protocol.sse import EventParser

_ROUNDS: Final = 7
_SIZE: Final = 100
_PRODUCED: Final = 100_000
_CALLS: Final = 300
_GATHERED: Final = 10_000  # the PyPI client has no producer: an append each, and all awaited
_MEBIBYTE: Final = 1 << 20


@dataclass
class Client:
    """One of the clients, and what was measured of it, case by case, in milliseconds."""

    name: str
    command: list[str | Path]
    times: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    cpu: dict[str, list[float]] = field(default_factory=dict[str, list[float]])


def main() -> None:
    """Print tables."""
    rounds = _rounds()
    node = find_node()
    if node is None:
        sys.exit("needs Node.js 20 or later, for the reference server and the TypeScript client")
    python = [sys.executable, "-m", "benchmarks.client.workers"]
    clients = [
        Client("streamdb, blocking", [*python, "streamdb"]),
        Client("streamdb, asyncio", [*python, "streamdb-async"]),
        Client("TypeScript", [node.node, FOLDER / "peers" / "client_benchmark.mjs"]),
        Client("PyPI, blocking", [*python, "pypi"]),
        Client("PyPI, asyncio", [*python, "pypi-async"]),
    ]
    with packages_installed(node), _server(node.node) as root:
        for number in range(rounds + 1):
            _measure(clients, f"{root}/v1/stream/{number}", counts=number > 0)  # the first warms up
    _print_latencies(clients, "append", f"append of {_SIZE} bytes, awaited")
    _print_latencies(clients, "read", f"catch-up read of one message of {_SIZE} bytes")
    _print_rates(clients)
    _print_sse()


def _rounds() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.client", description=__doc__)
    parser.add_argument("rounds", nargs="?", type=int, default=_ROUNDS, help="default: %(default)s")
    given: int = parser.parse_args().rounds
    if given < 1:
        parser.error("at least one round is needed")
    return given


@contextmanager
def _server(node: Path) -> Generator[str]:
    process = LineProcess([node, FOLDER / "peers" / "reference-server.mjs"])
    try:
        root: str = json.loads(process.receive())["result"]
        yield root
    finally:
        process.stop()


def _measure(clients: list[Client], root: str, *, counts: bool) -> None:
    for number, client in enumerate(clients):
        with _asked(client) as ask:
            for case, done in _cases(ask, f"{root}/{number}", client.name).items():
                if counts:
                    client.times.setdefault(case, []).extend(done["times"])
                    client.cpu.setdefault(case, []).append(done["cpu"] / len(done["times"]))


def _cases(ask: Ask, url: str, name: str) -> dict[str, dict[str, Any]]:
    warm = _made(f"{url}/warm", 50)
    ask("append", url=f"{url}/warm", size=_SIZE, count=200)
    ask("read", url=f"{url}/warm", offsets=warm * 2)
    _made(f"{url}/append", 0)
    offsets = _made(f"{url}/read", _CALLS)
    done = {
        "append": ask("append", url=f"{url}/append", size=_SIZE, count=_CALLS),
        "read": ask("read", url=f"{url}/read", offsets=offsets),
    }
    if name != "PyPI, blocking":  # it has nothing that does not wait
        _made(f"{url}/produce", 0)
        count = _GATHERED if name.startswith("PyPI") else _PRODUCED
        produced = ask("produce", url=f"{url}/produce", size=_SIZE, count=count)
        done["produce"] = {**produced, "times": [time / count for time in produced["times"]]}
    return done


Ask = Callable[..., dict[str, Any]]


@contextmanager
def _asked(client: Client) -> Generator[Ask]:
    process = LineProcess(client.command)

    def ask(command: str, **given: object) -> dict[str, Any]:
        process.send(json.dumps({"command": command, **given}))
        answer = json.loads(process.receive())
        if "error" in answer:
            sys.exit(f"{client.name}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    try:
        process.receive()
        yield ask
    finally:
        process.stop()


def _made(url: str, messages: int) -> list[str]:
    """Make a stream, and return the offsets before each of its messages, the last one first.

    So every read asks for something else: no client is helped by what it remembers.
    """
    with streamdb.Stream.create(url, content_type="application/octet-stream") as stream:
        offsets = [stream.head().offset]
        offsets += [stream.append(b"x" * _SIZE).offset or "" for _ in range(messages)]
    return offsets[-2::-1]


def _print_latencies(clients: list[Client], case: str, title: str) -> None:
    print(f"\n{title}")
    print(f"{'':20} {'p50':>9} {'p90':>9} {'CPU':>9}   p50 of it / ours, blocking and asyncio")
    ours = [statistics.median(client.times[case]) for client in clients[:2]]
    for client in clients:
        times = sorted(client.times[case])
        p50 = statistics.median(times)
        print(
            f"{client.name:20} {1000 * p50:6.0f} µs {1000 * times[len(times) * 9 // 10]:6.0f} µs "
            f"{1000 * statistics.median(client.cpu[case]):6.0f} µs   "
            f"{p50 / ours[0]:.2f}  {p50 / ours[1]:.2f}"
        )


def _print_rates(clients: list[Client]) -> None:
    print(f"\nmessages of {_SIZE} bytes by the producer, {_PRODUCED:,} at a time")
    print(f"{'':20} {'M/s':>9}   of ours / it, blocking and asyncio")
    rates = {
        client.name: 1 / statistics.median(client.times["produce"]) / 1000
        for client in clients
        if "produce" in client.times
    }
    ours = [rates[client.name] for client in clients[:2]]
    for name, rate in rates.items():
        print(f"{name:20} {rate:9.3f}   {ours[0] / rate:.2f}  {ours[1] / rate:.2f}")
    print(f"(PyPI: {_GATHERED:,} appends gathered; it has no producer)")


def _print_sse() -> None:
    print("\nparsing one SSE event that comes in one chunk of so many bytes, and in many of 1 KiB")
    for mebibytes in (1, 4, 16, 64):
        event = b"event: data\ndata: " + b"x" * (mebibytes * _MEBIBYTE) + b"\n\n"
        whole = _seconds_to_parse(event, len(event))
        pieces = _seconds_to_parse(event, 1024)
        print(
            f"{mebibytes:4} MiB  {1000 * whole / mebibytes:7.2f} ms/MiB at once  "
            f"{1000 * pieces / mebibytes:7.2f} ms/MiB in pieces"
        )


def _seconds_to_parse(data: bytes, step: int) -> float:
    parser = EventParser()
    begin = time.process_time()
    found = [
        event for at in range(0, len(data), step) for event in parser.feed(data[at : at + step])
    ]
    assert len(found) == 1
    return time.process_time() - begin


if __name__ == "__main__":
    main()
