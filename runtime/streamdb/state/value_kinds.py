"""Of what kinds the values of a declared type are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence, Set
from decimal import Decimal
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    is_typeddict,
)

from msgspec import Meta, UnsetType

from streamdb.expr.kinds import INSTANT, Kind, kind_of

_CLASSES: Final[Sequence[tuple[tuple[Any, ...], Kind | None]]] = (
    ((str,), "text"),
    ((bool,), "truth value"),  # before integers, of which it is one
    ((int, float, Decimal), "number"),
    ((dt.date,), "date"),
    ((dt.time,), "time"),
    ((dt.timedelta,), "duration"),
    ((Mapping,), "map"),
    ((bytes, bytearray, memoryview), None),
    ((Sequence, Set), "list"),
)


def kinds_of_type(declared: Any) -> frozenset[Kind] | None:
    """Return of what kinds the values of a type are, null left out; None if it does not say.

    >>> sorted(kinds_of_type(str | list[int] | None)), kinds_of_type(str | Any)
    (['list', 'text'], None)
    """
    kinds: set[Kind | None] = set(_kinds(declared))
    known: frozenset[Kind] = frozenset(kind for kind in kinds if kind is not None)
    return None if None in kinds or not known else known


def _kinds(declared: Any) -> Iterator[Kind | None]:
    """Yield the kind of each type that a value may be of, and None for those of no known kind."""
    origin = get_origin(declared)
    if declared in (None, NoneType, UnsetType):
        return
    if origin is Annotated and get_args(declared)[0] is dt.datetime:
        yield from _kinds_of_instant(get_args(declared)[1:])
    elif declared is dt.datetime:
        yield from INSTANT
    elif origin in (Annotated, Required, NotRequired):
        yield from _kinds(get_args(declared)[0])
    elif origin in (Union, UnionType):
        for member in get_args(declared):
            yield from _kinds(member)
    elif origin is Literal:
        for value in get_args(declared):
            if value is not None:
                yield kind_of(value)
    else:
        yield _kind_of_class(declared if origin is None else origin)


def _kinds_of_instant(metas: Sequence[Any]) -> Iterator[Kind]:
    """Yield those of instants that have to have a time zone, or must have none, or may have one."""
    has_zone = {meta.tz for meta in metas if isinstance(meta, Meta)} - {None}
    if has_zone != {False}:
        yield "instant"
    if has_zone != {True}:
        yield "instant without a time zone"


def _kind_of_class(declared: Any) -> Kind | None:
    if is_typeddict(declared):
        return "map"
    if isinstance(declared, type):
        for classes, kind in _CLASSES:
            if issubclass(declared, classes):
                return kind
    return None
