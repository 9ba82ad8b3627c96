"""Where the rows of a group stand, for aggregates that look at the order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from streamdb.engine.executor import Item, Key
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.row_functions import RowFunctions
from streamdb.engine.sort_keys import part_of
from streamdb.expr.aggregates import AGGREGATES
from streamdb.expr.nodes import AggregateNode
from streamdb.expr.shape import Shape


class Places:
    """Returns places: what a row is ordered by, and then where it stood in the order of arrival.

    That of a row that goes is the one that it had: arrivals are remembered.

    Args:
        aggregates: what is asked of the rows; a place is None for those that do not look at it.
        input: tells the arrivals.
        shape: of the rows.
        functions: how expressions are evaluated.

    Attributes:
        matter: whether any aggregate looks at them.
    """

    def __init__(
        self,
        aggregates: Sequence[AggregateNode],
        input: Operator,
        shape: Shape,
        functions: RowFunctions,
    ) -> None:
        self._arrival: Final = input.arrival
        self._parts: Final[list[Sequence[Callable[[Item], Any]] | None]] = [
            [part_of(term, functions.value_of(term.node, shape)) for term in node.by]
            if AGGREGATES[node.aggregate].is_ordered
            else None
            for node in aggregates
        ]
        self.matter: Final = any(parts is not None for parts in self._parts)
        self._arrivals: Final[dict[Key, Any]] = {}

    def load(self, keys: Collection[Key]) -> list[Any] | None:
        """Return the arrivals of all rows, each in its turn; None if they do not matter.

        Others are forgotten.
        """
        if not self.matter:
            return None
        arrivals = list(map(self._arrival, keys))
        self._arrivals.clear()
        self._arrivals.update(zip(keys, arrivals, strict=True))
        return arrivals

    def of_rows(self, number: int, rows: Sequence[Item], arrivals: Sequence[Any]) -> Sequence[Any]:
        """Return the places of rows for one aggregate."""
        parts = self._parts[number]
        if not parts:
            return arrivals  # those that look at none take anything
        return [
            (*[part(row) for part in parts], arrival)
            for row, arrival in zip(rows, arrivals, strict=True)
        ]

    def come(self, key: Key) -> Any:
        """Return the arrival of a row that is there now."""
        arrival = self._arrivals[key] = self._arrival(key)
        return arrival

    def go(self, key: Key) -> Any:
        """Return the arrival of a row that was there before."""
        return self._arrivals.pop(key)
