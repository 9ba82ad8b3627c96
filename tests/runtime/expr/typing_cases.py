"""Good and bad expressions for type checkers; test_typing.py runs them. Never imported.

The columns are written as generated packages write them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar, assert_type

from msgspec import Struct

from streamdb.expr import Column, Columns, Condition, Expr, NullableColumn, predicate

Role = Literal["user", "assistant", "system"]


class Message(Struct): ...


class MessageColumns(Columns[Message]):
    id: Column[str]
    role: Column[Role]
    note: NullableColumn[str]
    mood: NullableColumn[Literal["good", "bad"]]
    tokens: Column[int]
    cost: Column[float]
    level: Column[Literal[1, 2, 3]]
    done: Column[bool]
    created_at: Column[dt.datetime]
    edited_at: NullableColumn[dt.datetime]
    tags: Column[Sequence[str]]
    extra: Column[Mapping[str, Any]]
    payload: Column[Any]


class UserColumns(Columns[Any]):
    name: Column[str]


def where(function: Callable[[MessageColumns], Expr[bool, Any]]) -> None:
    """Stand for the collection that will take such functions."""
    predicate(MessageColumns, function)


def inference(m: MessageColumns, somebody: str | None, names: list[str], now: dt.datetime) -> None:
    assert_type(m.id == "x", Condition)
    assert_type(m.id != m.note, Condition)
    assert_type(m.tokens < 3, Condition)
    assert_type((m.tokens >= 3) & ~m.done | m.note.is_null(), Condition)
    assert_type(m.note.is_not_null(), Expr[bool, bool])
    assert_type(m.role.as_type(str), Expr[str, str])
    assert_type(m.mood.as_type(str), Expr[str, str | None])
    assert_type(m.level.as_type(int), Expr[int, int])
    assert_type(m.tokens.as_type(float), Expr[float, float])
    assert_type(predicate(m, lambda m: m.done), Callable[[Any], bool])
    assert_type(predicate(MessageColumns, lambda m: m.done), Callable[[Any], bool])


def good(somebody: str | None, names: list[str], now: dt.datetime, anything: Any) -> None:
    where(lambda m: m.role == "assistant")
    where(lambda m: m.role != "system")
    where(lambda m: m.role.as_type(str) == names[0])
    where(lambda m: m.role.as_type(str) == m.id)
    where(lambda m: m.id == m.role)
    where(lambda m: m.id == m.note)
    where(lambda m: m.note == m.id)
    where(lambda m: m.id == somebody)
    where(lambda m: m.note == anything)
    where(lambda m: m.payload == 3)
    where(lambda m: m.payload > 3)
    where(lambda m: m.done)
    where(lambda m: ~m.done)
    where(lambda m: m.done == True)  # noqa: E712
    where(lambda m: m.note.is_null() | (m.note > "a"))
    where(lambda m: (m.tokens > 1) & (m.tokens <= 3))
    where(lambda m: 1 < m.tokens)  # noqa: SIM300
    where(lambda m: m.cost < 1)
    where(lambda m: m.cost < m.tokens)
    where(lambda m: m.tokens.as_type(float) < 0.5)
    where(lambda m: m.level >= 2)
    where(lambda m: m.edited_at > m.created_at)
    where(lambda m: m.created_at < now)
    where(lambda m: m.tags == ["a"])
    where(lambda m: m.role.in_(["user", "assistant"]))
    where(lambda m: m.mood.in_(("good", None)))
    where(lambda m: m.id.in_(name for name in names))


def bad(somebody: str | None, names: list[str]) -> None:
    where(lambda m: m.role == "assistent")  # E: misspelt literal
    where(lambda m: m.role != "assistent")  # E: misspelt literal
    where(lambda m: m.mood == "god")  # E: misspelt literal, nullable
    where(lambda m: m.level == 4)  # E: no such literal
    where(lambda m: m.role.in_(["user", "assistent"]))  # E: misspelt literal
    where(lambda m: m.role.in_(names))  # E: any text
    where(lambda m: m.role == names[0])  # E: any text
    where(lambda m: m.role == m.id)  # E: any text
    where(lambda m: m.role.as_type(int) == 1)  # E: text is no integer
    where(lambda m: m.role == 3)  # E: different types
    where(lambda m: m.id == 3)  # E: different types
    where(lambda m: m.tokens == m.id)  # E: different types
    where(lambda m: m.tokens == "3")  # E: different types
    where(lambda m: m.note == m.tokens)  # E: different types
    where(lambda m: m.created_at == "2024-01-01")  # E: different types
    where(lambda m: m.done & (m.role == 3))  # E: different types, inside
    where(lambda m: (m.role == 3) & m.done)  # E: different types, inside
    where(lambda m: ~(m.role == 3))  # E: different types, inside
    where(lambda m: m.id < 3)  # E: ordering text with int
    where(lambda m: 3 > m.id)  # noqa: SIM300  # E: ordering text with int
    where(lambda m: m.tokens >= "3")  # E: ordering int with text
    where(lambda m: m.tokens < m.id)  # E: ordering int with text
    where(lambda m: m.tokens < 0.5)  # E: as_type(float) says that it is meant
    where(lambda m: m.note < None)  # E: ordering with null
    where(lambda m: m.id > somebody)  # E: ordering with what may be null
    where(lambda m: m.extra < m.extra)  # E: maps have no order
    where(lambda m: m.rol == "assistant")  # E: unknown column
    where(lambda m: m.name == "x")  # E: unknown column
    where(lambda m: m.id)  # E: text is no condition
    where(lambda m: ~m.id)  # E: text is no condition
    where(lambda m: m.done | m.id)  # E: text is no condition
    where(lambda m: m.done & True)  # E: a bool is no condition
    where(lambda m: True)  # E: returns bool
    where(lambda m: names[0] == "x")  # E: returns bool
    where(lambda m: m.note is None)  # E: returns bool
    where(lambda m: m.role in ["user"])  # E: returns bool
    where(lambda m: not m.done)  # E: returns bool
    where(lambda m: m.done and m.done)  # E[mypy]: redundant-expr; pyright leaves it to __bool__
    predicate(UserColumns, lambda u: u.role == "x")  # E: unknown column
    predicate(Message, lambda m: True)  # E: no columns


Row = TypeVar("Row")
Cols = TypeVar("Cols", bound=Columns[Any])


class Collection(Generic[Row, Cols]):
    """The floor above calls ``predicate`` with type variables."""

    def __init__(self, columns: type[Cols]) -> None:
        self._columns = columns

    def where(self, function: Callable[[Cols], Expr[bool, Any]], /) -> Callable[[Row], bool]:
        return predicate(self._columns, function)

    def where_instance(
        self, columns: Cols, function: Callable[[Cols], Expr[bool, Any]], /
    ) -> Callable[[Row], bool]:
        return predicate(columns, function)


def collection(messages: Collection[Message, MessageColumns]) -> None:
    assert_type(messages.where(lambda m: m.role == "user"), Callable[[Message], bool])
    messages.where(lambda m: m.role == "usr")  # E: misspelt literal
    messages.where(lambda m: m.rol == "user")  # E: unknown column
