"""A window is held to the slice of all rows in order, and costs what its rows cost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamdb.engine import window as module
from streamdb.engine.executor import Changes
from streamdb.engine.key_order import key_order
from streamdb.engine.naive import Row, in_order
from streamdb.engine.sort_keys import SortKeys
from streamdb.engine.window import Window
from streamdb.errors import ExpressionError
from streamdb.expr.nodes import ColumnNode, OrderTerm
from streamdb.expr.shape import row_shape

TERMS = (OrderTerm(ColumnNode("x")),)


@dataclass(frozen=True, eq=False)
class Item:
    x: Any


class Rows(dict[Any, Item]):
    """All rows, which count how often somebody goes over them all."""

    passes = 0

    def items(self) -> Any:
        self.passes += 1
        return super().items()

    def first(self, count: int) -> Collection[tuple[Any, Item]]:
        return self.items()


class History:
    """All rows, and a window that follows them."""

    def __init__(self, rows: dict[Any, Item], limit: int | None, offset: int) -> None:
        self.rows = rows if isinstance(rows, Rows) else Rows(rows)
        self.window = Window(SortKeys(TERMS, row_shape()), limit, offset)
        self._slice = slice(offset, None if limit is None else offset + limit)
        self.window.load(self.rows)
        self.check()

    def check(self) -> None:
        all_rows = [Row(key, row, None) for key, row in self.rows.items()]
        ordered = in_order(all_rows, TERMS, row_shape(), tie=lambda row: key_order(row.key))
        assert self.window.rows == {row.key: row.item for row in ordered[self._slice]}

    def commit(self, writes: dict[Any, Item | None]) -> Changes:
        before, old_rows = dict(self.window.rows), dict(self.rows)
        for key, item in writes.items():
            self.rows.pop(key, None)
            if item is not None:
                self.rows[key] = item
        changes = [
            (key, old_rows.get(key), item)
            for key, item in writes.items()
            if old_rows.get(key) is not item
        ]
        seen = self.window.step(changes, self.rows)
        self.check()
        after = self.window.rows
        expected = {
            (key, before.get(key), after.get(key))
            for key in {**before, **after}
            if before.get(key) is not after.get(key)
        }
        assert set(seen) == expected
        assert len(seen) == len(expected)
        return seen


ITEMS = st.builds(Item, st.none() | st.integers(0, 9))
KEYS = st.integers(0, 15).map(str)
ANY_KEYS = KEYS | st.tuples(KEYS, st.none())


@settings(deadline=None, max_examples=200)
@given(
    rows=st.dictionaries(KEYS, ITEMS, max_size=15),
    commits=st.lists(st.dictionaries(ANY_KEYS, st.none() | ITEMS, max_size=4), max_size=20),
    limit=st.none() | st.integers(0, 4),
    offset=st.integers(0, 4),
    spare=st.integers(1, 4),
)
def test_any_history(
    rows: dict[Any, Item],
    commits: list[dict[Any, Item | None]],
    limit: int | None,
    offset: int,
    spare: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SPARE", spare)
        history = History(rows, limit, offset)
        for commit in commits:
            history.commit(commit)


def test_a_row_that_comes_into_the_window_and_goes_in_one_commit() -> None:
    history = History({str(n): Item(n) for n in range(5)}, limit=2, offset=0)
    gone = history.commit({"0": None, "2": None})
    assert [change[0] for change in gone] == ["0", "3"]


def test_changes_beyond_the_buffer_and_around_it_never_go_over_all_rows() -> None:
    rows = Rows({str(n): Item(n) for n in range(1000)})
    history = History(rows, limit=10, offset=0)
    loading, rows.passes = rows.passes, 0
    for n in range(300):
        writes: dict[Any, Item | None] = {f"new {n}": Item(-n), str(999 - n): None}
        history.window.step(
            [(key, rows.pop(key, None), item) for key, item in writes.items()], rows
        )
    assert (loading, rows.passes) == (2, 0)
    buffer = history.window._buffer  # pyright: ignore[reportPrivateUsage] - its size is the point
    assert len(buffer) <= 2 * (2 * 10 + 64)


def test_a_queue_that_is_worked_off_goes_over_all_rows_a_few_times_only() -> None:
    """The first row is removed, again and again: each filling of the buffer serves for longer."""
    rows = Rows({str(n): Item(n) for n in range(20_000)})
    window = Window(SortKeys(TERMS, row_shape()), 10, 0)
    window.load(rows)
    for n in range(19_000):
        window.step([(str(n), rows.pop(str(n)), None)], rows)
        assert len(window.rows) == 10
    assert rows.passes <= 6


def test_a_commit_of_most_rows_goes_over_all_of_them_once() -> None:
    """A row that comes into the window and is pushed out by the next one costs nothing there."""
    rows = Rows({str(n): Item(n) for n in range(1000)})
    window = Window(SortKeys(TERMS, row_shape()), 10, 0)
    window.load(rows)
    rows.passes = 0
    new = {f"new {n}": Item(-n) for n in range(2000)}
    rows.update(new)
    seen = window.step([(key, None, item) for key, item in new.items()], rows)
    assert (len(seen), rows.passes) == (20, 1)
    assert set(window.rows) == {f"new {n}" for n in range(1990, 2000)}


def test_rows_that_do_not_compare() -> None:
    rows: dict[Any, Item] = {str(n): Item(n) for n in range(5)}
    history = History(rows, limit=2, offset=0)
    odd = history.rows["odd"] = Item("text")
    with pytest.raises(ExpressionError, match="rows cannot be ordered by `x`"):
        history.window.step([("odd", None, odd)], history.rows)
    with pytest.raises(ExpressionError, match="rows cannot be ordered by `x`"):
        Window(SortKeys(TERMS, row_shape()), 2, 0).load(history.rows)
