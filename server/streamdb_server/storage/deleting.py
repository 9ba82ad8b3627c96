"""What a DELETE, and the end of a stream's time, do to a data file, inside a transaction."""

from enum import Enum, auto

from streamdb_server.storage import records
from streamdb_server.storage.expiry import Expiry
from streamdb_server.storage.records import StreamRecord
from streamdb_server.storage.transaction import Transaction


class DeleteOutcome(Enum):
    """What came of a deletion."""

    DELETED = auto()
    MISSING = auto()
    GONE = auto()


def delete(tx: Transaction, expiry: Expiry, path: str) -> DeleteOutcome:
    """Delete a stream; as long as forks need it, only for its readers (DEL-1 to DEL-3)."""
    stream = records.find(tx.db, path)
    if stream is None:
        return DeleteOutcome.MISSING
    existed = is_alive(expiry, stream)
    is_needed = records.has_forks(tx.db, stream.id)
    remove(tx, expiry, stream)
    if existed:
        return DeleteOutcome.DELETED
    return DeleteOutcome.GONE if is_needed else DeleteOutcome.MISSING


def sweep(tx: Transaction, expiry: Expiry, now: float) -> None:
    """Remove the streams whose time is over."""
    for stream in records.due(tx.db, now):  # a deleted one is never due
        if not expiry.alive(stream):
            remove(tx, expiry, stream)


def remove(tx: Transaction, expiry: Expiry, stream: StreamRecord) -> None:
    """Remove a stream, or keep it for its forks alone; then what was kept for it (FORK-23, 24, 26).

    An expired fork counts until it is swept.
    """
    unneeded: StreamRecord | None = stream
    while unneeded is not None:
        expiry.forget(unneeded.id)
        tx.changed.add(unneeded.id)
        if records.has_forks(tx.db, unneeded.id):
            records.mark_deleted(tx.db, unneeded.id)
            return
        records.remove(tx.db, unneeded.id)
        source = records.by_id(tx.db, unneeded.source) if unneeded.source is not None else None
        unneeded = source if source is not None and source.deleted else None


def is_alive(expiry: Expiry, stream: StreamRecord) -> bool:
    """Tell whether a stream is neither deleted nor expired."""
    return not stream.deleted and expiry.alive(stream)
