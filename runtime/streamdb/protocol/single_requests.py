"""The single requests: create, head, append, close, delete, each with its retries."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from streamdb.errors import BadHeader, SequenceConflict, StreamError
from streamdb.protocol import names, values
from streamdb.protocol.answers import (
    header,
    integer,
    is_conflict_without_reason,
    next_offset,
    raise_for_answer,
)
from streamdb.protocol.calling import (
    STORED,
    call,
    interruption,
    is_amended,
    no_answer,
    raise_for_write,
    unknown_outcome,
    was_turned_away,
)
from streamdb.protocol.exchange import NoReply, Operation, Reply, Request, exchange, pause
from streamdb.protocol.results import Appended, StreamInfo
from streamdb.protocol.retry import RetryPolicy, is_retryable

_DELETED: Final = frozenset({200, 204})
_NOTHING_THERE: Final = frozenset({404, 410})


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
        raise_for_answer(reply, url=url, doing="append", allow=STORED)
        return Appended(next_offset(reply, url=url, doing="append"))
    if not values.is_printable(seq):
        raise BadHeader("append: seq must be printable ASCII")
    request = Request("POST", headers={**headers, names.STREAM_SEQ: seq}, body=body)
    answered = yield from call(request, retry, url=url, doing="append")
    reply = answered.reply
    if is_conflict_without_reason(reply):
        if answered.in_doubt:
            raise unknown_outcome("an answer was lost", reply, url=url, doing="append")
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
                raise unknown_outcome(reply.reason, None, url=url, doing="append")
        elif (yield from is_amended(reply, failures, url=url, doing="append")):
            continue
        elif not was_turned_away(reply):
            break
        interrupted = interruption(reply, failures, doing="append")
        if interrupted is not None:
            yield from pause(interrupted)
        elif isinstance(reply, NoReply):
            raise no_answer(reply, failures, url=url, doing="append", in_doubt=False)
        else:
            break
    if is_retryable(reply.status) and not was_turned_away(reply):
        raise unknown_outcome("the server failed", reply, url=url, doing="append")
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


def _info(reply: Reply, *, url: str, doing: str, created: bool | None) -> StreamInfo:
    return StreamInfo(
        offset=next_offset(reply, url=url, doing=doing),
        content_type=reply.headers.get("content-type", names.DEFAULT_MEDIA_TYPE),
        closed=names.is_true(header(reply, names.STREAM_CLOSED)),
        ttl_seconds=integer(reply.headers, names.STREAM_TTL),
        expires_at=header(reply, names.STREAM_EXPIRES_AT),
        created=created,
    )
