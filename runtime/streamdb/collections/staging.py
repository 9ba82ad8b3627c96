"""What a live batch does to one collection, before any of it shows."""

from __future__ import annotations

from typing import Any, Final

from streamdb.collections.changes import Delta, net_deltas
from streamdb.collections.loading import LoadingRows
from streamdb.collections.table import Table, Write
from streamdb.state.unknown_fields import Stored, stored


class StagedRows:
    """Operations on a table that are not carried out yet."""

    def __init__(self, table: Table) -> None:
        self._table: Final = table
        self._writes: Final[list[Write]] = []
        self._latest: Final[dict[str, Any | None]] = {}
        self._fresh: LoadingRows | None = None  # what takes the place of all rows

    def get(self, key: str) -> Stored | None:
        """Return the row as it will be."""
        if self._fresh is not None:
            return self._fresh.get(key)
        return stored(self._latest[key]) if key in self._latest else self._table.stored(key)

    def put(self, key: str, row: Any, ordinal: int) -> None:
        """Stage a row."""
        if self._fresh is not None:
            self._fresh.put(key, row, ordinal)
        else:
            self._latest[key] = row
            self._writes.append((key, row, ordinal))

    def remove(self, key: str) -> None:
        """Stage a removal."""
        if self._fresh is not None:
            self._fresh.remove(key)
        else:
            self._latest[key] = None
            self._writes.append((key, None, 0))

    def tidy(self) -> None:
        """Do nothing: a batch is short."""

    def clear(self) -> None:
        """Stage that all rows go, those that were staged before, too."""
        self._fresh = LoadingRows()

    def commit(self) -> list[Delta]:
        """Carry it out, and return what changed."""
        if self._fresh is None:
            return self._table.write(self._writes)
        before = self._table.replace(self._fresh)
        return net_deltas(before, self._table.rows)
