"""Where a reader stands: what it asks with, and what an answer to that holds."""

from __future__ import annotations

from dataclasses import dataclass

from streamdb.protocol import names
from streamdb.protocol.answers import header, next_offset
from streamdb.protocol.exchange import Batch, Reply


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader has come.

    Attributes:
        offset: where to read next.
        cursor: the cache cursor to echo, if the server gave one.
        content_type: the stream's media type, without parameters.
    """

    offset: str
    cursor: str | None
    content_type: str

    def params(self, live: str | None) -> dict[str, str]:
        """Return the query of a request from here on."""
        params = {names.OFFSET: self.offset}
        if live is not None:
            params[names.LIVE] = live
        if self.cursor is not None:
            params[names.CURSOR] = self.cursor  # CLIENT-5
        return params


def batch_of(reply: Reply, position: Position, url: str) -> Batch:
    """Return what an answer to a request from a position holds, SSE aside.

    Raises:
        StreamParseError: it does not say where to read next.
    """
    closed = names.is_true(header(reply, names.STREAM_CLOSED))
    content_type = reply.headers.get("content-type")
    return Batch(
        parts=(reply.body,) if reply.body else (),
        offset=next_offset(reply, url=url, doing="read"),
        cursor=header(reply, names.STREAM_CURSOR) or position.cursor,  # CLIENT-4
        # A long-poll's 204 is up to date by definition (POLL-4); mere presence counts (HDR-3).
        up_to_date=closed
        or reply.status == 204
        or header(reply, names.STREAM_UP_TO_DATE) is not None,
        closed=closed,
        content_type=names.media_type(content_type) if content_type else position.content_type,
    )
