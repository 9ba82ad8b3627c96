"""Who is told of the changes of one set of rows, and when no more will come."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

log: Final = logging.getLogger("streamdb.collections")

#: Is given the changes of a commit: tuples that begin with key, old and new row. It is no code of
#: users; what calls that hands it to who calls it after the commit.
Watcher: TypeAlias = Callable[[Sequence[Any]], None]
Ended: TypeAlias = Callable[[BaseException | None], None]


class Watchers:
    """The watchers of a collection or of a live query."""

    def __init__(self) -> None:
        self._watchers: dict[int, tuple[Watcher, Ended, bool]] = {}
        self._next = 0
        self._end: tuple[BaseException | None] | None = None
        self._is_final = False

    def __len__(self) -> int:
        return len(self._watchers)

    def add(self, watcher: Watcher, ended: Ended, *, outlasts: bool = False) -> Callable[[], None]:
        """Call ``watcher`` after every commit that changes rows; return how to stop.

        Args:
            watcher: is given the changes.
            ended: is called when no more will come.
            outlasts: whether an end that is not final is none for this one.
        """
        number = self._next
        self._next += 1
        if self._end is not None and (self._is_final or not outlasts):
            ended(self._end[0])
        else:
            self._watchers[number] = (watcher, ended, outlasts)

        def stop() -> None:
            self._watchers.pop(number, None)

        return stop

    def notify(self, changes: Sequence[Any]) -> None:
        """Tell the watchers; the error of one does not reach the others."""
        if not self._watchers:
            return
        for watcher, _, _ in list(self._watchers.values()):
            try:
                watcher(changes)
            except Exception:
                log.exception("a watcher raised; the others go on")

    def end(self, error: BaseException | None, *, is_final: bool = True) -> None:
        """Tell the watchers that nothing more will come; the first end is the one that counts.

        Args:
            error: what has ended it, if that was a fault.
            is_final: False if no more comes from the stream alone, and some outlast that.
        """
        if self._is_final:
            return
        self._end, self._is_final = self._end or (error,), is_final
        watchers, self._watchers = self._watchers, {}
        for number, (watcher, ended, outlasts) in watchers.items():
            if outlasts and not is_final:
                self._watchers[number] = (watcher, ended, outlasts)
            else:
                ended(self._end[0])
