"""What windows are cut from: the rows that an operator keeps, or those of a source as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Protocol

from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.indexes.first_rows import FirstRows
from streamdb.engine.interpreted.operators import Operator, Stepping
from streamdb.engine.interpreted.scan import ScanOperator
from streamdb.engine.interpreted.steps import OneRow
from streamdb.engine.never_raising import never_raises
from streamdb.engine.plan import Order, Scan, Where
from streamdb.engine.window import AllRows
from streamdb.expr.sources import Source


class WindowInput(AllRows, Stepping, Protocol):
    """All rows, and how they change."""


def is_cut_from_source(node: Order) -> bool:
    """Tell whether the window of an order is cut from `PassingRows`, not from `KeptRows`.

    It is not where a condition could raise: a live query that is found by a value (see ``routes``)
    is not told of other rows, and would be asked of these later on, when it fails for nothing.
    """
    is_window = node.limit is not None or node.offset > 0
    return (
        is_window
        and isinstance(node.input.node, Scan)
        and all(
            isinstance(step, Where) and never_raises(step.condition, step.shape)
            for step in node.input.steps
        )
    )


class KeptRows:
    """The rows that an operator keeps."""

    def __init__(self, operator: Operator) -> None:
        self._operator: Final = operator
        self.load: Final = operator.load
        self.step: Final = operator.step
        self.arrival: Final = operator.arrival
        self.moved: Final = operator.moved

    def __len__(self) -> int:
        return len(self._operator.rows)

    def get(self, key: Key) -> Item | None:
        """Return a row, or None if there is none."""
        return self._operator.rows.get(key)

    def items(self) -> Collection[tuple[Key, Item]]:
        """Return all rows, with their keys."""
        return self._operator.rows.items()

    def first(self, count: int) -> Collection[tuple[Key, Item]]:
        """Return all rows: nothing knows better."""
        return self.items()


class PassingRows:
    """The rows of a source that pass conditions, of which nothing is kept.

    A window looks at few of them. So conditions are asked again of a row that goes, in place of
    keeping all rows that have passed.

    Args:
        source: what holds the rows.
        node: the order that the window is of.
        send: sends a row through the conditions, if there are any.
    """

    def __init__(self, source: Source, node: Order, send: OneRow | None) -> None:
        self._source: Final = source
        self._send: Final = send
        self._scan: Final = ScanOperator(source)
        self.load: Final = self._scan.load
        self.arrival: Final = self._scan.arrival
        self.moved: Final = self._scan.moved
        #: See ``AllRows``.
        self.first: Final = FirstRows(source, node, send).first

    def __len__(self) -> int:
        return len(self._source.table.rows)

    def get(self, key: Key) -> Item | None:
        """Return a row if it is there and passes."""
        row = self._source.table.rows.get(key)
        return row if row is None or self._send is None else self._send(key, row)

    def items(self) -> Iterable[tuple[Key, Item]]:
        """Yield those that pass, with their keys."""
        for key, row in self._source.table.rows.items():
            if self._send is None or self._send(key, row) is not None:
                yield key, row

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Return the changes of those that pass, or did."""
        send, changed = self._send, self._scan.step(changes)
        if send is None:
            return changed
        passing: list[Change] = []
        for key, old, new in changed:
            was = None if old is None else send(key, old)
            row = None if new is None else was if new is old else send(key, new)
            if was is not None or row is not None:
                passing.append((key, was, row))
        return passing
