"""The rows of one collection and its watchers; written by commits alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from streamdb.collections.callbacks import run_callback
from streamdb.collections.changes import Delta, net_deltas

Watcher = Callable[[Sequence[Delta]], None]
Ended = Callable[[BaseException | None], None]


class Table:
    """Rows by the text of their key, in order of first insertion in the stream.

    A dictionary keeps that order by itself: writing a key again keeps its place, removing and
    writing it puts it last.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self._watchers: dict[int, tuple[Watcher, Ended]] = {}
        self._next_watcher = 0
        self._end: tuple[BaseException | None] | None = None

    def write(self, writes: Iterable[tuple[str, Any | None]]) -> list[Delta]:
        """Apply operations in order and return their net effect."""
        rows = self.rows
        before: dict[str, Any | None] = {}
        for key, row in writes:
            if row is None:
                old = rows.pop(key, None)
            else:
                old = rows.get(key)
                rows[key] = row
            before.setdefault(key, old)
        deltas = (Delta(key, old, rows.get(key)) for key, old in before.items())
        return [delta for delta in deltas if delta.old is not delta.new]

    def replace(self, rows: dict[str, Any]) -> list[Delta]:
        """Put other rows in place of all and return the difference."""
        before, self.rows = self.rows, rows
        return net_deltas(before, rows)

    def watch(self, watcher: Watcher, ended: Ended) -> Callable[[], None]:
        """Call ``watcher`` after every commit that changes rows; return how to stop."""
        number = self._next_watcher
        self._next_watcher += 1
        if self._end is not None:
            ended(self._end[0])
        else:
            self._watchers[number] = (watcher, ended)

        def stop() -> None:
            self._watchers.pop(number, None)

        return stop

    def notify(self, deltas: Sequence[Delta]) -> None:
        """Tell the watchers; the error of one does not reach the others."""
        for watcher, _ in list(self._watchers.values()):
            run_callback(partial(watcher, deltas))

    def end(self, error: BaseException | None) -> None:
        """Tell the watchers that nothing more will come; the first end is the one that counts."""
        if self._end is not None:
            return
        self._end = (error,)
        watchers, self._watchers = self._watchers, {}
        for _, ended in watchers.values():
            ended(error)
