"""What an event turned out to be, once it was judged by the rules of the state protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from streamdb.state.schema import CollectionSchema
from streamdb.types.allowed import with_allowed
from streamdb.types.faults import explain

Operation = Literal["insert", "update", "delete", "upsert"]
Control = Literal["snapshot-start", "snapshot-end", "reset"]


class Put(NamedTuple):
    """An insert, update or upsert: the row to store, which may be a ``Stored`` one."""

    schema: CollectionSchema[Any, Any]
    key: str
    row: Any


class Merge(NamedTuple):
    """Like :class:`Put` for a collection declared ``updates: merge``: fields to lay over it."""

    schema: CollectionSchema[Any, Any]
    key: str
    fields: Mapping[str, Any]


class Remove(NamedTuple):
    """A delete."""

    schema: CollectionSchema[Any, Any]
    key: str


class ControlMessage(NamedTuple):
    """A control message (state protocol, section 3)."""

    control: Control
    offset: str | None


class Undeclared(NamedTuple):
    """A well-formed change of a type that no collection declares (TYPE-1)."""

    type: str


class Invalid(NamedTuple):
    """An event that changes nothing, and why (INVALID-1)."""

    type: str | None
    key: str | None
    pointer: str
    message: str


Item = Put | Merge | Remove | ControlMessage | Undeclared | Invalid


class LooseHeaders(msgspec.Struct, frozen=True):
    """The headers of an event that matter, whatever they hold."""

    operation: Any = UNSET
    control: Any = UNSET
    txid: Any = UNSET
    offset: Any = UNSET
    timestamp: Any = UNSET


class Judged(NamedTuple):
    """What an event turned out to be.

    Attributes:
        item: what it does.
        txid: its txid, if it has one: for invalid changes, too (TXID-5).
        headers: those of a change.
    """

    item: Item
    txid: str | None = None
    headers: LooseHeaders = LooseHeaders()


def invalid_because(
    error: Exception, type_: str | None, key: str | None, *, at: str = "", kind: Any = None
) -> Invalid:
    """Make the report of an event that could not be read; ``kind`` is the class of its row."""
    # Reports go to logs, and the content of rows does not.
    reason, pointer = explain(error, private=True)
    return Invalid(type_, key, at + pointer, with_allowed(reason, pointer, kind))
