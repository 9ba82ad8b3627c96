"""One view of all collections that stands still while its block of code runs.

Rows of the view are those of the tables themselves. A commit that comes meanwhile leaves them to
the snapshots that hold them, and goes on with a copy of the collections that it changes; so a
snapshot costs nothing if there is none, and holds up no commit.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from streamdb.collections.callers import OpenBlock
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.frozen_rows import FrozenRows
from streamdb.collections.table import Table


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the task or thread sees that opened it.

    Attributes:
        offset: the position that the rows belong to.
        commit: the number of the last commit that shows.
        rows: of every collection.
        computed: what it takes to keep of live queries that have moved on since.
    """

    offset: str
    commit: int
    rows: dict[Table, FrozenRows]
    computed: dict[Any, Any] = field(default_factory=dict[Any, Any])


class Snapshots:
    """The open snapshots of one database.

    Args:
        lock: held by commits.
        tables: tells all tables that there are.
        offset: tells the position of what shows.
        commit: tells the number of the last commit.
    """

    def __init__(
        self,
        lock: CommitLock,
        tables: Callable[[], Iterable[Table]],
        offset: Callable[[], str],
        commit: Callable[[], int] = lambda: 0,
    ) -> None:
        self._lock: Final = lock
        self._tables: Final = tables
        self._offset: Final = offset
        self._commit: Final = commit
        self._open: Final = OpenBlock[Snapshot]("snapshot")
        self._count = 0

    @property
    def current(self) -> Snapshot | None:
        """The snapshot that the caller is in, if there is one."""
        return self._open.current if self._count else None

    def of(self, table: Table) -> Table | FrozenRows:
        """Return what the caller sees of a collection."""
        snapshot = self.current
        return table if snapshot is None else snapshot.rows[table]

    def keep(self, table: Table, rows: Callable[[Mapping[Table, FrozenRows]], FrozenRows]) -> None:
        """Have a table that was made meanwhile in the snapshot that the caller is in, if any.

        Args:
            table: the table.
            rows: makes what it would have held, of what the others did.
        """
        snapshot = self.current
        if snapshot is not None and table not in snapshot.rows:
            snapshot.rows[table] = rows(snapshot.rows)

    @contextmanager
    def open(self) -> Generator[None]:
        """Hold what shows now for this task or thread. One inside another is the same one."""
        if self.current is not None:
            yield
            return
        with self._lock:
            rows = {table: table.freeze() for table in self._tables()}
            snapshot = Snapshot(self._offset(), self._commit(), rows)
            self._count += 1
        try:
            with self._open.holding(snapshot):
                yield
        finally:
            with self._lock:
                self._count -= 1
                for frozen in rows.values():
                    frozen.holders -= 1
