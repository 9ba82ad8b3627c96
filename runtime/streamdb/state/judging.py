"""One event at a time: what it is, and if it is nothing, why (INVALID-1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar, get_args

import msgspec
from msgspec import UNSET, Raw, UnsetType

from streamdb.protocol import json_text
from streamdb.protocol.brackets import object_members
from streamdb.protocol.json_text import is_object
from streamdb.state.items import (
    Control,
    ControlMessage,
    Invalid,
    Item,
    Judged,
    LooseHeaders,
    Merge,
    Operation,
    Put,
    Remove,
    Undeclared,
    invalid_because,
)
from streamdb.state.parsing import parse
from streamdb.state.rows import with_key
from streamdb.state.schema import CollectionSchema, StateSchema
from streamdb.state.typed_events import Event
from streamdb.state.unknown_fields import Stored
from streamdb.types.faults import UNREADABLE, explain, pointer_to

_OPERATIONS: Final = get_args(Operation)
_CONTROLS: Final = get_args(Control)
_NO_TEXT: Final = "must be a non-empty string"

#: By event type, functions from an old value, as plain JSON, to one of today.
Upcasts = Mapping[str, Callable[[Any], Any]]


class Judge:
    """Applies the rules of the state protocol to single events.

    Args:
        schema: what the stream holds.
        strict: hold every row to the contract of its collection; one that breaks it is invalid.
        upcasts: by event type, what makes values of today of those that are refused.
    """

    def __init__(self, schema: StateSchema, *, strict: bool, upcasts: Upcasts) -> None:
        self._by_type: Final = schema.by_type
        self._strict: Final = strict
        self._upcasts: Final = upcasts

    def of_text(self, text: Raw | bytes) -> Judged:
        """Judge the text of an event, in the order of the rules; the first fault is the reason."""
        try:
            envelope = _open_envelope(text)
        except UNREADABLE as error:
            return _unreadable(text, error)
        headers = envelope.headers
        if headers.control is not UNSET:
            return Judged(_control_item(envelope))
        # Whatever else is wrong: nobody is to wait for its txid in vain (TXID-5).
        return Judged(self._change(envelope), _text(headers.txid), headers)

    def of_either(self, event: Event | Judged) -> Judged:
        """Judge an event of a page, if it was not judged before."""
        if isinstance(event, Judged):
            return event
        return Judged(self.of_event(event), event.headers.txid or None)

    def of_event(self, event: Event) -> Item:
        """Judge an event that fits the union."""
        schema, key, value = event.schema, event.key, event.value
        operation = event.headers.operation
        if operation == "delete":  # its value is ignored (CHG-5, UPDATE-3)
            return Undeclared(event.type) if schema is None else Remove(schema, key)
        if value is UNSET:
            return Invalid(event.type, key, "/value", f"{operation} needs a value")
        if schema is None:
            return Undeclared(event.type)
        return _put(schema, key, value) if event.is_typed else self._value_item(schema, key, value)

    def _change(self, envelope: _Envelope[Any]) -> Item:
        headers, type_, key = envelope.headers, _text(envelope.type), _text(envelope.key)
        operation = headers.operation
        if headers.txid is not UNSET and _text(headers.txid) is None:
            return Invalid(type_, key, "/headers/txid", _NO_TEXT)
        if operation not in _OPERATIONS:
            reason = "no operation and no control" if operation is UNSET else "unknown operation"
            return Invalid(type_, key, "/headers/operation", reason)
        if type_ is None:
            return Invalid(type_, key, "/type", _NO_TEXT)
        if key is None:
            return Invalid(type_, key, "/key", _NO_TEXT)
        schema = self._by_type.get(type_)
        if operation == "delete":
            return Undeclared(type_) if schema is None else Remove(schema, key)
        if envelope.value is UNSET:
            return Invalid(type_, key, "/value", f"{operation} needs a value")
        if schema is None:
            return Undeclared(type_)
        return self._value_item(schema, key, envelope.value)

    def _value_item(self, schema: CollectionSchema[Any, Any], key: str, value: Raw | Any) -> Item:
        """Judge value and key of an insert, update or upsert; the value is text or parsed."""
        try:
            parsed_key = schema.parse_key(key)
        except ValueError as error:
            return invalid_because(error, schema.type, key, at="/key")
        if schema.updates == "merge":
            try:
                fields = _parsed(value)
            except UNREADABLE as error:
                return invalid_because(error, schema.type, key, at="/value", kind=schema.row)
            if not is_object(fields):
                return Invalid(schema.type, key, "/value", "not an object")
            return Merge(schema, key, {**fields, schema.wire_primary_key: parsed_key})
        return self.of_value(schema, key, value)

    def of_value(
        self, schema: CollectionSchema[Any, Any], key: str, value: Raw | Any
    ) -> Put | Invalid:
        """Make a row of a value, of today or upcast; the key is one of its collection."""
        item = self._of_current_value(schema, key, value)
        upcast = self._upcasts.get(schema.type)
        if upcast is None or not isinstance(item, Invalid):
            return item
        try:
            old = _parsed(value)
        except UNREADABLE:
            return item
        try:
            new = upcast(old)
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            # Its text may quote the value, and reports go to logs.
            reason = f"upcast raised {type(error).__name__}"
            return Invalid(schema.type, key, "/value", reason)
        if not is_object(new) and schema.rows.holds(new):
            try:
                new = parse(schema.rows.write(new))
            except (*UNREADABLE, TypeError) as error:
                return _after_upcast(invalid_because(error, schema.type, key, at="/value"))
        item = self._of_current_value(schema, key, new)
        return _after_upcast(item) if isinstance(item, Invalid) else item

    def _of_current_value(
        self, schema: CollectionSchema[Any, Any], key: str, value: Raw | Any
    ) -> Put | Invalid:
        parsed_key = schema.parse_key(key)
        try:
            item = _put(schema, key, _stored(schema, _row(schema, parsed_key, value), value))
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


def _after_upcast(invalid: Invalid) -> Invalid:
    return invalid._replace(message=f"after its upcast: {invalid.message}")


def _stored(schema: CollectionSchema[Any, Any], row: Any, value: Raw | Any) -> Any:
    """Return a row, with its text if that holds more."""
    try:
        text = bytes(value) if isinstance(value, Raw) else json_text.encode(value)
    except (ValueError, TypeError):  # what an upcast returned may hold more than JSON has
        return row
    return row if schema.rows.shows_all(row, text) else Stored(row, text)


def _parsed(value: Raw | Any) -> Any:
    return parse(value) if isinstance(value, Raw) else value


def _put(schema: CollectionSchema[Any, Any], key: str, row: Any) -> Put | Invalid:
    try:
        if isinstance(row, Stored):
            return Put(schema, key, Stored(with_key(schema, row.row, key), row.original))
        return Put(schema, key, with_key(schema, row, key))
    except UNREADABLE as error:
        reason, _ = explain(error, private=True)
        return Invalid(schema.type, key, "/key", reason)


def _unreadable(text: Raw | bytes, error: Exception) -> Judged:
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
    return Judged(
        invalid_because(error, _text(found.get("type")), _text(found.get("key")), at=at), txid
    )


def _control_item(envelope: _Envelope[Any]) -> Item:
    headers = envelope.headers
    if headers.operation is not UNSET:
        type_, key = _text(envelope.type), _text(envelope.key)
        return Invalid(type_, key, "/headers", "both operation and control")
    if headers.control not in _CONTROLS:
        return Invalid(None, None, "/headers/control", "unknown control")
    if headers.offset is UNSET:
        return ControlMessage(headers.control, None)
    if (offset := _text(headers.offset)) is None:
        return Invalid(None, None, "/headers/offset", _NO_TEXT)  # RESET-12
    return ControlMessage(headers.control, offset)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


Value = TypeVar("Value")


class _Envelope(msgspec.Struct, Generic[Value], frozen=True):
    headers: LooseHeaders
    type: Any = UNSET
    key: Any = UNSET
    value: Value | UnsetType = UNSET


_raw_envelope_decoder: Final = msgspec.json.Decoder(_Envelope[Raw])


def _open_envelope(text: Raw | bytes) -> _Envelope[Any]:
    try:
        return _raw_envelope_decoder.decode(text)
    except msgspec.ValidationError:
        raise
    except UNREADABLE:  # perhaps a lone surrogate, which is legal (INVALID-9)
        return msgspec.convert(parse(text), _Envelope[Any])
