"""Iterators over the changes of a collection or a live query, and what they read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from streamdb.collections.changes import Buffer, Changes
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.items import AsyncItems, BlockingItems, Over

Row = TypeVar("Row")
Key = TypeVar("Key", bound=str | int)


class ChangeReader(Generic[Row, Key]):
    """One reader's end of the changes: takes what is pending, or learns that it is over.

    Args:
        buffer: gathers it.
        lock: held by commits.
        check_started: raises if nothing will ever come, for nothing is connected.
        present: makes what users see.
        stop: ends the gathering.
    """

    def __init__(
        self,
        buffer: Buffer,
        lock: CommitLock,
        check_started: Callable[[], None],
        present: Callable[[Sequence[Any]], Changes[Row, Key]],
        stop: Callable[[], None],
    ) -> None:
        self._buffer = buffer
        self._lock = lock
        self._check_started = check_started
        self._present = present
        self._stop = stop

    def take(self) -> Changes[Row, Key] | None:
        """Return what is pending, or None if nothing is yet.

        Raises:
            Over: nothing will be.
            StreamDBError: what ended the reading of the stream.
        """
        with self._lock:
            ended = self._buffer.ended
            deltas = self._buffer.take()
        if deltas:
            return self._present(deltas)
        if not ended:
            self._check_started()  # or the wait would never end
            return None
        if self._buffer.error is not None:
            raise self._buffer.error
        raise Over

    def close(self) -> None:
        """Stop watching; an iteration that waits ends."""
        self._stop()
        self._buffer.end(None)


class AsyncChanges(AsyncItems[Changes[Row, Key]], Generic[Row, Key]):
    """An async iterator over changes; registered when it is made."""


class BlockingChanges(BlockingItems[Changes[Row, Key]], Generic[Row, Key]):
    """An iterator over changes; registered when it is made."""
