"""The lock of a database: held by commits, and by reads, so that nobody sees half of a batch."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final
from weakref import WeakSet

from streamdb.errors import ForkedProcess


class CommitLock:
    """A re-entrant lock that knows that it was copied by ``os.fork()``.

    The thread that reads and commits stays behind in the parent process. In the child, rows would
    stand still without a word, and the lock may be held by nobody for ever; so whoever takes it
    there is told.
    """

    __slots__ = ("__weakref__", "_owner", "acquire", "release")

    def __init__(self, owner: str) -> None:
        self._owner = owner
        lock = threading.RLock()
        #: Takes the lock. Raises ForkedProcess in a child process.
        self.acquire: Callable[[], object] = lock.acquire
        #: Releases the lock.
        self.release: Final[Callable[[], None]] = lock.release
        _all_locks.add(self)

    def __enter__(self) -> None:
        """Take the lock. Raises ForkedProcess in a child process."""
        self.acquire()

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        self.release()

    def mark_as_copy(self) -> None:
        """Refuse from now on: this process is the child of the one that made the lock."""
        self.acquire = self._refuse

    def _refuse(self) -> None:
        raise ForkedProcess(
            f"{self._owner}: this database was opened before os.fork() and lives in the parent "
            "process; open it anew in the child"
        )


_all_locks: Final[WeakSet[CommitLock]] = WeakSet()


def _mark_all_as_copies() -> None:
    for lock in list(_all_locks):
        lock.mark_as_copy()


os.register_at_fork(after_in_child=_mark_all_as_copies)
