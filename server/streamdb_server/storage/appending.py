"""What a POST does to a data file, run by the writer inside a transaction.

Decides first and writes then, and returns a value that says what came of it. Nothing here knows
HTTP, threads or event loops.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

from streamdb_server.messages import Content, InvalidContent
from streamdb_server.storage import producers, records
from streamdb_server.storage.expiry import Expiry
from streamdb_server.storage.producers import Claim, State
from streamdb_server.storage.records import StreamRecord, types_differ
from streamdb_server.storage.transaction import Transaction


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
    if request.content is not None and types_differ(request.content_type, stream):
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
