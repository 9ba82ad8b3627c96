"""Orders and windows, held to the naive evaluator; what they compute, and what they tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.engine.asking import distinct, filter_, join, map_, order, select, where
from tests.runtime.engine.judging import Judged, MakeExecutor
from tests.runtime.engine.tables import TableSource, Write, commit
from tests.runtime.engine.things import Thing

from streamdb.engine import window
from streamdb.engine.compiled import Compiled
from streamdb.engine.interpreted import Interpreted
from streamdb.engine.planning import plan_of
from streamdb.errors import ExpressionError
from streamdb.expr.nodes import ColumnNode, ConstantNode, OperationNode, OrderTerm
from streamdb.expr.query_tree import QueryNode

EXECUTORS: tuple[MakeExecutor, ...] = (Interpreted, Compiled)
TERMS = st.builds(
    OrderTerm, st.sampled_from([ColumnNode("a"), ColumnNode("b")]), *[st.booleans()] * 2
)
NAN = float("nan")
THINGS = st.builds(
    Thing, st.none(), st.sampled_from([None, 1, 2, NAN]), st.sampled_from([None, "x", "y", "xy"])
)
TEXT_KEYS = st.integers(0, 12).map(str)
KEYS = TEXT_KEYS | st.integers(0, 3) | st.tuples(TEXT_KEYS, st.none())
WRITES = st.lists(st.tuples(KEYS, st.none() | THINGS), max_size=6)

THEN: dict[str, Callable[[QueryNode], QueryNode]] = {
    "nothing": lambda query: query,
    "where": lambda query: where(query, lambda t: t.b == "x"),
    "filter": lambda query: filter_(query, lambda thing: thing.a != 1),
    "map": lambda query: map_(query, lambda thing: thing.b or "none"),
    "select": lambda query: select(query, lambda t: (t.b,)),
    "all": lambda query: filter_(
        select(where(query, lambda t: t.a.is_not_null()), lambda t: (t.b,)), lambda b: b != "xy"
    ),
}
WINDOWS = st.tuples(st.none() | st.integers(0, 4), st.just(0) | st.integers(0, 4))


@settings(deadline=None)
@given(
    first=st.dictionaries(TEXT_KEYS, THINGS),
    terms=st.lists(TERMS, max_size=2),
    limits=WINDOWS,
    then=st.sampled_from(sorted(THEN)),
    commits=st.lists(WRITES, max_size=12),
)
def test_any_order_of_any_history(
    first: dict[Any, Thing],
    terms: list[OrderTerm],
    limits: tuple[int | None, int],
    then: str,
    commits: list[list[Write]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "_SPARE", 1)  # so that buffers run dry
        things = TableSource("things", first)
        limit, offset = limits
        query = THEN[then](order(things.node, *terms, limit=limit, offset=offset))
        executors = [Judged(plan_of(query), make) for make in EXECUTORS]
        follow(executors, things, commits)


@settings(deadline=None)
@given(
    first=st.dictionaries(TEXT_KEYS, THINGS),
    inner=WINDOWS,
    outer=WINDOWS,
    then=st.sampled_from(["nothing", "where", "filter"]),
    commits=st.lists(WRITES, max_size=8),
)
def test_windows_inside_of_queries(
    first: dict[Any, Thing],
    inner: tuple[int | None, int],
    outer: tuple[int | None, int],
    then: str,
    commits: list[list[Write]],
) -> None:
    """A row may move in the order of arrival there, and stay the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window, "_SPARE", 1)
        things = TableSource("things", first)
        part = THEN[then](order(things.node, "a", limit=inner[0], offset=inner[1]))
        pairs = join(part, things.node, lambda one, other: [(one.b, other.b)], "left")
        queries = [
            order(
                pairs, OrderTerm(ColumnNode("b"), descending=True), limit=outer[0], offset=outer[1]
            ),
            distinct(select(part, lambda t: (t.b,))),
            order(order(part, "b", limit=outer[0], offset=outer[1]), "a"),
            where(pairs, lambda one, other: one.a == other.a),
        ]
        executors = [Judged(plan_of(query), make) for query in queries for make in EXECUTORS]
        follow(executors, things, commits)


def follow(executors: list[Judged], things: TableSource, commits: list[list[Write]]) -> None:
    for judged in executors:
        judged.load()
    for writes in commits:
        done = commit({things: writes})
        for judged in executors:
            judged.step(done)


def things_by_letter() -> TableSource:
    return TableSource("things", {key: Thing(key, n) for n, key in enumerate("pqrs")})


def loaded(make: MakeExecutor, query: QueryNode) -> Judged:
    judged = Judged(plan_of(query), make)
    judged.load()
    return judged


def test_changes_carry_places(make: MakeExecutor) -> None:
    things = things_by_letter()
    p, q = things.rows["p"], things.rows["q"]
    judged = loaded(make, order(things.node, "a"))
    last, same_place, first = Thing("p", 9), Thing("q", 1, "other"), Thing("t", -1)
    writes = [("p", last), ("q", same_place), ("t", first), ("r", None)]
    assert judged.step(commit({things: writes})) == [
        ("p", p, last, 0, 3),
        ("q", q, same_place, 0, 0),
        ("t", None, first, None, 0),
        ("r", Thing("r", 2), None, 2, None),
    ]


