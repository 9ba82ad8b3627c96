"""The wire of embedded mode: the server's ASGI application, driven in this process.

``httpx.ASGITransport`` cannot serve: it holds a response back until it is complete, and it tears
the application down with its caller. Here every request runs the application in a task of its own;
pieces of the body pass through a bounded queue; a reader that leaves is a disconnect to the
application; and an append that has begun is carried out whatever becomes of the caller.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlencode

from streamdb.errors import ConnectionFailed, MissingExtra
from streamdb.protocol.exchange import Request
from streamdb.streams import wire as wires
from streamdb.streams.address import EmbeddedAddress
from streamdb.streams.lifetime import Lifetime
from streamdb.streams.loop_thread import LoopThread, shared_loop_thread

if TYPE_CHECKING:
    from streamdb_server import Store

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
_GRACE_SECONDS: Final = 5.0


class EmbeddedAsyncWire:
    """Requests to one stream of a local data file, on the running event loop."""

    def __init__(self, address: EmbeddedAddress) -> None:
        self._address = address
        self._lifetime = Lifetime(address.shown)
        self._store: Store | None = None
        self._app: Application | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: set[_AsyncAnswer] = set()

    async def open(self, request: Request) -> _AsyncAnswer:
        """Start the application on a request and return once the head of its answer is here."""
        self._lifetime.check()
        if self._app is None:
            self._store, self._app = _open_application(self._address)
        answer = _AsyncAnswer(self._answers.discard)
        scope = _scope_of(request, self._address)
        task = asyncio.create_task(_serve(self._app, scope, request.body, answer))
        self._tasks.add(task)
        self._answers.add(answer)
        task.add_done_callback(self._tasks.discard)
        try:
            await answer.wait_for_head()
        except BaseException:
            await answer.aclose()
            raise
        return answer

    async def aclose(self) -> None:
        """Disconnect what is open, let the application end, and release the data file."""
        if not self._lifetime.end():
            return
        for answer in list(self._answers):
            await answer.aclose()
        try:
            if self._tasks:
                _, late = await asyncio.wait(self._tasks, timeout=_GRACE_SECONDS)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
        finally:
            store, self._store, self._app = self._store, None, None
            if store is not None:
                store.close()


class EmbeddedWire:
    """The blocking form: the same wire on the process's loop thread."""

    def __init__(self, address: EmbeddedAddress) -> None:
        self._thread = shared_loop_thread()
        self._wire = EmbeddedAsyncWire(address)

    def open(self, request: Request) -> _Answer:
        """Send a request and return once the head of the answer is here."""
        return _Answer(self._thread.run(self._wire.open(request)), self._thread)

    def close(self) -> None:
        """Release the data file."""
        if not self._thread.belongs_to_parent:
            self._thread.run(self._wire.aclose())


class _AsyncAnswer:
    """An answer of the application: a head, then pieces from a bounded queue."""

    def __init__(self, on_close: Callable[[_AsyncAnswer], None]) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self._on_close = on_close
        self._head = asyncio.Event()
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED_PIECES)
        self._finished = False
        self._is_complete = False
        self._failure: str | None = None
        self.reader_left = asyncio.Event()

    async def wait_for_head(self) -> None:
        await self._head.wait()
        if not self.status:
            raise wires.WireFailure(self._failure or "the embedded server gave no answer")

    async def receive(self) -> bytes:
        # An empty piece is the end; it stays the end however often it is asked for.
        piece = b"" if self._finished else await self._pieces.get()
        if not piece:
            self._finished = True
            if self._failure is not None:
                raise wires.WireFailure(self._failure)
        return piece

    async def aclose(self) -> None:
        self.reader_left.set()
        while not self._pieces.empty():  # frees an application that waits to put a piece
            self._pieces.get_nowait()
        self._pieces.put_nowait(b"")  # frees a task that waits for one
        self._on_close(self)

    # The application's side.

    async def put(self, message: Message) -> None:
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
        if failure is None and not self._is_complete:
            failure = "the embedded server broke its answer off"
        self._failure = failure
        self._head.set()
        if not self.reader_left.is_set():
            await self._pieces.put(b"")


class _Answer:
    def __init__(self, answer: _AsyncAnswer, thread: LoopThread) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._answer = answer
        self._thread = thread

    def receive(self) -> bytes:
        return self._thread.run(self._answer.receive())

    def close(self) -> None:
        self._thread.run(self._answer.aclose())


async def _serve(
    app: Application, scope: MutableMapping[str, Any], body: bytes, answer: _AsyncAnswer
) -> None:
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
    except Exception as error:  # noqa: BLE001 - whatever it is, the reader must learn of it
        failure = f"the embedded server failed: {type(error).__name__}: {error}"
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await answer.end(failure)


def _scope_of(request: Request, address: EmbeddedAddress) -> MutableMapping[str, Any]:
    headers = {"host": "embedded", **request.headers}
    if request.body or request.method in ("POST", "PUT"):
        headers["content-length"] = str(len(request.body))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(address.path),
        "raw_path": address.path.encode("ascii"),
        "root_path": "",
        "query_string": urlencode(sorted(request.params.items())).encode("ascii"),
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ],
        "client": None,
        "server": None,
    }


def _open_application(address: EmbeddedAddress) -> tuple[Store, Application]:
    try:
        from streamdb_server import DataFileError, create_app, open_store
    except ImportError as error:
        raise MissingExtra(
            f"{address.shown}: embedded mode needs the extra `server`: "
            f"pip install 'streamdb[server]' ({error})"
        ) from error
    try:
        store = open_store(address.file)
    except DataFileError as error:
        raise ConnectionFailed(str(error), url=address.shown) from error
    return store, create_app(store)
