"""Conditions on one side of a join are asked before rows are paired, and mean the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.engine.asking import filter_, join, order, where
from tests.runtime.engine.judging import Judged
from tests.runtime.engine.tables import TableSource, commit
from tests.runtime.engine.things import Thing

from streamdb.engine.compiled import Compiled
from streamdb.engine.explain import explain
from streamdb.engine.interpreted import Interpreted
from streamdb.engine.planning import plan_of
from streamdb.expr import Expr
from streamdb.expr.query_tree import JoinKind, QueryNode

KINDS: Final[tuple[JoinKind, ...]] = get_args(JoinKind)
CONDITIONS: Final[dict[str, Callable[..., Expr[Any, Any]]]] = {
    "left": lambda s, t: s.b == 1,
    "right": lambda s, t: t.b == 1,
    "left misses": lambda s, t: s.b.is_null(),
    "right misses": lambda s, t: t.b.is_null(),
    "right is not": lambda s, t: ~(t.b == 1),
    "each": lambda s, t: (s.b == 1) & (t.b != 0),
    "either": lambda s, t: (s.b == 1) | (t.b == 1),
    "between them": lambda s, t: (s.b == t.b) & (t.a == 1),
    "left is joined by": lambda s, t: s.a == 1,
    "right is joined by": lambda s, t: t.a.in_([0, 1, None]),
    "may raise": lambda s, t: (t.b + 1 == 1) & (s.b.in_([0, 1])),
}
SMALL = st.none() | st.integers(0, 2)
THINGS = st.builds(Thing, st.integers(0, 3), SMALL, SMALL)
ROWS = st.lists(THINGS, max_size=4).map(lambda things: {thing.id: thing for thing in things})
WRITES = st.lists(st.tuples(st.integers(0, 3), st.none() | THINGS), max_size=3)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("how", KINDS)
@settings(max_examples=12, deadline=None)
@given(first=ROWS, second=ROWS, commits=st.lists(st.tuples(WRITES, WRITES), max_size=4))
def test_behind_a_join_and_within_one(
    how: JoinKind, condition: str, first: Any, second: Any, commits: Any
) -> None:
    left, right = TableSource("left", first, "id"), TableSource("right", second)
    asked = CONDITIONS[condition]
    pairs = join(left.node, right.node, lambda s, t: [(s.a, t.a)], how)
    within = join(left.node, right.node, lambda s, t: [(s.a, t.a)], how, asked)
    window = join(order(left.node, "b", limit=2), right.node, lambda s, t: [(s.a, t.a)], how)
    queries: list[QueryNode] = [
        where(pairs, asked),
        within,
        where(where(filter_(pairs, lambda *_: True), asked), asked),
        where(window, asked),
        where(join(pairs, left.node, lambda s, t, u: [(s.a, u.a)], "left"), _of_two(asked)),
    ]
    judged = [Judged(plan_of(query), make) for query in queries for make in (Interpreted, Compiled)]
    for one in judged:
        one.load()
    for to_left, to_right in commits:
        changes = commit({left: to_left, right: to_right})
        for one in judged:
            one.step(changes)


def _of_two(asked: Callable[..., Expr[Any, Any]]) -> Callable[..., Expr[Any, Any]]:
    return lambda s, t, _: asked(s, t)


def told(how: JoinKind, condition: Callable[..., Expr[Any, Any]]) -> list[str]:
    left, right = TableSource("left", {}), TableSource("right", {})
    pairs = join(left.node, right.node, lambda s, t: [(s.a, t.a)], how)
    lines = explain(plan_of(where(pairs, condition))).splitlines()
    return [line.partition(" |")[0] for line in lines]


def test_they_stand_where_their_rows_are_read() -> None:
    both = CONDITIONS["each"]
    assert told("inner", both) == [
        "inner join on a == a",
        "  where b == 1",
        "    left",
        "  where b != 0",
        "    right",
    ]
    assert told("left", both)[:3] == ["where b != 0", "  left join on a == a", "    where b == 1"]
    assert told("full", both)[:2] == ["where (b == 1) & (b != 0)", "  full join on a == a"]


def test_the_other_side_is_asked_for_the_values_of_which_all_pairs_are() -> None:
    is_one, are_few = CONDITIONS["left is joined by"], CONDITIONS["right is joined by"]
    left, right = TableSource("left", {}), TableSource("right", {})
    ones = where(left.node, lambda s: s.a == 1)
    lines = explain(plan_of(join(ones, right.node, lambda s, t: [(s.a, t.a)], "left")))
    assert [line.partition(" |")[0] for line in lines.splitlines()] == [
        "left join on a == a",
        "  where a == 1",
        "    left",
        "  where a == 1",
        "    right",
    ]
    assert told("inner", are_few).count("  where a.in_((0, 1, None))") == 2
    assert told("left", is_one).count("  where a == 1") == 2
    assert told("right", is_one).count("  where a == 1") == 0
    assert told("full", is_one).count("  where a == 1") == 0


def test_a_row_that_goes_is_in_no_pair() -> None:
    compared: list[int] = []

    class Noting(int):
        def __hash__(self) -> int:
            compared.append(int(self))
            return hash(int(self))

    left = TableSource("left", {1: Thing(1, Noting(5), 0), 2: Thing(2, Noting(6), 1)})
    right = TableSource("right", {n: Thing(n, 6) for n in range(3)})
    pairs = join(left.node, right.node, lambda s, t: [(s.a, t.a)])
    executor = Compiled(plan_of(where(pairs, lambda s, t: s.b == 1)))
    executor.load()
    assert (len(executor.rows), set(compared)) == (3, {6})
