"""Good and bad expressions for type checkers; test_typing.py runs them. Never imported.

The columns are written as generated packages write them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar, assert_type

from msgspec import Struct

from streamdb.expr import Column, Columns, Condition, Expr, NullableColumn, case, predicate
from streamdb.expr.ordering import Ordering

Role = Literal["user", "assistant", "system"]


class Message(Struct): ...


class Part(Struct): ...


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
    price: Column[Decimal]
    born: Column[dt.date]
    part: Column[Part]
    scores: NullableColumn[Sequence[int | None]]
    counts: Column[Mapping[str, int]]


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


def texts(m: MessageColumns, somebody: str) -> None:
    assert_type(m.id.lower(), Expr[str, str])
    assert_type(m.note.upper(), Expr[str, str | None])
    assert_type(m.role.trim(), Expr[str, str])
    assert_type(m.role + "x", Expr[str, str])
    assert_type("x" + m.role, Expr[str, str])
    assert_type(m.id + m.note, Expr[str, str | None])
    assert_type(m.note + somebody, Expr[str, str | None])
    assert_type(m.id.concat(" ", m.role), Expr[str, str])
    assert_type(m.id.concat(m.note), Expr[str, str | None])
    assert_type(m.id.like("%"), Condition)
    assert_type(m.note.ilike(m.id, escape="!"), Condition)
    assert_type(m.id.matches("x"), Condition)
    assert_type(m.id.starts_with(m.note) | m.id.ends_with("x"), Condition)
    assert_type(m.id.length(), Expr[int, int])
    assert_type(m.note.length(), Expr[int, int | None])


def numbers(m: MessageColumns, span: dt.timedelta, now: dt.datetime, day: dt.date) -> None:
    assert_type(m.tokens + 1, Expr[int, int])
    assert_type(1 - m.tokens, Expr[int, int])
    assert_type(m.level * 2, Expr[int, int])
    assert_type(m.tokens + m.note.length(), Expr[int, int | None])
    assert_type(m.tokens + m.cost, Expr[float, float])
    assert_type(m.cost - m.tokens, Expr[float, float])
    assert_type(m.tokens * 0.5, Expr[float, float])
    assert_type(0.5 * m.tokens, Expr[float, float])
    assert_type(m.tokens / 2, Expr[float, float | None])
    assert_type(1 / m.tokens, Expr[float, float | None])
    assert_type(m.tokens // 2 % 3, Expr[int, int | None])
    assert_type(m.price * m.tokens + 1, Expr[Decimal, Decimal])
    assert_type(m.price / 3, Expr[Decimal, Decimal | None])
    assert_type(-m.tokens, Expr[int, int])
    assert_type((-m.note.length()).abs(), Expr[int, int | None])
    assert_type(m.cost.round(2), Expr[float, float])
    assert_type(m.payload + 1, Expr[Any, Any])
    assert_type(m.created_at - m.created_at, Expr[dt.timedelta, dt.timedelta])
    assert_type(m.created_at - m.edited_at, Expr[dt.timedelta, dt.timedelta | None])
    assert_type(now - m.created_at, Expr[dt.timedelta, dt.timedelta])
    assert_type(m.created_at + span, Expr[dt.datetime, dt.datetime])
    assert_type(m.edited_at - span, Expr[dt.datetime, dt.datetime | None])
    assert_type(m.born + span, Expr[dt.date, dt.date])
    assert_type(day - m.born, Expr[dt.timedelta, dt.timedelta])
    assert_type((now - m.created_at) / 2 + span, Expr[dt.timedelta, dt.timedelta | None])
    assert_type((now - m.created_at) / span, Expr[float, float | None])
    assert_type((now - m.edited_at).total_seconds(), Expr[float, float | None])


def dates(m: MessageColumns) -> None:
    assert_type(m.created_at.year(), Expr[int, int])
    assert_type(m.edited_at.month(), Expr[int, int | None])
    assert_type(m.born.weekday(), Expr[int, int])
    assert_type(m.created_at.hour(), Expr[int, int])
    assert_type(m.edited_at.second(), Expr[int, int | None])
    assert_type(m.created_at.date(), Expr[dt.date, dt.date])
    assert_type(m.edited_at.date() == m.born, Condition)


def choices(m: MessageColumns, names: list[str]) -> None:
    assert_type(m.tokens.between(1, m.level), Condition)
    assert_type(m.role.not_in(["user"]), Condition)
    assert_type(m.note.if_null("x"), Expr[str, str])
    assert_type(m.note.if_null(m.id), Expr[str, str])
    assert_type(m.note.if_null(m.note), Expr[str, str | None])
    assert_type(m.mood.if_null("good"), Expr[Literal["good", "bad"], Literal["good", "bad"]])
    assert_type(case((m.done, "a"), (m.done, "b"), else_="c"), Expr[str, str])
    assert_type(case((m.done, m.id), else_="c"), Expr[str, str])
    assert_type(case((m.done, m.note), else_=m.id), Expr[str, str | None])
    assert_type(case((m.done, "a")), Expr[str, str | None])
    assert_type(case((m.done, m.tokens), else_=0) + 1, Expr[int, int])


def lists(m: MessageColumns) -> None:
    assert_type(m.tags[0], Expr[str, str | None])
    assert_type(m.scores[-1], Expr[int, int | None])
    assert_type(m.counts["a"], Expr[int, int | None])
    assert_type(m.part["text"], Expr[Any, Any])
    assert_type(m.payload["parts"][0]["text"], Expr[Any, Any])
    assert_type(m.tags.length(), Expr[int, int])
    assert_type(m.scores.length(), Expr[int, int | None])
    assert_type(m.tags.contains("x"), Condition)
    assert_type(m.tags.contains(m.note), Condition)
    assert_type(m.id.contains(m.note), Condition)
    assert_type(m.tags.exists(), Condition)
    assert_type(m.tags.exists(lambda tag: tag.like("x%") & (tag != "x")), Condition)
    assert_type(m.tags.for_all(lambda tag: tag == m.id), Condition)
    assert_type(m.tags[0].desc().nulls_last(), Ordering)
    assert_type(m.payload.nulls_first(), Ordering)


def use(expression: Expr[Any, Any] | Ordering) -> None:
    """Stand for what takes expressions."""


def nonsense(m: MessageColumns) -> None:
    use(m.tokens.lower())  # E: a number
    use(m.tags.like("x"))  # E: a list
    use(m.id.like(3))  # E: a number
    use(m.id.starts_with(m.tokens))  # E: a number
    use(m.id + 1)  # E: text and a number
    use(1 + m.id)  # E: text and a number
    use(m.id * 2)  # E: text
    use(m.id.concat(m.tokens))  # E: a number
    use(-m.id)  # E: text
    use(m.id.round())  # E: text
    use(m.tokens + m.created_at)  # E: a number and an instant
    use(m.created_at + m.created_at)  # E: two instants
    use(m.tokens.year())  # E: a number
    use(m.born.hour())  # E: a day
    use(m.created_at.total_seconds())  # E: an instant
    use(m.id[0] == "x")  # E: text has no items
    use(m.id.exists(lambda c: c == 3))  # E: different types
    use(m.tags["x"] == "y")  # E: a list has indices
    use(m.tags[0] == 3)  # E: different types
    use(m.counts["x"] == "y")  # E: different types
    use(m.tags.contains(3))  # E: text alone is in it
    use(m.tokens.contains(3))  # E: a number
    use(m.tags.exists(lambda t: True))  # E: returns bool
    use(m.tags.for_all(lambda t: t))  # E: text is no condition
    use(m.note.if_null(3))  # E: different types
    use(m.mood.if_null("god"))  # E: misspelt literal
    use(m.tokens.between("a", "b"))  # E: different types
    use(m.role.not_in(["usr"]))  # E: misspelt literal
    use(case((m.id, 1), else_=2))  # E: text is no condition
    use(case(m.done, 1))  # E: no pair
    use(case((m.done, m.note), else_="x") < None)  # E: ordering with null
    use(m.counts.desc())  # E: maps have no order


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
