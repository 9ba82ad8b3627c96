"""Of what kinds the values of a declared type are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NewType, NotRequired, TypedDict

import msgspec
import pytest

from streamdb import AnyOf, Maybe, Number, UnsetType
from streamdb.state.value_kinds import kinds_of_type

_MAYBE: Any = Maybe  # to checkers it is no class


class Word(StrEnum):
    A = "a"


class Digit(IntEnum):
    ONE = 1


class Plain(Enum):
    A = "a"


class Point(msgspec.Struct):
    x: int


class Shape(TypedDict):
    x: NotRequired[int]


@pytest.mark.parametrize(
    ("declared", "kinds"),
    [
        (str, {"text"}),
        (Word, {"text"}),
        (bool, {"truth value"}),
        (int, {"number"}),
        (Digit, {"number"}),
        (Number, {"number"}),
        (float | Decimal, {"number"}),
        (Annotated[int, msgspec.Meta(ge=0)], {"number"}),
        (_MAYBE[str], {"text"}),
        (str | UnsetType | None, {"text"}),
        (Literal["a", 1, True, None], {"text", "number", "truth value"}),
        (dt.datetime, {"instant", "instant without a time zone"}),
        (Annotated[dt.datetime, msgspec.Meta(tz=True)] | None, {"instant"}),
        (Annotated[dt.datetime, msgspec.Meta(tz=False)], {"instant without a time zone"}),
        (
            Annotated[dt.datetime, msgspec.Meta(title="x")],
            {"instant", "instant without a time zone"},
        ),
        (dt.date | dt.time, {"date", "time"}),
        (dt.timedelta, {"duration"}),
        (list[str] | None, {"list"}),
        (Sequence[Any], {"list"}),
        (tuple[int, str], {"list"}),
        (frozenset[int], {"list"}),
        (dict[str, int], {"map"}),
        (Mapping[str, Any], {"map"}),
        (Shape, {"map"}),
        (NotRequired[str], {"text"}),
        (str | list[Any], {"text", "list"}),
    ],
)
def test_known(declared: Any, kinds: set[Any]) -> None:
    assert {*(kinds_of_type(declared) or ())} == kinds


@pytest.mark.parametrize(
    "declared",
    [
        Any,
        object,
        None,
        str | Any,
        bytes,
        Point,
        Point | str,
        Plain,
        AnyOf[list[int], list[str]],
        NewType("Id", str),
    ],
)
def test_unknown(declared: Any) -> None:
    assert kinds_of_type(declared) is None
