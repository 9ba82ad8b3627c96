"""One request and its possible answers, before anything is sent."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from starlette.requests import Request

from streamdb_server.live import Waiter
from streamdb_server.options import Options
from streamdb_server.storage.reading import Page
from streamdb_server.storage.records import StreamRecord
from streamdb_server.storage.store import Store

T = TypeVar("T")

NO_HEADERS: Final[Mapping[str, str]] = {}
SOFT_DELETED: Final = "The stream was deleted; it is kept for its forks alone."


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class EventStream:
    """A 200 that goes on: Server-Sent Events, made while they are sent."""

    headers: Mapping[str, str]
    events: AsyncGenerator[bytes, None]


class Refused(Exception):
    """Ends the handling of a request with an error answer."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        super().__init__(sentence)
        self.reply = error(status, sentence, headers)


def error(status: int, sentence: str, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
    """Return an error answer: status and headers say what it is, the body is for people (HDR-4)."""
    return Reply(
        status,
        {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store", **headers},
        f"{sentence}\n".encode(),
    )


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to the stream at `path`, with what is needed to answer it."""

    request: Request
    path: str
    store: Store
    options: Options
    stopping: threading.Event

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Run a blocking read without blocking the event loop."""
        return await asyncio.wrap_future(self.store.in_thread(function))

    async def read(self, start: int | None, *, stream: StreamRecord | None = None) -> Page | None:
        """Read a page, see `Store.read`; with ``stream`` only if the path still means that one."""
        limit = self.options.page_bytes
        stream_id = stream.id if stream else None
        return await self.in_thread(
            lambda: self.store.read(self.path, start, limit=limit, stream_id=stream_id)
        )

    @asynccontextmanager
    async def live(self, stream: StreamRecord) -> AsyncGenerator["LiveWait"]:
        """Wait for changes of a stream; nothing is left behind however the body ends (POLL-13)."""
        with self.store.watch(stream) as waiter:
            leaving = asyncio.create_task(_until_disconnect(self.request))
            leaving.add_done_callback(lambda _: waiter.wake())
            try:
                yield LiveWait(waiter, leaving, self.stopping)
            finally:
                leaving.cancel()
                await asyncio.gather(leaving, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class LiveWait:
    """A wait that ends early when the client leaves or the application stops."""

    waiter: Waiter
    leaving: asyncio.Task[None]
    stopping: threading.Event

    @property
    def over(self) -> bool:
        """Whether there is no point in waiting on (SSE-20, SERVER-17)."""
        return self.leaving.done() or self.stopping.is_set()

    async def changed(self, timeout: float) -> bool:
        """Sleep until the stream may have changed, or the wait is over, or time runs out.

        Returns False on a timeout. The first call returns at once (SERVER-5).
        """
        return await self.waiter.changed(timeout)


async def _until_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
