"""Rows of the data file as values, and the statements that read and write them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from streamdb.protocol.names import media_type
from streamdb_server.storage.producers import Claim, State


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One stream as it stands. Positions count content bytes (see `streamdb_server.offsets`).

    A fork has a `source`, whose content lies before `forked_at`. `sub_offset` is what was asked for
    beyond it; that content is the fork's own. A stream that is `deleted` is there for its forks.
    """

    id: int
    path: str
    incarnation: str
    content_type: str
    ttl: int | None
    expires_at: str | None
    deadline: float | None
    tail: int
    closed: bool
    last_seq: str | None
    closed_by: Claim | None
    source: int | None = None
    forked_at: int = 0
    sub_offset: int = 0
    deleted: bool = False


def types_differ(content_type: str, stream: StreamRecord) -> bool:
    """Tell whether a content type is of another media type than the stream's (CT-4)."""
    return media_type(content_type) != media_type(stream.content_type)


_COLUMNS: Final = (
    "id, path, incarnation, content_type, ttl, expires_at, deadline, tail, closed, last_seq,"
    " closed_by_id, closed_by_epoch, closed_by_seq, source, forked_at, sub_offset, deleted"
)


def find(db: sqlite3.Connection, path: str) -> StreamRecord | None:
    """Return the stream stored under a path, expired, deleted or neither."""
    row = db.execute(f"SELECT {_COLUMNS} FROM streams WHERE path = ?", (path,)).fetchone()  # noqa: S608 - a constant
    return _record(row) if row else None


def due(db: sqlite3.Connection, now: float) -> list[StreamRecord]:
    """Return the streams whose stored deadline has passed."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM streams WHERE deadline <= ?", (now,))  # noqa: S608 - a constant
    return [_record(row) for row in rows]


def by_id(db: sqlite3.Connection, stream: int) -> StreamRecord | None:
    """Return the stream with an id, expired, deleted or neither."""
    row = db.execute(f"SELECT {_COLUMNS} FROM streams WHERE id = ?", (stream,)).fetchone()  # noqa: S608 - a constant
    return _record(row) if row else None


def has_forks(db: sqlite3.Connection, stream: int) -> bool:
    """Tell whether a stream has forks that are still in the file, expired or not."""
    found = db.execute("SELECT 1 FROM streams WHERE source = ? LIMIT 1", (stream,)).fetchone()
    return found is not None


def insert(db: sqlite3.Connection, record: StreamRecord) -> int:
    """Store a new stream and return the id it was given; `record.id` is ignored."""
    cursor = db.execute(
        "INSERT INTO streams (path, incarnation, content_type, ttl, expires_at, deadline, tail,"
        " closed, source, forked_at, sub_offset) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.path,
            record.incarnation,
            record.content_type,
            record.ttl,
            record.expires_at,
            record.deadline,
            record.tail,
            record.closed,
            record.source,
            record.forked_at,
            record.sub_offset,
        ),
    )
    assert cursor.lastrowid is not None  # noqa: S101 - an INSERT sets it
    return cursor.lastrowid


def update(db: sqlite3.Connection, record: StreamRecord) -> None:
    """Store what an append changes of a stream."""
    closed_by = record.closed_by or (None, None, None)
    db.execute(
        "UPDATE streams SET tail = ?, closed = ?, last_seq = ?, closed_by_id = ?,"
        " closed_by_epoch = ?, closed_by_seq = ? WHERE id = ?",
        (record.tail, record.closed, record.last_seq, *closed_by, record.id),
    )


def set_deadline(db: sqlite3.Connection, stream: int, deadline: float) -> None:
    """Move the stored deadline of a stream."""
    db.execute("UPDATE streams SET deadline = ? WHERE id = ?", (deadline, stream))


def mark_deleted(db: sqlite3.Connection, stream: int) -> None:
    """Keep a stream for its forks alone; it does not expire any more."""
    db.execute("UPDATE streams SET deleted = 1, deadline = NULL WHERE id = ?", (stream,))


def remove(db: sqlite3.Connection, stream: int) -> None:
    """Remove a stream with its content and producers."""
    db.execute("DELETE FROM streams WHERE id = ?", (stream,))


def add_content(db: sqlite3.Connection, stream: int, end: int, content: bytes) -> None:
    """Store the content of one append, which ends at position ``end``."""
    db.execute("INSERT INTO appends VALUES (?, ?, ?)", (stream, end, content))


def contents_after(
    db: sqlite3.Connection, stream: StreamRecord, position: int
) -> Iterator[tuple[int, bytes]]:
    """Yield ``(end, content)`` of the appends that end after a position, in order."""
    for holder, end in reversed(list(_holders(db, stream, position))):
        yield from db.execute(
            "SELECT end_position, content FROM appends WHERE stream = ? AND end_position > ?"
            " AND end_position <= ? ORDER BY end_position",
            (holder, position, end),
        )


def contents_before(
    db: sqlite3.Connection, stream: StreamRecord, position: int
) -> Iterator[tuple[int, bytes]]:
    """Yield ``(end, content)`` of the appends that end at or before a position, newest first."""
    for holder, end in _holders(db, stream, 0):
        yield from db.execute(
            "SELECT end_position, content FROM appends WHERE stream = ? AND end_position <= ?"
            " ORDER BY end_position DESC",
            (holder, min(end, position)),
        )


def _holders(
    db: sqlite3.Connection, stream: StreamRecord, position: int
) -> Iterator[tuple[int, int]]:
    """Yield who holds content after a position, and up to where: the stream, its source, ..."""
    yield stream.id, stream.tail
    source, end = stream.source, stream.forked_at
    while source is not None and position < end:
        yield source, end
        source, forked_at = db.execute(
            "SELECT source, forked_at FROM streams WHERE id = ?", (source,)
        ).fetchone()
        end = min(end, forked_at)  # a fork may leave within what its source has from another one


def producer(db: sqlite3.Connection, stream: int, producer_id: str) -> State | None:
    """Return what is remembered of a producer. It is kept as long as the stream (PROD-14)."""
    row = db.execute(
        "SELECT epoch, seq FROM producers WHERE stream = ? AND id = ?", (stream, producer_id)
    ).fetchone()
    return State(*row) if row else None


def set_producer(db: sqlite3.Connection, stream: int, producer_id: str, state: State) -> None:
    """Remember a producer's state."""
    db.execute(
        "INSERT OR REPLACE INTO producers VALUES (?, ?, ?, ?)",
        (stream, producer_id, state.epoch, state.seq),
    )


def _record(row: tuple[Any, ...]) -> StreamRecord:
    closed_by_id, closed_by_epoch, closed_by_seq = row[10:13]
    return StreamRecord(
        id=row[0],
        path=row[1],
        incarnation=row[2],
        content_type=row[3],
        ttl=row[4],
        expires_at=row[5],
        deadline=row[6],
        tail=row[7],
        closed=bool(row[8]),
        last_seq=row[9],
        closed_by=None
        if closed_by_id is None
        else Claim(closed_by_id, closed_by_epoch, closed_by_seq),
        source=row[13],
        forked_at=row[14],
        sub_offset=row[15],
        deleted=bool(row[16]),
    )
