"""One view of all collections that stands still while its block of code runs.

Rows of the view are those of the tables themselves. A commit that comes meanwhile leaves them to
the snapshots that hold them, and goes on with a copy of the collections that it changes; so a
snapshot costs nothing if there is none, and holds up no commit.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from streamdb.collections.callers import this_task_or_thread
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.table import FrozenRows, Table


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What its owner, a task or a thread, sees.

    Attributes:
        owner: who sees it.
        offset: the position that the rows belong to.
        rows: of every collection.
    """

    owner: object
    offset: str
    rows: Mapping[Table, FrozenRows]


class Snapshots:
    """The open snapshots of one database.

    Args:
        lock: held by commits.
        tables: all collections.
        offset: tells the position of what shows.
    """

    def __init__(
        self, lock: CommitLock, tables: Mapping[str, Table], offset: Callable[[], str]
    ) -> None:
        self._lock: Final = lock
        self._tables: Final = tables
        self._offset: Final = offset
        self._open: Final[ContextVar[Snapshot | None]] = ContextVar("snapshot", default=None)
        self._count = 0

    @property
    def current(self) -> Snapshot | None:
        """The snapshot that the caller is in, if there is one."""
        if not self._count:
            return None
        # A task started inside the block inherits the variable, but not the snapshot.
        snapshot = self._open.get()
        return (
            snapshot if snapshot is not None and snapshot.owner is this_task_or_thread() else None
        )

    def of(self, table: Table) -> Table | FrozenRows:
        """Return what the caller sees of a collection."""
        snapshot = self.current
        return table if snapshot is None else snapshot.rows[table]

    @contextmanager
    def open(self) -> Generator[None]:
        """Hold what shows now for this task or thread. One inside another is the same one."""
        if self.current is not None:
            yield
            return
        with self._lock:
            rows = {table: table.freeze() for table in self._tables.values()}
            snapshot = Snapshot(this_task_or_thread(), self._offset(), rows)
            self._count += 1
        token = self._open.set(snapshot)
        try:
            yield
        finally:
            self._open.reset(token)
            with self._lock:
                self._count -= 1
                for frozen in rows.values():
                    frozen.holders -= 1
