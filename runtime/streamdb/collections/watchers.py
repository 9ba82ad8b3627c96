"""Who is told of the changes of one set of rows, and when no more will come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from streamdb.collections.callbacks import run_callback

#: Is given the changes of a commit: tuples that begin with key, old and new row.
Watcher: TypeAlias = Callable[[Sequence[Any]], None]
Ended: TypeAlias = Callable[[BaseException | None], None]


class Watchers:
    """The watchers of a collection or of a live query."""

    def __init__(self) -> None:
        self._watchers: dict[int, tuple[Watcher, Ended]] = {}
        self._next = 0
        self._end: tuple[BaseException | None] | None = None

    def __len__(self) -> int:
        return len(self._watchers)

    def add(self, watcher: Watcher, ended: Ended) -> Callable[[], None]:
        """Call ``watcher`` after every commit that changes rows; return how to stop."""
        number = self._next
        self._next += 1
        if self._end is not None:
            ended(self._end[0])
        else:
            self._watchers[number] = (watcher, ended)

        def stop() -> None:
            self._watchers.pop(number, None)

        return stop

    def notify(self, changes: Sequence[Any]) -> None:
        """Tell the watchers; the error of one does not reach the others."""
        for watcher, _ in list(self._watchers.values()):
            run_callback(watcher, changes)

    def end(self, error: BaseException | None) -> None:
        """Tell the watchers that nothing more will come; the first end is the one that counts."""
        if self._end is not None:
            return
        self._end = (error,)
        watchers, self._watchers = self._watchers, {}
        for _, ended in watchers.values():
            ended(error)
