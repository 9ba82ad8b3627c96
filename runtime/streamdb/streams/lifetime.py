"""Whether a wire may still be used: not once it is closed, and in no process but its own."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from streamdb.errors import ForkedProcess, HandleClosed


class Lifetime:
    """From the making of an object to its closing.

    After ``os.fork()`` the child holds copies of the parent's sockets and files. Using them, or
    closing them in good order, would mix into what the parent is saying.

    >>> lifetime = Lifetime("http://localhost/v1/stream/demo")
    >>> lifetime.end(), lifetime.end()
    (True, False)
    """

    def __init__(self, shown: str) -> None:
        self._shown: Final = shown
        self._process: Final = os.getpid()
        self._is_over = False
        self._sleepers: Final[set[asyncio.Future[None]]] = set()

    @property
    def is_over(self) -> bool:
        """Whether the object was closed."""
        return self._is_over

    def check(self) -> None:
        """Do nothing if the object may be used.

        Raises:
            HandleClosed: it was closed.
            ForkedProcess: it was made before a fork, in the parent process.
        """
        if self._is_over:
            raise HandleClosed(f"{self._shown}: this handle is closed; open the stream anew")
        if os.getpid() != self._process:
            raise ForkedProcess(
                f"{self._shown}: this handle was opened before os.fork() and belongs to the parent "
                "process; open the stream anew in the child"
            )

    def end(self) -> bool:
        """Close; return True if this is the first time and the process the right one."""
        is_first = not self._is_over and os.getpid() == self._process
        self._is_over = True
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_result(None)
        return is_first

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop, but no longer than until the object is closed on it."""
        if self._is_over:
            return
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.add(sleeper)
        try:
            await asyncio.wait([sleeper], timeout=seconds)
        finally:
            self._sleepers.discard(sleeper)
            sleeper.cancel()
