"""Good and bad aggregates for type checkers; test_typing.py runs them. Never imported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, assert_type

from streamdb import Column, Columns, Expr, NullableColumn, fn


class Chunk: ...


class ChunkColumns(Columns[Chunk]):
    id: Column[str]
    text: NullableColumn[str]
    size: Column[int]
    cost: NullableColumn[float]
    price: Column[Decimal]
    took: Column[dt.timedelta]
    at: Column[dt.datetime]
    done: Column[bool]
    extra: Column[Mapping[str, int]]
    payload: Column[Any]


class Longest:
    def __init__(self) -> None:
        self.lengths: list[int] = []

    def add(self, value: str) -> None:
        self.lengths.append(len(value))

    def remove(self, value: str) -> None:
        self.lengths.remove(len(value))

    def result(self) -> int:
        return max(self.lengths)


def lengthened(length: int, chunk: Chunk) -> int:
    return length + 1


def inference(c: ChunkColumns) -> None:
    assert_type(fn.count(), Expr[int, int])
    assert_type(fn.count(c), Expr[int, int])
    assert_type(fn.count(c.text), Expr[int, int])
    assert_type(fn.count_distinct(c.text), Expr[int, int])
    assert_type(fn.sum(c.size), Expr[int, int])
    assert_type(fn.sum(c.cost), Expr[float, float | None])
    assert_type(fn.sum(c.price), Expr[Decimal, Decimal])
    assert_type(fn.sum(c.took), Expr[dt.timedelta, dt.timedelta])
    assert_type(fn.sum(c.payload), Expr[Any, Any])
    assert_type(fn.sum(c.size) / fn.count(), Expr[float, float | None])
    assert_type(fn.avg(c.size), Expr[float, float])
    assert_type(fn.avg(c.cost), Expr[float, float | None])
    assert_type(fn.median(c.size), Expr[float, float])
    assert_type(fn.median(c.at), Expr[dt.datetime, dt.datetime])
    assert_type(fn.min(c.at), Expr[dt.datetime, dt.datetime])
    assert_type(fn.max(c.text), Expr[str, str | None])
    assert_type(fn.min(c.cost).if_null(0.0), Expr[float, float])
    assert_type(fn.any(c.done), Expr[bool, bool])
    assert_type(fn.all(c.size > 3), Expr[bool, bool | None])
    assert_type(fn.collect(c), Expr[Sequence[Chunk], Sequence[Chunk]])
    assert_type(fn.collect(c, by=c.at.desc()), Expr[Sequence[Chunk], Sequence[Chunk]])
    assert_type(fn.collect(c.text), Expr[Sequence[str | None], Sequence[str | None]])
    assert_type(fn.collect(c.id, by=(c.at, c.id.desc())), Expr[Sequence[str], Sequence[str]])
    assert_type(fn.string_agg(c.id, ", "), Expr[str, str])
    assert_type(fn.string_agg(c.text, by=c.at), Expr[str, str | None])
    assert_type(fn.first(c), Expr[Chunk, Chunk])
    assert_type(fn.last(c.text, by=c.at), Expr[str, str | None])
    assert_type(fn.fold(0, lengthened, c), Expr[int, int])
    assert_type(fn.fold("", lambda text, more: text + more, c.text), Expr[str, str])
    assert_type(fn.reduce(len, c), Expr[int, int])
    assert_type(fn.reduce(lambda texts: texts[0], c.text), Expr[str, str])
    assert_type(fn.accumulate(Longest, c.text), Expr[int, int])


def use(*expressions: Expr[Any, Any]) -> None: ...


def bad(c: ChunkColumns) -> None:
    use(fn.sum(c.id))  # E: text
    use(fn.avg(c.at))  # E: instants
    use(fn.sum(c))  # E: whole rows
    use(fn.median(c.id))  # E: text
    fn.min(c.extra)  # E: maps have no order
    use(fn.any(c.id))  # E: text is no condition
    use(fn.string_agg(c.size, ""))  # E: numbers
    use(fn.string_agg(c.id, 3))  # E: the separator is a text
    use(fn.collect(c, by="at"))  # E: no expression
    use(fn.collect(c, by=c.extra))  # E: maps have no order
    fn.fold("", lengthened, c)  # E: another state
    use(fn.fold(0, lengthened, c.text))  # E: text is no chunk
    use(fn.reduce(len, c.text) == "x")  # E: different types
    use(fn.accumulate(Longest, c.size))  # E: numbers
    use(fn.max(c.at) > "2024")  # E: different types
    use(fn.sum(c.sise))  # E: unknown column
