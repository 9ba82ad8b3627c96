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
from streamdb_server.messages import InvalidContent
from streamdb_server.storage import producers, records
from streamdb_server.storage.expiry import Expiry
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
    """A PUT: the configuration of a stream and its initial content."""

    content_type: str
    content: Content = b""
    closed: bool = False
    ttl: int | None = None
    expires_at: Instant | None = None


class CreateOutcome(Enum):
    """What came of a creation."""

    CREATED = auto()
    EXISTS = auto()
    DIFFERENT = auto()
    INVALID = auto()


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


def create(tx: Transaction, expiry: Expiry, path: str, creation: Creation) -> Created:
    """Create a stream, or confirm that it exists with this configuration (CREATE-1 to CREATE-3)."""
    existing = records.find(tx.db, path)
    if existing is not None and expiry.alive(existing):
        difference = _difference(existing, creation)
        if difference:
            return Created(CreateOutcome.DIFFERENT, existing, difference)
        return Created(CreateOutcome.EXISTS, existing)
    if isinstance(creation.content, InvalidContent):
        return Created(CreateOutcome.INVALID, reason=creation.content.reason)
    if existing is not None:
        _remove(tx, expiry, existing)
    instant = creation.expires_at
    stream = StreamRecord(
        id=0,
        path=path,
        incarnation=secrets.token_hex(8),
        content_type=creation.content_type,
        ttl=creation.ttl,
        expires_at=instant.text if instant else None,
        deadline=expiry.first_deadline(creation.ttl, instant.at.timestamp() if instant else None),
        tail=len(creation.content),
        closed=creation.closed,
        last_seq=None,
        closed_by=None,
    )
    stream = replace(stream, id=records.insert(tx.db, stream))
    if creation.content:
        records.add_content(tx.db, stream.id, stream.tail, creation.content)
    expiry.touch(stream)
    return Created(CreateOutcome.CREATED, stream)


def append(tx: Transaction, expiry: Expiry, path: str, request: Append) -> Appended:
    """Append and/or close, in the order of checks of section 18.1."""
    stream = records.find(tx.db, path)
    if stream is None:
        return Appended(AppendOutcome.MISSING)
    alive, deadline = expiry.access(stream)
    if not alive:
        return Appended(AppendOutcome.MISSING)
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


def delete(tx: Transaction, expiry: Expiry, path: str) -> bool:
    """Delete a stream; False if there is none (DEL-1, DEL-2)."""
    stream = records.find(tx.db, path)
    if stream is None:
        return False
    existed = expiry.alive(stream)
    _remove(tx, expiry, stream)
    return existed


def sweep(tx: Transaction, expiry: Expiry, now: float) -> None:
    """Remove the streams whose time is over."""
    for stream in records.due(tx.db, now):
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


def _difference(stream: StreamRecord, creation: Creation) -> str:
    """Say in which part of the configuration a PUT differs, or nothing (CREATE-4, CREATE-5)."""
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


def _remove(tx: Transaction, expiry: Expiry, stream: StreamRecord) -> None:
    records.remove(tx.db, stream.id)
    expiry.forget(stream.id)
    tx.changed.add(stream.id)
