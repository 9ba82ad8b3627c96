"""Keys of rows by the value of a column."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from msgspec import UNSET

from streamdb.engine.executor import Changes, Item, Key
from streamdb.engine.indexes.hash_index import HashIndex
from streamdb.engine.row_functions import ValueOf
from streamdb.expr.nodes import ColumnNode


class ValueIndex:
    """Finds the rows that have a value; none is found by null or NaN, which equal nothing.

    All methods raise ExpressionError where a value has no hash.

    Args:
        column: which one.
        read: returns its value of a row.
    """

    def __init__(self, column: ColumnNode, read: ValueOf) -> None:
        self._read: Final = read
        self._index: Final = HashIndex([column])

    def load(self, rows: Mapping[Key, Item]) -> None:
        """Take in all rows, once."""
        read = self._read
        values = (
            None if (value := read(row)) is UNSET or value != value else value
            for row in rows.values()
        )
        self._index.load(rows, values)

    def follow(self, changes: Changes) -> None:
        """Take in what has happened to rows."""
        value_of, move = self._value_of, self._index.move
        for key, old, new, *_ in changes:
            move(key, value_of(old), value_of(new))

    def keys_of(self, value: Any) -> Collection[Key]:
        """Return the keys of the rows that have a value."""
        return self._index.partners(value)

    def _value_of(self, row: Item | None) -> Any:
        value = None if row is None else self._read(row)
        return None if value is UNSET or value != value else value
