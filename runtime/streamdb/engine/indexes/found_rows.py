"""The rows of a source that a load looks at: those that an index finds, or all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

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
        few = self.few()
        return self._source.table.rows if few is None else few

    def few(self) -> Mapping[Key, Item] | None:
        """Return those rows where something finds them and they are few, else None."""
        table = self._source.table
        may_make = True
        for lookup in self._lookups:
            keys = self._by_key(lookup)
            if keys is None:
                keys = self._by_index(lookup, table, may_make=may_make)
                may_make = False
            if keys is not None:
                return {key: table.rows[key] for key in sorted(keys, key=table.arrival)}
        return None

    def _by_key(self, lookup: Lookup) -> Collection[Key] | None:
        """Return the keys of rows whose keys are asked for."""
        source = self._source
        if not isinstance(lookup, AnyOf) or lookup.column.name != source.key_column:
            return None
        if not all(isinstance(value, str | int | float) for value in lookup.values):
            return None  # equal to a key, perhaps, as decimals are
        return {key for key in map(source.key_of, lookup.values) if key in source.table.rows}

    def _by_index(self, lookup: Lookup, table: Rows, *, may_make: bool) -> Collection[Key] | None:
        """Return the keys of rows that an index finds, if there is one and they are few."""
        if self._getter is None:
            return None
        most = len(table.rows) // paying.FOUND_OF
        indexes = indexes_of(table)
        asked = lookup.column, self._getter, table.rows
        try:
            match lookup:
                case AnyOf(_, values):
                    by_value = indexes.ask(ValueIndex, *asked, may_make=may_make)
                    found = by_value and [by_value.keys_of(value) for value in set(values)]
                    if not found or sum(map(len, found)) > most:
                        return None
                    return [key for keys in found for key in keys]
                case Range(_, low, high):
                    in_order = indexes.ask(OrderedIndex, *asked, may_make=may_make)
                    if in_order is None or in_order.count_between(low, high) > most:
                        return None
                    return list(in_order.keys_between(low, high))
        except (ExpressionError, TypeError, ArithmeticError):
            return None  # the constants do not suit the column; looking at rows will say so


def getter_of(shape: Shape) -> Getter | None:
    """Return what makes the readers of columns, of rows that are not tuples."""
    return None if shape.is_tuple else shape.slots[0].getter


def indexes_of(table: Rows) -> RowIndexes:
    """Return the indexes of rows, which follow them from now on."""
    if table.indexes is None:
        table.indexes = RowIndexes()
    assert isinstance(table.indexes, RowIndexes)  # noqa: S101 - nothing else sets them
    return table.indexes
