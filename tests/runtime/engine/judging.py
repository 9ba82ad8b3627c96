"""What must be true of an executor after every commit, whatever the plan: the naive evaluator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import astuple
from tests.runtime.engine.slow_reader import SlowReader

from streamdb.engine.base_live_query import BaseLiveQuery
from streamdb.engine.executor import Changes, Executor, Item, Key
from streamdb.engine.naive import Row, evaluate
from streamdb.engine.plan import Plan
from streamdb.engine.planning import plan_of
from streamdb.engine.same import is_same_row
from streamdb.expr.sources import Source

MakeExecutor = Callable[[Plan], Executor]


_MOST_ROWS: Final = 2000


class Unjudged(Exception):
    """The plan has no answer, or one that is too large to be compared."""


class Judged:
    """An executor that is compared with the naive evaluator after its load and every step.

    Raises:
        AssertionError: (load and step) it is not what it must be.
        Unjudged: (load and step) the naive evaluator fails, or gives very much.
    """

    def __init__(self, plan: Plan, make: MakeExecutor) -> None:
        self.plan: Final = plan
        self.executor: Final = make(plan)
        self._rows: dict[Key, Item] = {}
        self._expected_rows: dict[Key, Item] = {}
        self._arrivals: dict[Key, Any] = {}
        self._order: list[Key] = []
        self._reader: SlowReader | None = None

    def load(self) -> None:
        """Load, and compare."""
        rows = self.executor.rows
        expected = self._expected()
        self.executor.load()
        assert self.executor.rows is rows, "the mapping of rows must stay the same"
        self._compare(expected)
        if self.plan.is_ordered:
            self._reader = SlowReader(self._order, self._rows)

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Follow a commit, compare, and return what the executor said."""
        expected = self._expected()
        told = self.executor.step(changes)
        rows, order = self._replayed(told)
        arrivals = self._arrivals
        self._compare(expected)
        assert rows.keys() == self._rows.keys(), "the changes do not give the rows"
        for key, row in rows.items():
            assert row is self._rows[key], f"the changes do not give the row of {key!r}"
        if self.plan.is_ordered:
            assert order == self._order, "the changes do not give the order"
        if self._reader is not None:
            self._reader.push(told, self._order, self._rows)
        for key in self._rows.keys() & arrivals.keys():
            has_moved = arrivals[key] != self._arrivals[key]
            assert self.executor.moved(key) is has_moved, f"moved({key!r}) is not {has_moved}"
            assert not has_moved or key in {change[0] for change in told}, f"{key!r} is not told"
        for change in told:
            if self._is_nothing(change):
                assert self.executor.moved(change[0]), f"no-op {change}"
                assert change[1] is change[2], f"the same row as another object: {change}"
        return told

    def _expected(self) -> list[Row]:
        try:
            rows = evaluate(self.plan.root)
        except Exception as error:
            raise Unjudged from error
        if len(rows) > _MOST_ROWS:
            raise Unjudged
        return rows

    def _compare(self, expected: list[Row]) -> None:
        executor = self.executor
        assert executor.rows.keys() == {row.key for row in expected}, "other keys than expected"
        for key, row, arrival in expected:
            assert equal(executor.rows[key], row), f"{key!r}: {executor.rows[key]!r}, not {row!r}"
            assert executor.arrival(key) == arrival, f"arrival({key!r}) is not {arrival!r}"
        self._rows = dict(executor.rows)
        self._expected_rows = {row.key: row.item for row in expected}
        self._arrivals = {row.key: row.arrival for row in expected}
        positions = executor.positions
        assert (positions is not None) is self.plan.is_ordered
        if positions is None:
            return
        self._order = [row.key for row in expected]
        assert list(positions) == self._order, "another order than expected"
        assert len(positions) == len(self._order)
        for index, key in enumerate(self._order):
            assert equal(positions[index], key)
            assert positions.index(key) == index

    def _replayed(self, changes: Changes) -> tuple[dict[Key, Item], list[Key]]:
        """Apply the changes to what there was before, and hold them to it."""
        rows, order = dict(self._rows), list(self._order)
        assert len({change[0] for change in changes}) == len(changes), "two changes of one key"
        for change in changes:
            key, old, new = change[:3]
            assert old is rows.get(key), f"{key!r} was {rows.get(key)!r}, not {old!r}"
            assert old is None or equal(old, self._expected_rows[key]), f"what was changed: {old!r}"
            if new is None:
                del rows[key]
            else:
                rows[key] = new
            if self.plan.is_ordered:
                old_index, new_index = change[3:]
                assert (old_index is None) is (old is None)
                assert (new_index is None) is (new is None)
                if old_index is not None:
                    assert equal(order.pop(old_index), key), f"{key!r} was not at {old_index}"
                if new_index is not None:
                    assert new_index <= len(order)
                    order.insert(new_index, key)
            else:
                assert len(change) == 3
        return rows, order

    def _is_nothing(self, change: tuple[Any, ...]) -> bool:
        _, old, new, *indices = change
        if (indices and indices[0] != indices[1]) or new is None:
            return False
        return is_same_row(old, new, are_tuples=self.plan.shape.is_tuple)


def is_right(live: BaseLiveQuery[Any, Any]) -> bool:
    """Compare a live query with what is computed from what it asks, as that is now."""
    expected = evaluate(plan_of(live._result.query).root)
    if live._result.is_ordered:
        keys = [live._result.parse_key(row.key) for row in expected]
        return keys == live.keys() and all(
            equal(row.item, item) for row, item in zip(expected, live, strict=True)
        )
    items = {live._result.parse_key(row.key): row.item for row in expected}
    return items.keys() == set(live.keys()) and all(equal(items[k], r) for k, r in live.items())


def equal(one: Any, other: Any) -> bool:
    """Compare values, sequences and rows of them; NaN is an equal of itself here."""
    one, other = _parts(one), _parts(other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return one is other or bool(one == other) or (one != one and other != other)


def _parts(value: Any) -> Any:
    if isinstance(value, Struct):
        return (type(value), *astuple(value))
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
