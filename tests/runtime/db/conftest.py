"""Streams for databases: in a local file, and behind a real HTTP server."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from streamdb_server import Options, Serving, serving

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that answers in small pages, so that little data takes several."""
    path = tmp_path_factory.mktemp("db") / "streams.db"
    with serving(path, options=Options(long_poll_timeout=0.5, page_bytes=500)) as running:
        yield running


@pytest.fixture
def http_url(server: Serving) -> str:
    return f"{server.url}stream-{next(_NUMBERS)}"


@pytest.fixture
def embedded_url(tmp_path: Path) -> str:
    return f"embedded:{tmp_path / 'streams.db'}#demo"


@pytest.fixture(params=["embedded_url", "http_url"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of a stream that does not exist yet, in both kinds of places."""
    address: str = request.getfixturevalue(request.param)
    return address


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """Every test closes its databases, and a closed database leaves no task and no thread."""
    yield
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    assert not [task for task in tasks if not task.done()]
    names = ("streamdb-callbacks", "streamdb-cache")
    assert not [one for one in threading.enumerate() if one.name.startswith(names)]
