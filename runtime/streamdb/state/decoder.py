"""From a page of JSON to typed changes, in one call where the page allows it.

Rung one decodes the whole page as a list of the tagged union of all collections: rows come out
typed, and Python touches an event only to route it. A page that does not fit (a control message,
an undeclared type, an invalid event, a missing primary key) takes rung two: event by event, each
judged alone (INVALID-5), and if need be parted from the others by brackets alone (INVALID-9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    TypeVar,
    cast,
    get_args,
)

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from streamdb.errors import StreamParseError
from streamdb.protocol.answers import preview
from streamdb.protocol.brackets import array_elements, object_members
from streamdb.protocol.json_text import is_object
from streamdb.state.parsing import parse
from streamdb.state.rows import with_key
from streamdb.state.schema import CollectionSchema, StateSchema
from streamdb.types.allowed import with_allowed
from streamdb.types.conversion import convert, dec_hook
from streamdb.types.faults import UNREADABLE, explain, pointer_to
from streamdb.types.microseconds import holds_instants, is_fine

Operation = Literal["insert", "update", "delete", "upsert"]
Control = Literal["snapshot-start", "snapshot-end", "reset"]

_Text = Annotated[str, Meta(min_length=1)]
_OPERATIONS: Final = get_args(Operation)
_CONTROLS: Final = get_args(Control)
_NO_TEXT: Final = "must be a non-empty string"


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
    """Decodes pages of one schema.

    Args:
        schema: what the stream holds.
        strict: hold every row to the contract of its collection; one that breaks it is invalid.
    """

    def __init__(self, schema: StateSchema, *, strict: bool = False) -> None:
        self._by_type: Final = schema.by_type
        self._strict: Final = strict
        members = [_event_type(collection, strict) for collection in schema.collections]
        union: Any = members[0]
        for member in members[1:]:
            union |= member
        self._events: Final[Any] = list[union]
        self._typed: Final = msgspec.json.Decoder(self._events, dec_hook=dec_hook)
        self._holds_instants: Final = holds_instants(self._events)

    def decode(self, part: bytes, *, url: str, offset: str) -> Page:
        """Decode one JSON text: an array of events, or a bare event.

        Raises:
            StreamParseError: the text is not JSON at all.
        """
        txids: list[str] = []
        events = self._typed_events(part)
        if events is None:
            texts = _split(part, url=url, offset=offset)
            return Page([self._judge(text, txids) for text in texts], txids)
        return Page([self._item_of(event, txids) for event in events], txids)

    def _typed_events(self, part: bytes) -> list[_Event] | None:
        """The events of a page that fits, all at once."""
        try:
            if self._holds_instants and is_fine(part):
                events = convert(_plain_decoder.decode(part), self._events)
            else:
                events = self._typed.decode(part)
        except Exception:  # noqa: BLE001 - what a row's class raises is one event's fault
            return None
        return cast("list[_Event]", events)

    def _judge(self, text: Raw | bytes, txids: list[str]) -> Item:
        """Apply INVALID-1 in the order of the rules; the first fault is the reason."""
        try:
            envelope = _open_envelope(text)
        except UNREADABLE as error:
            return _unreadable(text, error, txids)
        headers, type_, key = envelope.headers, _text(envelope.type), _text(envelope.key)
        operation = headers.operation
        if headers.control is not UNSET:
            if operation is not UNSET:
                return Invalid(type_, key, "/headers", "both operation and control")
            return _control_item(headers)
        if headers.txid is not UNSET:
            if (txid := _text(headers.txid)) is None:
                return Invalid(type_, key, "/headers/txid", _NO_TEXT)
            txids.append(txid)  # whatever else is wrong: nobody is to wait for it in vain (TXID-5)
        if operation not in _OPERATIONS:
            reason = "no operation and no control" if operation is UNSET else "unknown operation"
            return Invalid(type_, key, "/headers/operation", reason)
        if type_ is None:
            return Invalid(type_, key, "/type", _NO_TEXT)
        if key is None:
            return Invalid(type_, key, "/key", _NO_TEXT)
        schema = self._by_type.get(type_)
        if operation == "delete":  # its value is ignored (CHG-5, UPDATE-3)
            return Undeclared(type_) if schema is None else Remove(schema, key)
        if envelope.value is UNSET:
            return Invalid(type_, key, "/value", f"{operation} needs a value")
        if schema is None:
            return Undeclared(type_)
        return self._value_item(schema, key, envelope.value)

    def _item_of(self, event: _Event, txids: list[str]) -> Item:
        """Take an event of the first rung."""
        schema, key, headers, value = event.schema, event.key, event.headers, event.value
        if headers.txid is not UNSET:
            txids.append(headers.txid)
        if headers.operation == "delete":
            return Remove(schema, key)
        if value is UNSET:
            return Invalid(schema.type, key, "/value", f"{headers.operation} needs a value")
        return _put(schema, key, value) if event.is_typed else self._value_item(schema, key, value)

    def _value_item(self, schema: CollectionSchema[Any, Any], key: str, value: Raw | Any) -> Item:
        """Judge value and key of an insert, update or upsert; the value is text or parsed."""
        try:
            parsed_key = schema.parse_key(key)
        except ValueError as error:
            return invalid_because(error, schema.type, key, at="/key")
        try:
            if schema.updates == "merge":
                fields = _parsed(value)
                if not is_object(fields):
                    return Invalid(schema.type, key, "/value", "not an object")
                return Merge(schema, key, {**fields, schema.wire_primary_key: parsed_key})
            item = _put(schema, key, _row(schema, parsed_key, value))
            if self._strict and schema.beyond_rows is not None and isinstance(item, Put):
                schema.beyond_rows.check({**_parsed(value), schema.wire_primary_key: parsed_key})
        except UNREADABLE as error:
            return invalid_because(error, schema.type, key, at="/value", kind=schema.row)
        return item


def _row(schema: CollectionSchema[Any, Any], key: str | int, value: Raw | Any) -> Any:
    try:
        return schema.rows.read(value) if isinstance(value, Raw) else schema.rows.convert(value)
    except UNREADABLE:
        # KEY-4: an absent or contradicting primary key is put right from the event's key.
        fields = _parsed(value)
        if not is_object(fields):
            raise
        return schema.rows.convert({**fields, schema.wire_primary_key: key})


def _parsed(value: Raw | Any) -> Any:
    return parse(value) if isinstance(value, Raw) else value


def _put(schema: CollectionSchema[Any, Any], key: str, row: Any) -> Item:
    try:
        return Put(schema, key, with_key(schema, row, key))
    except UNREADABLE as error:
        reason, _ = explain(error, private=True)
        return Invalid(schema.type, key, "/key", reason)


def _unreadable(text: Raw | bytes, error: Exception, txids: list[str]) -> Invalid:
    """Make the report of an event that cannot be read as a whole, of those parts that can be."""
    found: dict[str, Any] = {}
    at = ""
    for name, member in (object_members(bytes(text).strip()) or {}).items():
        with suppress(*UNREADABLE):
            label = str(parse(name))
            try:
                found[label] = parse(member)
            except UNREADABLE as fault:
                if not at:
                    error, at = fault, pointer_to([label])
    headers = found.get("headers")
    txid = _text(headers.get("txid")) if is_object(headers) else None
    if txid is not None:
        txids.append(txid)  # TXID-5
    return invalid_because(error, _text(found.get("type")), _text(found.get("key")), at=at)


def _control_item(headers: _LooseHeaders) -> Item:
    if headers.control not in _CONTROLS:
        return Invalid(None, None, "/headers/control", "unknown control")
    if headers.offset is UNSET:
        return ControlMessage(headers.control, None)
    if (offset := _text(headers.offset)) is None:
        return Invalid(None, None, "/headers/offset", _NO_TEXT)  # RESET-12
    return ControlMessage(headers.control, offset)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def invalid_because(
    error: Exception, type_: str | None, key: str | None, *, at: str = "", kind: Any = None
) -> Invalid:
    """Make the report of an event that could not be read; ``kind`` is the class of its row."""
    # Reports go to logs, and the content of rows does not.
    reason, pointer = explain(error, private=True)
    return Invalid(type_, key, at + pointer, with_allowed(reason, pointer, kind))


# --- rung one ---------------------------------------------------------------------------------


class _Headers(msgspec.Struct, frozen=True, gc=False):
    operation: Operation
    txid: _Text | UnsetType = UNSET
    control: UnsetType = UNSET  # one that is there sends the page to rung two


class _Event(msgspec.Struct, frozen=True, gc=False):
    schema: ClassVar[CollectionSchema[Any, Any]]
    is_typed: ClassVar[bool]
    key: _Text
    headers: _Headers
    value: Any = UNSET


def _event_type(schema: CollectionSchema[Any, Any], strict: bool) -> type[_Event]:
    value = schema.rows.in_page
    if schema.updates == "merge":
        # These rows may lack anything: they stay plain until they are laid over the stored ones.
        value = dict[str, Any]
    elif strict and schema.beyond_rows is not None:
        value = Raw
    is_typed = value is schema.row
    return cast(
        "type[_Event]",
        msgspec.defstruct(
            f"Event_{schema.name}",
            [("value", value | UnsetType, UNSET)],
            bases=(_Event,),
            namespace={"schema": schema, "is_typed": is_typed},
            tag_field="type",
            tag=schema.type,
            frozen=True,
            gc=False,
        ),
    )


# --- rung two ---------------------------------------------------------------------------------


Value = TypeVar("Value")


class _LooseHeaders(msgspec.Struct, frozen=True):
    operation: Any = UNSET
    control: Any = UNSET
    txid: Any = UNSET
    offset: Any = UNSET


class _Envelope(msgspec.Struct, Generic[Value], frozen=True):
    headers: _LooseHeaders
    type: Any = UNSET
    key: Any = UNSET
    value: Value | UnsetType = UNSET


_plain_decoder: Final = msgspec.json.Decoder[Any]()
_raw_page_decoder: Final = msgspec.json.Decoder(list[Raw])
_raw_envelope_decoder: Final = msgspec.json.Decoder(_Envelope[Raw])


def _open_envelope(text: Raw | bytes) -> _Envelope[Any]:
    try:
        return _raw_envelope_decoder.decode(text)
    except msgspec.ValidationError:
        raise
    except UNREADABLE:  # perhaps a lone surrogate, which is legal (INVALID-9)
        return msgspec.convert(parse(text), _Envelope[Any])


def _split(part: bytes, *, url: str, offset: str) -> Sequence[Raw | bytes]:
    """Part the text into its events; what they hold may be no JSON, one event alone."""
    try:
        return _raw_page_decoder.decode(part)
    except UNREADABLE:
        pass
    text = part.strip()
    if text.startswith(b"["):
        elements = array_elements(text)
    else:  # SSE-8: a bare value is one message
        elements = [text] if text.startswith(b"{") or _is_json(text) else None
    if elements is None:
        raise StreamParseError(f"read: not JSON: {preview(part)}", url=url, offset=offset)
    return elements


def _is_json(text: bytes) -> bool:
    try:
        parse(text)
    except UNREADABLE:
        return False
    return True
