"""Iterators, async and blocking, over what happens from the moment when they are made."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Generic, Protocol, Self, TypeVar

from streamdb.errors import WouldDeadlock
from streamdb.query_functions import check_may_wait
from streamdb.streams.loop_thread import on_shared_loop_thread

if TYPE_CHECKING:
    import asyncio

Item = TypeVar("Item")
Handed = TypeVar("Handed", covariant=True)


class Source(Protocol[Handed]):
    """Where items come from. It wakes its iterator whenever `take` may have something new."""

    def take(self) -> Handed | None:
        """Return the next item, or None if there is none yet.

        Raises:
            Over: there will be no more.
            Exception: what ended it.
        """
        ...

    def close(self) -> None:
        """Take nothing in any more."""
        ...


class Over(Exception):
    """A source has no more items."""


class AsyncItems(Generic[Item]):
    """An async iterator; registered when it is made."""

    def __init__(self, source: Source[Item], woken: asyncio.Event) -> None:
        self._source: Final = source
        self._woken: Final = woken

    def __aiter__(self) -> Self:
        return self

    if not TYPE_CHECKING:  # checkers know that there is no such method

        def __iter__(self):
            raise TypeError("an async database's changes are iterated by `async for`")

    async def __anext__(self) -> Item:
        while True:
            self._woken.clear()
            try:
                item = self._source.take()
            except Over:
                raise StopAsyncIteration from None
            if item is not None:
                return item
            await self._woken.wait()

    def close(self) -> None:
        """Stop watching; an iteration that waits ends."""
        self._source.close()


class BlockingItems(Generic[Item]):
    """An iterator; registered when it is made."""

    def __init__(self, source: Source[Item], woken: threading.Event) -> None:
        self._source: Final = source
        self._woken: Final = woken

    def __iter__(self) -> Self:
        return self

    if not TYPE_CHECKING:

        def __aiter__(self):
            raise TypeError(
                "a blocking database's changes are iterated by `for`; for `async for` there is the "
                "Async form of the database"
            )

    def __next__(self) -> Item:
        try:
            item = self.wait(None)
        except Over:
            item = None
        if item is None:
            raise StopIteration
        return item

    def wait(self, timeout: float | None) -> Item | None:
        """Wait for the next item; return None if there is none within so many seconds.

        Raises:
            Over: there will be no more.
            WouldDeadlock: called on streamdb's own thread, or by a function of a query.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._woken.clear()
            item = self._source.take()
            if item is not None:
                return item
            check_may_wait("waiting for changes")
            if on_shared_loop_thread():
                raise WouldDeadlock("waiting on the thread that brings items would wait for ever")
            remaining = None if deadline is None else deadline - time.monotonic()
            # Items that come all the time must not outrun it: a wait of no time may succeed.
            if (remaining is not None and remaining <= 0) or not self._woken.wait(remaining):
                return None

    def close(self) -> None:
        """Stop watching; an iteration that waits ends."""
        self._source.close()
