"""When users' code runs: between two commits, and never in one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from streamdb.collections.callbacks import run_callback
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.origin import release
from streamdb.engine.graph import Graph


class CommitTurns:
    """The commits of a database, one after the other, and what is called after each.

    A commit is a ``with`` block, which holds the lock; there may be others within. So nobody's code
    sees half of one or changes it.

    Args:
        lock: of the database.
        graph: its live queries. When the lock is free again, who follows them elsewhere is told,
            before all other calls; and after those it raises what has interrupted one.
    """

    __slots__ = ("_calls", "_depth", "_graph", "_is_calling", "_lock")

    def __init__(self, lock: CommitLock, graph: Graph) -> None:
        self._lock: Final = lock
        self._graph: Final = graph
        self._depth = 0
        self._calls: Final[deque[Callable[[], object]]] = deque()
        self._is_calling = False

    def __enter__(self) -> None:
        """Begin a commit. Raises ForkedProcess."""
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        """End a commit; after the outermost one, make the calls."""
        self._depth -= 1
        is_over = not self._depth
        self._lock.release()
        if is_over:
            if self._graph.followers.were_any:
                release(self._graph)
            if self._calls:
                self._make_calls()
            if self._graph.interrupt is not None:
                self._graph.raise_interrupt()

    def after(self, call: Callable[[], object]) -> None:
        """Call users' code now, or after the commit that is under way."""
        self._calls.append(call)
        if not self._depth:
            self._make_calls()

    def _make_calls(self) -> None:
        if self._is_calling:
            return  # called by such code; it goes on with what came of it in a moment
        self._is_calling = True
        try:
            while self._calls:
                run_callback(self._calls.popleft())
        finally:
            self._is_calling = False
