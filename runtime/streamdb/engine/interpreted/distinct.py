"""Each row once, of those that are equal: how often there is one is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.key_order import key_order
from streamdb.engine.row_forms import distinct_item, distinct_key
from streamdb.errors import ExpressionError
from streamdb.expr.shape import Shape
from streamdb.expr.sources import Source


class DistinctOperator:
    """Keeps the first of the equal rows for as long as there is any.

    Args:
        input: what the rows come from.
        shape: of the rows.
    """

    def __init__(self, input: Operator, shape: Shape) -> None:
        self.rows: Final[dict[Key, Item]] = {}
        self._input: Final = input
        self._shape: Final = shape
        self._counts: Final[dict[Key, int]] = {}

    def load(self) -> None:
        """Count all rows."""
        self._input.load()
        for row in self._input.rows.values():
            self._add(row)

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Count what came, and then what went, so that no row goes and comes in one step."""
        result = list[Change]()
        changed = self._input.step(changes)
        for _, _, new in changed:
            if new is not None and (came := self._add(new)):
                result.append(came)
        for _, old, _ in changed:
            if old is not None and (gone := self._remove(old)):
                result.append(gone)
        return result

    def arrival(self, key: Key) -> Any:
        """Return the place of the value among all values: which row it came from is no matter."""
        return key_order(key)

    def moved(self, key: Key) -> bool:
        """Tell that a value stays where it is."""
        return False

    def _add(self, row: Item) -> Change | None:
        item = distinct_item(row, self._shape)
        key = distinct_key(item, self._shape)
        try:
            count = self._counts.get(key, 0)
        except TypeError as error:
            raise ExpressionError(f"rows cannot be compared by `distinct`: {error}") from error
        self._counts[key] = count + 1
        if count:
            return None
        self.rows[key] = item
        return (key, None, item)

    def _remove(self, row: Item) -> Change | None:
        key = distinct_key(distinct_item(row, self._shape), self._shape)
        self._counts[key] -= 1
        if self._counts[key]:
            return None
        del self._counts[key]
        return (key, self.rows.pop(key), None)
