"""The one background thread that runs asyncio for all blocking databases of a process."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from streamdb.errors import ForkedProcess, StreamDBError, WouldDeadlock
from streamdb.query_functions import check_may_wait

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


class LoopThread:
    """An event loop on a daemon thread, started at its first use.

    One for a process and not one for a database: agents open hundreds of them.
    """

    def __init__(self) -> None:
        import asyncio  # not above: programs that only build events do without

        self._pid = os.getpid()
        self._ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="streamdb-loop", daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def belongs_to_parent(self) -> bool:
        """True in a child process after ``os.fork()``: the thread stayed behind."""
        return os.getpid() != self._pid

    @property
    def ident(self) -> int | None:
        """The identity of the thread, to tell that one is on it."""
        return self._thread.ident

    def call_soon(self, call: Callable[[], object]) -> None:
        """Call a function on the loop, soon. Raises ForkedProcess like :meth:`submit`."""
        self._check_process()
        self.loop.call_soon_threadsafe(call)

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop; its future may be waited for on any other thread.

        Raises:
            ForkedProcess: the thread stayed behind in the parent process.
            WouldDeadlock: called on the loop's own thread.
        """
        import asyncio

        try:
            self.check_may_wait()
        except StreamDBError:
            coroutine.close()
            raise
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def check_may_wait(self, what: str = "a blocking call") -> None:
        """Raise if waiting for something that this thread brings would never end.

        Raises:
            ForkedProcess: the thread stayed behind in the parent process.
            WouldDeadlock: called on the loop's own thread, or by a function of a query.
        """
        self._check_process()
        check_may_wait(what)
        if threading.get_ident() == self._thread.ident:
            raise WouldDeadlock(
                "a blocking call on streamdb's own event loop would wait for itself; "
                "use the Async classes there"
            )

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine to its end. A timeout or interrupt cancels it."""
        future = self.submit(coroutine)
        try:
            return future.result(timeout)
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """End the thread; what still runs on it is cancelled."""
        if not self.belongs_to_parent and self._thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()

    def _check_process(self) -> None:
        if self.belongs_to_parent:
            raise ForkedProcess(
                "this object was opened before os.fork(): its thread lives in the parent process; "
                "open it anew in the child"
            )

    def _run(self) -> None:
        import asyncio

        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self._ready.set)
        try:
            self.loop.run_forever()
        finally:
            tasks = asyncio.all_tasks(self.loop)
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()


_lock = threading.Lock()
_shared: LoopThread | None = None


def shared_loop_thread() -> LoopThread:
    """Return the process's loop thread; a child after ``os.fork()`` gets one of its own."""
    global _shared
    with _lock:
        if _shared is None or _shared.belongs_to_parent:
            _shared = LoopThread()
            atexit.register(_shared.stop)
        return _shared


def on_shared_loop_thread() -> bool:
    """Tell whether this is the thread that all blocking databases share: nothing may block it."""
    return _shared is not None and _shared.ident == threading.get_ident()


def _forget_locks_of_parent() -> None:
    # A fork in the middle of `shared_loop_thread` would leave the child a lock that nobody frees.
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_locks_of_parent)
