"""The key of a row: agreed on when it is written, put right when it is read."""

from __future__ import annotations

from typing import Any

import msgspec

from streamdb.errors import InvalidRow, StreamDBError
from streamdb.state.schema import CollectionSchema, Key, Row
from streamdb.types.faults import Misfit, refused_by_its_class


def checked_key(schema: CollectionSchema[Row, Key], row: Row, key: Key | None) -> Key:
    """Return the key that a row is written under (WRITE-3, WRITE-4).

    Raises:
        InvalidRow: it is empty, or an explicit key contradicts the row.
    """
    wire_key = checked_wire_key(schema, row)
    own = schema.key_of(row)
    if key is not None and schema.wire_key(key) != wire_key:
        raise InvalidRow(
            f"collection {schema.name!r}: the key {key!r} contradicts {schema.primary_key}={own!r}",
            type=schema.type,
            pointer=f"/{schema.wire_primary_key}",
        )
    return own


def checked_wire_key(schema: CollectionSchema[Row, Any], row: Row) -> str:
    """Return the text of the key of a row that is written.

    Raises:
        InvalidRow: it is empty.
    """
    wire_key = schema.wire_key(schema.key_of(row))
    if not wire_key:
        raise InvalidRow(
            f"collection {schema.name!r}: {schema.primary_key} is the key and must not be empty",
            type=schema.type,
            pointer=f"/{schema.wire_primary_key}",
        )
    return wire_key


def with_key(schema: CollectionSchema[Row, Key], row: Row, wire_key: str) -> Row:
    """Return the row with the event's key in its primary key field (KEY-2 to KEY-5).

    Raises one of ``UNREADABLE`` if the key cannot be of the declared type, or breaks what is
    declared beside it, a pattern perhaps.
    """
    if str(schema.key_of(row)) == wire_key:
        return row
    parsed_key = schema.parse_key(wire_key)
    try:
        return schema.rows.with_key(row, schema.primary_key, parsed_key)
    except (StreamDBError, Misfit, msgspec.DecodeError, RecursionError):
        raise
    except Exception as error:  # what a `__post_init__` raises may be anything
        raise refused_by_its_class(error) from error
