"""The wire of embedded mode: the server's ASGI application, driven in this process.

``httpx.ASGITransport`` cannot serve: it holds a response back until it is complete, and it tears
the application down with its caller. Here every request runs the application in a task of its own;
pieces of the body pass through a bounded queue; a reader that leaves is a disconnect to the
application; and an append that has begun is carried out whatever becomes of the caller.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from streamdb.protocol.exchange import Request
from streamdb.streams.address import EmbeddedAddress
from streamdb.streams.asgi import ApplicationAnswer, patience, scope_of, serve
from streamdb.streams.embedded_server import EmbeddedServer
from streamdb.streams.lifetime import Lifetime
from streamdb.streams.loop_thread import LoopThread, shared_loop_thread
from streamdb.streams.wire import Retry

T = TypeVar("T")

_GRACE_SECONDS: Final = 5.0


class EmbeddedAsyncWire:
    """Requests to one stream of a local data file, on the running event loop."""

    def __init__(self, address: EmbeddedAddress, *, timeout: float) -> None:
        self._address = address
        self._timeout = timeout
        self._lifetime = Lifetime(address.shown)
        self._server = EmbeddedServer(address)
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: set[ApplicationAnswer] = set()

    async def open(self, request: Request) -> ApplicationAnswer:
        """Start the application on a request and return once the head of its answer is here.

        A timeout ends the waiting, not the request: what was begun is carried out (CLIENT-23).
        """
        self._lifetime.check()
        timeout = None if request.patient else self._timeout
        async with patience(timeout):
            app = self._server.app
            if app is None:
                if request.method != "PUT" and not self._address.file.exists():
                    return _no_such_file(self._address)  # and none is made by asking
                app = await _in_thread(self._server.open)
            self._lifetime.check()  # closed while the file was opened?
            answer = ApplicationAnswer(self._answers.discard, timeout)
            scope = scope_of(request, self._address.path)
            task = asyncio.create_task(serve(app, scope, request.body, answer))
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

    def amend(self, amended: Retry) -> None:
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

    def amend(self, amended: Retry) -> None:
        """Do nothing, as :meth:`EmbeddedAsyncWire.amend`."""

    def close(self) -> None:
        """Release the data file."""
        self._closed.set()
        if not self._thread.belongs_to_parent:
            self._thread.run(self._wire.aclose())


def _no_such_file(address: EmbeddedAddress) -> ApplicationAnswer:
    answer = ApplicationAnswer(lambda _: None, None)
    answer.say(404, f"there is no file {address.file}".encode())
    return answer


class _Answer:
    def __init__(self, answer: ApplicationAnswer, thread: LoopThread) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._answer = answer
        self._thread = thread

    def receive(self) -> bytes:
        return self._thread.run(self._answer.receive())

    def close(self) -> None:
        self._thread.run(self._answer.aclose())


def _in_thread(function: Callable[[], T]) -> asyncio.Future[T]:
    """Begin what blocks (SQLite, the disk) in a worker thread. Once begun it is carried out."""
    loop = asyncio.get_running_loop()
    try:
        return loop.run_in_executor(None, function)
    except RuntimeError:  # the interpreter is ending and lends no more threads
        done: asyncio.Future[T] = loop.create_future()
        done.set_result(function())
        return done
