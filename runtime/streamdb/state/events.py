"""Change events: what producers append and readers fold (state protocol, section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Generic, Literal, TypeVar

from msgspec import Struct, field

from streamdb.errors import InvalidRow
from streamdb.protocol import json_text
from streamdb.state.rows import checked_key
from streamdb.state.schema import CollectionSchema, Key, Row
from streamdb.state.unknown_fields import Stored

Operation = Literal["insert", "update", "upsert", "delete"]
AnyRow = TypeVar("AnyRow", covariant=True)

_SAID: Final = ("type", "key", "operation", "value", "txid", "timestamp", "headers")

# Set by the constructors alone (WRITE-8).
_OWN_HEADERS: Final = frozenset({"operation", "txid", "timestamp", "offset", "control"})


# No dataclass: to set its fields took longer than all else that is done to write an event.
class ChangeEvent(Struct, Generic[AnyRow], frozen=True, eq=False):
    """One change of one entity, ready to append; made by :class:`EventConstructors`.

    Attributes:
        type: the event type.
        key: the key as text.
        operation: what happened.
        value: the row, None for a delete.
        txid: the transaction that it belongs to.
        timestamp: when it happened, RFC 3339 text.
        headers: further headers.
        value_json: the checked row as it goes on the wire.
        old_value_json: the row before, likewise.
    """

    type: str
    key: str
    operation: Operation
    value: AnyRow | None = None
    txid: str | None = None
    timestamp: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    value_json: bytes | None = None
    old_value_json: bytes | None = None

    def __eq__(self, other: object) -> bool:
        """Compare what events say; texts say the same another time."""
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _SAID)

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={getattr(self, name)!r}" for name in _SAID)
        return f"ChangeEvent({said})"

    def __json__(self) -> bytes:
        return self.to_json()

    def to_json(self) -> bytes:
        """Return the event as it stands on the wire; what is absent is left out (WRITE-7)."""
        parts = [b'{"type":', _text(self.type), b',"key":', json_text.encode(self.key)]
        if self.value_json is not None:
            parts += [b',"value":', self.value_json]
        if self.old_value_json is not None:
            parts += [b',"old_value":', self.old_value_json]
        parts += [b',"headers":', self._headers_json(), b"}"]
        return b"".join(parts)

    def _headers_json(self) -> bytes:
        if self.timestamp is None and not self.headers:
            return _plain_headers(self.operation, self.txid)
        headers: dict[str, Any] = {"operation": self.operation}
        if self.txid is not None:
            headers["txid"] = self.txid
        if self.timestamp is not None:
            headers["timestamp"] = self.timestamp
        return json_text.encode({**headers, **self.headers})


class EventConstructors(Generic[Row, Key]):
    """Builds the change events of one collection, every value checked before it can be sent.

    ::

        await stream.append(events.messages.insert(Message(id="m1", ...), txid="t1"))
    """

    def __init__(self, schema: CollectionSchema[Row, Key]) -> None:
        self.schema: Final = schema

    def insert(
        self,
        row: Row,
        *,
        key: Key | None = None,
        txid: str | None = None,
        timestamp: str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> ChangeEvent[Row]:
        """A new row.

        Args:
            row: the row; its primary key is the event's key.
            key: may be given, and must then agree with the row (WRITE-4).
            txid: groups changes, and lets the writer recognise its own.
            timestamp: RFC 3339 text: when it happened.
            headers: further headers, kept by readers.

        Raises:
            InvalidRow: the row does not fit its type.
        """
        return self._write("insert", row, None, key, txid, timestamp, headers)

    def update(
        self,
        row: Row,
        *,
        old: Row | None = None,
        over: Stored | None = None,
        onto: Stored | None = None,
        key: Key | None = None,
        txid: str | None = None,
        timestamp: str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> ChangeEvent[Row]:
        """The whole new value of a row (WRITE-6).

        Args:
            row: the new row.
            old: the row before, for audits only (CHG-4).
            over: the row that this one was made of, as it was read; what a newer program wrote
                beyond it is written again.
            onto: the row that readers have; where they merge, what they would keep of it is
                written, too.
            key: may be given, and must then agree with the row (WRITE-4).
            txid: groups changes, and lets the writer recognise its own.
            timestamp: RFC 3339 text: when it happened.
            headers: further headers, kept by readers.

        Raises:
            InvalidRow: the row does not fit its type.
        """
        return self._write("update", row, old, key, txid, timestamp, headers, over, onto)

    def upsert(
        self,
        row: Row,
        *,
        onto: Stored | None = None,
        key: Key | None = None,
        txid: str | None = None,
        timestamp: str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> ChangeEvent[Row]:
        """A row, new or not. Readers that follow the protocol text alone may refuse it (UPSERT-2).

        Such readers take ``insert`` and ``update``. ``onto`` is that of :meth:`update`.
        """
        return self._write("upsert", row, None, key, txid, timestamp, headers, None, onto)

    def delete(
        self,
        key: Key | None = None,
        *,
        old: Row | None = None,
        txid: str | None = None,
        timestamp: str | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> ChangeEvent[Row]:
        """The end of a row, by its key or by its old value.

        Raises:
            InvalidRow: neither is given, the key is empty, or they contradict each other.
        """
        schema: CollectionSchema[Row, Key] = self.schema
        old_value_json = None if old is None else schema.encode(old)
        if old is not None:
            key = checked_key(schema, old, key)
        if key is None or not schema.wire_key(key):
            raise InvalidRow(f"{schema.name}: delete needs a key, or the old row", type=schema.type)
        return ChangeEvent(
            type=schema.type,
            key=schema.wire_key(key),
            operation="delete",
            txid=_checked_txid(schema, txid),
            timestamp=timestamp,
            headers=_checked_headers(schema, headers),
            old_value_json=old_value_json,
        )

    def _write(
        self,
        operation: Operation,
        row: Row,
        old: Row | None,
        key: Key | None,
        txid: str | None,
        timestamp: str | None,
        headers: Mapping[str, Any] | None,
        over: Stored | None = None,
        onto: Stored | None = None,
    ) -> ChangeEvent[Row]:
        schema: CollectionSchema[Row, Key] = self.schema
        value_json = schema.encode(row, over=over, onto=onto)
        return ChangeEvent(
            type=schema.type,
            key=schema.wire_key(checked_key(schema, row, key)),
            operation=operation,
            value=row,
            txid=_checked_txid(schema, txid),
            timestamp=timestamp,
            headers=_checked_headers(schema, headers),
            value_json=value_json,
            old_value_json=None if old is None else schema.encode(old),
        )


@lru_cache(maxsize=16)  # a transaction writes the same ones again and again
def _plain_headers(operation: Operation, txid: str | None) -> bytes:
    return json_text.encode(
        {"operation": operation} if txid is None else {"operation": operation, "txid": txid}
    )


@lru_cache(maxsize=256)
def _text(name: str) -> bytes:
    return json_text.encode(name)


def _checked_txid(schema: CollectionSchema[Any, Any], txid: str | None) -> str | None:
    if txid == "":
        raise InvalidRow("a txid must not be empty", type=schema.type)
    return txid


def _checked_headers(
    schema: CollectionSchema[Any, Any], headers: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    if not headers:
        return {}
    if own := sorted(_OWN_HEADERS.intersection(headers)):
        raise InvalidRow(
            f"the header {own[0]!r} is not yours to set here: the protocol gives it a meaning",
            type=schema.type,
        )
    copy = dict(headers)
    try:
        json_text.encode(copy)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidRow(f"headers: {error}", type=schema.type) from None
    return copy
