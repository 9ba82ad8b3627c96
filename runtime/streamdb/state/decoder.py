"""From a page of JSON to typed changes, in one call where the page allows it.

Rung one decodes the whole page as a list of the tagged union of all collections: rows come out
typed, and Python touches an event only to route it. A page that does not fit (a control message,
an undeclared type, an invalid event, a missing primary key) takes rung two: event by event, each
judged alone (INVALID-5).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, TypeVar, cast

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from streamdb.errors import StreamParseError
from streamdb.protocol.answers import preview
from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.rows import convert_row, explain, read_row, with_key
from streamdb.state.schema import CollectionSchema, StateSchema

Row = TypeVar("Row")
Control = Literal["snapshot-start", "snapshot-end", "reset"]
_Text = Annotated[str, Meta(min_length=1)]


class Put(NamedTuple):
    """An insert, update or upsert: the row to store."""

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


class Page(NamedTuple):
    """The events of one page in stream order, and the txids that they carry (TXID-1, TXID-5)."""

    items: Sequence[Item]
    txids: Sequence[str]


class PageDecoder:
    """Decodes pages of one schema."""

    def __init__(self, schema: StateSchema) -> None:
        self._by_type: Final = schema.by_type
        members = [_event_type(collection) for collection in schema.collections]
        union: Any = members[0]
        for member in members[1:]:
            union |= member
        self._typed: Final = msgspec.json.Decoder(list[union])

    def decode(self, part: bytes, *, url: str, offset: str) -> Page:
        """Decode one JSON text: an array of events, or a bare event.

        Raises:
            StreamParseError: the text is not JSON at all.
        """
        try:
            events = self._typed.decode(part)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._decode_singly(part, url, offset)
        txids: list[str] = []
        return Page([_item_of(event, txids) for event in events], txids)

    def _decode_singly(self, part: bytes, url: str, offset: str) -> Page:
        txids: list[str] = []
        events = _split(part, url=url, offset=offset)
        return Page([self._judge(event, txids) for event in events], txids)

    def _judge(self, event: Raw | Any, txids: list[str]) -> Item:
        """Apply INVALID-1 in the order of the rules; the first fault is the reason."""
        try:
            envelope = (
                _envelope_decoder.decode(event)
                if isinstance(event, Raw)
                else msgspec.convert(event, _PlainEnvelope)
            )
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _invalid(None, None, error)
        headers, type_, key = envelope.headers, _text(envelope.type), _text(envelope.key)
        if headers.control is not UNSET:
            if headers.operation is not UNSET:
                return Invalid(type_, key, "/headers", "both operation and control")
            return ControlMessage(headers.control, _text(headers.offset))
        if headers.txid is not UNSET:
            txids.append(headers.txid)
        if headers.operation is UNSET:
            return Invalid(type_, key, "/headers/operation", "no operation and no control")
        if type_ is None or key is None:
            field = "/key" if type_ is not None else "/type"
            return Invalid(type_, key, field, "must be a non-empty string")
        schema = self._by_type.get(type_)
        if schema is None:
            if headers.operation != "delete" and envelope.value is UNSET:
                return Invalid(type_, key, "/value", f"{headers.operation} needs a value")
            return Undeclared(type_)
        if headers.operation == "delete":
            return Remove(schema, key)  # its value is ignored (CHG-5, UPDATE-3)
        if envelope.value is UNSET:
            return Invalid(type_, key, "/value", f"{headers.operation} needs a value")
        return _value_item(schema, key, envelope.value)


def _value_item(schema: CollectionSchema[Any, Any], key: str, value: Raw | Any) -> Item:
    try:
        parsed_key = schema.parse_key(key)
    except ValueError as error:
        return Invalid(schema.type, key, "/key", str(error))
    try:
        if schema.updates == "merge":
            fields = msgspec.json.decode(value) if isinstance(value, Raw) else value
            if not is_object(fields):
                return Invalid(schema.type, key, "/value", "not an object")
            return Merge(schema, key, {**fields, schema.wire_primary_key: parsed_key})
        try:
            row: Any = (
                read_row(schema.row, value)
                if isinstance(value, Raw)
                else convert_row(schema.row, value)
            )
        except (msgspec.ValidationError, ValueError):
            # KEY-4: an absent or contradicting primary key is put right from the event's key.
            fields = json.loads(bytes(value)) if isinstance(value, Raw) else value
            if not is_object(fields):
                raise
            row = convert_row(schema.row, {**fields, schema.wire_primary_key: parsed_key})
        return Put(schema, key, with_key(schema, row, key))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return _invalid(schema.type, key, error, at="/value")


# --- rung one ---------------------------------------------------------------------------------


class _Headers(msgspec.Struct, frozen=True, gc=False):
    operation: Literal["insert", "update", "delete", "upsert"]
    txid: _Text | UnsetType = UNSET
    control: UnsetType = UNSET  # one that is there sends the page to rung two


class _Event(msgspec.Struct, frozen=True, gc=False):
    schema: ClassVar[CollectionSchema[Any, Any]]
    key: _Text
    headers: _Headers
    value: Any = UNSET


def _event_type(schema: CollectionSchema[Any, Any]) -> type[_Event]:
    # Rows of a merging collection may lack anything: their values stay plain until they are laid
    # over the stored row.
    value = dict[str, Any] if schema.updates == "merge" else schema.row
    return cast(
        "type[_Event]",
        msgspec.defstruct(
            f"Event_{schema.name}",
            [("value", value | UnsetType, UNSET)],
            bases=(_Event,),
            namespace={"schema": schema},
            tag_field="type",
            tag=schema.type,
            frozen=True,
            gc=False,
        ),
    )


def _item_of(event: _Event, txids: list[str]) -> Item:
    schema, key, headers, value = event.schema, event.key, event.headers, event.value
    if headers.txid is not UNSET:
        txids.append(headers.txid)
    if headers.operation == "delete":
        return Remove(schema, key)
    if value is UNSET:
        return Invalid(schema.type, key, "/value", f"{headers.operation} needs a value")
    if schema.updates == "merge":
        return _value_item(schema, key, value)
    if schema.key is str and schema.key_of(value) == key:
        return Put(schema, key, value)
    try:
        schema.parse_key(key)
        return Put(schema, key, with_key(schema, value, key))
    except ValueError as error:
        return Invalid(schema.type, key, "/key", str(error))


# --- rung two ---------------------------------------------------------------------------------


class _LooseHeaders(msgspec.Struct, frozen=True):
    operation: Literal["insert", "update", "delete", "upsert"] | UnsetType = UNSET
    control: Control | UnsetType = UNSET
    txid: _Text | UnsetType = UNSET
    offset: _Text | UnsetType = UNSET


class _Envelope(msgspec.Struct, frozen=True):
    headers: _LooseHeaders
    type: Any = UNSET
    key: Any = UNSET
    value: Raw | UnsetType = UNSET


class _PlainEnvelope(msgspec.Struct, frozen=True):
    headers: _LooseHeaders
    type: Any = UNSET
    key: Any = UNSET
    value: Any = UNSET


_raw_page_decoder: Final = msgspec.json.Decoder(list[Raw])
_envelope_decoder: Final = msgspec.json.Decoder(_Envelope)


def _split(part: bytes, *, url: str, offset: str) -> Iterator[Raw | Any]:
    try:
        yield from _raw_page_decoder.decode(part)
        return
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # Not an array, or text that msgspec does not take and JSON does (a lone surrogate, INVALID-9).
    # NaN and infinities become a value that fits no type, so that only their event is invalid.
    try:
        page = json.loads(part, parse_constant=_NotJson)
    except (ValueError, RecursionError) as error:
        raise StreamParseError(
            f"read: not JSON: {error}: {preview(part)}", url=url, offset=offset
        ) from None
    # SSE-8: a bare value is one message.
    yield from page if is_array(page) else [page]


class _NotJson:
    """Stands for a constant that JSON does not have."""

    def __init__(self, name: str) -> None:
        self.name = name


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _invalid(type_: str | None, key: str | None, error: Exception, *, at: str = "") -> Invalid:
    reason, pointer = explain(error)
    return Invalid(type_, key, at + pointer, reason)
