"""Each row once, held to the naive evaluator."""

from __future__ import annotations

from math import nan

import pytest
from tests.runtime.engine.asking import distinct, map_, select
from tests.runtime.engine.judging import Judged, MakeExecutor
from tests.runtime.engine.tables import TableSource, commit
from tests.runtime.engine.things import Thing

from streamdb.engine.planning import plan_of
from streamdb.errors import ExpressionError


def things_of(*values: object) -> TableSource:
    return TableSource("things", {n: Thing(n, value) for n, value in enumerate(values)})


def test_a_value_goes_with_the_last_row_that_has_it(make: MakeExecutor) -> None:
    things = things_of("x", "x", "y")
    judged = Judged(plan_of(distinct(select(things.node, lambda t: (t.a,)))), make)
    judged.load()
    assert judged.executor.rows == {"x": ("x",), "y": ("y",)}
    assert judged.step(commit({things: [(0, None)]})) == []
    assert judged.step(commit({things: [(1, Thing(1, "z")), (3, Thing(3, "x"))]})) == [
        ("z", None, ("z",))
    ]
    assert judged.step(commit({things: [(3, None)]})) == [("x", ("x",), None)]


def test_values_change_places_without_any_change(make: MakeExecutor) -> None:
    things = things_of("x", "y")
    judged = Judged(plan_of(distinct(select(things.node, lambda t: (t.a,)))), make)
    judged.load()
    assert judged.step(commit({things: [(0, Thing(0, "y")), (1, Thing(1, "x"))]})) == []


def test_nulls_and_nan_are_one_value_each(make: MakeExecutor) -> None:
    things = things_of(None, None, nan, float("nan"), 1, 1.0)
    plan = plan_of(distinct(select(things.node, lambda t: (t.a, t.b))))
    judged = Judged(plan, make)
    judged.load()
    assert len(judged.executor.rows) == 3
    assert judged.step(commit({things: [(0, None), (2, None), (4, None)]})) == []
    assert len(judged.step(commit({things: [(1, None), (3, None), (5, None)]}))) == 3


def test_nan_is_one_value_without_a_tuple_too(make: MakeExecutor) -> None:
    things = things_of(float("nan"), float("nan"))
    judged = Judged(plan_of(distinct(map_(things.node, lambda t: t.a))), make)
    judged.load()
    assert len(judged.executor.rows) == 1
    assert judged.step(commit({things: [(0, None)]})) == []
    assert len(judged.step(commit({things: [(1, None)]}))) == 1


def test_whole_rows_are_compared_by_value(make: MakeExecutor) -> None:
    same = Thing("s", 1)
    things = TableSource("things", {1: same, 2: Thing("s", 1), 3: Thing("t")})
    judged = Judged(plan_of(distinct(things.node)), make)
    judged.load()
    assert list(judged.executor.rows) == [same, Thing("t")]


def test_values_that_have_no_hash_are_refused(make: MakeExecutor) -> None:
    plan = plan_of(distinct(select(things_of([1]).node, lambda t: (t.a, t.b))))
    with pytest.raises(ExpressionError, match="cannot be compared by `distinct`: unhashable"):
        make(plan).load()