def test_a_row_that_stays_the_same_and_moves(make: MakeExecutor) -> None:
    things = things_by_letter()
    judged = loaded(make, select(order(things.node, "a"), lambda t: (t.id,)))
    row = judged.executor.rows["p"]
    [move] = judged.step(commit({things: [("p", Thing("p", 2.5))]}))
    assert move == ("p", row, row, 0, 2)
    assert move[2] is row
    assert judged.step(commit({things: [("p", Thing("p", 2.75))]})) == []


@pytest.mark.parametrize("limit", [None, 2])
def test_a_row_written_again_in_one_commit_is_told_though_it_stays_where_it_is(
    make: MakeExecutor, limit: int | None
) -> None:
    things = things_by_letter()
    query = order(things.node, "a", limit=limit)
    judged, inner = loaded(make, query), loaded(make, select(distinct(query), lambda t: (t.a,)))
    p = things.rows["p"]
    done = commit({things: [("p", None), ("p", p)]})
    assert judged.step(done) == [("p", p, p, 0, 0)]
    inner.step(done)


def test_rows_that_a_change_pushes_out_of_a_window_and_lets_in(make: MakeExecutor) -> None:
    things = things_by_letter()
    judged = loaded(make, order(things.node, "a", limit=2, offset=1))
    assert list(judged.executor.positions or ()) == ["q", "r"]
    p, r = things.rows["p"], things.rows["r"]
    assert judged.step(commit({things: [("t", Thing("t", -1))]})) == [
        ("p", None, p, None, 0),
        ("r", r, None, 2, None),
    ]


def test_what_a_change_of_a_row_needs_is_asked_once(make: MakeExecutor) -> None:
    asked = list[Any]()

    def named(thing: Thing) -> str:
        asked.append(thing)
        return str(thing.id)

    things = things_by_letter()
    executor = make(plan_of(map_(order(things.node, "a", limit=2), named)))
    executor.load()
    assert asked == [things.rows["p"], things.rows["q"]]
    asked.clear()
    new = Thing("t", 0.5)
    executor.step(commit({things: [("t", new), ("s", Thing("s", 8))]}))
    assert asked == [new]


@pytest.mark.parametrize("limit", [None, 2])
def test_rows_that_do_not_compare(make: MakeExecutor, limit: int | None) -> None:
    things = things_by_letter()
    executor = make(plan_of(order(things.node, "b", "a", limit=limit)))
    executor.load()
    done = commit({things: [("t", Thing("t", "text"))]})
    with pytest.raises(ExpressionError, match=r"^rows cannot be ordered by `a`: .*'(str|int)'"):
        executor.step(done)
    with pytest.raises(ExpressionError, match=r"^rows cannot be ordered by `a`: "):
        executor.load()


@pytest.mark.parametrize("then", sorted(THEN))
@pytest.mark.parametrize("limit", [None, 2])
def test_rows_need_compare_with_no_others_that_go_in_the_same_commit(
    make: MakeExecutor, limit: int | None, then: str
) -> None:
    """Numbers and text do not compare."""
    first = {letter: Thing(letter, n, "x") for n, letter in enumerate("abcdef")}
    things = TableSource("things", first)
    found = Judged(plan_of(THEN[then](order(things.node, "a", limit=limit))), make)
    found.load()
    text = [(letter, Thing(letter, letter * 2, "x")) for letter in "edcb"]
    found.step(commit({things: [("g", Thing("g", 3, "xy")), ("a", None)]}))
    found.step(commit({things: [("f", None), *text, ("g", None), ("h", Thing("h", "x", "y"))]}))
    for letter in "bchaed":
        found.step(commit({things: [(letter, Thing(letter, "c", "x"))]}))
    numbers = [(key, Thing(key, n, "xy")) for n, key in enumerate(things.rows)]
    moved = [("h", None), ("c", None), *numbers, (3, Thing(3, 3))]
    found.step(commit({things: moved}))
    found.step(commit({things: [(3, None), ("a", Thing("a", 0))]}))


@pytest.mark.parametrize("limit", [None, 2])
def test_a_term_that_cannot_be_evaluated(make: MakeExecutor, limit: int | None) -> None:
    things = things_by_letter()
    term = OrderTerm(OperationNode("<", (ColumnNode("a"), ConstantNode(3))), descending=True)
    executor = make(plan_of(order(things.node, term, limit=limit)))
    executor.load()
    with pytest.raises(ExpressionError, match=r"ordered by .*: `a < 3` cannot be evaluated"):
        executor.step(commit({things: [("t", Thing("t", "text"))]}))


def test_a_fault_of_a_users_function_is_their_own(make: MakeExecutor) -> None:
    things = things_by_letter()
    executor = make(plan_of(map_(order(things.node, "a"), lambda thing: len(thing.b))))
    with pytest.raises(TypeError, match="has no len"):
        executor.load()
