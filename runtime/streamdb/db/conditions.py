"""Waiting until something is true of a database, looked at whenever it has moved on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, Generic, TypeVar

from streamdb.collections.change_iteration import ChangeReader
from streamdb.collections.items import Over

T = TypeVar("T")
Row = TypeVar("Row")


class StateSignal:
    """Wakes those who wait for a state: after every commit, change of the status or outcome."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakes: Final[dict[int, Callable[[], None]]] = {}
        self._next = 0
        #: Why no more will come, once that is so.
        self.end: BaseException | None = None

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Register a waiter; return how to stop."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._wakes[number] = wake

        def stop() -> None:
            with self._lock:
                self._wakes.pop(number, None)

        return stop

    @property
    def waiters(self) -> int:
        """How many are registered."""
        with self._lock:
            return len(self._wakes)

    def fire(self, end: BaseException | None = None) -> None:
        """Wake all; the first end is the one that counts."""
        if end is None and not self._wakes:
            return
        with self._lock:
            self.end = self.end or end
            wakes = list(self._wakes.values())
        for wake in wakes:
            wake()


async def reached(signal: StateSignal, is_reached: Callable[[], bool]) -> None:
    """Wait on an event loop until something is true, or nothing will change any more."""
    import asyncio  # not above, as in `collections.callers`

    loop, moved = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(moved.set)

    stop = signal.watch(wake)
    try:
        while not is_reached() and signal.end is None:
            moved.clear()
            await moved.wait()
    finally:
        stop()


class TrueState(Generic[T]):
    """The result of a predicate, once it is true: a source of one item.

    Args:
        predicate: the user's function; what it raises goes to who waits.
        signal: tells when to look.
        check_started: raises if nothing has connected the database yet.
        is_loaded: tells whether there is a state to look at.
        snapshot: has the predicate see one state of all collections.
        wake: wakes who waits.
    """

    def __init__(
        self,
        predicate: Callable[[], T],
        signal: StateSignal,
        *,
        check_started: Callable[[], None],
        is_loaded: Callable[[], bool],
        snapshot: Callable[[], AbstractContextManager[None]],
        wake: Callable[[], None],
    ) -> None:
        self._predicate: Final = predicate
        self._signal: Final = signal
        self._check_started: Final = check_started
        self._is_loaded: Final = is_loaded
        self._snapshot: Final = snapshot
        self._stop: Final = signal.watch(wake)

    def take(self) -> T | None:
        """Look. Raises what ended the reading, if it is not true by then."""
        end = self._signal.end  # looked at first: nothing changes after it
        if self._is_loaded():
            with self._snapshot():
                result = self._predicate()
            if result:
                return result
        if end is not None:
            raise end
        self._check_started()
        return None

    def close(self) -> None:
        """Look no more."""
        self._stop()


class MatchingRow(Generic[Row]):
    """The first row of some changes that is there: a source of one item.

    Args:
        reader: takes them.
        why_over: tells why there will be no more.
    """

    def __init__(
        self, reader: ChangeReader[Row, Any], why_over: Callable[[], BaseException]
    ) -> None:
        self._reader: Final = reader
        self._why_over: Final = why_over

    def take(self) -> Row | None:
        """Look at what has changed. Raises what ended the reading, if there was no such row."""
        try:
            changes = self._reader.take()
        except Over:
            raise self._why_over() from None
        rows = (change.new for change in changes or () if change.new is not None)
        return next(rows, None)

    def close(self) -> None:
        """Look no more."""
        self._reader.close()
