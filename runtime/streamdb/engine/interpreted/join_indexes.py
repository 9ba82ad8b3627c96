"""How a join finds rows of one side by the values that rows of the other side are joined by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from streamdb.engine.executor import Item, Key
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.plan import Edge, Filter, Join, Scan, Where
from streamdb.engine.row_functions import Column, RowFunctions
from streamdb.expr.nodes import ColumnNode, Node
from streamdb.expr.shape import Shape
from streamdb.expr.sources import Source

#: From a row to what it is joined by: a value, or the tuple of several; None if it equals nothing.
ValueOf = Callable[[Item], Any]


class Index(Protocol):
    """Finds the rows of one side of a join by what they are joined by, which is never None here.

    Raises:
        ExpressionError: (any method) a value cannot be looked up.
    """

    def load(self, keys: Iterable[Key], values: Iterable[Any]) -> None:
        """Take in all rows, once: their keys, and what each is joined by, which may be None."""
        ...

    def move(self, key: Key, old: Any, new: Any) -> None:
        """Note that a row is found by another value; None is for a row that is not found."""
        ...

    def candidates(self, value: Any) -> Iterable[Key]:
        """Return all rows that had this value before the commit, and perhaps one that had not."""
        ...

    def partners(self, value: Any) -> Iterable[Key]:
        """Return the rows that have this value now."""
        ...


class KeyIndex:
    """Takes the rows themselves for the index, by a value that is their key; keeps nothing.

    Args:
        input: the rows, by the keys of ``source``.
        value_of: what a row is joined by.
        source: makes the key from the value.
        number: which of several values it is; None if there are no others.
    """

    def __init__(
        self, input: Operator, value_of: ValueOf, source: Source, number: int | None
    ) -> None:
        self._input: Final = input
        self._value_of: Final = value_of
        self._key_of: Final = source.key_of
        self._number: Final = number

    def load(self, keys: Iterable[Key], values: Iterable[Any]) -> None:
        """Do nothing: they are there."""

    def move(self, key: Key, old: Any, new: Any) -> None:
        """Do nothing: the row is where it is."""

    def candidates(self, value: Any) -> Iterable[Key]:
        """Return the only key that a row of this value can have had."""
        key = self._key_of(value if self._number is None else value[self._number])
        return () if key is None else (key,)  # None is the key of no row, but that of a lone one

    def partners(self, value: Any) -> Iterable[Key]:
        """Look it up, and compare the other values, too."""
        number = self._number
        key = self._key_of(value if number is None else value[number])
        row = self._input.rows.get(key)
        if row is None or (number is not None and self._value_of(row) != value):
            return ()
        return (key,)


def partners_of(index: Index, values: Sequence[Any]) -> Callable[[Any], Iterable[Key]]:
    """Return what finds the rows of these values, which asks for each of them once.

    Args:
        index: finds them.
        values: those that it will be asked for, again and again perhaps, and None.
    """
    try:
        found = set(values)
    except TypeError:
        return index.partners  # says what is wrong with a value
    if 2 * len(found) > len(values):
        return index.partners
    found.discard(None)
    return {value: index.partners(value) for value in found}.__getitem__


def joined_by(functions: RowFunctions, nodes: Sequence[Node], shape: Shape) -> ValueOf:
    """Return the function from a row to what it is joined by: null and NaN equal nothing."""
    if len(nodes) == 1:
        read = functions.value_of(nodes[0], shape)

        def value_of(row: Item) -> Any:
            value = read(row)
            return value if value == value else None

        return value_of

    read_all = functions.values_of(nodes, shape)

    def values_of(row: Item) -> Any:
        values = read_all(row)
        for value in values:
            if value is None or value != value:
                return None
        return values

    return values_of


def column_joined_by(functions: RowFunctions, nodes: Sequence[Node], shape: Shape) -> Column:
    """Return the function from many rows to what each is joined by."""
    if len(nodes) != 1:
        value_of = joined_by(functions, nodes, shape)
        return lambda rows: list(map(value_of, rows))
    column = functions.column_of(nodes[0], shape)
    return lambda rows: [value if value == value else None for value in column(rows)]


class KeyedSide(NamedTuple):
    """A side of a join that needs no index of its own.

    Attributes:
        side: 0 is left, 1 is right.
        number: which of the pairs compares with its key; None if there are no others.
        source: whose key it is.
    """

    side: int
    number: int | None
    source: Source


def keyed_side(node: Join) -> KeyedSide | None:
    """Return the side of which a pair compares the key, if there is one; right before left."""
    for side, edge in ((1, node.right), (0, node.left)):
        source = _source_of(edge)
        if source is None or source.key_column is None:
            continue
        key = ColumnNode(source.key_column)
        for number, pair in enumerate(node.pairs):
            if pair[side] == key:
                return KeyedSide(side, number if len(node.pairs) > 1 else None, source)
    return None


def _source_of(edge: Edge) -> Source | None:
    """Return the source if the rows of an edge are its rows, or some of them."""
    if isinstance(edge.node, Scan) and all(isinstance(step, Where | Filter) for step in edge.steps):
        return edge.node.source
    return None
