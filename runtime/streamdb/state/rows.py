"""Rows at the boundary: checked when they are written, mended where the key says so when read."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, cast

import msgspec

from streamdb.errors import InvalidRow
from streamdb.protocol import json_text
from streamdb.state.row_kinds import replace
from streamdb.state.schema import CollectionSchema, Key, Row
from streamdb.types.conversion import convert, dec_hook
from streamdb.types.faults import UNREADABLE, explain


def checked_json(schema: CollectionSchema[Row, Key], row: Row) -> bytes:
    """Write a row and check what is about to be sent by reading it back (WRITE-5).

    Constructing a struct validates nothing, so this is where a wrong value is found.

    Raises:
        InvalidRow: the row does not fit its type; names the type, the place and the reason.
    """
    if not isinstance(row, schema.row):
        raise InvalidRow(
            f"collection {schema.name!r} holds {schema.row.__name__}, not {type(row).__name__}",
            type=schema.type,
        )
    try:
        text = json_text.encode(row)
        read_row(schema.row, text)
    except (*UNREADABLE, TypeError) as error:
        reason, pointer = explain(error)
        where = f" at {pointer}" if pointer else ""
        raise InvalidRow(
            f"{schema.row.__name__}{where}: {reason}", type=schema.type, pointer=pointer
        ) from None
    return text


def checked_key(schema: CollectionSchema[Row, Key], row: Row, key: Key | None) -> Key:
    """Return the key that a row is written under (WRITE-3, WRITE-4).

    Raises:
        InvalidRow: it is empty, or an explicit key contradicts the row.
    """
    own = schema.key_of(row)
    wire_key = schema.wire_key(own)
    if not wire_key:
        raise InvalidRow(
            f"{schema.row.__name__}: {schema.primary_key} is the key and must not be empty",
            type=schema.type,
            pointer=f"/{schema.wire_primary_key}",
        )
    if key is not None and schema.wire_key(key) != wire_key:
        raise InvalidRow(
            f"{schema.row.__name__}: the key {key!r} contradicts {schema.primary_key}={own!r}",
            type=schema.type,
            pointer=f"/{schema.wire_primary_key}",
        )
    return own


def read_row(row: type[Row], text: bytes | msgspec.Raw) -> Row:
    """Read a row from JSON text, by the rules of JSON where msgspec is stricter.

    That is: ``1.0`` is an integer, and a lone surrogate is text (INVALID-9).

    Raises one of ``UNREADABLE`` if the value does not fit the type, or is not JSON.
    """
    try:
        return cast("Row", _decoder(cast("Any", row)).decode(text))
    except UNREADABLE:
        return convert_row(row, parse(text))


def convert_row(row: type[Row], plain: object) -> Row:
    """Turn plain parsed JSON into a row, by the same rules as :func:`read_row`."""
    return cast("Row", convert(_integral(plain), row))


def parse(text: bytes | msgspec.Raw) -> Any:
    r"""Parse JSON text by the standard library, which takes a lone surrogate for text.

    >>> parse(rb'"\ud83d"') == chr(0xD83D)
    True

    Raises one of ``UNREADABLE`` for anything else that is not JSON in UTF-8, NaN included.
    """
    return json.loads(bytes(text).decode(), parse_constant=_refuse_constant)


def with_key(schema: CollectionSchema[Row, Key], row: Row, wire_key: str) -> Row:
    """Return the row with the event's key in its primary key field (KEY-2 to KEY-5).

    Raises:
        ValueError: the key cannot be of the declared type.
        msgspec.ValidationError: it can, but breaks what is declared beside it, a pattern perhaps.
    """
    if str(schema.key_of(row)) == wire_key:
        return row
    key = convert(schema.parse_key(wire_key), schema.key_type)
    return replace(row, {schema.primary_key: key})


@cache
def _decoder(row: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(row, dec_hook=dec_hook)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _integral(value: Any) -> Any:
    """Write whole numbers without a fraction, as JSON Schema counts them: 1.0 is an integer."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if json_text.is_object(value):
        return {name: _integral(item) for name, item in value.items()}
    if json_text.is_array(value):
        return [_integral(item) for item in value]
    return value
