"""Where, filter, map and select: what becomes of each row by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.indexes.found_rows import FoundRows
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.plan import Edge, Filter, Map, Scan, Select, Step, Where
from streamdb.engine.row_forms import not_none, over_slots, selection
from streamdb.engine.same import is_same_row
from streamdb.expr.conditions import test_of
from streamdb.expr.sources import Source

#: From a key and a row to what becomes of the row; None if it is left out.
OneRow: TypeAlias = Callable[[Key, Item], Item | None]


class StepsOperator:
    """Keeps what comes out by key, so that nothing is ever asked of a row that has gone.

    Args:
        input: what the rows come from.
        edge: tells the steps, perhaps none, and what comes out.
    """

    def __init__(self, input: Operator, edge: Edge) -> None:
        self.rows: Final[dict[Key, Item]] = {}
        self._input: Final = input
        self._rows_to_load: Final = rows_to_load(input, edge)
        self._stepped: Final = sender(edge.steps)
        self._is_tuple: Final = edge.shape.is_tuple
        shape = edge.steps[0].shape if edge.steps else edge.shape
        self._takes_tuples: Final = shape.is_tuple

    def load(self) -> None:
        """Send all rows through the steps."""
        self._input.load()
        for key, row in self._rows_to_load().items():
            new = self._stepped(key, row)
            if new is not None:
                self.rows[key] = new

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Send the changed rows through the steps."""
        result = list[Change]()
        for key, was, row in self._input.step(changes):
            old = self.rows.get(key)
            if row is not None and is_same_row(was, row, are_tuples=self._takes_tuples):
                new = old  # it stands elsewhere now: functions would make the same of it
            else:
                new = None if row is None else self._stepped(key, row)
            if new is None:
                if old is not None:
                    del self.rows[key]
                    result.append((key, old, None))
            elif not is_same_row(old, new, are_tuples=self._is_tuple):
                self.rows[key] = new
                result.append((key, old, new))
            elif self._input.moved(key):
                result.append((key, old, old))
        return result

    def arrival(self, key: Key) -> Any:
        """Return the place of the row that this one was made of."""
        return self._input.arrival(key)

    def moved(self, key: Key) -> bool:
        """Tell it of the row that this one was made of."""
        return self._input.moved(key)


def rows_to_load(input: Operator, edge: Edge) -> Callable[[], Mapping[Key, Item]]:
    """Return what gives the rows that the steps of an edge are to be loaded from.

    Those of a source are perhaps a few that an index has found, beside which none would pass.
    """
    if isinstance(edge.node, Scan) and edge.steps:
        return FoundRows(edge.node.source, edge.steps, edge.steps[0].shape).rows
    return lambda: input.rows


def sender(steps: Sequence[Step]) -> OneRow:
    """Return the function that sends one row through all steps."""
    one_by_one = tuple(map(_one_step, steps))

    def send(key: Key, row: Item) -> Item | None:
        for step in one_by_one:
            row = step(key, row)
            if row is None:
                break
        return row

    return send


def _one_step(step: Step) -> OneRow:
    match step:
        case Where(condition, shape):
            return _keeping(test_of(condition, shape))
        case Filter(function, shape):
            return _keeping(over_slots(function, shape))
        case Map(function, shape):
            return _making(over_slots(function, shape))
        case Select(values, make, shape):
            return _making(selection(values, make, shape))


def _keeping(test: Callable[[Item], Any]) -> OneRow:
    return lambda key, row: row if test(row) else None


def _making(make: Callable[[Item], Any]) -> OneRow:
    return lambda key, row: not_none(make(row), key)
