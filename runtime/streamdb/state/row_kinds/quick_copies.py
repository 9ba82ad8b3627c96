"""Rows written by msgspec, and read back: their text, and the rows that readers will have.

The standard library takes ten times as long to write a row, see `json_text`. Most rows hold nothing
that msgspec writes as another JSON value, but for instants, which are handed to it as text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from operator import attrgetter
from typing import Any, Final, TypeAlias, TypeVar, cast

import msgspec
from msgspec import inspect
from msgspec.structs import replace

from streamdb.protocol import json_text

Row = TypeVar("Row")
#: From a row to what readers will have and the text that they read; None if it cannot tell.
QuickCopy: TypeAlias = Callable[[Row], tuple[Row, bytes] | None]

# Of their values, msgspec's text is the same JSON as ours, if what it reads of it is equal to what
# was written. (NaN becomes null, which is not.)
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
    ((Point(x=1.0), b'{"x":1}'), None, None)
    """
    if not issubclass(row, msgspec.Struct) or not _compares_fields(row):
        return None
    fields = cast("inspect.StructType", inspect.type_info(row)).fields
    if not all(_is_plain(field.type) or _is_instant(field.type) for field in fields):
        return None
    instants = {field.name: attrgetter(field.name) for field in fields if _is_instant(field.type)}
    if any(isinstance(field.default, dt.datetime) for field in fields):
        return None  # which msgspec may leave out, and not once it is text
    decode = msgspec.json.Decoder(row).decode

    def copy(one: Row) -> tuple[Row, bytes] | None:
        if type(one) is not row:
            return None
        try:
            text = _encode(_with_instants_as_text(one, instants) if instants else one)
            copied = decode(text)
        except Exception:  # noqa: BLE001 - whoever reads it with care finds out what is wrong
            return None
        return (copied, text) if copied == one else None

    return copy


def _compares_fields(row: Any) -> bool:
    """Tell whether two rows are equal if and only if their fields are, now and for ever."""
    config = row.__struct_config__
    is_own = row.__eq__ is not msgspec.Struct.__eq__ or hasattr(row, "__post_init__")
    return config.frozen and config.eq and not is_own


def _with_instants_as_text(row: Any, instants: Mapping[str, Callable[[Any], Any]]) -> Any:
    """Return a copy that msgspec writes with its instants in the form that they have on the wire.

    Raises:
        ValueError: one is without a time zone.
    """
    texts: dict[str, str] = {}
    for name, get in instants.items():
        if isinstance(instant := get(row), dt.datetime):
            texts[name] = json_text.instant(instant)
    return replace(row, **texts)


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
