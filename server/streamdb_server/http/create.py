"""PUT: create a stream, or confirm that it exists with the same configuration (section 5)."""

import asyncio
from typing import Final
from urllib.parse import quote

from streamdb.protocol import names
from streamdb_server import offsets
from streamdb_server.errors import SoftDeleted
from streamdb_server.http import parsing
from streamdb_server.http.exchange import SOFT_DELETED, Exchange, Refused, Reply, error
from streamdb_server.storage.creating import CreateOutcome, Creation

_REFUSALS: Final = {
    CreateOutcome.DIFFERENT: (409, "The stream differs from the request: {reason}."),
    CreateOutcome.DELETED: (409, SOFT_DELETED),
    CreateOutcome.INVALID: (400, "The stream was not created: {reason}."),
    CreateOutcome.SOURCE_MISSING: (404, "There is no such stream to fork."),
    CreateOutcome.SOURCE_DELETED: (409, "The stream to fork was deleted."),
    CreateOutcome.SOURCE_OF_OTHER_TYPE: (409, "The Content-Type differs from the source's."),
    CreateOutcome.BAD_FORK_POINT: (400, "The fork was not created: {reason}."),
}


async def put(exchange: Exchange) -> Reply:
    """Answer a PUT, in the order of checks of section 18.3."""
    request = exchange.request
    ttl, expires_at = parsing.ttl(request), parsing.expires_at(request)
    if ttl is not None and expires_at is not None:  # CREATE-12
        raise Refused(400, f"Send {names.STREAM_TTL} or {names.STREAM_EXPIRES_AT}, but not both.")
    fork = parsing.fork_point(request)
    content_type = parsing.content_type(request)
    inherits_type = fork is not None and not request.headers.get("Content-Type", "").strip()
    body = await parsing.body(exchange)
    if fork is not None and inherits_type:
        content_type = await _type_of(exchange, fork.source) or content_type
    creation = Creation(
        content_type=content_type,
        content=await parsing.content(exchange, content_type, body) if body else b"",
        closed=parsing.closes(request),
        ttl=ttl,
        expires_at=expires_at,
        fork=fork,
        inherits_type=inherits_type,
    )
    created = await asyncio.wrap_future(exchange.store.create(exchange.path, creation))
    if created.outcome in _REFUSALS or created.stream is None:
        status, sentence = _REFUSALS[created.outcome]
        return error(status, sentence.format(reason=created.reason))
    headers = {
        "Content-Type": created.stream.content_type,
        names.STREAM_NEXT_OFFSET: offsets.mint(created.stream.tail),
    }
    if created.stream.closed:
        headers[names.STREAM_CLOSED] = names.TRUE
    if created.outcome is CreateOutcome.CREATED:
        headers["Location"] = _url(exchange)
        return Reply(201, headers)
    return Reply(200, headers)


async def _type_of(exchange: Exchange, path: str) -> str | None:
    """Return the type of a source, for the body of a fork; the store has the last word on both."""
    try:
        source = await exchange.in_thread(lambda: exchange.store.head(path))
    except SoftDeleted:
        return None
    return source.content_type if source else None


def _url(exchange: Exchange) -> str:
    request = exchange.request
    path = quote(request.scope["path"])
    host = request.headers.get("Host")
    return f"{request.scope.get('scheme', 'http')}://{host}{path}" if host else path
