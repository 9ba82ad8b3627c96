"""The single requests: create, head, append, close, delete, each with its retries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from streamdb.errors import (
    AccessDenied,
    BadHeader,
    ConnectionFailed,
    NotReached,
    ProducerFenced,
    RateLimited,
    SequenceConflict,
    StreamClosed,
    StreamError,
    StreamTimeout,
    UnexpectedStatus,
)
from streamdb.protocol import names, values
from streamdb.protocol.answers import (
    header,
    integer,
    is_conflict_without_reason,
    next_offset,
    raise_for_answer,
)
from streamdb.protocol.exchange import (
    Interrupted,
    NoReply,
    Operation,
    Reply,
    Request,
    Sleep,
    consult,
    exchange,
    pause,
)
from streamdb.protocol.retry import Failures, RetryPolicy, is_retryable, retry_after

# A plain append is repeated only where the server says that it did not act (CLIENT-23).
_NOT_ACTED_UPON: Final = frozenset({429, 503})
_WANTS_CREDENTIALS: Final = frozenset({401, 403})
_STORED: Final = frozenset({200, 204})
_DELETED: Final = frozenset({200, 204})
_NOTHING_THERE: Final = frozenset({404, 410})

# Refusals that depend on the moment and not on the request: an earlier try that was never answered
# may well have been carried out before.
_SAYS_NOTHING_OF_EARLIER_TRIES: Final = (
    AccessDenied,
    ProducerFenced,
    RateLimited,
    StreamClosed,
    UnexpectedStatus,
)


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a stream says of itself (HEAD-1 to HEAD-3).

    Attributes:
        offset: the tail, where the next append goes.
        content_type: the media type as the server gives it.
        closed: True if the stream takes no more data.
        ttl_seconds: the configured time to live, if there is one.
        expires_at: the configured deadline as RFC 3339 text, if there is one.
        created: True if this call created the stream; None if that is not known: a try whose answer
            was lost may have done so.
    """

    offset: str
    content_type: str
    closed: bool
    ttl_seconds: int | None = None
    expires_at: str | None = None
    created: bool | None = False


@dataclass(frozen=True, slots=True)
class ForkPoint:
    """Where a fork leaves its source (FORK-1, FORK-2, FORKSUB-2).

    Attributes:
        source: the URL path of the source, on the same server.
        offset: an offset of the source; None is its tail.
        sub_offset: messages of a JSON stream, or bytes of another one, beyond the offset.
    """

    source: str
    offset: str | None = None
    sub_offset: int = 0

    def headers(self) -> dict[str, str]:
        """The headers of the request that creates the fork, and of no other (CLIENT-30)."""
        headers = {names.STREAM_FORKED_FROM: self.source}
        if self.offset is not None:
            if not values.is_printable(self.offset):
                raise BadHeader("fork: an offset is printable ASCII")
            headers[names.STREAM_FORK_OFFSET] = self.offset
        if self.sub_offset:
            headers[names.STREAM_FORK_SUB_OFFSET] = str(self.sub_offset)
        return headers


@dataclass(frozen=True, slots=True)
class Appended:
    """An acknowledged append.

    Attributes:
        offset: the tail behind it; None where the server does not say (PROD-12).
        duplicate: True if the server had it already.
    """

    offset: str | None
    duplicate: bool = False


class Answered(NamedTuple):
    """What came of a request that was repeated until it was answered.

    Attributes:
        reply: the last answer, which may be that the server failed.
        in_doubt: True if the server may have acted upon a try whose answer was lost.
    """

    reply: Reply
    in_doubt: bool


