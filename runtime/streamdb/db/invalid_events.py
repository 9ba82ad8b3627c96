"""The invalid events of a database: each is reported as it is read, and the last ones are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from streamdb.collections.commit_lock import CommitLock
from streamdb.db.options import InvalidEvent
from streamdb.state.fold import Counts

_REMEMBERED: Final = 100


class InvalidEvents:
    """Reports and keeps them.

    Args:
        lock: of the database: they are read on any thread.
        report: called with each; what it raises refuses the batch.
    """

    def __init__(self, lock: CommitLock, report: Callable[[InvalidEvent], None]) -> None:
        self._lock: Final = lock
        self._report: Final = report
        self._last: Final[deque[InvalidEvent]] = deque(maxlen=_REMEMBERED)

    def last(self) -> Sequence[InvalidEvent]:
        """Return the last hundred, oldest first."""
        with self._lock:
            return tuple(self._last)

    def report(self, counts: Counts, offset: str) -> None:
        """Report those of a batch, and keep them.

        Raises:
            InvalidEventError: ``report`` raised it.
        """
        for mistimed in counts.mistimed:
            self._report(InvalidEvent(offset, *mistimed, is_applied=True))  # INVALID-7
        for invalid in counts.invalid:
            event = InvalidEvent(offset, *invalid)
            self._report(event)
            self.keep([event])

    def keep(self, events: Iterable[InvalidEvent]) -> None:
        """Keep some that were reported before, or will be."""
        with self._lock:
            self._last.extend(events)

    def report_kept(self) -> None:
        """Report those that a cache holds, as if they were read now.

        Raises:
            InvalidEventError: ``report`` raised it.
        """
        for event in self.last():
            self._report(event)

    def forget(self) -> None:
        """Keep none of them."""
        with self._lock:
            self._last.clear()
