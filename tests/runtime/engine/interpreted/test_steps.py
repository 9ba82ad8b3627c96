"""Where, filter, map and select, held to the naive evaluator; what they ask, and what they tell."""

from __future__ import annotations

from typing import Any

import pytest
from tests.runtime.engine.asking import filter_, map_, select, where
from tests.runtime.engine.judging import Judged, MakeExecutor
from tests.runtime.engine.tables import TableSource, commit
from tests.runtime.engine.things import Thing

from streamdb.engine.planning import plan_of
from streamdb.errors import ExpressionError


def source() -> TableSource:
    return TableSource("things", {key: Thing(key, number) for number, key in enumerate("pqr")})


def test_a_source_alone_is_copied(make: MakeExecutor) -> None:
    """For a source may put another mapping in place of its rows, an executor never does."""
    things = source()
    judged = Judged(plan_of(things.node), make)
    judged.load()
    things.rows = dict(things.rows)
    new = Thing("s")
    assert judged.step(commit({things: [("s", new), ("p", None)]})) == [
        ("s", None, new),
        ("p", Thing("p", 0), None),
    ]


def test_rows_enter_change_and_leave_a_where(make: MakeExecutor) -> None:
    things = source()
    judged = Judged(plan_of(where(things.node, lambda t: t.a > 0)), make)
    judged.load()
    p, q, q2, r = Thing("p", 5), Thing("q", 1), Thing("q", 2), Thing("r", None)
    assert judged.step(commit({things: [("p", p), ("q", q2), ("r", r)]})) == [
        ("p", None, p),
        ("q", q, q2),
        ("r", Thing("r", 2), None),
    ]
    assert judged.step(commit({things: [("r", None)]})) == []


def test_functions_see_no_row_twice_and_never_an_old_one(make: MakeExecutor) -> None:
    asked = list[Any]()

    def is_kept(thing: Thing) -> bool:
        asked.append(thing)
        return thing.a != 1

    def named(thing: Thing) -> str:
        asked.append(thing)
        return thing.id * 2

    things = source()
    executor = make(plan_of(map_(filter_(things.node, is_kept), named)))
    executor.load()
    asked.clear()
    new = Thing("p", 7)
    assert executor.step(commit({things: [("p", new), ("q", None)]})) == [("p", "pp", "pp")]
    assert asked == [new, new]


def test_selected_values_that_stay_are_no_change(make: MakeExecutor) -> None:
    things = source()
    judged = Judged(plan_of(select(things.node, lambda t: (t.id, t.a))), make)
    judged.load()
    assert judged.step(commit({things: [("p", Thing("p", 0, "other"))]})) == []
    assert judged.step(commit({things: [("p", Thing("p", 0.0))]})) == [("p", ("p", 0), ("p", 0.0))]


def test_a_row_written_again_in_one_commit_is_told_though_it_is_the_same(
    make: MakeExecutor,
) -> None:
    """It has moved in the order of arrival, which derived queries may look at."""
    things = source()
    judged = Judged(plan_of(select(things.node, lambda t: (t.a,))), make)
    judged.load()
    again = commit({things: [("p", None), ("p", Thing("p", 0))]})
    assert judged.step(again) == [("p", (0,), (0,))]
    assert not judged.step({}), "that was an earlier commit"


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda thing: None, "the function that makes the row of 'p' returned None"),
        (lambda thing: 1 / 0, "division by zero"),
    ],
)
def test_what_a_function_raises_comes_out(make: MakeExecutor, function: Any, message: str) -> None:
    executor = make(plan_of(map_(source().node, function)))
    with pytest.raises((ExpressionError, ZeroDivisionError), match=message):
        executor.load()
