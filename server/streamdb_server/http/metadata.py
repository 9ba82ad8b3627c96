"""HEAD and DELETE (sections 10 and 11)."""

import asyncio

from streamdb.protocol import names
from streamdb_server import offsets
from streamdb_server.http.exchange import SOFT_DELETED, Exchange, Refused, Reply
from streamdb_server.storage.deleting import DeleteOutcome


async def head(exchange: Exchange) -> Reply:
    """Answer a HEAD: what the stream is and where its tail is."""
    stream = await exchange.in_thread(lambda: exchange.store.head(exchange.path))
    if stream is None:
        raise Refused(404, "There is no such stream.")
    headers = {
        "Content-Type": stream.content_type,
        "Cache-Control": "no-store",
        names.STREAM_NEXT_OFFSET: offsets.mint(stream.tail),
    }
    if stream.ttl is not None:
        headers[names.STREAM_TTL] = str(stream.ttl)
    if stream.expires_at is not None:
        headers[names.STREAM_EXPIRES_AT] = stream.expires_at
    if stream.closed:
        headers[names.STREAM_CLOSED] = names.TRUE
    return Reply(200, headers)


async def delete(exchange: Exchange) -> Reply:
    """Answer a DELETE."""
    outcome = await asyncio.wrap_future(exchange.store.delete(exchange.path))
    if outcome is DeleteOutcome.MISSING:
        raise Refused(404, "There is no such stream.")
    if outcome is DeleteOutcome.GONE:
        raise Refused(410, SOFT_DELETED)
    return Reply(204)
