"""What a PUT does to a data file, run by the writer inside a transaction.

Decides first and writes then, and returns a value that says what came of it. Nothing here knows
HTTP, threads or event loops.
"""

import secrets
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto

from streamdb.protocol.values import parse_instant
from streamdb_server.messages import Content, InvalidContent
from streamdb_server.storage import forks, records
from streamdb_server.storage.deleting import is_alive, remove
from streamdb_server.storage.expiry import Expiry
from streamdb_server.storage.forks import Beginning, ForkPoint
from streamdb_server.storage.records import StreamRecord, types_differ
from streamdb_server.storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Instant:
    """An absolute deadline, with the spelling it was given in (CREATE-18)."""

    text: str
    at: datetime


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


def create(tx: Transaction, expiry: Expiry, path: str, creation: Creation) -> Created:
    """Create a stream or a fork, or confirm that it exists so, in the order of section 18.3."""
    existing = records.find(tx.db, path)
    if existing is not None and is_alive(expiry, existing):
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
        remove(tx, expiry, existing)
    stream = _insert(tx, expiry, path, creation, creation.content, beginning)
    return Created(CreateOutcome.CREATED, stream)


def _begin_fork(
    tx: Transaction, expiry: Expiry, creation: Creation, point: ForkPoint
) -> Beginning | Created:
    source = records.find(tx.db, point.source)
    if source is None or not is_alive(expiry, source):
        gone = source is not None and records.has_forks(tx.db, source.id)
        return Created(CreateOutcome.SOURCE_DELETED if gone else CreateOutcome.SOURCE_MISSING)
    if types_differ(creation.content_type, source):
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
    if types_differ(creation.content_type, stream):
        return f"it exists with content type {stream.content_type}"
    if creation.ttl != stream.ttl:
        return "it exists with another Stream-TTL"
    if stream.ttl is None and instant != stream.deadline:
        return "it exists with another Stream-Expires-At"
    if creation.closed != stream.closed:
        return "it exists and is closed" if stream.closed else "it exists and is open"
    return ""
