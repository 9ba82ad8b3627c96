"""What each aggregate means, and how it is asked for."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.expr import ExpressionError, UntypedColumns, fn
from streamdb.expr.aggregates import AGGREGATES, exact_sum
from streamdb.expr.nodes import AggregateNode, ColumnNode, OrderTerm, SlotNode

M = UntypedColumns[Any]()
NAN, INF = math.nan, math.inf
DAY = dt.timedelta(days=1)
NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("name", "values", "options", "expected"),
    [
        ("count", [3, 3], (), 2),
        ("count", [], (), 0),
        ("count_distinct", [3, 3.0, "3", NAN, float("nan")], (), 3),
        ("count_distinct", [], (), 0),
        ("sum", [], (), None),
        ("sum", [10**400, 0.5, -(10**400)], (), 0.5),
        ("sum", [1e308, 1e308], (), INF),
        ("sum", [INF, 1.0], (), INF),
        ("sum", [Decimal(1), Decimal("1e-40"), -Decimal(1)], (), Decimal("1e-40")),
        ("sum", [DAY, DAY], (), 2 * DAY),
        ("avg", [1, 2], (), 1.5),
        ("avg", [1e308, 1e308], (), 1e308),
        ("avg", [Decimal(1), Decimal(2)], (), Decimal("1.5")),
        ("avg", [DAY, 2 * DAY], (), 1.5 * DAY),
        ("avg", [], (), None),
        ("min", [2, NAN, 1], (), 1),
        ("min", [NAN, 3], (), 3),
        ("max", ["b", "a"], (), "b"),
        ("max", [], (), None),
        ("median", [3, 1, 2], (), 2),
        ("median", [4, 1], (), 2.5),
        ("median", [NOON, NOON + DAY], (), NOON + DAY / 2),
        ("median", ["b", "a", "c"], (), "b"),
        ("median", [], (), None),
        ("any", [False, True], (), True),
        ("any", [], (), None),
        ("all", [False, True], (), False),
        ("collect", [1, None], (), (1, None)),
        ("collect", [], (), ()),
        ("string_agg", ["a", "b"], (", ",), "a, b"),
        ("string_agg", [], (", ",), None),
        ("first", [None, 2], (), None),
        ("last", [1, 2], (), 2),
        ("last", [], (), None),
        ("fold", [1, 2], ("", lambda text, n: f"{text}{n}"), "12"),
        ("fold", [], ("", lambda text, n: f"{text}{n}"), ""),
        ("reduce", [3, 1], (sorted,), [1, 3]),
        ("accumulate", [3, 1], (lambda: Longest(),), 3),
    ],
)
def test_meaning(name: str, values: list[Any], options: tuple[Any, ...], expected: object) -> None:
    found = AGGREGATES[name].function(values, *options)
    assert found == expected
    assert type(found) is type(expected)


def test_nan_is_greater_than_all_numbers() -> None:
    assert math.isnan(AGGREGATES["max"].function([1, NAN, INF]))
    assert math.isnan(AGGREGATES["min"].function([NAN]))
    assert math.isnan(AGGREGATES["median"].function([1, NAN, NAN]))
    assert math.isnan(exact_sum([INF, -INF]))


class Longest:
    """The greatest value, and no removal."""

    def __init__(self) -> None:
        self._found = 0

    def add(self, value: int, /) -> None:
        self._found = max(self._found, value)

    def remove(self, value: int, /) -> None:
        raise NotImplementedError

    def result(self) -> int:
        return self._found


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(), min_size=1))
def test_the_sum_is_exact_and_rounded_once(values: list[Any]) -> None:
    found = exact_sum(values)
    exact = sum(map(Fraction, values), start=Fraction())
    if any(isinstance(value, float) for value in values):
        assert isinstance(found, float)
        if math.isfinite(found):
            nearer = (math.nextafter(found, -INF), math.nextafter(found, INF))
            error = abs(Fraction(found) - exact)
            assert all(error <= abs(Fraction(n) - exact) for n in nearer if math.isfinite(n))
    else:
        assert found == exact


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sum", ["a", 1]),
        ("sum", [Decimal(1), 0.5]),
        ("min", ["a", 1]),
        ("median", ["a", "b"]),
        ("any", [1]),
        ("all", ["x"]),
        ("count_distinct", [[1]]),
    ],
)
def test_values_that_do_not_suit(name: str, values: list[Any]) -> None:
    with pytest.raises(TypeError):
        AGGREGATES[name].function(values)


def test_what_is_asked_for() -> None:
    assert fn.count().node == AggregateNode("count", None)
    assert fn.count(M).node == AggregateNode("count", SlotNode(0, "row"), of_rows=True)
    assert fn.sum(M.size).node == AggregateNode("sum", ColumnNode("size"))
    collected = fn.collect(M, by=(M.at.desc(), M.id))
    assert collected.node == AggregateNode(
        "collect",
        SlotNode(0, "row"),
        (OrderTerm(ColumnNode("at"), True, False), OrderTerm(ColumnNode("id"))),
        of_rows=True,
    )
    assert fn.string_agg(M.text, ", ", by=M.at).node == AggregateNode(
        "string_agg", ColumnNode("text"), (OrderTerm(ColumnNode("at")),), (", ",)
    )
    assert fn.fold(0, max, M.size).node == AggregateNode("fold", ColumnNode("size"), (), (0, max))
    assert str(fn.sum(M.cost) / fn.count()) == "fn.sum(cost) / fn.count()"


@pytest.mark.parametrize("name", AGGREGATES)
def test_every_aggregate_is_a_function_of_the_module(name: str) -> None:
    assert callable(getattr(fn, name))


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: fn.sum("size"), r"as in `fn\.sum\(m\.tokens\)`, not of 'size'"),
        (lambda: fn.collect(3), r"`fn\.collect` is asked of rows or of an expression"),
        (lambda: fn.collect(M, by="at"), r"orders by expressions, as in .*, not by 'at'"),
        (lambda: fn.collect(M, by=(M.at, 3)), "not by 3"),
        (lambda: fn.string_agg(M.text, 3), "takes a text as separator, not 3"),
        (lambda: fn.fold(0, 1, M), "takes a function, and 1 is none"),
        (lambda: fn.reduce(M, len), "is none"),
    ],
)
def test_what_makes_no_sense_is_refused(ask: Callable[[], Any], says: str) -> None:
    with pytest.raises(ExpressionError, match=says):
        ask()
