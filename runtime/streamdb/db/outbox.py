"""What is in an outbox, for users to see."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from streamdb.cache.outbox_records import TransactionRecord, WriteRecord
from streamdb.state.schema import StateSchema


@dataclass(frozen=True, slots=True)
class OutboxWrite:
    """One write of a row.

    Attributes:
        collection: the name of the collection; the event type if the schema has none of that type
            any more.
        kind: what is done; ``replace`` is a removal and then an insert.
        key: the key as text.
        value: the row as it was to be when it was written, as plain JSON; None if it is removed.
    """

    collection: str
    kind: Literal["insert", "upsert", "update", "delete", "replace"]
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One transaction that is not on the stream, or not known to be.

    Attributes:
        txid: its id, which its events carry.
        written_at: when it was written, in UTC.
        writes: what it writes, in order.
        status: ``queued``; ``sent`` once its request is being made, and until it is answered; or
            ``refused``: it will never be on the stream.
        reason: why it was refused.
    """

    txid: str
    written_at: dt.datetime
    writes: tuple[OutboxWrite, ...]
    status: Literal["queued", "sent", "refused"]
    reason: str | None = None


class Outbox:
    """The outbox of a database: what is on its way, and what was refused.

    Transactions that are on the stream are in it no more.
    """

    def __init__(
        self,
        schema: StateSchema,
        records: Callable[[], Iterable[TransactionRecord]],
        forget: Callable[[str | None], None],
    ) -> None:
        self._schema: Final = schema
        self._records: Final = records
        self._forget: Final = forget

    @property
    def pending(self) -> tuple[OutboxEntry, ...]:
        """What is still to be on the stream, in the order in which it is sent."""
        return tuple(entry for entry in self._entries() if entry.status != "refused")

    @property
    def refused(self) -> tuple[OutboxEntry, ...]:
        """What was refused, also to earlier processes, oldest first: the last thousand.

        It does not show in the collections, and stays here until it is forgotten.
        """
        return tuple(entry for entry in self._entries() if entry.status == "refused")

    def forget(self, txid: str | None = None) -> None:
        """Remove a transaction from the outbox and its file.

        A refused one is only forgotten. A pending one is given up, with those that stand on it: it
        shows no more. If it was sent, it may be on the stream or be there later, and who waits for
        it gets TransactionUnresolved; others that went in the same request are sent on, once.

        May be called on any thread, and waits for nothing.

        Args:
            txid: of the transaction; not given, all that were refused.

        Raises:
            UnknownTransaction: it is neither refused nor pending (a KeyError).
            DatabaseClosed: the database is not open.
        """
        self._forget(txid)

    def _entries(self) -> list[OutboxEntry]:
        return [entry_of(self._schema, record) for record in self._records()]

    def __repr__(self) -> str:
        return f"<Outbox: {len(self.pending)} pending, {len(self.refused)} refused>"


def entry_of(schema: StateSchema, record: TransactionRecord) -> OutboxEntry:
    """Return what users see of a transaction."""
    return OutboxEntry(
        txid=record.txid,
        written_at=dt.datetime.fromtimestamp(record.at, dt.UTC),
        writes=tuple(_write_of(schema, write) for write in record.writes),
        status="refused" if record.refused else "queued" if record.sent is None else "sent",
        reason=record.refused,
    )


def _write_of(schema: StateSchema, write: WriteRecord) -> OutboxWrite:
    type_, key = (text.decode("utf-8", "surrogatepass") for text in (write.type, write.key))
    known = schema.by_type.get(type_)
    value = None if write.row is None else json.loads(write.row)
    kind: Any = write.kind
    return OutboxWrite(type_ if known is None else known.name, kind, key, value)
