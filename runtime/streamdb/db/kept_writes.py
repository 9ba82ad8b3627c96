"""Transactions as an outbox keeps them on disk, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from streamdb.cache.outbox_records import SentRecord, SentRow, TransactionRecord, WriteRecord
from streamdb.collections.overlay import UNKNOWN, Pending
from streamdb.collections.transaction import Outcome
from streamdb.db.drafts import Draft
from streamdb.db.local_writes import LocalWrite, Place, WriteKind
from streamdb.db.state import DatabaseState
from streamdb.errors import InvalidRow
from streamdb.state.schema import CollectionSchema, StateSchema

_TEXTS: Final = ("utf-8", "surrogatepass")  # half a surrogate pair is text, too


def record_of(draft: Draft, written_at: float) -> TransactionRecord:
    """Write a transaction that was not sent yet; the time is that of `time.time`."""
    writes = [_record_of_write(write) for write in draft.writes.values()]
    return TransactionRecord(draft.outcome.txid, written_at, writes, behind=draft.behind)


def sent_record(state: DatabaseState, draft: Draft, events: Sequence[bytes]) -> SentRecord:
    """Write what is sent of a transaction, right after its events were made."""
    rows: list[SentRow] = []
    with state.lock:
        for (name, key), write in draft.writes.items():
            pending, _ = state.tables[name].overlay.standing(key, draft.outcome.txid)
            text = pending.text or _text(write.schema, pending.change(None))
            rows.append(SentRow(text, _text(write.schema, pending.base)))
    return SentRecord(list(events), rows)


def draft_of(schema: StateSchema, record: TransactionRecord) -> Draft:
    """Make the transaction of a record again.

    Raises:
        InvalidRow: it does not fit the schema of today.
    """
    draft = bare_draft_of(record)
    for write in record.writes:
        made = _write_of(schema, write)
        draft.writes[made.place] = made
    return draft


def bare_draft_of(record: TransactionRecord) -> Draft:
    """Make a transaction of which nothing can be shown; what was sent of it is sent again."""
    draft = Draft(Outcome(record.txid), behind=record.behind)
    draft.outcome.advance("queued")
    if record.sent is not None:
        draft.outcome.advance("sent")
        draft.as_sent = record.sent.events
        draft.unseen = len(draft.as_sent)
    return draft


def pending_of(draft: Draft, record: TransactionRecord) -> list[tuple[Place, Pending]]:
    """Return what shows of a transaction that was made of a record.

    Raises:
        InvalidRow: it does not fit the schema of today.
    """
    if record.sent is None:
        return [
            (place, Pending(record.txid, made.change(), UNKNOWN))
            for place, made in draft.writes.items()
        ]
    return [
        (place, _sent(record.txid, made, sent))
        for (place, made), sent in zip(draft.writes.items(), record.sent.rows, strict=True)
    ]


def _sent(txid: str, write: LocalWrite, sent: SentRow) -> Pending:
    row, base = (None if it is None else write.schema.decode(it) for it in (sent.row, sent.base))
    return Pending(txid, lambda _: row, UNKNOWN, base=base, text=sent.row, made=write.change())


def find_bases(state: DatabaseState, draft: Draft, record: TransactionRecord) -> None:
    """See whether the rows that a transaction was made of are those that the stream has now.

    Another process made it of them: as objects they are other ones, and would pass for rows that
    others have written meanwhile.
    """
    if record.sent is None:
        return
    with state.lock:
        for ((name, key), write), sent in zip(draft.writes.items(), record.sent.rows, strict=False):
            pending, below = state.tables[name].overlay.standing(key, record.txid)
            if _text(write.schema, below) == sent.base:
                pending.base = below


def _record_of_write(write: LocalWrite) -> WriteRecord:
    return WriteRecord(
        write.schema.type.encode(*_TEXTS),
        write.kind,
        write.key.encode(*_TEXTS),
        write.text or _text(write.schema, write.row),
        None if write.fields is None else list(write.fields),
        _text(write.schema, write.expect),
    )


def _write_of(schema: StateSchema, record: WriteRecord) -> LocalWrite:
    type_ = record.type.decode(*_TEXTS)
    of_rows = schema.by_type.get(type_)
    if of_rows is None:
        raise InvalidRow(f"the schema has no collection of type {type_!r} any more", type=type_)
    row, expect = (None if it is None else of_rows.decode(it) for it in (record.row, record.expect))
    fields = None
    if record.fields is not None:
        if missing := [name for name in record.fields if name not in of_rows.rows.fields]:
            raise InvalidRow(
                f"collection {of_rows.name!r} has no field {missing[0]!r} any more", type=type_
            )
        fields = {name: of_rows.rows.getter(name)(row) for name in record.fields}
    kind = cast("WriteKind", record.kind)
    key = record.key.decode(*_TEXTS)
    return LocalWrite(kind, of_rows, key, row, fields, text=record.row, expect=expect)


def _text(schema: CollectionSchema[Any, Any], row: Any | None) -> bytes | None:
    return None if row is None else schema.rows.write(row)  # it was checked, or the stream has it
