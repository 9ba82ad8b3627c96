"""What a status and its headers mean: one place that turns a bad answer into a typed error.

Reasons are never read out of bodies (HDR-4); a body is quoted at most, cut and escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Never

from streamdb.errors import (
    AccessDenied,
    BadRequest,
    ConnectionFailed,
    ContentTypeConflict,
    NotSupported,
    PayloadTooLarge,
    ProducerFenced,
    ProducerGap,
    RateLimited,
    StreamClosed,
    StreamError,
    StreamExists,
    StreamGone,
    StreamNotFound,
    StreamParseError,
    UnexpectedStatus,
)
from streamdb.protocol import names

if TYPE_CHECKING:
    from streamdb.protocol.exchange import Reply

_LONGEST_PREVIEW: Final = 120

_BY_STATUS: Final[Mapping[int, tuple[type[StreamError], str]]] = {
    400: (BadRequest, "the server refuses the request as malformed"),
    401: (AccessDenied, "the server wants credentials in the Authorization header"),
    403: (AccessDenied, "the server refuses these credentials"),
    404: (StreamNotFound, "there is no such stream: check the address, or create it first"),
    410: (StreamGone, "the stream was deleted, or the offset is older than what the server keeps"),
    405: (NotSupported, "the server does not do this"),
    413: (PayloadTooLarge, "the body is larger than the server takes: send less at a time"),
    429: (RateLimited, "the server asks for fewer requests"),
    501: (NotSupported, "the server does not do this"),
}
_NEVER_OF_THE_BODY: Final = frozenset({401, 404, 405, 410, 429})
_OF_THE_WRITER: Final = (StreamClosed, ProducerFenced, ProducerGap)
_NO_PLACE: Final = (
    "the server keeps no streams at this address; with `streamdb serve` it is "
    "http://HOST:PORT/v1/stream/NAME"
)
_SERVER_FAILED: Final = (UnexpectedStatus, "the server failed")
_UNKNOWN: Final = (UnexpectedStatus, "an unexpected answer")


def raise_for_answer(
    reply: Reply, *, url: str, doing: str, offset: str | None = None, allow: frozenset[int]
) -> None:
    """Do nothing if the status is one of ``allow``, else raise what the answer means.

    Raises:
        StreamError: the subclass that fits, by status and headers (sections 2.6 and 18.2).
    """
    if reply.status in allow:
        return
    if reply.status == 409:
        _raise_conflict(reply, url=url, doing=doing)
    if reply.status == 403 and (epoch := integer(reply.headers, names.PRODUCER_EPOCH)) is not None:
        raise ProducerFenced(
            f"{doing}: another writer took this producer id over with epoch {epoch}",
            epoch=epoch,
            url=url,
        )
    other = _SERVER_FAILED if reply.status >= 500 else _UNKNOWN
    error, meaning = _BY_STATUS.get(reply.status, other)
    if reply.status == 404 and doing == "create":
        meaning = _NO_PLACE
    raise error(f"{doing}: {meaning}{_quoted(reply)}", url=url, status=reply.status, offset=offset)


def may_be_of_the_body(error: StreamError) -> bool:
    """Tell whether a refusal may be for what was sent, and other data of the same stream be taken.

    Data of several who do not know of each other is then sent again one by one. Servers have
    statuses of their own for contents that they do not like, so all are taken for that but those
    that say something of the stream, the writer or the moment.

    >>> may_be_of_the_body(UnexpectedStatus("not by our policy", status=422))
    True
    >>> may_be_of_the_body(StreamGone("it was deleted", status=410))
    False
    >>> may_be_of_the_body(ConnectionFailed("an earlier try may be stored", status=409))
    False
    """
    return (
        error.status is not None
        and 400 <= error.status < 500
        and error.status not in _NEVER_OF_THE_BODY
        and not isinstance(error, _OF_THE_WRITER)
        and not isinstance(error, ConnectionFailed)  # no refusal of all that was tried
    )


def _raise_conflict(reply: Reply, *, url: str, doing: str) -> Never:
    # Closed comes first: no other conflict can be resolved any more (APPEND-12, CLIENT-35).
    if names.is_true(header(reply, names.STREAM_CLOSED)):
        raise StreamClosed(
            f"{doing}: the stream is closed and takes no more data",
            final_offset=header(reply, names.STREAM_NEXT_OFFSET),
            url=url,
            status=409,
        )
    expected = integer(reply.headers, names.PRODUCER_EXPECTED_SEQ)
    if expected is not None:
        received = integer(reply.headers, names.PRODUCER_RECEIVED_SEQ) or 0
        raise ProducerGap(
            f"{doing}: the server expected batch {expected} of this producer and got {received}",
            expected=expected,
            received=received,
            url=url,
        )
    if doing == "create":
        # No header tells the two apart; the body of a server may, for the eyes of people.
        raise StreamExists(
            "create: another stream is here: of another content type, expiry, closure or source, "
            f"or one that was deleted and is kept for its forks{_quoted(reply)}",
            url=url,
            status=409,
        )
    raise ContentTypeConflict(
        f"{doing}: the body's content type is not the stream's", url=url, status=409
    )


def _quoted(reply: Reply) -> str:
    return f"; it says: {preview(reply.body)}" if reply.body.strip() else ""


def is_conflict_without_reason(reply: Reply) -> bool:
    """Whether an append was refused for its `Stream-Seq` or for its media type (18.2)."""
    return (
        reply.status == 409
        and not names.is_true(header(reply, names.STREAM_CLOSED))
        and header(reply, names.PRODUCER_EXPECTED_SEQ) is None
    )


def header(reply: Reply, name: str) -> str | None:
    """Return a header of the reply by its canonical name, or None."""
    return reply.headers.get(name.lower())


def integer(headers: Mapping[str, str], name: str) -> int | None:
    """Return a header that holds a plain decimal number, or None."""
    text = headers.get(name.lower(), "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else None


def next_offset(reply: Reply, *, url: str, doing: str) -> str:
    """Return ``Stream-Next-Offset``.

    Raises:
        StreamParseError: it is missing, so this is no Durable Streams server.
    """
    offset = header(reply, names.STREAM_NEXT_OFFSET)
    if not offset:
        raise StreamParseError(
            f"{doing}: the answer lacks {names.STREAM_NEXT_OFFSET}; is this a Durable Stream?",
            url=url,
            status=reply.status,
        )
    return offset


def preview(data: bytes) -> str:
    r"""Quote the beginning of a body, safe to print.

    >>> preview(b"no\x1b[2J" + b"x" * 200)[:16]
    "'no\\x1b[2Jxxxxxx"
    """
    text = repr(data[:_LONGEST_PREVIEW].decode("utf-8", "replace"))
    return f"{text}..." if len(data) > _LONGEST_PREVIEW else text
