"""The single requests: create, head, append, close, delete, each with its retries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streamdb.errors import ConnectionFailed
from streamdb.protocol import names
from streamdb.protocol.answers import header, integer, next_offset, raise_for_answer
from streamdb.protocol.exchange import NoReply, Operation, Reply, Request, Sleep, exchange
from streamdb.protocol.retry import RetryPolicy, is_retryable, retry_after

# A plain append is repeated only where the server says that it did not act (CLIENT-23).
_NOT_ACTED_UPON: Final = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a stream says of itself (HEAD-1 to HEAD-3).

    Attributes:
        offset: the tail, where the next append goes.
        content_type: the media type as the server gives it.
        closed: True if the stream takes no more data.
        ttl_seconds: the configured time to live, if there is one.
        expires_at: the configured deadline as RFC 3339 text, if there is one.
        created: True if this call created the stream.
    """

    offset: str
    content_type: str
    closed: bool
    ttl_seconds: int | None = None
    expires_at: str | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class Appended:
    """An acknowledged append.

    Attributes:
        offset: the tail behind it; None where the server does not say (PROD-12).
        duplicate: True if the server had it already.
    """

    offset: str | None
    duplicate: bool = False


def call(request: Request, retry: RetryPolicy, *, url: str, doing: str) -> Operation[Reply]:
    """Send a request that is safe to repeat until it is answered or the policy is used up.

    Raises:
        ConnectionFailed: no answer, and no tries left.
    """
    failures = 0
    while True:
        reply = yield from exchange(request)
        if isinstance(reply, Reply) and not is_retryable(reply.status):
            return reply
        failures += 1
        wait = retry.delay(failures, _asked_to_wait(reply))
        if wait is None:
            return _give_up(reply, url=url, doing=doing, tries=failures)
        yield Sleep(wait)


def create(
    url: str,
    retry: RetryPolicy,
    *,
    content_type: str,
    ttl_seconds: int | None = None,
    expires_at: str | None = None,
    closed: bool = False,
    body: bytes = b"",
) -> Operation[StreamInfo]:
    """Create the stream, or confirm that it exists with the same configuration (CREATE-1 to 9)."""
    headers = {"Content-Type": content_type}
    if ttl_seconds is not None:
        headers[names.STREAM_TTL] = str(ttl_seconds)
    if expires_at is not None:
        headers[names.STREAM_EXPIRES_AT] = expires_at
    if closed:
        headers[names.STREAM_CLOSED] = names.TRUE
    request = Request("PUT", headers=headers, body=body)
    reply = yield from call(request, retry, url=url, doing="create")
    raise_for_answer(reply, url=url, doing="create", allow=frozenset({200, 201}))
    return _info(reply, url=url, doing="create", created=reply.status == 201)


def head(url: str, retry: RetryPolicy) -> Operation[StreamInfo]:
    """Ask for the stream's metadata."""
    reply = yield from call(Request("HEAD"), retry, url=url, doing="head")
    raise_for_answer(reply, url=url, doing="head", allow=frozenset({200}))
    return _info(reply, url=url, doing="head", created=False)


def append(url: str, retry: RetryPolicy, *, content_type: str, body: bytes) -> Operation[Appended]:
    """Append once; repeated only where the server says that nothing was stored (CLIENT-23).

    Raises:
        ConnectionFailed: the connection broke, and whether the data was stored is unknown.
    """
    request = Request("POST", headers={"Content-Type": content_type}, body=body)
    failures = 0
    while True:
        reply = yield from exchange(request)
        if isinstance(reply, NoReply):
            raise ConnectionFailed(
                f"append: {reply.reason}; whether the data was stored is unknown", url=url
            )
        if reply.status not in _NOT_ACTED_UPON:
            break
        failures += 1
        wait = retry.delay(failures, _asked_to_wait(reply))
        if wait is None:
            break
        yield Sleep(wait)
    raise_for_answer(reply, url=url, doing="append", allow=frozenset({200, 204}))
    return Appended(next_offset(reply, url=url, doing="append"))


def close(
    url: str, retry: RetryPolicy, *, content_type: str | None = None, body: bytes = b""
) -> Operation[Appended]:
    """Close the stream, with a last piece of data if there is one (CLOSE-1, APPEND-15)."""
    headers = {names.STREAM_CLOSED: names.TRUE}
    if body and content_type is not None:
        headers["Content-Type"] = content_type
    reply = yield from call(
        Request("POST", headers=headers, body=body), retry, url=url, doing="close"
    )
    raise_for_answer(reply, url=url, doing="close", allow=frozenset({200, 204}))
    return Appended(next_offset(reply, url=url, doing="close"))


def delete(url: str, retry: RetryPolicy) -> Operation[None]:
    """Delete the stream (DEL-1)."""
    reply = yield from call(Request("DELETE"), retry, url=url, doing="delete")
    raise_for_answer(reply, url=url, doing="delete", allow=frozenset({200, 204}))


def _asked_to_wait(reply: Reply | NoReply) -> float | None:
    return retry_after(reply.headers) if isinstance(reply, Reply) else None


def _give_up(reply: Reply | NoReply, *, url: str, doing: str, tries: int) -> Reply:
    if isinstance(reply, Reply):
        return reply  # the caller turns the status into its error
    raise ConnectionFailed(f"{doing}: {reply.reason}; gave up after {tries} tries", url=url)


def _info(reply: Reply, *, url: str, doing: str, created: bool) -> StreamInfo:
    headers: Mapping[str, str] = reply.headers
    return StreamInfo(
        offset=next_offset(reply, url=url, doing=doing),
        content_type=headers.get("content-type", names.DEFAULT_MEDIA_TYPE),
        closed=names.is_true(header(reply, names.STREAM_CLOSED)),
        ttl_seconds=integer(headers, names.STREAM_TTL),
        expires_at=header(reply, names.STREAM_EXPIRES_AT),
        created=created,
    )