def call(
    request: Request,
    retry: RetryPolicy,
    *,
    url: str,
    doing: str,
    consults: bool = True,
    doubt: Callable[[], None] = lambda: None,
) -> Operation[Answered]:
    """Send a request that is safe to repeat until it is answered or the policy is used up.

    Every failure that is tried again is told by :class:`Interrupted`, so that tries without end
    can be seen. ``consults`` is False where the operation around it asks the caller's handler.
    ``doubt`` is called when a try may have been acted upon without an answer: who carries this out
    may fail before the next one (a header that cannot be sent, a handle that was closed).

    Raises:
        ConnectionFailed: no answer, and no tries left.
        NotReached: not even a connection, at any try.
    """
    failures = retry.begin()
    in_doubt = False
    while True:
        reply = yield from exchange(request)
        if isinstance(reply, Reply) and _is_of_another_batch(request, reply):
            reply = NoReply("the answer is to an earlier request")
        if isinstance(reply, Reply) and not is_retryable(reply.status):
            if consults and (yield from _is_amended(reply, failures, url=url, doing=doing)):
                continue
            return Answered(reply, in_doubt)
        if not _was_turned_away(reply):
            in_doubt = True
            doubt()
        interrupted = interruption(reply, failures, doing=doing)
        if interrupted is not None:
            yield from pause(interrupted)
        elif isinstance(reply, Reply):
            return Answered(reply, in_doubt)  # the caller turns the status into its error
        else:
            raise no_answer(reply, failures, url=url, doing=doing, in_doubt=in_doubt)


def _is_amended(reply: Reply, failures: Failures, *, url: str, doing: str) -> Operation[bool]:
    """Where the server wants other credentials, ask the caller's handler for them (C10)."""
    if reply.status not in _WANTS_CREDENTIALS or header(reply, names.PRODUCER_EPOCH) is not None:
        return False
    try:
        raise_for_answer(reply, url=url, doing=doing, allow=frozenset())
    except StreamError as error:
        if not (yield from consult(error)):
            return False
    wait = failures.next_delay()
    if wait is not None:
        yield Sleep(wait)
    return wait is not None


def interruption(reply: Reply | NoReply, failures: Failures, *, doing: str) -> Interrupted | None:
    """Return what to tell before a failed request is repeated; None if the policy is used up."""
    if isinstance(reply, Reply):
        reason, asked = f"the server answered {reply.status}", retry_after(reply.headers)
    else:
        reason, asked = reply.reason, None
    wait = failures.next_delay(asked)
    return None if wait is None else Interrupted(doing, reason, wait, failures.count)


def no_answer(
    reply: NoReply,
    failures: Failures,
    *,
    url: str,
    doing: str,
    offset: str | None = None,
    in_doubt: bool = True,
) -> ConnectionFailed:
    """Make the error of a request that was never answered; ``in_doubt`` is that of the tries."""
    reached = StreamTimeout if reply.is_timeout else ConnectionFailed
    error = reached if in_doubt else NotReached
    return error(
        f"{doing}: {reply.reason}; gave up after {failures.count} tries: "
        "is the server running at this address?",
        url=url,
        offset=offset,
    )


def raise_for_write(answered: Answered, *, url: str, doing: str) -> None:
    """Do nothing if a write succeeded, else raise what its answer means.

    Raises:
        ConnectionFailed: it was refused, but an earlier try may have been stored (trap 20).
        StreamError: the subclass that fits; the data is not on the stream.
    """
    try:
        raise_for_answer(answered.reply, url=url, doing=doing, allow=_STORED)
    except _SAYS_NOTHING_OF_EARLIER_TRIES as refusal:
        if not answered.in_doubt:
            raise
        raise _unknown_outcome(
            "the server failed or an answer was lost", answered.reply, url=url, doing=doing
        ) from refusal


def create(
    url: str,
    retry: RetryPolicy,
    *,
    content_type: str,
    ttl_seconds: int | None = None,
    expires_at: str | None = None,
    closed: bool = False,
    body: bytes = b"",
    fork: ForkPoint | None = None,
) -> Operation[StreamInfo]:
    """Create the stream, or confirm that it exists with the same configuration (CREATE-1 to 9).

    Raises:
        BadHeader: the content type or the expiry is none; nothing was sent.
    """
    _check_configuration(content_type, expires_at)
    headers = {"Content-Type": content_type}
    if fork is not None:
        headers |= fork.headers()
    if ttl_seconds is not None:
        headers[names.STREAM_TTL] = str(ttl_seconds)
    if expires_at is not None:
        headers[names.STREAM_EXPIRES_AT] = expires_at
    if closed:
        headers[names.STREAM_CLOSED] = names.TRUE
    request = Request("PUT", headers=headers, body=body)
    reply, in_doubt = yield from call(request, retry, url=url, doing="create")
    raise_for_answer(reply, url=url, doing="create", allow=frozenset({200, 201}))
    created = True if reply.status == 201 else None if in_doubt else False
    info = _info(reply, url=url, doing="create", created=created)
    return info if "content-type" in reply.headers else replace(info, content_type=content_type)


