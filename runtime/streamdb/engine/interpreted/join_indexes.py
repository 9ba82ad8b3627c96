"""How a join finds rows of one side by the values that rows of the other side are joined by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from streamdb.engine.executor import Item, Key
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.plan import Edge, Filter, Join, Scan, Where
from streamdb.engine.row_functions import ValuesOf
from streamdb.errors import ExpressionError
from streamdb.expr.nodes import ColumnNode, Node
from streamdb.expr.sources import Source

#: What a row is joined by; None if one of the values equals nothing.
Values: TypeAlias = tuple[Any, ...] | None


class Index(Protocol):
    """Finds the rows of one side of a join by their values."""

    def add(self, key: Key, row: Item) -> None:
        """Note a row that is there now."""
        ...

    def remove(self, key: Key, row: Item) -> None:
        """Forget a row that is not there any more."""
        ...

    def candidates(self, values: Values) -> Iterable[Key]:
        """Return all rows that had these values before the commit, and perhaps another one.

        Raises:
            ExpressionError: one of the values cannot be looked up.
        """
        ...

    def partners(self, values: Values) -> Iterable[Key]:
        """Return the rows that have these values now. Raises as ``candidates``."""
        ...


class HashIndex:
    """Keeps the keys by the tuple of values.

    Args:
        values_of: what a row is joined by.
        nodes: the expressions of these values, for messages.
    """

    def __init__(self, values_of: Callable[[Item], Values], nodes: tuple[Node, ...]) -> None:
        self._values_of: Final = values_of
        self._nodes: Final = nodes
        self._keys: Final[dict[tuple[Any, ...], dict[Key, None]]] = {}

    def add(self, key: Key, row: Item) -> None:
        """Put the key to the others of the same values."""
        values = self._values_of(row)
        if values is None:
            return
        try:
            self._keys.setdefault(values, {})[key] = None
        except TypeError as error:
            raise self._refusal(error) from error

    def remove(self, key: Key, row: Item) -> None:
        """Take it out again."""
        values = self._values_of(row)
        if values is None:
            return
        keys = self._keys[values]
        del keys[key]
        if not keys:
            del self._keys[values]

    def candidates(self, values: Values) -> Iterable[Key]:
        """Return what is there; the join asks before it adds and removes anything."""
        return self.partners(values)

    def partners(self, values: Values) -> Iterable[Key]:
        """Look the values up."""
        if values is None:
            return ()
        try:
            return self._keys.get(values, ())
        except TypeError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: TypeError) -> ExpressionError:
        named = ", ".join(f"`{node}`" for node in self._nodes)
        return ExpressionError(f"rows cannot be joined by the values of {named}: {error}")


class KeyIndex:
    """Takes the rows themselves for the index, by a value that is their key; keeps nothing.

    Args:
        input: the rows, by the keys of ``source``.
        values_of: what a row is joined by.
        source: makes the key from the value.
        number: which of the values it is.
    """

    def __init__(
        self, input: Operator, values_of: Callable[[Item], Values], source: Source, number: int
    ) -> None:
        self._input: Final = input
        self._values_of: Final = values_of
        self._key_of: Final = source.key_of
        self._number: Final = number

    def add(self, key: Key, row: Item) -> None:
        """Do nothing: it is there."""

    def remove(self, key: Key, row: Item) -> None:
        """Do nothing: it has gone."""

    def candidates(self, values: Values) -> Iterable[Key]:
        """Return the only key that a row of these values can have had."""
        key = None if values is None else self._key_of(values[self._number])
        return () if key is None else (key,)  # None is the key of no row, but that of a lone one

    def partners(self, values: Values) -> Iterable[Key]:
        """Look it up, and compare the other values, too."""
        if values is None:
            return ()
        key = self._key_of(values[self._number])
        row = self._input.rows.get(key)
        return () if row is None or self._values_of(row) != values else (key,)


def joined_by(values_of: ValuesOf) -> Callable[[Item], Values]:
    """Return the function from a row to what it is joined by: null and NaN equal nothing."""

    def read_all(row: Item) -> Values:
        values = values_of(row)
        for value in values:
            if value is None or value != value:
                return None
        return values

    return read_all


class KeyedSide(NamedTuple):
    """A side of a join that needs no index of its own.

    Attributes:
        side: 0 is left, 1 is right.
        number: which of the pairs compares with its key.
        source: whose key it is.
    """

    side: int
    number: int
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
                return KeyedSide(side, number, source)
    return None


def _source_of(edge: Edge) -> Source | None:
    """Return the source if the rows of an edge are its rows, or some of them."""
    if isinstance(edge.node, Scan) and all(isinstance(step, Where | Filter) for step in edge.steps):
        return edge.node.source
    return None
