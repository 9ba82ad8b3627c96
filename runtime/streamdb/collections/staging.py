"""What a live batch does to one collection, before any of it shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from streamdb.collections.changes import Delta, net_deltas
from streamdb.collections.loading import LoadingRows
from streamdb.collections.ordinals import Ordinals
from streamdb.collections.overlay import NO_ECHOES, Echoes
from streamdb.collections.table import Table
from streamdb.state.sink import Sink
from streamdb.state.unknown_fields import Stored, stored


class StagedRows:
    """Operations on a table that are not carried out yet."""

    def __init__(self, table: Table) -> None:
        self._table: Final = table
        self._rows: Final = _Rows()
        self._ordinals: Final = Ordinals()
        #: Whether ``Stored`` rows may be among those that are staged.
        self.hold_texts = False
        #: Whether what is staged takes the place of all rows.
        self.are_all = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is staged."""
        return not (self.are_all or self._rows)

    @property
    def sink(self) -> Sink:
        """Where rows are staged."""
        return Sink(self._rows, self._ordinals.keys, self._ordinals.numbers)

    def get(self, key: str) -> Stored | None:
        """Return the row as it will be."""
        if self.are_all or key in self._rows:
            return stored(self._rows.get(key))
        return self._table.stored(key)

    def written(self) -> Iterator[tuple[str, int]]:
        """Iterate over the keys that are written, and the ordinals of the events that do it."""
        return zip(self._ordinals.keys, self._ordinals.numbers, strict=True)

    def remove(self, key: str, ordinal: int, /) -> None:
        """Stage a removal."""
        if self.are_all:
            self._rows.pop(key, None)
        else:
            self.sink.put(key, None, ordinal)

    def clear(self) -> None:
        """Stage that all rows go, those that were staged before, too."""
        self.forget()
        self.are_all = True

    def forget(self) -> None:
        """Stage nothing."""
        self._rows.clear()
        self._ordinals.clear()
        self.are_all = False

    def saved(self) -> tuple[Any, ...]:
        """Return what `restore` takes to stage again what is staged now."""
        rows, ordinals = self._rows, self._ordinals
        return dict(rows), list(rows.written), ordinals.keys[:], ordinals.numbers[:], self.are_all

    def restore(self, before: tuple[Any, ...]) -> None:
        """Stage what was staged when it was saved, and nothing since."""
        rows, written, keys, numbers, are_all = before
        self.forget()
        self._rows.update(rows)
        self._rows.written.extend(written)
        self._ordinals.keys.extend(keys)
        self._ordinals.numbers.extend(numbers)
        self.are_all = are_all

    def commit(self, echoes: Echoes = NO_ECHOES) -> list[Delta]:
        """Carry it out, and return what changed; nothing is staged any more.

        ``echoes`` are those of the batch.
        """
        deltas = self._replace(echoes) if self.are_all else self._write(echoes)
        self.forget()
        return deltas

    def _write(self, echoes: Echoes) -> list[Delta]:
        writes = zip(self._ordinals.keys, self._rows.written, self._ordinals.numbers, strict=True)
        return self._table.write(writes, echoes)

    def _replace(self, echoes: Echoes) -> list[Delta]:
        keys, numbers = self._ordinals.keys, self._ordinals.numbers
        loaded = LoadingRows()
        loaded.hold_texts = self.hold_texts
        loaded.rows.update(self._rows)
        loaded.ordinals.keys.extend(keys)
        loaded.ordinals.numbers.extend(numbers)
        before = self._table.replace(loaded, echoes)
        rows = self._table.rows
        # Rows that show as before, for that is pending, have another place now.
        moved = [key for key in self._table.overlay if before.get(key) is rows.get(key)]
        unchanged = [(key, rows[key], rows[key]) for key in moved if key in rows]
        return net_deltas(before, rows) + unchanged


class _Rows(dict[str, Any]):
    """Rows as they will be, None for those that are removed, and every one that was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: Final[list[Any]] = []

    def __setitem__(self, key: str, row: Any) -> None:
        super().__setitem__(key, row)
        self.written.append(row)

    def clear(self) -> None:
        super().clear()
        self.written.clear()
