"""What a slow reader of an ordered result has not taken yet."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Final

from streamdb.collections.changes import Buffer
from streamdb.engine.executor import Changes
from streamdb.engine.positioned_net import net_changes

#: So many changes are kept as they came, before they are made the fewest that say the same.
_SPARE: Final = 1024
#: How many times as many there may be as they amount to.
_GROWTH: Final = 4


class PositionedBuffer(Buffer):
    """One net change for a key, with indices, from the list that its reader has to the newest one.

    A reader who keeps up is given the changes of each commit as they are. For one who does not,
    they are brought together when they are taken, and before that whenever they are several times
    as many as they amount to: so they are at most a few for each row. That takes time in proportion
    to the changes.

    Args:
        wake: called when there may be more.
        length: of the list that the reader has.
    """

    def __init__(self, wake: Callable[[], None], length: int = 0) -> None:
        super().__init__(wake)
        self._length = length
        self._commits: list[Changes] = []
        self._count = 0
        self._limit = _SPARE

    def push(self, changes: Changes) -> None:
        """Add the changes of a commit."""
        # A row that only moved in the order of arrival is nothing to a reader.
        seen = [
            change for change in changes if change[1] is not change[2] or change[3] != change[4]
        ]
        if self.ended or not seen:
            return
        with self._lock:
            self._commits.append(seen)
            self._count += len(seen)
            if self._count > self._limit and len(self._commits) > 1:
                net = net_changes(chain.from_iterable(self._commits), self._length)
                self._commits, self._count = [net], len(net)
                self._limit = _GROWTH * len(net) + _SPARE
        self._wake()

    def take(self) -> Changes:
        """Return what is pending, and begin anew."""
        with self._lock:
            commits, length = self._commits, self._length
            self._commits, self._count, self._limit = [], 0, _SPARE
            changes = list(chain.from_iterable(commits))
            self._length += sum((c[2] is not None) - (c[1] is not None) for c in changes)
        return net_changes(changes, length) if len(commits) > 1 else changes
