"""Change buffers: one net change for a key, whatever happened since the reader looked last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.collections.changes import Change, ChangeBuffer, changes_of, filtered
from streamdb.collections.table import Table


@dataclass(frozen=True, eq=False)
class Row:
    shown: bool = True


def is_shown(row: Row) -> bool:
    return row.shown


def visible(rows: dict[str, Row], test: Callable[[Row], bool] | None) -> dict[str, Row]:
    return {key: row for key, row in rows.items() if test is None or test(row)}


COMMITS = st.lists(
    st.tuples(st.sampled_from("abc"), st.none() | st.builds(Row, st.booleans())), max_size=4
)


@given(st.lists(COMMITS | st.just("take"), max_size=12), st.sampled_from([None, is_shown]))
def test_net_changes_equal_the_difference_of_states(
    steps: list[Any], test: Callable[[Row], bool] | None
) -> None:
    """Against the naive model: compare what was visible at the last take with what is now."""
    table = Table()
    wakes: list[bool] = []
    buffer = ChangeBuffer(lambda: wakes.append(True), test)
    table.watch(buffer.push, buffer.end)
    last: dict[str, Row] = {}
    for step in [*steps, "take"]:
        if step != "take":
            if deltas := table.write([(key, row, 0) for key, row in step]):
                table.notify(deltas)
            continue
        now = visible(table.rows, test)
        expected = {
            key: (last.get(key), now.get(key))
            for key in last.keys() | now.keys()
            if last.get(key) is not now.get(key)
        }
        taken = buffer.take()
        assert {key: (old, new) for key, old, new in taken} == expected
        assert len(taken) == len(expected)
        assert not taken or wakes  # nobody sleeps over a change
        last, wakes = now, wakes
        wakes.clear()


A, B, C = Row(), Row(), Row()


@pytest.mark.parametrize(
    ("deltas", "net"),
    [
        ([(None, A), (A, None)], []),
        ([(None, A), (A, B)], [(None, B)]),
        ([(A, None), (None, B)], [(A, B)]),
        ([(A, B), (B, C)], [(A, C)]),
        ([(A, B), (B, A)], []),
        ([(A, B), (B, None)], [(A, None)]),
        ([(None, A), (A, None), (None, B)], [(None, B)]),
    ],
)
def test_net_changes(deltas: list[tuple[Any, Any]], net: list[tuple[Any, Any]]) -> None:
    buffer = ChangeBuffer(lambda: None)
    for old, new in deltas:
        buffer.push([("k", old, new)])
    assert buffer.take() == [("k", old, new) for old, new in net]
    assert buffer.take() == []


def test_a_row_that_leaves_the_watched_ones_is_gone() -> None:
    """Q38."""
    hidden = Row(shown=False)
    deltas = [("a", A, hidden), ("b", hidden, B), ("c", hidden, Row(shown=False))]
    assert filtered(deltas, is_shown) == [("a", A, None), ("b", None, B)]


def test_what_users_see() -> None:
    deltas = [("1", None, A), ("2", A, B), ("3", B, None)]
    assert changes_of(deltas, int) == (
        Change("insert", 1, None, A),
        Change("update", 2, A, B),
        Change("delete", 3, B, None),
    )


def test_a_test_that_raises_ends_the_buffer_with_its_error() -> None:
    woken: list[bool] = []

    def fails(row: Row) -> bool:
        raise ZeroDivisionError

    buffer = ChangeBuffer(lambda: woken.append(True), fails)
    buffer.push([("a", None, A)])
    assert buffer.ended
    assert isinstance(buffer.error, ZeroDivisionError)
    assert woken
