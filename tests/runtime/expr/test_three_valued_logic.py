"""Logic is SQL's: true, false and unknown, checked against Kleene's tables as arithmetic.

With false, unknown, true as 0, 1/2, 1, `and` is the minimum, `or` the maximum, `not` 1 - x.
"""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.expr import Columns, Expr, NullableColumn, predicate
from streamdb.expr.evaluate import evaluator
from streamdb.expr.shape import row_shape

if TYPE_CHECKING:
    from collections.abc import Callable

Truth: TypeAlias = bool | None
TRUTHS: tuple[Truth, ...] = (True, False, None)

DEGREES = {False: 0.0, None: 0.5, True: 1.0}
TRUTH_OF = {degree: truth for truth, degree in DEGREES.items()}


class TruthColumns(Columns[SimpleNamespace]):
    a: NullableColumn[bool]
    b: NullableColumn[bool]
    c: NullableColumn[bool]


class NumberColumns(Columns[SimpleNamespace]):
    x: NullableColumn[int]
    y: NullableColumn[int]


T = TruthColumns()
N = NumberColumns()


def value(expression: Expr[bool, Any], **row: object) -> Truth:
    result: Truth = evaluator(expression.node, row_shape())(SimpleNamespace(**row))
    return result


@pytest.mark.parametrize(("a", "b"), list(product(TRUTHS, TRUTHS)))
def test_the_tables_of_and_and_or(a: Truth, b: Truth) -> None:
    assert value(T.a & T.b, a=a, b=b) is TRUTH_OF[min(DEGREES[a], DEGREES[b])]
    assert value(T.a | T.b, a=a, b=b) is TRUTH_OF[max(DEGREES[a], DEGREES[b])]


@pytest.mark.parametrize("a", TRUTHS)
def test_the_table_of_not(a: Truth) -> None:
    assert value(~T.a, a=a) is TRUTH_OF[1 - DEGREES[a]]


@pytest.mark.parametrize("a", TRUTHS)
def test_a_predicate_holds_only_when_true(a: Truth) -> None:
    assert predicate(TruthColumns, lambda t: t.a)(SimpleNamespace(a=a)) is (a is True)


# An expression, paired with the arithmetic that it has to agree with.
Model: TypeAlias = "Callable[[dict[str, float]], float]"
Pair: TypeAlias = "tuple[Expr[bool, Any], Model]"


def _column(name: str) -> Pair:
    return getattr(T, name), lambda row: row[name]


def _and(pairs: tuple[Pair, Pair]) -> Pair:
    (left, model), (right, other) = pairs
    return left & right, lambda row: min(model(row), other(row))


def _or(pairs: tuple[Pair, Pair]) -> Pair:
    (left, model), (right, other) = pairs
    return left | right, lambda row: max(model(row), other(row))


def _not(pair: Pair) -> Pair:
    expression, model = pair
    return ~expression, lambda row: 1 - model(row)


conditions: st.SearchStrategy[Pair] = st.recursive(
    st.sampled_from("abc").map(_column),
    lambda inner: (
        st.tuples(inner, inner).map(_and) | st.tuples(inner, inner).map(_or) | inner.map(_not)
    ),
    max_leaves=12,
)


@given(conditions, st.fixed_dictionaries({name: st.sampled_from(TRUTHS) for name in "abc"}))
def test_any_expression_agrees_with_the_arithmetic(pair: Pair, row: dict[str, Truth]) -> None:
    expression, model = pair
    degrees = {name: DEGREES[truth] for name, truth in row.items()}
    assert value(expression, **row) is TRUTH_OF[model(degrees)]


numbers = st.none() | st.integers(0, 3)

COMPARISONS: tuple[tuple[Expr[bool, Any], Callable[[int, int], bool]], ...] = (
    (N.x == N.y, lambda x, y: x == y),
    (N.x != N.y, lambda x, y: x != y),
    (N.x < N.y, lambda x, y: x < y),
    (N.x <= N.y, lambda x, y: x <= y),
    (N.x > N.y, lambda x, y: x > y),
    (N.x >= N.y, lambda x, y: x >= y),
)


@pytest.mark.parametrize(("expression", "model"), COMPARISONS, ids=lambda part: repr(part)[:6])
@given(x=numbers, y=numbers)
def test_a_comparison_with_null_is_unknown(
    expression: Expr[bool, Any], model: Callable[[int, int], bool], x: int | None, y: int | None
) -> None:
    expected = None if x is None or y is None else model(x, y)
    assert value(expression, x=x, y=y) is expected


@given(x=numbers, y=numbers)
def test_asking_for_null_is_never_unknown(x: int | None, y: int | None) -> None:
    assert value(N.x.is_null(), x=x) is (x is None)
    assert value(N.x.is_not_null(), x=x) is (x is not None)
    assert value((N.x == N.y).is_null(), x=x, y=y) is (x is None or y is None)


@given(x=numbers, values=st.lists(numbers, max_size=4))
def test_in_is_a_chain_of_comparisons(x: int | None, values: list[int | None]) -> None:
    chain: Expr[bool, Any] = N.x.is_null() & N.x.is_not_null()  # false: the chain of nothing
    for choice in values:
        chain = chain | (N.x == choice)
    assert value(N.x.in_(values), x=x) is value(chain, x=x)
