"""How the reading of a database stands, and who follows it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Literal
from weakref import WeakSet

from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.items import Over

Status = Literal[
    "idle",
    "connecting",
    "catching_up",
    "live",
    "reconnecting",
    "ended",
    "closed",
    "error",
]

#: With one of these, what was loaded is there, or will never be.
_SETTLED: Final[frozenset[Status]] = frozenset({"live", "ended", "closed", "error"})
#: A connection may come and go for weeks, and who follows it may be slow.
_KEPT: Final = 100


class StatusBoard:
    """The status of one database: set on its loop, read and followed on any thread."""

    def __init__(self, lock: CommitLock) -> None:
        self.now: Status = "idle"
        #: Called after every change.
        self.on_change: Callable[[], None] = lambda: None
        #: What ended the reading, if a fault did.
        self.failure: BaseException | None = None
        #: Set once the first load is committed, or will never be.
        self.loaded: Final = asyncio.Event()
        self._lock: Final = lock
        self._feeds: Final[WeakSet[StatusFeed]] = WeakSet()

    def set(self, status: Status, failure: BaseException | None = None) -> None:
        """Move on. A failure stays what it is, also when the database is closed after it."""
        with self._lock:
            self.failure = self.failure or failure
            if status == self.now:
                return
            self.now = status
            for feed in list(self._feeds):
                feed.push(status)
        if status in _SETTLED:
            self.loaded.set()
        self.on_change()

    def follow(self, wake: Callable[[], None]) -> StatusFeed:
        """Return a feed of what the status will be from now on."""
        with self._lock:
            feed = StatusFeed(wake, self._lock, is_over=self.now == "closed")
            self._feeds.add(feed)
        return feed


class StatusFeed:
    """One follower's end: every status in order, the last hundred if it is slow."""

    def __init__(self, wake: Callable[[], None], lock: CommitLock, *, is_over: bool) -> None:
        self._wake: Final = wake
        self._lock: Final = lock
        self._pending: Final[deque[Status]] = deque(maxlen=_KEPT)
        self._is_over = is_over

    def push(self, status: Status) -> None:
        """Note what the status is now; nothing comes after ``closed``."""
        if not self._is_over:
            self._pending.append(status)
            self._is_over = status == "closed"
            self._wake()

    def take(self) -> Status | None:
        """Return the next status, or None if nothing has changed. Raises Over after the last."""
        with self._lock:  # which tells a forked child that nothing will
            if self._pending:
                return self._pending.popleft()
            if self._is_over:
                raise Over
            return None

    def close(self) -> None:
        """Take no more; an iteration that waits ends."""
        self._is_over = True
        self._wake()
