"""One request through an ASGI application in this process, its answer taken piece by piece."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote, urlencode

from streamdb.protocol.exchange import Request
from streamdb.streams.wire import WireFailure

Message = MutableMapping[str, Any]
Application = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]

# Pieces that may wait for a slow reader before the application is held back.
_QUEUED_PIECES: Final = 16


async def serve(
    app: Application, scope: MutableMapping[str, Any], body: bytes, answer: ApplicationAnswer
) -> None:
    """Run the application on one request; whatever it fails with, the reader learns of it."""
    body_sent = False

    async def receive() -> Message:
        nonlocal body_sent
        if not body_sent:
            body_sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        await answer.reader_left.wait()
        return {"type": "http.disconnect"}

    failure: str | None = None
    try:
        await app(scope, receive, answer.put)
    except Exception as error:  # noqa: BLE001 - see above
        failure = f"the embedded server failed: {type(error).__name__}: {error}"
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await answer.end(failure)


def scope_of(request: Request, path: str) -> MutableMapping[str, Any]:
    """Return what the application is told of a request; the path is percent-encoded."""
    headers = {"host": "embedded", **request.headers}
    if request.body or request.method in ("POST", "PUT"):
        headers["content-length"] = str(len(request.body))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "root_path": "",
        "query_string": urlencode(sorted(request.params.items())).encode("ascii"),
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ],
        "client": None,
        "server": None,
    }


class ApplicationAnswer:
    """An answer of the application: a head, then pieces from a bounded queue.

    Args:
        on_close: called when the reader gives the answer up.
        timeout: seconds to wait for each piece; None without bound.

    Attributes:
        status: the HTTP status, once the head is here; 0 before.
        headers: names in lower case.
        reader_left: set when the reader gives the answer up: a disconnect to the application.
    """

    def __init__(
        self, on_close: Callable[[ApplicationAnswer], None], timeout: float | None
    ) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._on_close = on_close
        self._timeout = timeout
        self._head = asyncio.Event()
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED_PIECES)
        self._finished = False
        self._is_complete = False
        self._failure: str | None = None
        self.reader_left = asyncio.Event()

    async def wait_for_head(self) -> None:
        """Return once status and headers are known. Raises WireFailure if none came."""
        await self._head.wait()
        if not self.status:
            raise WireFailure(self._failure or "the embedded server gave no answer")

    async def receive(self) -> bytes:
        """Return the next piece of the body, empty at and after its end. Raises WireFailure."""
        if self._finished:
            piece = b""
        else:
            async with patience(self._timeout):
                piece = await self._pieces.get()
        if not piece:
            self._finished = True
            if self._failure is not None:
                raise WireFailure(self._failure)
        return piece

    async def aclose(self) -> None:
        """Give the answer up; the application goes on, and what it still says is dropped."""
        self.reader_left.set()
        while not self._pieces.empty():  # frees an application that waits to put a piece
            self._pieces.get_nowait()
        self._pieces.put_nowait(b"")  # frees a task that waits for one
        self._on_close(self)

    def say(self, status: int, body: bytes) -> None:
        """Answer at once, without an application."""
        self.status = status
        self._pieces.put_nowait(body)
        self._pieces.put_nowait(b"")
        self._head.set()

    # The application's side.

    async def put(self, message: Message) -> None:
        """Take what the application sends; waits while the reader is slow."""
        if message["type"] == "http.response.start":
            self.headers = {
                bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1")
                for name, value in message.get("headers", ())
            }
            self.status = message["status"]
            self._head.set()
        elif message["type"] == "http.response.body":
            piece = message.get("body", b"")
            if piece and not self.reader_left.is_set():
                await self._pieces.put(bytes(piece))
                if self.reader_left.is_set():
                    await self.aclose()
            self._is_complete = not message.get("more_body", False)

    async def end(self, failure: str | None) -> None:
        """Take that the application has ended, and why, if it failed."""
        if failure is None and not self._is_complete:
            failure = "the embedded server broke its answer off"
        self._failure = failure
        self._head.set()
        if not self.reader_left.is_set():
            await self._pieces.put(b"")


@contextlib.asynccontextmanager
async def patience(seconds: float | None) -> AsyncGenerator[None]:
    """End a wait for the application after so many seconds. Raises WireFailure then."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise WireFailure(f"no answer within {seconds:g} s", is_timeout=True) from None
