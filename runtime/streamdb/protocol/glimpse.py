"""The beginning of what lies behind an offset, without reading all of it."""

from __future__ import annotations

from typing import NamedTuple

from streamdb.errors import StreamError
from streamdb.protocol import names
from streamdb.protocol.answers import header, next_offset, raise_for_answer
from streamdb.protocol.calling import back_off
from streamdb.protocol.exchange import (
    NoReply,
    Operation,
    Release,
    Reply,
    Request,
    Sleep,
    consult,
    open_reply,
    receive,
)
from streamdb.protocol.retry import RetryPolicy, is_retryable

_OK = frozenset({200})


class Glimpse(NamedTuple):
    """The first bytes of a page.

    Attributes:
        data: the bytes; at least as many as were asked for, if the page has so many.
        is_whole: True if the page has no more.
        offset: where the next page begins.
        is_last: True if there is no next page for now.
    """

    data: bytes
    is_whole: bool
    offset: str
    is_last: bool


def glimpse(url: str, offset: str, size: int, retry: RetryPolicy) -> Operation[Glimpse]:
    """Read the first bytes of the page at an offset, and give the rest up.

    Raises:
        StreamError: as reading does.
    """
    failures = retry.begin()
    while True:
        reply: Reply | NoReply = yield from open_reply(
            Request("GET", params={names.OFFSET: offset})
        )
        if isinstance(reply, Reply) and not is_retryable(reply.status):
            try:
                raise_for_answer(reply, url=url, doing="read", offset=offset, allow=_OK)
            except StreamError as error:
                yield Release()
                wait = failures.next_delay() if (yield from consult(error)) else None
                if wait is None:
                    raise
                yield Sleep(wait)
                continue
            data = yield from _receive(size)
            yield Release()
            if isinstance(data, bytes):
                is_last = header(reply, names.STREAM_UP_TO_DATE) is not None
                following = next_offset(reply, url=url, doing="read")
                return Glimpse(data, len(data) < size, following, is_last)
            reply = data
        yield Release()
        yield from back_off(reply, failures, url=url, offset=offset)


def _receive(size: int) -> Operation[bytes | NoReply]:
    data = bytearray()
    while len(data) < size:
        piece = yield from receive()
        if isinstance(piece, NoReply):
            return piece
        if not piece:
            break
        data += piece
    return bytes(data)
