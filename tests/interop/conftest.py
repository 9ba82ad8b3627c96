"""Real servers and peers, started once; each test has a stream of its own.

The tests are skipped on a machine without Node.js, and fail there in CI.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from typing import Final

import pytest
from tests.interop.clients import AsyncClient, BlockingClient, Client
from tests.interop.node import FOLDER, Node, node
from tests.interop.processes import Peer, running
from tests.interop.stream_db import OpenTypeScript, TypeScriptDatabase

__all__ = ["node"]

_NUMBERS: Final = itertools.count()


@pytest.fixture(scope="session")
def writer(node: Node) -> Iterator[Peer]:
    """Writes by the state library's helpers, reads by its MaterializedState."""
    with running([node.node, FOLDER / "peers" / "writer.mjs"]) as process:
        yield Peer(process)


@pytest.fixture(scope="session")
def database_process(node: Node) -> Iterator[Peer]:
    """Holds the databases of the state library."""
    with running([node.node, FOLDER / "peers" / "database.mjs"]) as process:
        yield Peer(process)


@pytest.fixture
def open_typescript(database_process: Peer) -> Iterator[OpenTypeScript]:
    """Open the state library's createStreamDB on a stream, until the test ends."""
    opened: list[TypeScriptDatabase] = []

    def open_one(url: str, live: str | bool = True) -> TypeScriptDatabase:
        opened.append(TypeScriptDatabase(database_process, url, live))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def reference_root(node: Node) -> Iterator[str]:
    """Where the streams of the TypeScript reference server live."""
    with running([node.node, FOLDER / "peers" / "reference-server.mjs"]) as process:
        yield f"{Peer(process).greeting}/v1/stream/"


@pytest.fixture(scope="session")
def own_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the streams of a `streamdb serve` live."""
    file = tmp_path_factory.mktemp("interop") / "streams.db"
    with running([sys.executable, FOLDER / "peers" / "own_server.py", file]) as process:
        announcement = process.receive()
        yield announcement.split()[-1]


@pytest.fixture
def reference_url(reference_root: str) -> str:
    """A stream on the reference server that does not exist yet."""
    return f"{reference_root}interop/{next(_NUMBERS)}"


@pytest.fixture
def own_url(own_root: str) -> str:
    """A stream on `streamdb serve` that does not exist yet."""
    return f"{own_root}interop/{next(_NUMBERS)}"


@pytest.fixture(params=["reference", "own"])
def url(request: pytest.FixtureRequest) -> str:
    """A stream that does not exist yet, on either server."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture(params=[AsyncClient(), BlockingClient()], ids=["async", "blocking"])
def client(request: pytest.FixtureRequest) -> Client:
    """Either form of the Python client."""
    found: Client = request.param
    return found
