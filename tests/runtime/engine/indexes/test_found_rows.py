"""Rows that an index finds are those that a look at all rows finds, whatever happens to them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal
from math import nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.engine.asking import order, where
from tests.runtime.engine.judging import equal
from tests.runtime.engine.oracle.indexed import eager_indexes
from tests.runtime.engine.tables import TableSource
from tests.runtime.engine.things import Thing

from streamdb.engine.compiled import Compiled
from streamdb.engine.indexes import paying
from streamdb.engine.indexes.hash_index import HashIndex
from streamdb.engine.indexes.ordered_index import OrderedIndex
from streamdb.engine.interpreted import Interpreted
from streamdb.engine.naive import evaluate
from streamdb.engine.planning import plan_of
from streamdb.errors import ExpressionError
from streamdb.expr import Expr
from streamdb.expr.nodes import ColumnNode, OrderTerm
from streamdb.expr.query_tree import QueryNode

CONDITIONS: dict[str, Callable[[Any], Expr[Any, Any]]] = {
    "value": lambda t: t.a == 2,
    "value, turned": lambda t: 2 == t.a,  # noqa: SIM300 - that is asked, too
    "truth": lambda t: t.a == True,  # noqa: E712 - equals 1
    "one of": lambda t: t.a.in_([1, None, 3, 1]),
    "one of none": lambda t: t.a.in_([]),
    "above": lambda t: t.a > 2,
    "from, turned": lambda t: 2 <= t.a,  # noqa: SIM300
    "below": lambda t: t.a < 2.5,
    "up to": lambda t: t.a <= 2,
    "between": lambda t: t.a.between(1, 3),
    "between nothing": lambda t: t.a.between(3, 1),
    "a range": lambda t: (t.a > 0) & (t.a < 3),
    "key": lambda t: t.id == 3,
    "keys": lambda t: t.id.in_([1, 5, 99]),
    "value and more": lambda t: (t.a == 2) & (t.b != 1),
    "null": lambda t: t.a == None,  # noqa: E711
    "not": lambda t: ~(t.a == 2),
}
A = st.none() | st.integers(0, 4) | st.sampled_from([nan, 2.0, 1e300])
B = st.none() | st.integers(0, 2)
THINGS = st.builds(Thing, st.integers(0, 7), A, B)
ROWS = st.lists(THINGS, max_size=8).map(lambda things: {thing.id: thing for thing in things})
WRITES = st.lists(st.tuples(st.integers(0, 7), st.none() | THINGS), max_size=4).map(
    lambda writes: [(key, row and Thing(key, row.a, row.b)) for key, row in writes]
)


@pytest.fixture
def eager() -> Iterator[None]:
    with eager_indexes():
        yield


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("condition", CONDITIONS)
@settings(max_examples=30, deadline=None)
@given(rows=ROWS, commits=st.lists(WRITES, max_size=5))
def test_any_history(condition: str, rows: Any, commits: Any) -> None:
    source = TableSource("things", rows, "id")
    asked = where(source.node, CONDITIONS[condition])
    queries = [
        asked,
        where(where(source.node, lambda t: t.b == 1), CONDITIONS[condition]),
        *(order(asked, "a", limit=limit) for limit in (1, 3)),
        order(asked, "b", limit=2, offset=1),
    ]
    for writes in ((), *commits):
        source.write(writes)
        for query in queries:
            holds_what_the_oracle_says(query)


def holds_what_the_oracle_says(query: QueryNode) -> None:
    plan = plan_of(query)
    expected = evaluate(plan.root)
    for make in (Interpreted, Compiled):
        executor = make(plan)
        executor.load()
        assert equal(dict(executor.rows), {row.key: row.item for row in expected})
        if executor.positions is not None:
            assert list(executor.positions) == [row.key for row in expected]
        else:
            assert list(executor.rows) == [row.key for row in expected], "not as they arrived"


# --- how often all rows are looked at ----------------------------------------------------------


class Rows(dict[Any, Any]):
    """All rows, which count how often somebody goes over them all."""

    passes = 0

    def items(self) -> Any:
        self.passes += 1
        return super().items()

    def values(self) -> Any:
        self.passes += 1
        return super().values()


def counted(count: int, a: Callable[[int], Any]) -> tuple[TableSource, Rows]:
    source = TableSource("things", {n: Thing(n, a(n), n) for n in range(count)}, "id")
    rows = source.rows = Rows(source.rows)
    return source, rows


def loaded(query: QueryNode) -> Compiled:
    executor = Compiled(plan_of(query))
    executor.load()
    return executor


def passes(rows: Rows, query: QueryNode) -> int:
    """Load a query, and return how often that went over all rows."""
    before = rows.passes
    loaded(query)
    return rows.passes - before


QUERIES: dict[str, Callable[[TableSource], QueryNode]] = {
    "value": lambda s: where(s.node, lambda t: t.a == 5),
    "range": lambda s: where(s.node, lambda t: t.a.between(3, 5)),
    "first": lambda s: order(s.node, "a", limit=3),
    "first of some": lambda s: order(where(s.node, lambda t: t.b != 1), "a", limit=3),
    "some of a value": lambda s: order(where(s.node, lambda t: t.a == 7), "b", limit=3),
}


@pytest.mark.parametrize("asked", QUERIES)
def test_after_some_loads_an_index_is_made_and_follows_what_happens(asked: str) -> None:
    source, rows = counted(2000, lambda n: n % 100)
    query = QUERIES[asked](source)
    looks = [passes(rows, query) for _ in range(paying.SCANS_BEFORE + 1)]
    assert looks == [1] * (paying.SCANS_BEFORE + 1)
    for n in range(0, 100, 5):
        source.write([(n, Thing(n, 5, 1)), (n + 1, None), (n + 2, Thing(n + 2, 7, n))])
        assert passes(rows, query) == 0
        holds_what_the_oracle_says(query)


def test_a_window_that_runs_dry_is_filled_from_an_index() -> None:
    source, rows = counted(2000, lambda n: n)
    query = order(source.node, "a", limit=3)
    for _ in range(paying.SCANS_BEFORE):
        loaded(query)
    executor = loaded(query)
    looks = rows.passes
    for n in range(1300):
        executor.step({source: source.write([(n, None)])})
        assert list(executor.rows) == list(range(n + 1, n + 4))
    assert rows.passes == looks


def test_keys_need_no_index() -> None:
    source, rows = counted(2000, lambda n: n)
    assert passes(rows, where(source.node, lambda t: (t.id == 7) & (t.a == 7))) == 0


def test_few_rows_get_no_index() -> None:
    source, rows = counted(paying.LEAST_ROWS - 1, lambda n: n)
    query = QUERIES["value"](source)
    assert sum(passes(rows, query) for _ in range(50)) == 50


def test_an_index_that_finds_many_is_not_asked() -> None:
    """It would give rows in another order than a look at all of them, and take longer."""
    source, rows = counted(2000, lambda n: n % 3)
    query = where(source.node, lambda t: t.a == 1)
    assert sum(passes(rows, query) for _ in range(50)) == 51  # one to make it
    for n in range(200):
        source.write([(key, Thing(key, 1)) for key in (n, n + 1, n + 2)])
        assert passes(rows, query) == 1  # and it is not made again


def test_an_order_that_finds_the_first_rows_late_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, _ = counted(2000, lambda n: n)
    groups, asked = OrderedIndex.groups, list[OrderedIndex]()

    def counting(index: OrderedIndex, **direction: bool) -> Any:
        asked.append(index)
        return groups(index, **direction)

    monkeypatch.setattr(OrderedIndex, "groups", counting)
    nowhere = order(where(source.node, lambda t: t.b.is_null()), "a", limit=3)
    for _ in range(50):
        loaded(nowhere)
    assert len(asked) == paying.SCANS_BEFORE + 1


def test_an_index_that_found_many_is_made_again_among_more_rows() -> None:
    source, rows = counted(1000, lambda n: n % 3)
    query = where(source.node, lambda t: t.a == 1)
    for n in range(400):
        source.write([(n, Thing(n, n % 3))])
        passes(rows, query)
    source.write([(n, Thing(n, n)) for n in range(1000, 4000)])
    looks = [passes(rows, query) for _ in range(paying.SCANS_BEFORE + 2)]
    assert looks == [1] * (paying.SCANS_BEFORE + 1) + [0]


def test_where_the_value_of_one_column_finds_many_that_of_another_one_is_tried() -> None:
    source, rows = counted(2000, lambda n: n % 3)
    query = where(source.node, lambda t: (t.a == 1) & (t.b == 7))
    looks = [passes(rows, query) for _ in range(2 * (paying.SCANS_BEFORE + 1) + 1)]
    assert looks[-1] == 0


def test_where_one_index_finds_rows_no_other_is_made() -> None:
    source, rows = counted(2000, lambda n: n % 100)
    for _ in range(paying.SCANS_BEFORE + 1):
        loaded(where(source.node, lambda t: t.b == 7))
    query = where(source.node, lambda t: (t.a == 7) & (t.b == 7))
    assert [passes(rows, query) for _ in range(2 * paying.SCANS_BEFORE)] == [0] * 16


def test_a_commit_that_changes_nothing_leaves_nothing_behind() -> None:
    source, _ = counted(2000, lambda n: n % 100)
    for _ in range(paying.SCANS_BEFORE + 1):
        loaded(QUERIES["value"](source))
    tracemalloc.start()
    try:
        for _ in range(50_000):
            source.write([])
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()


def test_after_an_interrupt_indexes_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    source, rows = counted(2000, lambda n: n % 100)
    query = QUERIES["value"](source)
    for _ in range(paying.SCANS_BEFORE + 1):
        loaded(query)
    source.write([(n, Thing(n, 5)) for n in range(3)])
    with monkeypatch.context() as patch:
        move, moved = HashIndex.move, iter([None, KeyboardInterrupt()])

        def interrupted(index: HashIndex, key: Any, old: Any, new: Any) -> None:
            move(index, key, old, new)
            if (error := next(moved)) is not None:
                raise error

        patch.setattr(HashIndex, "move", interrupted)
        with pytest.raises(KeyboardInterrupt):
            loaded(query)
    assert passes(rows, query) == 1
    holds_what_the_oracle_says(query)


def test_an_index_that_nobody_asks_is_dropped() -> None:
    source, rows = counted(2000, lambda n: n % 100)
    query = QUERIES["value"](source)
    for _ in range(paying.SCANS_BEFORE + 1):
        loaded(query)
    kept = 2000 // paying.CHANGED_OF + paying.FEW_CHANGES
    source.write([(n, Thing(n, n)) for n in range(kept)])
    assert passes(rows, query) == 0
    source.write([(n, Thing(n, n + 1)) for n in range(kept + 1)])
    assert passes(rows, query) == 1


def test_an_index_that_nobody_asks_beside_one_that_is_asked_is_dropped_too() -> None:
    source, rows = counted(2000, lambda n: n % 100)
    in_use, unused = QUERIES["value"](source), QUERIES["range"](source)
    for _ in range(paying.SCANS_BEFORE + 1):
        loaded(in_use), loaded(unused)
    for value in range(1000):
        source.write([(value, Thing(value, value))])
        assert passes(rows, in_use) == 0
    assert passes(rows, unused) == 1


def test_other_rows_in_place_of_all_have_no_index() -> None:
    source, _ = counted(2000, lambda n: n % 100)
    query = QUERIES["value"](source)
    for _ in range(paying.SCANS_BEFORE + 1):
        loaded(query)
    source.reset({1: Thing(1, 5)})
    assert list(loaded(query).rows) == [1]


# --- values that do not suit -------------------------------------------------------------------


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("values", "condition"),
    [
        ([[1], [2]], lambda t: t.a == [1]),
        ([1, [2]], lambda t: t.a == 1),
        ([1, 2], lambda t: t.a == [1]),
        ([1, "2"], lambda t: t.a == 1),
        ([1j, 2], lambda t: t.a.in_([2])),
    ],
)
def test_values_without_a_hash_or_an_order_are_found_by_looking(
    values: Any, condition: Any
) -> None:
    source = TableSource("things", {n: Thing(n, value) for n, value in enumerate(values)})
    query = where(source.node, condition)
    for _ in range(3):
        holds_what_the_oracle_says(query)
    source.write([(9, Thing(9, [1])), (8, Thing(8, 1))])
    holds_what_the_oracle_says(query)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("values", "condition"),
    [
        ([1, "2"], lambda t: t.a > 1),
        ([1, 2], lambda t: t.a > "1"),
        ([2, "text"], lambda t: (t.a == 1) & (t.a > 0)),
        ([2, 3], lambda t: (t.a > 5) & (t.a > "text")),
        ([1, Decimal("NaN")], lambda t: t.a > 5),
        ([1, nan], lambda t: t.a > Decimal(5)),
        ([1, Decimal(2)], lambda t: t.a == Decimal("sNaN")),
        ([None, nan], lambda t: t.a > "text"),
        ([1, 2], lambda t: (t.a == 1) & (t.b.lower() == "x")),
        ([1, 2], lambda t: (t.b.lower() == "x") & (t.a == 1)),
    ],
)
def test_what_raises_for_a_row_raises_though_an_index_would_not_find_the_row(
    values: Any, condition: Any
) -> None:
    source = TableSource("things", {n: Thing(n, value, 1) for n, value in enumerate(values)})
    for query in (where(source.node, condition), order(where(source.node, condition), limit=1)):
        for _ in range(3):
            with pytest.raises(ExpressionError, match="cannot be evaluated"):
                Interpreted(plan_of(query)).load()


@pytest.mark.usefixtures("eager")
def test_a_further_term_that_raises_for_a_row_beyond_the_first_ones() -> None:
    source = TableSource("things", {n: Thing(n, n, "text") for n in range(9)})
    source.write([(9, Thing(9, 9, 1))])
    terms = [OrderTerm(ColumnNode("a")), OrderTerm(source.columns.b.lower().node)]
    for _ in range(3):
        with pytest.raises(ExpressionError, match="cannot be evaluated"):
            loaded(order(source.node, *terms, limit=1))


@pytest.mark.usefixtures("eager")
def test_sets_are_in_no_order() -> None:
    sets = [{1}, {2}, set[int](), {1, 2}, {3}]
    source = TableSource("things", {n: Thing(n, value) for n, value in enumerate(sets)})
    query = where(source.node, lambda t: t.a < {1, 2})
    for n in range(3):
        holds_what_the_oracle_says(query)
        source.write([(n, Thing(n, {n, 3})), (9, Thing(9, {1}))])


@pytest.mark.usefixtures("eager")
def test_rows_that_do_not_compare_with_those_of_an_index() -> None:
    source = TableSource("things", {n: Thing(n, n) for n in range(9)})
    query = order(source.node, "a", limit=2)
    loaded(query)
    source.write([(9, Thing(9, "text"))])
    with pytest.raises(ExpressionError, match="rows cannot be ordered by `a`"):
        loaded(query)
