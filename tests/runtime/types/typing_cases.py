"""Good and bad uses of the types of fields, for type checkers; test_typing.py runs them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias, assert_type

from msgspec import Meta, Struct, field

from streamdb import UNSET, AnyOf, Extensible, Maybe, UnsetType


class Metadata(Extensible[float]):
    source: str
    note: Maybe[str] = None
    created_at: Annotated[dt.datetime, Meta(tz=True)] = field(name="createdAt")
    parent: str | UnsetType | None = UNSET


def extensible(now: dt.datetime) -> None:
    row = Metadata(created_at=now, source="lab")
    Metadata(created_at=now, source="lab", extras={"celsius": 20})
    assert_type(row.source, str)
    assert_type(row.note, str | None)
    assert_type(row.created_at, dt.datetime)
    assert_type(row.extras, Mapping[str, float])
    Metadata(created_at=now)  # E: no source
    Metadata(created_at=now, source=5)  # E
    Metadata(created_at=now, source="", sauce="")  # E
    Metadata(created_at=now, source="", extras={"celsius": "warm"})  # E
    Metadata("lab", created_at=now)  # E: fields are keywords
    row.source = "other"  # E: immutable
    row.sauce()  # E


class Circle(Struct):
    radius: int


class Square(Struct):
    side: int


Shape: TypeAlias = AnyOf[Circle, Square, Sequence["Shape"]]


class Drawing(Struct):
    shape: Shape
    due: AnyOf[dt.date, str] | UnsetType | None = UNSET


def any_of(drawing: Drawing) -> None:
    assert_type(drawing.due, dt.date | str | UnsetType | None)
    Drawing(shape=[Circle(1), [Square(2)]], due="soon")
    Drawing(shape=5)  # E
    shape = drawing.shape
    if isinstance(shape, Circle):
        assert_type(shape.radius, int)
    elif not isinstance(shape, Square):
        assert_type(len(shape), int)
