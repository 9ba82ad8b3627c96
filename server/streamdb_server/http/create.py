"""PUT: create a stream, or confirm that it exists with the same configuration (section 5)."""

import asyncio
from typing import Final
from urllib.parse import quote

from streamdb.protocol import names
from streamdb_server import offsets
from streamdb_server.http import parsing
from streamdb_server.http.exchange import Exchange, Refused, Reply, error
from streamdb_server.storage.commands import CreateOutcome, Creation

_STATUS: Final = {
    CreateOutcome.CREATED: 201,
    CreateOutcome.EXISTS: 200,
    CreateOutcome.DIFFERENT: 409,
    CreateOutcome.INVALID: 400,
}


async def put(exchange: Exchange) -> Reply:
    """Answer a PUT, in the order of checks of section 18.3."""
    request = exchange.request
    if any(name in request.headers for name in names.FORK_HEADERS):
        raise Refused(501, "This server does not fork streams yet.")
    ttl, expires_at = parsing.ttl(request), parsing.expires_at(request)
    if ttl is not None and expires_at is not None:  # CREATE-12
        raise Refused(400, f"Send {names.STREAM_TTL} or {names.STREAM_EXPIRES_AT}, but not both.")
    content_type = parsing.content_type(request)
    body = await parsing.body(exchange)
    creation = Creation(
        content_type=content_type,
        content=await parsing.content(exchange, content_type, body) if body else b"",
        closed=parsing.closes(request),
        ttl=ttl,
        expires_at=expires_at,
    )
    created = await asyncio.wrap_future(exchange.store.create(exchange.path, creation))
    status = _STATUS[created.outcome]
    if created.outcome is CreateOutcome.INVALID:
        return error(status, f"The stream was not created: {created.reason}.")
    if created.outcome is CreateOutcome.DIFFERENT or created.stream is None:
        return error(status, f"The stream differs from the request: {created.reason}.")
    headers = {
        "Content-Type": created.stream.content_type,
        names.STREAM_NEXT_OFFSET: offsets.mint(created.stream.tail),
    }
    if created.stream.closed:
        headers[names.STREAM_CLOSED] = names.TRUE
    if created.outcome is CreateOutcome.CREATED:
        headers["Location"] = _url(exchange)
    return Reply(status, headers)


def _url(exchange: Exchange) -> str:
    request = exchange.request
    path = quote(request.scope["path"])
    host = request.headers.get("Host")
    return f"{request.scope.get('scheme', 'http')}://{host}{path}" if host else path
