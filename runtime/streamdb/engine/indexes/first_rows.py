"""The first rows of an order, found without looking at the others."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Final, TypeAlias

from streamdb.engine.executor import Item, Key
from streamdb.engine.indexes import paying
from streamdb.engine.indexes.found_rows import FoundRows, getter_of, indexes_of
from streamdb.engine.indexes.ordered_index import OrderedIndex
from streamdb.engine.never_raising import has_value, never_raises
from streamdb.engine.plan import Order, Where
from streamdb.expr.nodes import ColumnNode
from streamdb.expr.sources import Source

#: Returns a row that passes, and None for another one.
Passing: TypeAlias = Callable[[Key, Item], Item | None]


class FirstRows:
    """Finds rows that pass conditions, by the order that is asked of them.

    Args:
        source: what holds the rows.
        node: the order; all steps of its input are conditions.
        passing: tells whether a row passes; None if there are no conditions.
    """

    def __init__(self, source: Source, node: Order, passing: Passing | None) -> None:
        steps, shape = node.input.steps, node.input.shape
        self._source: Final = source
        self._found: Final = FoundRows(source, steps, shape)
        self._passing: Final = passing
        self._getter: Final = getter_of(shape)
        self._terms: Final = node.terms
        self._column: Final = ordering_column(node)

    def first(self, count: int) -> Collection[tuple[Key, Item]]:
        """Return so many of the first rows that pass, or all that there are; and others, perhaps.

        Raises:
            ExpressionError: conditions do not suit the rows.
        """
        few = self._found.few()
        if few is None and (found := self._by_order(count)) is not None:
            return found
        rows, passing = self._source.table.rows, self._passing
        pairs = rows.items() if few is None else [(key, rows[key]) for key in few]
        return pairs if passing is None else [pair for pair in pairs if passing(*pair) is not None]

    def _by_order(self, count: int) -> Collection[tuple[Key, Item]] | None:
        """Return those that an index finds soon: of rows that are equal to it, all."""
        table, column, getter = self._source.table, self._column, self._getter
        if column is None or getter is None or count > len(table.rows) // paying.PASSED_OF:
            return None
        indexes = indexes_of(table)
        if indexes is None:
            return None
        soon = partial(self._soon, count=count)
        return indexes.find(OrderedIndex, column, getter, table.rows, soon, goes_through=True)

    def _soon(self, index: OrderedIndex, count: int) -> Collection[tuple[Key, Item]] | None:
        term, passing = self._terms[0], self._passing
        rows = self._source.table.rows
        most = len(rows) // paying.PASSED_OF
        found: list[tuple[Key, Item]] = []
        for group in index.groups(descending=term.descending, nulls_first=term.nulls_first):
            for key in group:
                if not most:
                    return None
                most -= 1
                if passing is None or passing(key, rows[key]) is not None:
                    found.append((key, rows[key]))
            if len(found) >= count:
                break
        return found


def ordering_column(node: Order) -> ColumnNode | None:
    """Return the column whose order finds the first rows of an order, if one can.

    It does not where a condition could raise, or a further term: then it is asked of all rows.
    """
    column = node.terms[0].node if node.terms else None
    may_skip = all(
        isinstance(step, Where) and never_raises(step.condition, step.shape)
        for step in node.input.steps
    ) and all(has_value(term.node, node.input.shape) for term in node.terms)
    return column if may_skip and isinstance(column, ColumnNode) else None
