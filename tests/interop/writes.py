"""Writes as data: made in either language, and replayed here to know what must come of them.

Rows stand as JSON objects, keyed by the text of their key: ``{"notes": {"n1": {...}}}``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import msgspec
from tests.interop.schema import EVENTS, AsyncNotebook, Notebook

from streamdb import ChangeEvent

Json: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, dict[str, Json]]


@dataclass(frozen=True)
class Write:
    """One change; ``value`` for all but a delete, which has the row's ``key``."""

    operation: Literal["insert", "update", "upsert", "delete"]
    collection: str
    value: Json = field(default_factory=dict[str, Any])
    key: str | int | None = None
    txid: str | None = None

    @property
    def row_key(self) -> str | int:
        if self.key is not None:
            return self.key
        key: str | int = self.value[EVENTS[self.collection].schema.wire_primary_key]
        return key

    @property
    def row(self) -> Any:
        return msgspec.convert(self.value, EVENTS[self.collection].schema.row)

    def for_typescript(self) -> Json:
        """What ``peers/writer.mjs`` takes."""
        shared = {"collection": self.collection, "operation": self.operation}
        headers = {"headers": {"txid": self.txid}} if self.txid else {}
        if self.operation == "delete":
            return {**shared, **headers, "key": str(self.key)}
        return {**shared, **headers, "value": self.value}

    def event(self) -> ChangeEvent[Any]:
        """What ``Stream.append`` takes."""
        constructors = EVENTS[self.collection]
        if self.operation == "delete":
            return constructors.delete(self.key, txid=self.txid)
        construct = getattr(constructors, self.operation)
        event: ChangeEvent[Any] = construct(self.row, txid=self.txid)
        return event

    def apply_to(self, db: AsyncNotebook | Notebook) -> Any:
        """Write through a database; the answer is its transaction."""
        collection: Any = getattr(db, self.collection)
        if self.operation == "delete":
            return collection.delete(self.key)
        if self.operation == "update":

            def whole(_: Any) -> Any:
                return self.row

            return collection.update(self.row_key, whole)
        return getattr(collection, self.operation)(self.row)


def with_txids(writes: Iterable[Write]) -> list[Write]:
    """The same writes, each with a transaction id of its own."""
    return [replace(write, txid=str(uuid.uuid4())) for write in writes]


def last_txid(writes: Sequence[Write]) -> str:
    """What to wait for to know that all have come by."""
    txid = writes[-1].txid
    assert txid is not None
    return txid


def replayed(*histories: Iterable[Write]) -> Rows:
    """The rows after all writes: each replaces the whole row (UPDATE-1)."""
    return _replayed(histories, merging=False)


def replayed_by_stream_db(*histories: Iterable[Write]) -> Rows:
    """The same as the peer's ``createStreamDB`` has it, with what is peculiar to it.

    A write of a key that it holds is laid over the old row, so that fields which the new row has
    no more stay (REF-2); the key field holds the key as text, whatever its type is (REF-6).
    """
    rows = _replayed(histories, merging=True)
    for name, collection in rows.items():
        for key, row in collection.items():
            row[EVENTS[name].schema.wire_primary_key] = key
    return rows


def _replayed(histories: Iterable[Iterable[Write]], *, merging: bool) -> Rows:
    rows: Rows = {name: {} for name in EVENTS}
    for write in (write for history in histories for write in history):
        collection, key = rows[write.collection], str(write.row_key)
        if write.operation == "delete":
            collection.pop(key, None)
        else:
            kept = collection.get(key, {}) if merging else {}
            collection[key] = {**kept, **write.value}
    return rows


def rows_of(db: AsyncNotebook | Notebook) -> Rows:
    """The rows of a Python database, each as an event of its own would write it."""
    return {
        name: {
            str(constructors.schema.key_of(row)): json.loads(constructors.upsert(row).to_json())[
                "value"
            ]
            for row in db.collections[name]
        }
        for name, constructors in EVENTS.items()
    }


def without_additions(rows: Mapping[str, Mapping[str, Json]]) -> Rows:
    """The rows of the peer's ``createStreamDB`` without what it and TanStack DB add to them.

    That is ``_seq`` (REF-7) and the virtual fields, ``$key`` and others that begin with ``$``.
    """
    return {
        name: {
            key: {
                field: value
                for field, value in row.items()
                if field != "_seq" and not field.startswith("$")
            }
            for key, row in collection.items()
        }
        for name, collection in rows.items()
    }