def head(url: str, retry: RetryPolicy, *, doing: str = "head") -> Operation[StreamInfo]:
    """Ask for the stream's metadata, perhaps as a part of something else (``doing``)."""
    reply, _ = yield from call(Request("HEAD"), retry, url=url, doing=doing)
    raise_for_answer(reply, url=url, doing=doing, allow=frozenset({200}))
    return _info(reply, url=url, doing=doing, created=False)


def append(
    url: str, retry: RetryPolicy, *, content_type: str, body: bytes, seq: str | None = None
) -> Operation[Appended]:
    """Append once; repeated only where the server says that nothing was stored (CLIENT-23).

    ``seq`` is sent as `Stream-Seq`: the server refuses what is not above the last one (SEQ-2). That
    makes it safe to repeat in doubt, too: what was stored is not stored again.

    Raises:
        ConnectionFailed: the connection broke or the server failed, and whether the data was
            stored is unknown.
    """
    headers = {"Content-Type": content_type}
    if seq is None:
        request = Request("POST", headers=headers, body=body)
        reply = yield from _answer_without_doubt(request, retry, url)
        raise_for_answer(reply, url=url, doing="append", allow=_STORED)
        return Appended(next_offset(reply, url=url, doing="append"))
    if not values.is_printable(seq):
        raise BadHeader("append: seq must be printable ASCII")
    request = Request("POST", headers={**headers, names.STREAM_SEQ: seq}, body=body)
    answered = yield from call(request, retry, url=url, doing="append")
    reply = answered.reply
    if is_conflict_without_reason(reply):
        if answered.in_doubt:
            raise _unknown_outcome("an answer was lost", reply, url=url, doing="append")
        yield from _raise_for_seq(seq, content_type, url, retry)
    raise_for_write(answered, url=url, doing="append")
    return Appended(next_offset(reply, url=url, doing="append"))


def _answer_without_doubt(request: Request, retry: RetryPolicy, url: str) -> Operation[Reply]:
    """Send a plain append until its answer says whether it was stored.

    Raises:
        ConnectionFailed: it does not say.
        NotReached: there was no server to say it.
    """
    failures = retry.begin()
    while True:
        reply = yield from exchange(request)
        if isinstance(reply, NoReply):
            if reply.was_sent:
                raise _unknown_outcome(reply.reason, None, url=url, doing="append")
        elif (yield from _is_amended(reply, failures, url=url, doing="append")):
            continue
        elif not _was_turned_away(reply):
            break
        interrupted = interruption(reply, failures, doing="append")
        if interrupted is not None:
            yield from pause(interrupted)
        elif isinstance(reply, NoReply):
            raise no_answer(reply, failures, url=url, doing="append", in_doubt=False)
        else:
            break
    if is_retryable(reply.status) and not _was_turned_away(reply):
        raise _unknown_outcome("the server failed", reply, url=url, doing="append")
    return reply


def _raise_for_seq(seq: str, content_type: str, url: str, retry: RetryPolicy) -> Operation[None]:
    """Raise SequenceConflict, unless the stream is of another media type than what was sent."""
    with suppress(StreamError):  # what it has become since does not matter
        info = yield from head(url, retry)
        if names.media_type(info.content_type) != names.media_type(content_type):
            return
    raise SequenceConflict(
        f"append: seq {seq!r} is not above the last one of the stream", url=url, status=409
    )


