"""Copies of rows by way of msgspec's own JSON, where these are the rows that readers will have.

Our own text of a row is made by the standard library and takes ten times as long, see `json_text`.
Of most rows it can wait until it is sent: what such a copy holds surely has a text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Any, Final, TypeAlias, TypeVar, cast

import msgspec
from msgspec import inspect

Row = TypeVar("Row")
#: From a row to what readers will have and about how many bytes that is; None if it cannot tell.
QuickCopy: TypeAlias = Callable[[Row], tuple[Row, int] | None]

# Of their values, what msgspec reads of its own text is what it reads of ours, if it is equal to
# what was written. (NaN becomes null, which is not; a time without a zone would be.)
_PLAIN: Final = (
    inspect.NoneType,
    inspect.BoolType,
    inspect.IntType,
    inspect.FloatType,
    inspect.StrType,
    inspect.DateType,
    inspect.UUIDType,
    inspect.EnumType,
    inspect.LiteralType,
)

_encode: Final = msgspec.json.Encoder().encode


def quick_copy(row: type[Row]) -> QuickCopy[Row] | None:
    """Return what copies rows of a frozen struct of plain values; None for all other classes.

    >>> class Point(msgspec.Struct, frozen=True):
    ...     x: float | None
    >>> copy = quick_copy(Point)
    >>> copy(Point(1)), copy(Point(float("nan"))), copy(Point("1"))
    ((Point(x=1.0), 7), None, None)
    """
    if not issubclass(row, msgspec.Struct) or not _compares_fields(row):
        return None
    fields = cast("inspect.StructType", inspect.type_info(row)).fields
    if not all(_is_plain(field.type) or _is_instant(field.type) for field in fields):
        return None
    instants = [attrgetter(field.name) for field in fields if not _is_plain(field.type)]
    decode = msgspec.json.Decoder(row).decode

    def copy(one: Row) -> tuple[Row, int] | None:
        if type(one) is not row:
            return None
        try:
            text = _encode(one)
            copied = decode(text)
        except Exception:  # noqa: BLE001 - whoever reads it with care finds out what is wrong
            return None
        if copied != one:
            return None
        for instant in instants:
            if _is_elsewhere(instant(copied)):
                return None  # readers will have it in UTC
        return copied, len(text)

    return copy


def _compares_fields(row: Any) -> bool:
    """Tell whether two rows are equal if and only if their fields are, now and for ever."""
    config = row.__struct_config__
    is_own = row.__eq__ is not msgspec.Struct.__eq__ or hasattr(row, "__post_init__")
    return config.frozen and config.eq and not is_own


def _is_plain(kind: inspect.Type) -> bool:
    return all(isinstance(each, _PLAIN) for each in _members(kind))


def _is_instant(kind: inspect.Type) -> bool:
    """Tell of a type whether its values are instants with a time zone, or none."""
    return all(
        isinstance(each, inspect.NoneType)
        or (isinstance(each, inspect.DateTimeType) and each.tz is True)
        for each in _members(kind)
    )


def _members(kind: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        yield from _members(kind.type)
    elif isinstance(kind, inspect.UnionType):
        yield from chain.from_iterable(map(_members, kind.types))
    else:
        yield kind


def _is_elsewhere(instant: Any) -> bool:
    return isinstance(instant, dt.datetime) and instant.tzinfo is not dt.UTC
