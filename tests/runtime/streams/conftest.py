"""Streams over both wires, through both forms of the handle."""

import asyncio
import itertools
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from streamdb import AsyncStream, Batch, Producer, Stream
from streamdb_server import Options, Serving, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    path = tmp_path_factory.mktemp("server") / "streams.db"
    with serving(path, options=Options(long_poll_timeout=0.3, page_bytes=4096)) as running:
        yield running


@pytest.fixture(scope="session")
def patient_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server whose live reads end by what a test does, and never by themselves."""
    path = tmp_path_factory.mktemp("patient") / "streams.db"
    with serving(path, options=Options(long_poll_timeout=3600, sse_lifetime=3600)) as running:
        yield running


_NUMBERS = itertools.count()


@pytest.fixture
def name() -> str:
    """The name of a stream that does not exist yet."""
    return f"test/{next(_NUMBERS)}"


@pytest.fixture(params=["http", "embedded"])
def url(request: pytest.FixtureRequest, server: Serving, tmp_path: Path, name: str) -> str:
    """The address of a stream that does not exist yet, over each wire."""
    if request.param == "http":
        return server.url + name
    return f"embedded:{tmp_path / 'data.db'}#{name}"


_IMMEDIATE = frozenset({"append_nowait", "items"})  # methods that never wait


class InThread:
    """A `Stream` or `Producer` behind the methods of its async form: one test can drive both."""

    def __init__(self, blocking: Stream | Producer) -> None:
        self._blocking: Any = blocking

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._blocking, {"aclose": "close"}.get(name, name))
        if name in _IMMEDIATE or not callable(attribute):
            return attribute

        async def call(*args: Any, **options: Any) -> Any:
            return await asyncio.to_thread(attribute, *args, **options)

        return call

    async def read(self, **options: Any) -> AsyncGenerator[Batch]:
        batches = self._blocking.read(**options)
        try:
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                yield batch
        finally:
            await asyncio.to_thread(batches.close)

    @classmethod
    async def make(cls, how: str, url: str, **options: Any) -> "InThread":
        return cls(await asyncio.to_thread(getattr(Stream, how), url, **options))


Opener = Callable[..., Awaitable[AsyncStream]]


@pytest.fixture(params=["async", "blocking"])
async def open_stream(request: pytest.FixtureRequest) -> AsyncGenerator[Opener]:
    """Open streams of either form: ``open_stream("create", url, ...)``; closed after the test."""
    opened: list[Any] = []

    async def make(how: str, url: str, **options: Any) -> Any:
        make_blocking = request.param == "blocking"
        stream = (
            await InThread.make(how, url, **options)
            if make_blocking
            else await getattr(AsyncStream, how)(url, **options)
        )
        opened.append(stream)
        return stream

    yield make
    for stream in opened:
        await stream.aclose()


@pytest.fixture
def full_port() -> Iterator[int]:
    """A listener whose queue is full: who connects to it waits for as long as it takes."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(listener.getsockname())
        yield listener.getsockname()[1]
