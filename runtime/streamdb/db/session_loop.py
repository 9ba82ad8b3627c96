"""The event loop on which a database does all its work, and what it is asked to do there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from streamdb.db.status import StatusBoard
from streamdb.errors import StreamDBError


class SessionLoop:
    """Runs functions on the loop of one database, now or later.

    Args:
        url: the stream's address, for messages.
        status: tells when the database is closed.
    """

    def __init__(self, url: str, status: StatusBoard) -> None:
        self._url: Final = url
        self._status: Final = status
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: Final[set[asyncio.TimerHandle]] = set()

    def take_running(self) -> None:
        """Have the loop that runs in this thread be that of the database from now on.

        Raises:
            StreamDBError: none does, or the database has another one.
        """
        loop = running_loop()
        if loop is None or self._loop not in (None, loop):
            raise StreamDBError(
                f"{self._url}: an async database is used on one event loop and its thread only; "
                "for other threads there is the blocking form"
            )
        self._loop = loop

    def run(self, call: Callable[[], None]) -> None:
        """Run a function where commits run: at once on the loop's thread, else soon.

        May be called on any thread. Before there is a loop, any thread is the right one.
        """
        if self._loop is None or running_loop() is self._loop:
            call()
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it the database
            self._loop.call_soon_threadsafe(call)

    def call_later(self, seconds: float, call: Callable[[], object]) -> None:
        """Call a function in so many seconds, unless the database is closed by then."""
        loop = self._loop
        if loop is None or self._status.now == "closed":
            return

        def run() -> None:
            self._timers.discard(timer)
            call()

        timer = loop.call_later(seconds, run)
        self._timers.add(timer)

    def call_later_or_now(self, seconds: float, call: Callable[[], object]) -> None:
        """Do likewise on the loop's thread; on another one, or when it is late, call it at once."""
        if self._loop is None or self._loop is not running_loop() or self._status.now == "closed":
            call()
        else:
            self.call_later(seconds, call)

    def forget_timers(self) -> None:
        """Call nothing later any more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
