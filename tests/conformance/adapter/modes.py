"""The two forms of the client behind one face, so that every command is written once.

Commands are coroutines. In async mode asyncio runs them. In blocking mode nothing runs them but a
single `send`: the methods of a blocking stream do their work before they return, so that no
coroutine ever suspends, and there is no event loop at all.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, cast

from streamdb import AsyncStream, Batch, Producer, Stream

T = TypeVar("T")


class OutOfTime(Exception):
    """A command took longer than it may."""


class Mode(Protocol):
    """One form of the client."""

    name: str

    def open(self, url: str, **options: Any) -> AsyncStream:
        """Make a handle on a stream, or what has the methods of one."""
        ...

    def limit(self, seconds: float, stream: AsyncStream) -> AbstractAsyncContextManager[None]:
        """End a block that waits for a stream for too long. Raises OutOfTime."""
        ...

    def function(self, value: str) -> Callable[[], Any]:
        """Make a function of the kind that the options of a handle take."""
        ...

    async def together(self, one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, object]) -> T:
        """Let two coroutines run at once; return what the first one does."""
        ...

    async def read_line(self) -> str:
        """Return the next line of the runner, empty at the end."""
        ...

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Run the whole program."""
        ...


class Async:
    """`AsyncStream` on asyncio."""

    name = "async"

    def open(self, url: str, **options: Any) -> AsyncStream:
        return AsyncStream(url, **options)

    @asynccontextmanager
    async def limit(self, seconds: float, stream: AsyncStream) -> AsyncGenerator[None]:
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                yield
        except TimeoutError as error:
            if scope.expired():
                raise OutOfTime(f"not done within {seconds:g} s") from error
            raise

    def function(self, value: str) -> Callable[[], Awaitable[str]]:
        async def give() -> str:
            return value

        return give

    async def together(self, one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, object]) -> T:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(one)
            tasks.create_task(other)
        return first.result()

    async def read_line(self) -> str:
        return await asyncio.to_thread(sys.stdin.readline)

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        asyncio.run(main)


class Blocking:
    """`Stream`, without any event loop."""

    name = "blocking"

    def open(self, url: str, **options: Any) -> AsyncStream:
        return cast("AsyncStream", _Unsuspended(Stream(url, **options)))

    @asynccontextmanager
    async def limit(self, seconds: float, stream: AsyncStream) -> AsyncGenerator[None]:
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            finish(stream.aclose())  # which ends the waits of other threads

        timer = threading.Timer(seconds, expire)
        timer.start()
        try:
            yield
        except Exception as error:
            if expired.is_set():
                raise OutOfTime(f"not done within {seconds:g} s") from error
            raise
        finally:
            timer.cancel()
            timer.join()

    def function(self, value: str) -> Callable[[], str]:
        return lambda: value

    async def together(self, one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, object]) -> T:
        with ThreadPoolExecutor(1) as threads:
            beside = threads.submit(finish, other)
            result = await one
            beside.result()
        return result

    async def read_line(self) -> str:
        return sys.stdin.readline()

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        finish(main)


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("a coroutine of the blocking mode was suspended")


class _Unsuspended:
    """A blocking object behind the methods of its async form."""

    def __init__(self, blocking: Stream | Producer) -> None:
        self._blocking: Any = blocking

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._blocking, {"aclose": "close"}.get(name, name))
        if name == "items" or not callable(attribute):
            return attribute
        if name == "producer":
            return lambda *given, **settings: _Unsuspended(attribute(*given, **settings))

        async def call(*given: Any, **options: Any) -> Any:
            return attribute(*given, **options)

        return call

    async def read(self, **options: Any) -> AsyncGenerator[Batch]:
        with closing(self._blocking.read(**options)) as batches:
            for batch in batches:
                yield batch

    async def __aenter__(self) -> Self:
        self._blocking.__enter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._blocking.__exit__(kind, error, traceback)
