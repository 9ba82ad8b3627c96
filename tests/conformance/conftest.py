"""The adapter in both modes, as the conformance runner drives it: one process for all tests.

Each test begins with `init`, as a run does, and has streams of its own.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from tests.interop.node import FOLDER as INTEROP
from tests.interop.node import Node, node
from tests.interop.processes import LineProcess, Peer, running

from streamdb_server import Options, serving

__all__ = ["node"]

ADAPTER: Final = Path(__file__).with_name("client_adapter.py")
MODES: Final = {"blocking": [], "async": ["--async"]}
Answer = dict[str, Any]
_NUMBERS: Final = itertools.count()


class Runner:
    """Asks an adapter, and talks to the server itself by plain HTTP, as the runner does."""

    def __init__(self, process: LineProcess, origin: str) -> None:
        self._process = process
        self._http = httpx.Client(base_url=origin)
        self.origin: Final = origin

    def send(self, type: str, **fields: Any) -> None:
        """Send a command and leave its answer for later."""
        self._process.send(json.dumps({"type": type, **fields}))

    def send_line(self, line: str) -> None:
        self._process.send(line)

    def answer(self) -> Answer:
        line = self._process.receive()
        assert line.isascii()  # the runner takes U+2028 for the end of a line
        answer: Answer = json.loads(line)
        assert None not in answer.values()  # what is not known is left out
        return answer

    def ask(self, type: str, **fields: Any) -> Answer:
        """Send a command that must succeed, and return its answer."""
        self.send(type, **fields)
        answer = self.answer()
        assert (answer["type"], answer["success"]) == (type, True), answer
        return answer

    def fail(self, code: str, type: str, **fields: Any) -> Answer:
        """Send a command that must fail with a code, and return its answer."""
        self.send(type, **fields)
        answer = self.answer()
        found = answer["type"], answer["success"], answer.get("commandType")
        assert found == ("error", False, type), answer
        assert answer["errorCode"] == code, answer
        return answer

    def data(self, path: str, **options: Any) -> str:
        """All data of a stream, as the runner compares it."""
        return joined(self.ask("read", path=path, **options))

    def http(
        self, method: str, path: str, content: str | bytes = b"", **headers: str
    ) -> httpx.Response:
        """Go round the adapter."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self._http.request(method, path, content=content, headers=named)
        response.raise_for_status()
        return response

    def inject(self, path: str, **fault: Any) -> None:
        """Have the reference server spoil its next answers for a stream."""
        self._http.post("/_test/inject-error", json={"path": path, **fault}).raise_for_status()

    def close(self) -> None:
        self._http.close()


def joined(answer: Answer) -> str:
    """All data of an answer to `read`."""
    return "".join(chunk["data"] for chunk in answer["chunks"])


@pytest.fixture(scope="session")
def own_origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Our own server, with the patience of the runner's."""
    file = tmp_path_factory.mktemp("conformance") / "streams.db"
    with serving(file, options=Options(long_poll_timeout=0.5)) as server:
        yield "{0.scheme}://{0.netloc}".format(urlsplit(server.url))


@pytest.fixture(scope="session")
def reference_origin(node: Node) -> Iterator[str]:
    """The server that the runner starts, with its patience."""
    with running([node.node, INTEROP / "peers" / "reference-server.mjs", "500"]) as process:
        yield str(Peer(process).greeting)


@pytest.fixture(scope="session")
def adapters() -> Iterator[Callable[[str], LineProcess]]:
    """One adapter of each mode for all tests."""
    started: dict[str, LineProcess] = {}

    def adapter(mode: str) -> LineProcess:
        if mode not in started:
            started[mode] = LineProcess([sys.executable, ADAPTER, *MODES[mode]])
        return started[mode]

    yield adapter
    for process in started.values():
        process.stop()


@pytest.fixture(params=MODES)
def adapter(request: pytest.FixtureRequest, adapters: Callable[[str], LineProcess]) -> LineProcess:
    """The adapter of each mode."""
    return adapters(request.param)


def _run(adapter: LineProcess, origin: str) -> Iterator[Runner]:
    runner = Runner(adapter, origin)
    runner.ask("init", serverUrl=origin)
    yield runner
    runner.close()


@pytest.fixture(params=["own", "reference"])
def runner(request: pytest.FixtureRequest, adapter: LineProcess) -> Iterator[Runner]:
    """Each mode of the adapter with each server."""
    yield from _run(adapter, request.getfixturevalue(f"{request.param}_origin"))


@pytest.fixture
def reference_runner(adapter: LineProcess, reference_origin: str) -> Iterator[Runner]:
    """Each mode of the adapter with the server that can be told to fail."""
    yield from _run(adapter, reference_origin)


@pytest.fixture
def path() -> str:
    """A stream that does not exist yet."""
    return f"/v1/stream/conformance/{next(_NUMBERS)}"
