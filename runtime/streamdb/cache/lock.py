"""One cache file, one database: an advisory lock on a file beside it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final
from weakref import WeakSet

from streamdb.errors import CacheError, CacheInUse


class CacheLock:
    """Holds ``FILE-lock`` until released.

    The system frees it when the process ends in any way. Children that the process forks hold no
    part of it.

    Raises:
        CacheInUse: another database holds it, in this process or in another one.
        CacheError: there can be no file.
    """

    def __init__(self, path: Path) -> None:
        name = f"{path}-lock"
        try:
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CacheError(f"the cache {path} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise CacheInUse(
                f"the cache {path} is in use by another database: give each a file of its own"
            ) from None
        self._descriptor: int | None = descriptor
        _held.add(self)

    def release(self) -> None:
        """Free the lock. The file stays: removing it would let two processes hold it."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self.let_go()

    def let_go(self) -> None:
        """Hold no part of the lock any more, and leave it to the process that does."""
        _held.discard(self)
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


_held: Final[WeakSet[CacheLock]] = WeakSet()


def _let_go_in_child() -> None:
    # The lock is of the open file, which a child shares: it would outlive the parent in the child.
    for lock in list(_held):
        lock.let_go()


os.register_at_fork(after_in_child=_let_go_in_child)
