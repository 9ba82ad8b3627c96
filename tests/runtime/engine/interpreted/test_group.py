"""Groups of rows, held to the naive evaluator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from math import nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.engine.asking import join, union
from tests.runtime.engine.judging import Judged, MakeExecutor
from tests.runtime.engine.tables import TableSource, commit
from tests.runtime.engine.things import Thing

from streamdb.engine.compiled import Compiled
from streamdb.engine.interpreted import Interpreted
from streamdb.engine.planning import plan_of
from streamdb.errors import ExpressionError
from streamdb.expr import Expr, case, fn
from streamdb.expr.grouping import grouped
from streamdb.expr.query_tree import QueryNode

Function = Callable[..., Sequence[Expr[Any, Any]]]


def group(query: QueryNode, keys: Function, answers: Function) -> QueryNode:
    columns = query.shape.columns()
    nodes = [tuple(one.node for one in function(*columns)) for function in (keys, answers)]
    return grouped(query, *nodes)


def judged(make: MakeExecutor, query: QueryNode) -> Judged:
    found = Judged(plan_of(query), make)
    found.load()
    return found


def things_of(*values: tuple[Any, Any]) -> TableSource:
    return TableSource("things", {n: Thing(n, a, b) for n, (a, b) in enumerate(values)})


def test_a_group_comes_and_goes_with_its_rows(make: MakeExecutor) -> None:
    things = things_of(("x", 1), ("x", 2), ("y", 5))
    found = judged(make, group(things.node, lambda t: (t.a,), lambda t: (fn.count(), fn.sum(t.b))))
    assert found.executor.rows == {"x": ("x", 2, 3), "y": ("y", 1, 5)}
    assert found.step(commit({things: [(2, Thing(2, "x", 5))]})) == [
        ("y", ("y", 1, 5), None),
        ("x", ("x", 2, 3), ("x", 3, 8)),
    ]
    assert found.step(commit({things: [(3, Thing(3, "z"))]})) == [("z", None, ("z", 1, None))]
    gone = found.step(commit({things: [(n, None) for n in range(4)]}))
    assert {change[0]: change[2] for change in gone} == {"x": None, "z": None}


def test_a_group_that_empties_and_fills_in_one_commit_stays(make: MakeExecutor) -> None:
    things = things_of(("x", 1))
    found = judged(make, group(things.node, lambda t: (t.a,), lambda t: (fn.sum(t.b),)))
    assert found.step(commit({things: [(0, None), (1, Thing(1, "x", 1))]})) == []
    assert found.step(commit({things: [(1, None), (2, Thing(2, "y", 1)), (2, None)]})) == [
        ("x", ("x", 1), None)
    ]


def test_what_leaves_all_answers_as_they_are_is_no_change(make: MakeExecutor) -> None:
    things = things_of(("x", 1), ("x", 2))
    asked = group(
        things.node,
        lambda t: (t.a,),
        lambda t: (fn.max(t.b), fn.collect(t.b), fn.count_distinct(t.b)),
    )
    found = judged(make, asked)
    assert found.step(commit({things: [(0, Thing(0, "".join(["x"]), 1))]})) == []
    before = found.executor.rows["x"][2]
    assert len(found.step(commit({things: [(0, Thing(0, "x", 0))]}))) == 1
    assert (before, found.executor.rows["x"][2]) == ((1, 2), (0, 2))


def test_equal_decimals_are_no_change(make: MakeExecutor) -> None:
    things = things_of((Decimal("0.1"), 1), (Decimal("0.2"), 9))
    found = judged(
        make,
        group(things.node, lambda t: (), lambda t: (fn.avg(t.a), fn.sum(t.a), fn.max(t.b))),
    )
    assert found.step(commit({things: [(0, Thing(0, Decimal("0.1"), 2))]})) == []
    assert len(found.step(commit({things: [(0, Thing(0, Decimal("0.10"), 2))]}))) == 1


def test_all_rows_are_one_group_even_if_there_are_none(make: MakeExecutor) -> None:
    things = things_of()
    found = judged(
        make,
        group(
            things.node,
            lambda t: (),
            lambda t: (fn.count(), fn.sum(t.b) / fn.count(), fn.min(t.a).if_null("-")),
        ),
    )
    assert found.executor.rows == {(): (0, None, "-")}
    assert found.step(commit({things: [(1, Thing(1, "x", 3))]})) == [
        ((), (0, None, "-"), (1, 3.0, "x"))
    ]
    found.step(commit({things: [(1, None)]}))
    assert found.executor.rows == {(): (0, None, "-")}


def test_nulls_are_one_group_and_nan_is_one(make: MakeExecutor) -> None:
    things = things_of((None, 1), (None, 2), (nan, 3), (float("nan"), 4))
    for keys in (lambda t: (t.a,), lambda t: (t.a, t.a)):
        found = judged(make, group(things.node, keys, lambda t: (fn.count(),)))
        assert sorted(row[-1] for row in found.executor.rows.values()) == [2, 2]


def test_groups_that_are_loaded_skip_nulls_and_have_an_order(make: MakeExecutor) -> None:
    things = things_of(
        (nan, "c"), ("x", None), (float("nan"), "a"), (None, "z"), (nan, None), (float("nan"), "b")
    )
    query = group(
        things.node,
        lambda t: (t.a,),
        lambda t: (fn.count(t.b), fn.min(t.b), fn.string_agg(t.b), fn.collect(t.b, by=t.b)),
    )
    found = judged(make, query)
    rows = [(count, *rest) for _, count, *rest in found.executor.rows.values()]
    assert rows == [
        (3, "a", "cab", (None, "a", "b", "c")),
        (0, None, None, (None,)),
        (1, "z", "z", ("z",)),
    ]
    found.step(commit({things: [(2, None), (0, Thing(0, nan, "d"))]}))
    rows = [(count, *rest) for _, count, *rest in found.executor.rows.values()]
    assert rows[0] == (2, "b", "db", (None, "b", "d"))


def test_values_that_have_no_hash_are_no_keys(make: MakeExecutor) -> None:
    plan = plan_of(group(things_of(([1], 2)).node, lambda t: (t.a,), lambda t: (fn.count(),)))
    with pytest.raises(ExpressionError, match="rows cannot be grouped by `a`: unhashable"):
        make(plan).load()


def test_values_that_do_not_suit_are_told_with_the_aggregate(make: MakeExecutor) -> None:
    things = things_of(("x", 1))
    query = group(things.node, lambda t: (), lambda t: (fn.count(), fn.min(t.b)))
    executor = make(plan_of(query))
    executor.load()
    with pytest.raises(ExpressionError, match=r"`fn\.min\(b\)` cannot be evaluated: '<' not"):
        executor.step(commit({things: [(1, Thing(1, "x", "text"))]}))


@pytest.mark.parametrize(
    "asked",
    [fn.min, fn.max, fn.median, lambda b: fn.collect(b, by=b), lambda b: fn.first(b, by=b.desc())],
)
def test_values_need_suit_no_others_that_go_in_the_same_commit(
    make: MakeExecutor, asked: Callable[[Any], Expr[Any, Any]]
) -> None:
    """Numbers and durations do not compare."""
    things = things_of(("x", 2), ("x", 1), ("y", 1), ("z", 1), ("x", 3))
    found = judged(make, group(things.node, lambda t: (t.a,), lambda t: (asked(t.b),)))
    second = dt.timedelta(seconds=1)
    told = found.step(
        commit(
            {
                things: [
                    (0, Thing(0, "x", second * 5)),
                    (1, Thing(1, "x", second * 4)),
                    (4, Thing(4, "y", second * 3)),
                    (2, Thing(2, "y", second)),
                    (3, None),
                    (5, Thing(5, "w", second)),
                ]
            }
        )
    )
    assert {change[0] for change in told} == {"x", "y", "z", "w"}
    assert found.step(commit({things: [(1, Thing(1, "x", second * 9)), (4, None)]})) != []
    for key, new in ((2, Thing(2, "x", second * 2)), (0, None), (1, None), (2, None)):
        found.step(commit({things: [(key, new)]}))
    assert found.executor.rows.keys() == {"w"}


def test_what_functions_of_users_raise_is_handed_on(make: MakeExecutor) -> None:
    def fails(values: Sequence[Any]) -> Any:
        raise ValueError("on purpose")

    query = group(things_of(("x", 1)).node, lambda t: (), lambda t: (fn.reduce(fails, t.b),))
    with pytest.raises(ValueError, match="on purpose"):
        make(plan_of(query)).load()


def test_rows_are_collected_by_arrival(make: MakeExecutor) -> None:
    things = things_of(("x", 1), ("x", 2))
    asked = group(things.node, lambda t: (t.a,), lambda t: (fn.collect(t.b), fn.first(t.b)))
    found = judged(make, asked)
    told = found.step(commit({things: [(0, None), (0, Thing(0, "x", 1))]}))
    assert [change[2] for change in told] == [("x", (2, 1), 2)]
    assert found.step(commit({things: [(1, Thing(1, "x", 2))]})) == []


def test_rows_are_collected_in_another_order(make: MakeExecutor) -> None:
    things = things_of(("x", 1), ("x", None), ("x", 3), ("x", 3))
    asked = group(
        things.node,
        lambda t: (t.a,),
        lambda t: (
            fn.collect(t.id, by=t.b.desc()),
            fn.last(t.id, by=(t.b.nulls_last(), t.id.desc())),
            fn.string_agg(case((t.b.is_null(), "?"), else_="!"), by=t.id.desc()),
        ),
    )
    found = judged(make, asked)
    assert found.executor.rows["x"][1:] == ((2, 3, 0, 1), 1, "!!?!")
    found.step(commit({things: [(1, Thing(1, "x", 9)), (3, None)]}))
    assert found.executor.rows["x"][1:] == ((1, 2, 0), 1, "!!!")


def test_rows_that_are_missing_after_an_outer_join_do_not_count(make: MakeExecutor) -> None:
    things, others = things_of(("x", 1), ("y", 2)), things_of((1, "one"))
    joined = join(things.node, others.node, lambda t, o: [(t.b, o.a)], "left")
    (right,) = joined.shape.columns()[1:]
    asked = group(
        joined,
        lambda t, o: (),
        lambda t, o: (fn.collect(right), fn.count(right), fn.collect(o.b), fn.count(o.b)),
    )
    found = judged(make, asked)
    (row,) = found.executor.rows.values()
    assert row == ((Thing(0, 1, "one"),), 1, ("one", None), 1)
    found.step(commit({others: [(5, Thing(5, 2, "two"))]}))


def test_a_change_of_a_great_group_costs_one_call(make: MakeExecutor) -> None:
    calls: list[int] = []

    def step(state: int, value: int) -> int:
        calls.append(value)
        return state + value

    things = things_of(*(("x", n) for n in range(1000)))
    found = make(plan_of(group(things.node, lambda t: (t.a,), lambda t: (fn.fold(0, step, t.b),))))
    found.load()
    calls.clear()
    found.step(commit({things: [(1000, Thing(1000, "x", 7))]}))
    assert calls == [7]


def test_what_a_change_does_not_concern_is_not_asked_again(make: MakeExecutor) -> None:
    asked: list[object] = []

    class Silent:
        def add(self, value: object, /) -> None: ...

        def remove(self, value: object, /) -> None: ...

        def result(self) -> int:
            asked.append(self)
            return 0

    things = things_of(("x", 1), ("y", 2))
    query = group(things.node, lambda t: (t.a,), lambda t: (fn.count(), fn.accumulate(Silent, t.b)))
    found = make(plan_of(query))
    found.load()
    asked.clear()
    found.step(commit({things: [(2, Thing(2, "x", None))]}))
    assert asked == []
    found.step(commit({things: [(2, Thing(2, "x", 1))]}))
    assert len(asked) == 1


class Noting:
    """What it holds, and what it was told."""

    told: list[tuple[str, object]] = []  # noqa: RUF012 - of all of them

    def __init__(self) -> None:
        self._held: list[object] = []

    def add(self, value: object, /) -> None:
        self.told.append(("add", value))
        self._held.append(value)

    def remove(self, value: object, /) -> None:
        self.told.append(("remove", value))
        self._held.remove(value)

    def result(self) -> tuple[object, ...]:
        return tuple(sorted(self._held, key=str))


def test_reducers_of_users_are_not_told_of_nulls(make: MakeExecutor) -> None:
    """Of no values at all, they say what a new one says; ``fold`` and ``reduce`` likewise."""
    things = things_of(("x", None), ("x", 2))
    users = lambda t: (  # noqa: E731
        fn.accumulate(Noting, t.b),
        fn.fold((), lambda some, b: (*some, b), t.b),
        fn.reduce(tuple, t.b),
    )
    found = judged(make, group(things.node, lambda t: (t.a,), users))
    assert found.executor.rows == {"x": ("x", (2,), (2,), (2,))}
    Noting.told.clear()
    found.step(commit({things: [(0, Thing(0, "x", 1)), (1, Thing(1, "x", None))]}))
    assert found.executor.rows == {"x": ("x", (1,), (1,), (1,))}
    found.step(commit({things: [(0, Thing(0, "x", None))]}))
    assert found.executor.rows == {"x": ("x", (), (), ())}
    found.step(commit({things: [(1, None)]}))
    assert found.executor.rows == {"x": ("x", (), (), ())}
    assert not [value for _, value in Noting.told if value is None]


def test_aggregates_are_not_told_of_values_that_stay(make: MakeExecutor) -> None:
    things = things_of(("x", 1), ("x", "".join(["a", "b"])))
    asked = lambda t: (fn.accumulate(Noting, t.b), fn.collect(t.id), fn.count())  # noqa: E731
    found = make(plan_of(group(things.node, lambda t: (t.a,), asked)))
    found.load()
    Noting.told.clear()
    assert found.step(commit({things: [(1, Thing(1, "x", "".join(["a", "b"])))]})) == []
    found.step(commit({things: [(1, None), (1, Thing(1, "x", "ab"))]}))
    assert Noting.told == []
    assert len(found.step(commit({things: [(0, Thing(0, "x", 1.0))]}))) == 1
    assert Noting.told == [("remove", 1), ("add", 1.0)]


def test_expressions_that_are_nested_very_deep(make: MakeExecutor) -> None:
    things = things_of(("x", 1), ("x", 2))

    def deep(value: Any) -> Any:
        for _ in range(150):
            value = value + 1
        return value

    found = judged(
        make,
        group(
            things.node,
            lambda t: (deep(t.id) // 100,),
            lambda t: (fn.sum(deep(t.b)), deep(fn.max(t.b)), fn.first(t.b, by=deep(t.b))),
        ),
    )
    found.step(commit({things: [(0, Thing(0, "x", 3)), (2, Thing(2, "x", None))]}))
    found.step(commit({things: [(1, None)]}))
    assert found.executor.rows == {1: (1, 153, 153, None)}


@pytest.mark.parametrize("number", [0, 5])
def test_rows_of_which_an_aggregate_cannot_be_evaluated(make: MakeExecutor, number: int) -> None:
    """Whether one comes or takes the place of another: the aggregate or the expression is named."""
    wrong: list[tuple[Function, str]] = [
        (lambda t: (fn.count(), fn.sum(t.b)), r"`fn\.sum\(b\)` cannot be evaluated: "),
        (lambda t: (fn.count(), fn.max(t.b)), r"`fn\.max\(b\)` cannot be evaluated: "),
        (lambda t: (fn.first(t.b), fn.sum(t.b + 1)), r"`b \+ 1` cannot be evaluated: "),
        (lambda t: (fn.collect(t.b, by=-t.b),), r"`-b` cannot be evaluated: "),
        (lambda t: (fn.first(t.b) + 1, fn.last(t.b) + 1), r"`fn\..*` cannot be evaluated: "),
    ]
    for answers, message in wrong:
        things = things_of(("x", 1), ("x", 2))
        executor = make(plan_of(group(things.node, lambda t: (t.a,), answers)))
        executor.load()
        with pytest.raises(ExpressionError, match=message):
            executor.step(commit({things: [(number, Thing(number, "x", "text"))]}))


def test_reducers_of_users_are_not_told_of_rows_that_miss(make: MakeExecutor) -> None:
    left, right = things_of(("x", 1)), things_of(("y", 1))
    pairs = join(left.node, right.node, lambda s, t: [(s.a, t.a)], "left")
    query = group(pairs, lambda s, t: (s.a,), lambda s, t: (fn.accumulate(Noting, t), fn.count()))
    found = judged(make, query)
    assert found.executor.rows == {"x": ("x", (), 1)}


def test_a_group_that_was_empty_begins_anew(make: MakeExecutor) -> None:
    things = things_of((1, 1))
    found = judged(make, group(things.node, lambda t: (t.a,), lambda t: (fn.count(),)))
    found.step(commit({things: [(0, None)]}))
    found.step(commit({things: [(0, Thing(0, 1.0))]}))
    assert type(found.executor.rows[1][0]) is float


class Spread:
    def __init__(self) -> None:
        self._values: list[int] = []

    def add(self, value: int, /) -> None:
        self._values.append(value)

    def remove(self, value: int, /) -> None:
        self._values.remove(value)

    def result(self) -> int | None:
        return max(self._values) - min(self._values) if self._values else None


ROWS = st.builds(Thing, st.integers(0, 6), st.sampled_from("xyz"), st.none() | st.integers(-3, 3))
WRITES = st.lists(st.tuples(st.integers(0, 6), st.none() | ROWS), max_size=6)


@pytest.mark.parametrize("make", [Interpreted, Compiled])
@settings(max_examples=60)
@given(st.lists(WRITES, max_size=8))
def test_any_history(make: MakeExecutor, history: list[list[tuple[int, Thing | None]]]) -> None:
    things, others = things_of(("x", 1), ("y", None), ("x", 2)), things_of(("x", 3))
    both = union(things.node, others.node)
    asked = group(
        both,
        lambda t: (t.a,),
        lambda t: (
            fn.reduce(tuple, t.b, by=t.b.desc()),
            fn.accumulate(Spread, t.b),
            fn.median(t.b),
            fn.fold((), lambda state, row: (*state, row.id), t),
        ),
    )
    found = judged(make, asked)
    for number, writes in enumerate(history):
        found.step(commit({(things, others)[number % 2]: writes}))
