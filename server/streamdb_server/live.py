"""Waiting for a stream to change, from any event loop or thread of the process."""

import asyncio
import threading
from collections.abc import Iterable
from contextlib import suppress


class Waiter:
    """A reader of one event loop that sleeps until its stream changes.

    It starts awake: whoever registers one looks once more before sleeping, so that a change
    between the last look and the registration is not missed (SERVER-5).
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._woken.set()

    def wake(self) -> None:
        """Wake the reader; may be called from any thread."""
        with suppress(RuntimeError):  # its loop is closed: nobody is left to wake
            self._loop.call_soon_threadsafe(self._woken.set)

    async def changed(self, timeout: float) -> bool:
        """Sleep until woken or for ``timeout`` seconds; tell whether it was woken."""
        try:
            async with asyncio.timeout(timeout):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


class Hub:
    """Who waits for which stream. Streams are known by their id, never reused (trap 25)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: dict[int, set[Waiter]] = {}

    def add(self, stream: int, waiter: Waiter) -> None:
        """Register a waiter of a stream."""
        with self._lock:
            self._waiters.setdefault(stream, set()).add(waiter)

    def remove(self, stream: int, waiter: Waiter) -> None:
        """Forget a waiter."""
        with self._lock:
            waiters = self._waiters[stream]
            waiters.remove(waiter)
            if not waiters:
                del self._waiters[stream]

    def wake(self, streams: Iterable[int]) -> None:
        """Wake the waiters of these streams, and no others (SERVER-6)."""
        with self._lock:
            woken = [waiter for stream in streams for waiter in self._waiters.get(stream, ())]
        for waiter in woken:
            waiter.wake()

    def wake_all(self) -> None:
        """Wake every waiter: the store is closing."""
        with self._lock:
            streams = list(self._waiters)
        self.wake(streams)

    def __len__(self) -> int:
        with self._lock:
            return sum(map(len, self._waiters.values()))