def close(
    url: str, retry: RetryPolicy, *, content_type: str | None = None, body: bytes = b""
) -> Operation[Appended]:
    """Close the stream, with a last piece of data if there is one (CLOSE-1, APPEND-15).

    Closing is safe to repeat: data that closed the stream is refused the second time, never stored
    twice (APPEND-16).

    Raises:
        StreamClosed: the stream was closed before; the last piece of data is not on it.
        ConnectionFailed: whether the data was stored is unknown.
    """
    headers = {names.STREAM_CLOSED: names.TRUE}
    if body and content_type is not None:
        headers["Content-Type"] = content_type
    request = Request("POST", headers=headers, body=body)
    answered = yield from call(request, retry, url=url, doing="close")
    raise_for_write(answered, url=url, doing="close")
    return Appended(next_offset(answered.reply, url=url, doing="close"))


def delete(url: str, retry: RetryPolicy) -> Operation[None]:
    """Delete the stream (DEL-1).

    A repeated request that finds nothing to delete has succeeded before (CLIENT-23).
    """
    reply, in_doubt = yield from call(Request("DELETE"), retry, url=url, doing="delete")
    allow = _DELETED | _NOTHING_THERE if in_doubt else _DELETED
    raise_for_answer(reply, url=url, doing="delete", allow=allow)


def check_content_type(content_type: str) -> None:
    """Refuse a content type that is none.

    Here and not only at the server: what no header can carry would fail below us, as a connection
    that breaks for ever, or, in embedded mode, not at all.

    Raises:
        BadHeader: it is none.
    """
    if not values.names_media_type(content_type) or not values.is_printable(content_type):
        raise BadHeader(
            f"content_type is {content_type!r}: write type/subtype, with parameters in "
            "printable ASCII if any, for example 'text/plain; charset=utf-8'"
        )


def _check_configuration(content_type: str, expires_at: str | None) -> None:
    check_content_type(content_type)
    if expires_at is not None and values.parse_instant(expires_at) is None:
        raise BadHeader(
            f"create: expires_at is {expires_at!r}: write an RFC 3339 instant like "
            "'2030-01-31T12:00:00Z'"
        )


def _is_of_another_batch(request: Request, reply: Reply) -> bool:
    """Tell whether the numbers in an answer cannot be those of the batch that was sent.

    To take an old answer for it would lose the data silently, or stop the producer without need.
    """
    sent, epoch = request.headers.get(names.PRODUCER_SEQ), request.headers.get(names.PRODUCER_EPOCH)
    if sent is None or epoch is None:
        return False
    told_epoch = integer(reply.headers, names.PRODUCER_EPOCH)
    if reply.status in _STORED:
        # PROD-9: once this number is stored, the highest one is no lower.
        told = integer(reply.headers, names.PRODUCER_SEQ)
        return (told is not None and told < int(sent)) or told_epoch not in (None, int(epoch))
    if reply.status == 409:
        return integer(reply.headers, names.PRODUCER_RECEIVED_SEQ) not in (None, int(sent))
    # Only a higher epoch fences.
    return reply.status == 403 and told_epoch is not None and told_epoch <= int(epoch)


def _was_turned_away(reply: Reply | NoReply) -> bool:
    if isinstance(reply, Reply):
        return reply.status in _NOT_ACTED_UPON
    return not reply.was_sent


def _unknown_outcome(reason: str, reply: Reply | None, *, url: str, doing: str) -> ConnectionFailed:
    return ConnectionFailed(
        f"{doing}: {reason}; whether the data was stored is unknown",
        url=url,
        status=reply.status if reply is not None else None,
    )


def _info(reply: Reply, *, url: str, doing: str, created: bool | None) -> StreamInfo:
    headers: Mapping[str, str] = reply.headers
    return StreamInfo(
        offset=next_offset(reply, url=url, doing=doing),
        content_type=headers.get("content-type", names.DEFAULT_MEDIA_TYPE),
        closed=names.is_true(header(reply, names.STREAM_CLOSED)),
        ttl_seconds=integer(headers, names.STREAM_TTL),
        expires_at=header(reply, names.STREAM_EXPIRES_AT),
        created=created,
    )
