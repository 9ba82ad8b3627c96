"""The kinds of classes that rows may be of, and what is asked of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from streamdb.errors import SchemaError
from streamdb.types.extensible import Extensible, record_of

Row = TypeVar("Row")


class RowField(NamedTuple):
    """One declared field of a row: its attribute, its name on the wire, its type."""

    name: str
    wire_name: str
    type: Any


def fields_of(row: type[Any]) -> Sequence[RowField]:
    """Return the declared fields of a row's class.

    Raises:
        SchemaError: rows cannot be of that class.
    """
    record = record_of(row)
    if record is None:
        raise SchemaError(f"{row!r} is no class of rows: use a msgspec struct, or Extensible")
    return [
        RowField(field.name, field.encode_name, field.type)
        for field in msgspec.structs.fields(record)
    ]


def replace(row: Row, changes: Mapping[str, Any]) -> Row:
    """Return a copy of a row with other values in some fields.

    Raises:
        TypeError: it has no such field.
    """
    copied: Any = row
    if isinstance(row, Extensible):
        return cast("Row", copied.__replace__(**changes))
    return cast("Row", msgspec.structs.replace(copied, **changes))
