"""The executor that computes everything anew at each step: what the others are held to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from streamdb.engine import naive
from streamdb.engine.difference import difference, ordered_difference
from streamdb.engine.executor import Changes, Item, Key, Positions
from streamdb.engine.plan import Plan
from streamdb.engine.same import same_row
from streamdb.expr.sources import Source


class Recomputing:
    """An :class:`~streamdb.engine.executor.Executor` over the naive evaluator."""

    def __init__(self, plan: Plan) -> None:
        self._plan: Final = plan
        self._rows: Final[dict[Key, Item]] = {}
        self._arrivals: dict[Key, Any] = {}
        self._moved: set[Key] = set()
        self._order: list[Key] = []

    @property
    def rows(self) -> Mapping[Key, Item]:
        """See ``Executor``."""
        return self._rows

    @property
    def positions(self) -> Positions | None:
        """See ``Executor``."""
        return _ListPositions(self._order) if self._plan.is_ordered else None

    def load(self) -> None:
        """See ``Executor``."""
        rows = naive.evaluate(self._plan.root)
        self._rows.clear()
        self._rows.update((row.key, row.item) for row in rows)
        self._arrivals = {row.key: row.arrival for row in rows}
        self._order = [row.key for row in rows]

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """See ``Executor``."""
        rows, arrivals, order = dict(self._rows), self._arrivals, self._order
        self.load()
        # A row that is told to nobody as changed stays the same object.
        self._rows.update(
            (key, old) for key, old in rows.items() if same_row(old, self._rows.get(key))
        )
        self._moved = {
            key for key, place in arrivals.items() if self._arrivals.get(key, place) != place
        }
        if self._plan.is_ordered:
            return ordered_difference(rows, order, self._rows, self._order)
        return difference(rows, self._rows)

    def arrival(self, key: Key) -> Any:
        """See ``Executor``."""
        return self._arrivals[key]

    def moved(self, key: Key) -> bool:
        """See ``Executor``."""
        return key in self._moved


class _ListPositions:
    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys: Final = keys

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, index: int) -> Key:
        return self._keys[index]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys)

    def index(self, key: Key) -> int:
        try:
            return self._keys.index(key)
        except ValueError:
            raise KeyError(key) from None
