"""The commands on streams, on a server and on a local file."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.runtime.cli.running import Commands

from streamdb_server import Options, Serving, serving

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    path = tmp_path_factory.mktemp("commands") / "streams.db"
    with serving(path, options=Options(long_poll_timeout=0.5, page_bytes=4096)) as running:
        yield running


@pytest.fixture
def name() -> str:
    """The name of a stream that does not exist yet."""
    return f"commands/{next(_NUMBERS)}"


@pytest.fixture(params=["http", "embedded"])
def root(request: pytest.FixtureRequest, server: Serving, tmp_path: Path) -> str:
    """Where streams are, for `STREAM_URL`."""
    if request.param == "http":
        return server.url.removesuffix("/v1/stream/")
    return f"embedded:{tmp_path / 'data.db'}"


@pytest.fixture
def commands(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, root: str
) -> Commands:
    """The commands, with names of streams on a server, and in a file."""
    return Commands(capfdbinary, monkeypatch, root)


@pytest.fixture
def anywhere(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Commands:
    """The commands, without `STREAM_URL`."""
    return Commands(capfdbinary, monkeypatch)
