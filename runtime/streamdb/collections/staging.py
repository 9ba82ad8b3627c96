"""What a live batch does to one collection, before any of it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from streamdb.collections.changes import Delta, net_deltas
from streamdb.collections.loading import LoadingRows
from streamdb.collections.table import Table, Write
from streamdb.state.fold import Sink
from streamdb.state.unknown_fields import Stored

_REMOVAL: Final = -1  # no event has it for an ordinal


class StagedRows:
    """Operations on a table that are not carried out yet."""

    def __init__(self, table: Table) -> None:
        self._table: Final = table
        # None stands for a row that is removed, unless these take the place of all rows.
        self._staged: Final = LoadingRows()
        self._are_all: bool = False

    @property
    def sink(self) -> Sink:
        """Where rows are staged."""
        return self._staged.sink

    def get(self, key: str) -> Stored | None:
        """Return the row as it will be."""
        if self._are_all or key in self._staged.rows:
            return self._staged.get(key)
        return self._table.stored(key)

    def remove(self, key: str) -> None:
        """Stage a removal."""
        if self._are_all:
            self._staged.remove(key)
        else:
            self.sink.put(key, None, _REMOVAL)

    def tidy(self) -> None:
        """Do nothing: a batch is short."""

    def clear(self) -> None:
        """Stage that all rows go, those that were staged before, too."""
        self._staged.clear()
        self._are_all = True

    def commit(self) -> list[Delta]:
        """Carry it out, and return what changed."""
        if not self._are_all:
            return self._table.write(self._writes())
        before = self._table.replace(self._staged)
        return net_deltas(before, self._table.rows)

    def _writes(self) -> Iterator[Write]:
        """Yield what was staged in order; each row as it is in the end, for no other one shows."""
        rows, keys, ordinals = self.sink
        for key, ordinal in zip(keys, ordinals, strict=True):
            yield key, None if ordinal == _REMOVAL else rows[key], ordinal
