"""The wire of embedded mode: the server's ASGI application, driven in this process.

``httpx.ASGITransport`` cannot serve: it holds a response back until it is complete, and it tears
the application down with its caller. Here every request runs the application in a task of its own;
pieces of the body pass through a bounded queue; a reader that leaves is a disconnect to the
application; and an append that has begun is carried out whatever becomes of the caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote, urlencode

from streamdb.errors import ConnectionFailed, HandleClosed, MissingExtra
from streamdb.extras import how_to_install
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

T = TypeVar("T")

# Pieces that may wait for a slow reader before the application is held back.
_QUEUED_PIECES: Final = 16
_GRACE_SECONDS: Final = 5.0
_OF_THE_EXTRA: Final = frozenset({"streamdb_server", "starlette", "uvicorn"})


class EmbeddedAsyncWire:
    """Requests to one stream of a local data file, on the running event loop."""

    def __init__(self, address: EmbeddedAddress, *, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._lifetime = Lifetime(address.shown)
        self._server = _Server(address)
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: set[_AsyncAnswer] = set()

    async def open(self, request: Request) -> _AsyncAnswer:
        """Start the application on a request and return once the head of its answer is here.

        A timeout ends the waiting, not the request: what was begun is carried out (CLIENT-23).
        """
        self._lifetime.check()
        timeout = None if request.patient else self._timeout
        async with _patience(timeout):
            app = self._server.app
            if app is None:
                if request.method != "PUT" and not self._address.file.exists():
                    return _no_such_file(self._address)  # and none is made by asking
                app = await _in_thread(self._server.open)
            self._lifetime.check()  # closed while the file was opened?
            answer = _AsyncAnswer(self._answers.discard, timeout)
            scope = _scope_of(request, self._address)
            task = asyncio.create_task(_serve(app, scope, request.body, answer))
            self._tasks.add(task)
            self._answers.add(answer)
            task.add_done_callback(self._tasks.discard)
            try:
                await answer.wait_for_head()
            except BaseException:
                await answer.aclose()
                raise
            return answer

    async def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the wire is closed."""
        await self._lifetime.sleep(seconds)

    def amend(self, amended: wires.Retry) -> None:
        """Do nothing: there are no headers or parameters of the caller's in embedded mode."""

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
            # Goes on if this is cancelled: a file that stays open could not be opened elsewhere.
            await asyncio.shield(_in_thread(self._server.close))


class EmbeddedWire:
    """The blocking form: the same wire on the process's loop thread."""

    def __init__(self, address: EmbeddedAddress, *, timeout: float) -> None:
        self._thread = shared_loop_thread()
        self._closed = threading.Event()
        self._wire = EmbeddedAsyncWire(address, timeout=timeout)

    def open(self, request: Request) -> _Answer:
        """Send a request and return once the head of the answer is here."""
        return _Answer(self._thread.run(self._wire.open(request)), self._thread)

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the wire is closed."""
        self._closed.wait(seconds)

    def amend(self, amended: wires.Retry) -> None:
        """Do nothing, as :meth:`EmbeddedAsyncWire.amend`."""

    def close(self) -> None:
        """Release the data file."""
        self._closed.set()
        if not self._thread.belongs_to_parent:
            self._thread.run(self._wire.aclose())


class _AsyncAnswer:
    """An answer of the application: a head, then pieces from a bounded queue."""

    def __init__(self, on_close: Callable[[_AsyncAnswer], None], timeout: float | None) -> None:
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
        await self._head.wait()
        if not self.status:
            raise wires.WireFailure(self._failure or "the embedded server gave no answer")

    async def receive(self) -> bytes:
        # An empty piece is the end; it stays the end however often it is asked for.
        if self._finished:
            piece = b""
        else:
            async with _patience(self._timeout):
                piece = await self._pieces.get()
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

    def say(self, status: int, body: bytes) -> None:
        """Answer at once, without an application."""
        self.status = status
        self._pieces.put_nowait(body)
        self._pieces.put_nowait(b"")
        self._head.set()

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


def _no_such_file(address: EmbeddedAddress) -> _AsyncAnswer:
    answer = _AsyncAnswer(lambda _: None, None)
    answer.say(404, f"there is no file {address.file}".encode())
    return answer


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


class _Server:
    """The data file and its application: opened once, at the first request. Every call blocks."""

    def __init__(self, address: EmbeddedAddress) -> None:
        self._address = address
        self._opening = threading.Lock()  # held for as long as it takes, by one at a time
        self._lock = threading.Lock()  # guards what follows
        self._is_closed = False
        self._store: Store | None = None
        self.app: Application | None = None

    def open(self) -> Application:
        with self._opening:
            if self.app is not None:
                return self.app
            store, app = _open_application(self._address)
            with self._lock:
                if not self._is_closed:
                    self._store, self.app = store, app
                    return app
            store.close()
            raise HandleClosed(f"{self._address.shown}: this handle is closed")

    def close(self) -> None:
        """Close what is open. An opening under way is not waited for: it closes what it opened."""
        with self._lock:
            self._is_closed = True
            store, self._store, self.app = self._store, None, None
        if store is not None:
            store.close()


def _in_thread(function: Callable[[], T]) -> asyncio.Future[T]:
    """Begin what blocks (SQLite, the disk) in a worker thread. Once begun it is carried out."""
    loop = asyncio.get_running_loop()
    try:
        return loop.run_in_executor(None, function)
    except RuntimeError:  # the interpreter is ending and lends no more threads
        done: asyncio.Future[T] = loop.create_future()
        done.set_result(function())
        return done


@contextlib.asynccontextmanager
async def _patience(seconds: float | None) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise wires.WireFailure(f"no answer within {seconds:g} s", is_timeout=True) from None


def _open_application(address: EmbeddedAddress) -> tuple[Store, Application]:
    try:
        from streamdb_server import DataFileError, create_app, open_store
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _OF_THE_EXTRA:
            raise
        raise MissingExtra(
            f"{address.shown}: embedded mode needs the extra `server`: "
            f"{how_to_install('server')} ({error})"
        ) from error
    try:
        store = open_store(address.file)
    except DataFileError as error:
        raise ConnectionFailed(str(error), url=address.shown) from error
    return store, create_app(store)
