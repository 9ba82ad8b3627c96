"""What each operator gives, of values, of null, and of what it makes no sense of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.expr.operator_cases import NOON, OF_NULL, ROW, VALUES, R

from streamdb.expr import Expr, ExpressionError, case
from streamdb.expr.evaluate import evaluator
from streamdb.expr.operators import OPERATORS
from streamdb.expr.shape import row_shape


def value(expression: Expr[Any, Any], row: object = ROW) -> Any:
    return evaluator(expression.node, row_shape())(row)


@pytest.mark.parametrize(("expression", "expected"), VALUES, ids=repr)
def test_values(expression: Expr[Any, Any], expected: object) -> None:
    found = value(expression)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("expression", "expected"), OF_NULL, ids=repr)
def test_null(expression: Expr[Any, Any], expected: object) -> None:
    assert value(expression) is expected


ABOUT_NULL = {"is_null", "is_not_null", "in", "not_in", "between", "&", "|", "~", "case", "if_null"}


@pytest.mark.parametrize("name", sorted(OPERATORS.keys() - ABOUT_NULL))
def test_of_null_comes_null(name: str) -> None:
    operator = OPERATORS[name]
    assert not operator.handles_null
    assert not operator.is_lazy
    assert operator.template.count("{}") in (1, 2)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        (R.n.lower(), "`n.lower()` cannot be evaluated: 7 is no text"),
        (R.name.starts_with(R.n), "`name.starts_with(n)` cannot be evaluated: 7 is no text"),
        (R.n.like("7"), "`n.like('7')` cannot be evaluated: 7 is no text"),
        (R.name.like(R.name + "\\"), "ends with an escape that takes nothing"),
        (R.name.matches(R.name + "("), "is no regular expression: "),
        (R.name * 2, "`name * 2` cannot be evaluated: 'Ada' is nothing to calculate with"),
        (R.name % 2, "`name % 2` cannot be evaluated: 'Ada' is nothing to calculate with"),
        (R.tags + R.tags, "['a', 'b'] is nothing to calculate with"),
        (R.name + R.n, "`name + n` cannot be evaluated: can only concatenate"),
        (R.price + R.x, "`price + x` cannot be evaluated: unsupported operand"),
        (-R.name, "`-name` cannot be evaluated: 'Ada' is nothing to calculate with"),
        (R.noon - R.naive, "`noon - naive` cannot be evaluated: can't subtract"),
        (R.noon + dt.timedelta(3_000_000), "cannot be evaluated: date value out of range"),
        (R.n.length(), "`n.length()` cannot be evaluated: object of type 'int' has no len"),
        (R.n.contains(1), "`n.contains(1)` cannot be evaluated: 7 is no list"),
        (R.name.contains(1), "`name.contains(1)` cannot be evaluated: "),
        (R.name.exists(), "`name.exists()` cannot be evaluated: 'Ada' is no list"),
        (R.map.exists(lambda k: k == 1), "is no list"),
        (R.tags.exists(lambda t: t), "cannot be evaluated: 'a' is neither true nor false"),
        (R.tags.exists(lambda t: t < 1), "`item < 1` cannot be evaluated"),
        (case((R.n, 1)), "7 is neither true nor false"),
        (R.n.year(), "`n.year()` cannot be evaluated: 7 is no date"),
        (R.day.hour(), "is no instant and no time"),
        (R.n.total_seconds(), "7 is no duration"),
        (R.n.between("a", "b"), "`n.between('a', 'b')` cannot be evaluated: '<=' not supported"),
    ],
    ids=repr,
)
def test_values_that_do_not_suit(expression: Expr[Any, Any], says: str) -> None:
    with pytest.raises(ExpressionError) as error:
        value(expression)
    assert says in str(error.value)
    assert str(error.value).count("cannot be evaluated") == 1


def test_numbers_that_are_too_great_are_an_error_too() -> None:
    with pytest.raises(ExpressionError, match=r"`n / x` cannot be evaluated: .* too large"):
        value(R.n / R.x, SimpleNamespace(n=10**400, x=3))


def test_only_the_value_that_is_returned_is_evaluated() -> None:
    assert value(case((R.n == 7, 1), else_=R.n.lower())) == 1
    assert value(case((R.n == 8, R.n.lower()), else_=2)) == 2
    assert value(R.n.if_null(R.n.lower())) == 7


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda: R.a.lower() == 3, r"`a.lower\(\) == 3` compares values that are never alike"),
        (lambda: R.a.year() > NOON, "compares values that are never alike"),
        (lambda: (R.a == 1).like("x"), "`a == 1` is a truth value, .* only on a text"),
        (lambda: R.a.like(3), "`3` is a number, .* only on a text"),
        (lambda: R.a.starts_with(["x"]), "is a list, .* only on a text"),
        (lambda: R.a.lower() * 2, "is a text, .* only on a duration or a number or a truth value"),
        (lambda: R.a % "x", "'x'` is a text"),
        (lambda: ~R.a.length(), "is a number, .* only on a truth value"),
        (lambda: (R.a == 1) & R.a.length(), "is a number"),
        (lambda: R.a.length().contains(1), "is a number"),
        (lambda: R.a.date().total_seconds(), "is a date, and there is no such operation"),
        (lambda: R.a.matches("("), "is no regular expression"),
        (lambda: R.a.like("x\\"), "ends with an escape that takes nothing"),
        (lambda: R.a.like("x!", escape="!"), "ends with an escape that takes nothing"),
        (lambda: R.a.like("x", escape="!!"), "an escape is one character, not '!!'"),
        (lambda: R.a.like(R.b, escape="!"), "its escape is the backslash"),
        (lambda: R.a.not_in("x"), r"takes a list of values, as in `\.not_in\(\['x'\]\)`"),
        (lambda: R.a[1.5], "a path is made of names and of indices"),
        (lambda: R.a[0:2], "a path is made of names and of indices"),
        (lambda: R.a.exists(lambda t: t == R.b), "reads a column of the row"),
        (lambda: R.a.exists(lambda t: True), "takes a function of an item to a condition"),
        (lambda: R.a.for_all(lambda t: "x"), r"`a.for_all\(\.\.\.\)` takes a function"),
        (lambda: case(), "`case` takes pairs"),
        (lambda: case((True, 1)), r"\(True, 1\) is no pair of a condition and a value"),
        (lambda: case((R.a,)), "is no pair of a condition and a value"),
        (lambda: case(()), "is no pair of a condition and a value"),
        (lambda: case(R.a == 1, 1), "is no pair of a condition and a value"),
        (lambda: list(R.a), "its items are not|whose items are not known yet"),
        (lambda: 1 in R.a, r"write `\.contains\(\.\.\.\)`"),
    ],
)
def test_what_makes_no_sense_is_refused_as_it_is_built(
    function: Callable[[], Any], says: str
) -> None:
    with pytest.raises(ExpressionError, match=says):
        function()


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (-(R.a + 1), "-(a + 1)"),
        ((-R.a).abs(), "(-a).abs()"),
        ((R.a + 1).round(2), "(a + 1).round(2)"),
        ((~R.a).is_null(), "(~a).is_null()"),
        (R.a["x"][0].lower(), "a['x'][0].lower()"),
        (R.a.exists(lambda t: t > 1), "a.exists(lambda item: item > 1)"),
        (R.a.if_null((R.b + 1) * 2), "a.if_null((b + 1) * 2)"),
        (case((R.a > 1, -R.b), else_=R.a + 1), "case((a > 1, -b), else_=a + 1)"),
        (R.a.between(1, R.b) & ~R.c, "a.between(1, b) & ~c"),
        (R.a.if_null(R.b).if_null(3), "a.if_null(b).if_null(3)"),
    ],
)
def test_an_expression_is_shown_as_it_is_written(expression: Expr[Any, Any], text: str) -> None:
    assert repr(expression) == text


def test_equal_conditions_of_items_are_equal_nodes() -> None:
    one, same, other = (R.a.exists(lambda t, n=n: t == n) for n in (1, 1, 2))
    assert one.node == same.node
    assert hash(one.node) == hash(same.node)
    assert one.node != other.node


letters = st.text("ab%_\\", max_size=8)


def naive_like(text: str, pattern: str) -> bool:
    """Follow the definition, one character of the pattern after the other."""
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first == "%":
        return any(naive_like(text[n:], rest) for n in range(len(text) + 1))
    if first == "\\":
        first, rest = rest[0], rest[1:]
    elif first == "_":
        return bool(text) and naive_like(text[1:], rest)
    return text[:1] == first and naive_like(text[1:], rest)


@given(text=letters, pattern=letters)
def test_like_follows_its_definition(text: str, pattern: str) -> None:
    if len(pattern) - len(pattern.rstrip("\\")) & 1:
        with pytest.raises(ExpressionError):
            R.a.like(pattern)
        return
    found = value(R.a.like(pattern), SimpleNamespace(a=text))
    assert found is naive_like(text, pattern)


def test_a_pattern_of_many_parts_takes_no_time_to_fail() -> None:
    pattern = "%a" * 200 + "b"
    assert value(R.a.like(pattern), SimpleNamespace(a="a" * 10_000)) is False
