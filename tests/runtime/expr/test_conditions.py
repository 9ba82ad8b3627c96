"""A function of columns becomes a test of rows; what is no expression is refused with advice."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET, Struct, UnsetType

from streamdb.expr import (
    Column,
    Columns,
    Expr,
    ExpressionError,
    NullableColumn,
    UntypedColumns,
    predicate,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


class Message(Struct, frozen=True):
    id: str = "m1"
    role: str = "user"
    tokens: int = 3
    done: bool = False
    created_at: dt.datetime = NOON
    note: str | None = None
    mood: str | UnsetType | None = UNSET


class MessageColumns(Columns[Message]):
    id: Column[str]
    role: Column[str]
    tokens: Column[int]
    done: Column[bool]
    created_at: Column[dt.datetime]
    note: NullableColumn[str]
    mood: NullableColumn[str]


def holds(function: Callable[[MessageColumns], Any], row: Message) -> bool:
    return predicate(MessageColumns, function)(row)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda m: m.role == "user", True),
        (lambda m: m.role != "user", False),
        (lambda m: "user" == m.role, True),  # noqa: SIM300 (from the other side)
        (lambda m: m.tokens < 3, False),
        (lambda m: m.tokens <= 3, True),
        (lambda m: m.tokens > 3, False),
        (lambda m: m.tokens >= 3, True),
        (lambda m: 2 < m.tokens, True),  # noqa: SIM300 (from the other side)
        (lambda m: m.id == m.role, False),
        (lambda m: m.created_at >= NOON, True),
        (lambda m: m.role.as_type(str) == "user", True),
        (lambda m: m.role.in_(["system", "user"]), True),
        (lambda m: m.role.in_(role for role in ("system",)), False),
        (lambda m: m.role.in_([]), False),
        (lambda m: m.note.is_null(), True),
        (lambda m: m.note.is_not_null(), False),
        (lambda m: m.mood.is_null(), True),
        (lambda m: m.done, False),
        (lambda m: ~m.done, True),
        (lambda m: (m.role == "user") & (m.tokens > 5), False),
        (lambda m: (m.role == "user") | (m.tokens > 5), True),
        (lambda m: ~((m.role == "user") & m.done), True),
    ],
)
def test_a_condition_holds(function: Callable[[MessageColumns], Any], expected: bool) -> None:
    assert holds(function, Message()) is expected


@pytest.mark.parametrize("null", [None, UNSET])
@pytest.mark.parametrize(
    "function",
    [
        lambda m: m.mood == "good",
        lambda m: m.mood != "good",
        lambda m: ~(m.mood == "good"),
        lambda m: m.mood == m.mood,
        lambda m: m.mood == None,  # noqa: E711 (null compares as unknown)
        lambda m: m.mood < "good",
        lambda m: m.mood.in_(["good", None]),
        lambda m: ~m.mood.in_(["good"]),
    ],
)
def test_null_never_compares(
    function: Callable[[MessageColumns], Any], null: UnsetType | None
) -> None:
    assert not holds(function, Message(mood=null))


@pytest.mark.parametrize("null", [None, UNSET])
def test_a_constant_that_is_null_compares_as_unknown(null: Any) -> None:
    assert not holds(lambda m: m.role == null, Message())
    assert not holds(lambda m: m.role != null, Message())
    assert not holds(lambda m: ~m.role.in_(["x", null]), Message())


def test_the_function_is_called_once() -> None:
    calls: list[MessageColumns] = []

    def function(m: MessageColumns) -> Expr[bool, Any]:
        calls.append(m)
        return m.tokens > 1

    test = predicate(MessageColumns, function)
    assert [test(Message()), test(Message(tokens=0))] == [True, False]
    assert len(calls) == 1


def test_an_instance_of_the_columns_serves_as_well_as_the_class() -> None:
    assert predicate(MessageColumns(), lambda m: m.role == "user")(Message())


def test_values_of_in_are_read_when_the_expression_is_built() -> None:
    roles = ["user"]
    test = predicate(MessageColumns, lambda m: m.role.in_(roles))
    roles.clear()
    assert test(Message())


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (lambda m: m.done and m.role == "x", "write `&`, `|`, `~` instead of `and`, `or`, `not`"),
        (lambda m: m.done or m.role == "x", "`done` is an expression"),
        (lambda m: not m.done, "write `&`, `|`, `~`"),
        (lambda m: 1 < m.tokens < 5, r"`\(low < x\) & \(x < high\)`"),
        (lambda m: m.role in ["user"], r"`\.in_\(\[\.\.\.\]\)` instead of `in`"),
        (lambda m: m.role in {"user"}, r"`\.in_\(\[\.\.\.\]\)` instead of `in`"),
        (lambda m: m.role in [], "plain value False"),  # noqa: RUF060 (the mistake under test)
        (lambda m: m.note is None, r"`\.is_null\(\)` instead of `is None`"),
        (lambda m: NOON == "x", "use the columns that the function is given"),
        (lambda m: None, r"returned None \(NoneType\), not an expression"),
        (lambda m: "role", r"returned 'role' \(str\), not an expression"),
        (lambda m: m.done & True, "one side is the plain value True"),
        (lambda m: False | m.done, "one side is the plain value False"),
        (lambda m: m.role == "x" & m.done, r"parentheses .* `\(m\.a == 1\) & \(m\.b == 2\)`"),
        (lambda m: m.done & m.note.is_null, "plain value <bound method"),
        (lambda m: m.role.in_("user"), r"takes a list of values, as in `\.in_\(\['user'\]\)`"),
    ],
)
def test_what_is_no_expression_is_refused_with_advice(
    function: Callable[[MessageColumns], Any], advice: str
) -> None:
    with pytest.raises(ExpressionError, match=advice):
        predicate(MessageColumns, function)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda m: m.role < 3, "`role < 3` cannot be evaluated: '<' not supported"),
        (lambda m: m.done & m.role, "`done & role` cannot be evaluated: 'user' is neither true"),
        (lambda m: m.done & (m.role < 3), "`role < 3` cannot be evaluated"),
        (lambda m: ~m.tokens, "`~tokens` cannot be evaluated: 3 is neither true nor false"),
        (lambda m: m.role, "`role` is no condition: 'user' is neither true nor false"),
    ],
)
def test_values_that_do_not_suit_an_operator_are_an_error(
    function: Callable[[MessageColumns], Any], message: str
) -> None:
    test = predicate(MessageColumns, function)
    with pytest.raises(ExpressionError, match=message.replace("|", r"\|")) as error:
        test(Message())
    assert str(error.value).count("cannot be evaluated") <= 1


def test_an_expression_is_immutable() -> None:
    column = MessageColumns().role
    with pytest.raises(AttributeError):
        column.node = MessageColumns().id.node  # type: ignore[misc]  # the mistake under test


def test_equal_expressions_have_equal_trees() -> None:
    m = MessageColumns()
    assert (m.role == "x").node == (m.role == "x").node
    assert (m.role == "x").node != (m.role == "y").node
    assert len({(m.role == "x").node, (m.role == "x").node}) == 1


def test_an_expression_is_shown_as_it_is_written() -> None:
    m = MessageColumns()
    shown = repr((m.tokens > 1) & ~(m.note.is_null() | m.role.in_(["a", "b"])))
    assert shown == "(tokens > 1) & ~(note.is_null() | role.in_(('a', 'b')))"
    assert len(repr(m.role == "x" * 1000)) < 100


async def _never_awaited(_: object) -> object:
    return None


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("id == 1", "takes a function of the columns of its slots, not str"),
        ({"id": 1}, "takes a function of the columns of its slots, not dict"),
        (_never_awaited, "takes a plain function of columns, no `async def`"),
    ],
)
def test_what_is_no_function_of_columns(function: Any, says: str) -> None:
    with pytest.raises(ExpressionError, match=says):
        predicate(UntypedColumns, function)
