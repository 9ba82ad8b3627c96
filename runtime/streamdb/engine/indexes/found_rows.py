"""The rows of a source that a load looks at: those that an index finds, or all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from streamdb.engine.executor import Item, Key
from streamdb.engine.indexes import paying
from streamdb.engine.indexes.lookups import AnyOf, Lookup, Range, lookups_of
from streamdb.engine.indexes.ordered_index import OrderedIndex
from streamdb.engine.indexes.row_indexes import RowIndexes
from streamdb.engine.indexes.value_index import ValueIndex
from streamdb.engine.plan import Step
from streamdb.errors import ExpressionError
from streamdb.expr.shape import Getter, Shape
from streamdb.expr.sources import Rows, Source


class FoundRows:
    """Finds the rows of a source that may pass steps.

    Args:
        source: what holds them.
        steps: what they go through first.
        shape: of the rows of the source.
    """

    def __init__(self, source: Source, steps: Sequence[Step], shape: Shape) -> None:
        self._source: Final = source
        self._getter: Final = getter_of(shape)
        self._lookups: Final = () if self._getter is None else lookups_of(steps)

    def rows(self) -> Mapping[Key, Item]:
        """Return all rows that pass, and perhaps others, in the order of arrival."""
        table, few = self._source.table, self.few()
        if few is None:
            return table.rows
        ordered = sorted(few, key=table.arrival) if len(few) > 1 else few
        return {key: table.rows[key] for key in ordered}

    def few(self) -> Collection[Key] | None:
        """Return the keys of those rows where something finds them and they are few, else None."""
        for lookup in self._lookups:
            keys = self._by_key(lookup)
            if keys is None:
                keys = self._by_index(lookup, may_make=False)
            if keys is not None:
                return keys
        for lookup in self._lookups:
            if self._could_make_index(lookup):
                return self._by_index(lookup, may_make=True)
        return None

    def _by_key(self, lookup: Lookup) -> Collection[Key] | None:
        """Return the keys of rows whose keys are asked for."""
        source = self._source
        if not isinstance(lookup, AnyOf) or lookup.column.name != source.key_column:
            return None
        if not all(isinstance(value, str | int | float) for value in lookup.values):
            return None  # equal to a key, perhaps, as decimals are
        return {key for key in map(source.key_of, lookup.values) if key in source.table.rows}

    def _could_make_index(self, lookup: Lookup) -> bool:
        table = self._source.table
        indexes = indexes_of(table)
        kind = _KINDS[type(lookup)]
        return indexes is not None and indexes.could_make(kind, lookup.column, len(table.rows))

    def _by_index(self, lookup: Lookup, *, may_make: bool) -> Collection[Key] | None:
        """Return the keys of rows that an index finds, if there is one and they are few."""
        table, getter = self._source.table, self._getter
        indexes = indexes_of(table)
        if indexes is None or getter is None:
            return None
        most = len(table.rows) // paying.FOUND_OF
        asked = lookup.column, getter, table.rows
        try:
            match lookup:
                case AnyOf(_, values):
                    having = partial(_having, values=values, most=most)
                    return indexes.find(ValueIndex, *asked, having, may_make=may_make)
                case Range(_, low, high):
                    between = partial(_between, low=low, high=high, most=most)
                    return indexes.find(OrderedIndex, *asked, between, may_make=may_make)
        except (ExpressionError, TypeError, ArithmeticError):
            return None  # the constants do not suit the column; looking at rows will say so


_KINDS: Final[Mapping[type[Lookup], type[ValueIndex | OrderedIndex]]] = {
    AnyOf: ValueIndex,
    Range: OrderedIndex,
}


def _having(index: ValueIndex, values: Iterable[Any], most: int) -> Collection[Key] | None:
    found = [index.keys_of(value) for value in set(values)]
    return [key for keys in found for key in keys] if sum(map(len, found)) <= most else None


def _between(index: OrderedIndex, low: Any, high: Any, most: int) -> Collection[Key] | None:
    return list(index.keys_between(low, high)) if index.count_between(low, high) <= most else None


def getter_of(shape: Shape) -> Getter | None:
    """Return what makes the readers of columns, of rows that are not tuples."""
    return None if shape.is_tuple else shape.slots[0].getter


def indexes_of(table: Rows) -> RowIndexes | None:
    """Return the indexes of rows, which follow them from now on; None of a few rows."""
    if table.indexes is None:
        if len(table.rows) < paying.LEAST_ROWS:
            return None
        table.indexes = RowIndexes()
    assert isinstance(table.indexes, RowIndexes)  # noqa: S101 - nothing else sets them
    return table.indexes
