"""What writing requests do to a data file: plain functions, run by the writer inside a transaction.

Each decides first and writes then, in the order of checks of section 18, and returns a value that
says what came of it. Nothing here knows HTTP, threads or event loops.
"""

import secrets
import sqlite3
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import TypeAlias

from streamdb.protocol.names import media_type
from streamdb.protocol.values import parse_instant
from streamdb_server.messages import InvalidContent
from streamdb_server.storage import forks, producers, records
from streamdb_server.storage.expiry import Expiry
from streamdb_server.storage.forks import Beginning, ForkPoint
from streamdb_server.storage.producers import Claim, State
from streamdb_server.storage.records import StreamRecord


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction under way, and the streams whose waiters wake once it is committed."""

    db: sqlite3.Connection
    changed: set[int] = field(default_factory=set[int])


@dataclass(frozen=True, slots=True)
class Instant:
    """An absolute deadline, with the spelling it was given in (CREATE-18)."""

    text: str
    at: datetime


Content: TypeAlias = bytes | InvalidContent
"""What an append stores: bytes, or JSON messages joined by commas (see `messages.flatten`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A PUT: the configuration of a stream and its initial content.

    A fork that `inherits_type` was sent without a content type: it is the source's (FORK-9).
    """

    content_type: str
    content: Content = b""
    closed: bool = False
    ttl: int | None = None
    expires_at: Instant | None = None
    fork: ForkPoint | None = None
    inherits_type: bool = False


class CreateOutcome(Enum):
    """What came of a creation."""

    CREATED = auto()
    EXISTS = auto()
    DIFFERENT = auto()
    DELETED = auto()
    INVALID = auto()
    SOURCE_MISSING = auto()
    SOURCE_DELETED = auto()
    SOURCE_OF_OTHER_TYPE = auto()
    BAD_FORK_POINT = auto()


@dataclass(frozen=True, slots=True)
class Created:
    """The answer to a `Creation`: the stream as it stands, or why it was refused."""

    outcome: CreateOutcome
    stream: StreamRecord | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """A POST: content, a close, or both in one step (APPEND-15)."""

    content: Content | None = None
    content_type: str = ""
    close: bool = False
    seq: str | None = None
    claim: Claim | None = None


class AppendOutcome(Enum):
    """What came of an append."""

    STORED = auto()
    ALREADY_CLOSED = auto()
    DUPLICATE = auto()
    MISSING = auto()
    GONE = auto()
    CLOSED = auto()
    TYPE_MISMATCH = auto()
    FENCED = auto()
    BAD_EPOCH_START = auto()
    GAP = auto()
    SEQ_REGRESSION = auto()
    INVALID = auto()


@dataclass(frozen=True, slots=True)
class Appended:
    """The answer to an `Append`.

    `producer` is the state that an accepted or repeated claim leaves, or for FENCED the one that
    fences; `expected_seq` is set for GAP.
    """

    outcome: AppendOutcome
    stream: StreamRecord | None = None
    producer: State | None = None
    expected_seq: int | None = None
    reason: str = ""


class DeleteOutcome(Enum):
    """What came of a deletion."""

    DELETED = auto()
    MISSING = auto()
    GONE = auto()


def create(tx: Transaction, expiry: Expiry, path: str, creation: Creation) -> Created:
    """Create a stream or a fork, or confirm that it exists so, in the order of section 18.3."""
    existing = records.find(tx.db, path)
    if existing is not None and _is_alive(expiry, existing):
        difference = _difference(tx.db, existing, creation)
        if difference:
            return Created(CreateOutcome.DIFFERENT, existing, difference)
        return Created(CreateOutcome.EXISTS, existing)
    if existing is not None and records.has_forks(tx.db, existing.id):
        return Created(CreateOutcome.DELETED)  # CREATE-14, AMB-10
    beginning: Beginning | None = None
    if creation.fork is not None:
        begun = _begin_fork(tx, expiry, creation, creation.fork)
        if isinstance(begun, Created):
            return begun
        beginning = begun
        creation = _inheriting(creation, beginning.source)
    if isinstance(creation.content, InvalidContent):
        return Created(CreateOutcome.INVALID, reason=creation.content.reason)
    if existing is not None:
        _remove(tx, expiry, existing)
    stream = _insert(tx, expiry, path, creation, creation.content, beginning)
    return Created(CreateOutcome.CREATED, stream)


def append(tx: Transaction, expiry: Expiry, path: str, request: Append) -> Appended:
    """Append and/or close, in the order of checks of section 18.1."""
    stream = records.find(tx.db, path)
    if stream is None:
        return Appended(AppendOutcome.MISSING)
    alive, deadline = (False, None) if stream.deleted else expiry.access(stream)
    if not alive:
        gone = records.has_forks(tx.db, stream.id)
        return Appended(AppendOutcome.GONE if gone else AppendOutcome.MISSING)
    if deadline is not None:
        records.set_deadline(tx.db, stream.id, deadline)
    if stream.closed:
        return _on_closed(tx, stream, request)
    if request.content is not None and _types_differ(request.content_type, stream):
        return Appended(AppendOutcome.TYPE_MISMATCH, stream)
    state: State | None = None
    if request.claim is not None:
        verdict = producers.judge(
            records.producer(tx.db, stream.id, request.claim.id), request.claim
        )
        if not isinstance(verdict, producers.Accept):
            return _refusal(verdict, stream)
        state = verdict.state
    if request.seq is not None and stream.last_seq is not None and request.seq <= stream.last_seq:
        return Appended(AppendOutcome.SEQ_REGRESSION, stream)
    if isinstance(request.content, InvalidContent):
        return Appended(AppendOutcome.INVALID, stream, reason=request.content.reason)
    return Appended(AppendOutcome.STORED, _store(tx, stream, request, state), state)


def delete(tx: Transaction, expiry: Expiry, path: str) -> DeleteOutcome:
    """Delete a stream; as long as forks need it, only for its readers (DEL-1 to DEL-3)."""
    stream = records.find(tx.db, path)
    if stream is None:
        return DeleteOutcome.MISSING
    existed = _is_alive(expiry, stream)
    is_needed = records.has_forks(tx.db, stream.id)
    _remove(tx, expiry, stream)
    if existed:
        return DeleteOutcome.DELETED
    return DeleteOutcome.GONE if is_needed else DeleteOutcome.MISSING


def sweep(tx: Transaction, expiry: Expiry, now: float) -> None:
    """Remove the streams whose time is over."""
    for stream in records.due(tx.db, now):  # a deleted one is never due
        if not expiry.alive(stream):
            _remove(tx, expiry, stream)


def _store(
    tx: Transaction, stream: StreamRecord, request: Append, state: State | None
) -> StreamRecord:
    content = request.content
    assert not isinstance(content, InvalidContent)  # noqa: S101 - refused before
    if content:
        stream = replace(stream, tail=stream.tail + len(content))
        records.add_content(tx.db, stream.id, stream.tail, content)
    if request.seq is not None:
        stream = replace(stream, last_seq=request.seq)
    if request.close:
        stream = replace(stream, closed=True, closed_by=request.claim)
    records.update(tx.db, stream)
    if request.claim is not None and state is not None:
        records.set_producer(tx.db, stream.id, request.claim.id, state)
    tx.changed.add(stream.id)
    return stream


def _on_closed(tx: Transaction, stream: StreamRecord, request: Append) -> Appended:
    if request.claim is not None and request.claim == stream.closed_by:
        state = records.producer(tx.db, stream.id, request.claim.id)
        return Appended(AppendOutcome.DUPLICATE, stream, state)
    if request.claim is None and request.close and request.content is None:
        return Appended(AppendOutcome.ALREADY_CLOSED, stream)
    return Appended(AppendOutcome.CLOSED, stream)


def _refusal(
    verdict: producers.Duplicate | producers.Fenced | producers.BadEpochStart | producers.Gap,
    stream: StreamRecord,
) -> Appended:
    match verdict:
        case producers.Duplicate(state):
            return Appended(AppendOutcome.DUPLICATE, stream, state)
        case producers.Fenced(epoch):
            return Appended(AppendOutcome.FENCED, stream, State(epoch, 0))
        case producers.BadEpochStart():
            return Appended(AppendOutcome.BAD_EPOCH_START, stream)
        case producers.Gap(expected):
            return Appended(AppendOutcome.GAP, stream, expected_seq=expected)


def _begin_fork(
    tx: Transaction, expiry: Expiry, creation: Creation, point: ForkPoint
) -> Beginning | Created:
    source = records.find(tx.db, point.source)
    if source is None or not _is_alive(expiry, source):
        gone = source is not None and records.has_forks(tx.db, source.id)
        return Created(CreateOutcome.SOURCE_DELETED if gone else CreateOutcome.SOURCE_MISSING)
    if _types_differ(creation.content_type, source):
        return Created(CreateOutcome.SOURCE_OF_OTHER_TYPE)
    begun = forks.begin(tx.db, source, point)
    if isinstance(begun, str):
        return Created(CreateOutcome.BAD_FORK_POINT, reason=begun)
    return begun


def _inheriting(creation: Creation, source: StreamRecord) -> Creation:
    """Return a fork's configuration with what it has from its source (FORK-9, FORK-14)."""
    if creation.inherits_type:
        creation = replace(creation, content_type=source.content_type)
    if creation.ttl is not None or creation.expires_at is not None:
        return creation
    at = parse_instant(source.expires_at) if source.expires_at is not None else None
    instant = Instant(source.expires_at, at) if source.expires_at is not None and at else None
    return replace(creation, ttl=source.ttl, expires_at=instant)


def _insert(
    tx: Transaction,
    expiry: Expiry,
    path: str,
    creation: Creation,
    content: bytes,
    beginning: Beginning | None,
) -> StreamRecord:
    instant = creation.expires_at
    begins_at = beginning.end if beginning else 0
    stream = StreamRecord(
        id=0,
        path=path,
        incarnation=secrets.token_hex(8),
        content_type=creation.content_type,
        ttl=creation.ttl,
        expires_at=instant.text if instant else None,
        deadline=expiry.first_deadline(creation.ttl, instant.at.timestamp() if instant else None),
        tail=begins_at + len(content),
        closed=creation.closed,
        last_seq=None,
        closed_by=None,
        source=beginning.source.id if beginning else None,
        forked_at=beginning.position if beginning else 0,
        sub_offset=creation.fork.sub_offset if creation.fork else 0,
    )
    stream = replace(stream, id=records.insert(tx.db, stream))
    if beginning and beginning.prefix:
        records.add_content(tx.db, stream.id, begins_at, beginning.prefix)
    if content:
        records.add_content(tx.db, stream.id, stream.tail, content)
    expiry.touch(stream)
    return stream


def _difference(db: sqlite3.Connection, stream: StreamRecord, creation: Creation) -> str:
    """Say in which part of the configuration a PUT differs, or nothing (CREATE-4, CREATE-5)."""
    of_fork = forks.difference(db, stream, creation.fork)
    if of_fork:
        return of_fork
    source = records.by_id(db, stream.source) if stream.source is not None else None
    if source is not None:
        creation = _inheriting(creation, source)  # AMB-9
    instant = creation.expires_at.at.timestamp() if creation.expires_at else None
    if _types_differ(creation.content_type, stream):
        return f"it exists with content type {stream.content_type}"
    if creation.ttl != stream.ttl:
        return "it exists with another Stream-TTL"
    if stream.ttl is None and instant != stream.deadline:
        return "it exists with another Stream-Expires-At"
    if creation.closed != stream.closed:
        return "it exists and is closed" if stream.closed else "it exists and is open"
    return ""


def _types_differ(content_type: str, stream: StreamRecord) -> bool:
    return media_type(content_type) != media_type(stream.content_type)


def _is_alive(expiry: Expiry, stream: StreamRecord) -> bool:
    return not stream.deleted and expiry.alive(stream)


def _remove(tx: Transaction, expiry: Expiry, stream: StreamRecord) -> None:
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
