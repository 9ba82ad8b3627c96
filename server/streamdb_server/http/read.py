"""GET: catch-up and long-poll; `sse` has the third mode (sections 12, 13 and 16)."""

import asyncio

from streamdb.protocol import names
from streamdb_server import cursors, messages, offsets
from streamdb_server.http import parsing, sse
from streamdb_server.http.exchange import EventStream, Exchange, Refused, Reply
from streamdb_server.storage.reading import Page


async def get(exchange: Exchange) -> Reply | EventStream:
    """Answer a GET, in the order of checks of section 18.4."""
    params = exchange.request.query_params
    live = params.get(names.LIVE)
    try:
        start = parsing.start(exchange.request)
        if live not in (None, names.LONG_POLL, names.SSE):  # QUERY-3
            raise Refused(400, f"live must be {names.LONG_POLL} or {names.SSE}.")
        if live is not None and names.OFFSET not in params:  # POLL-1, SSE-1
            raise Refused(400, "A live read needs an offset: -1, now, or one received earlier.")
    except Refused:
        if await exchange.in_thread(lambda: exchange.store.head(exchange.path)) is None:
            raise missing() from None
        raise
    page = await exchange.read(start)
    if page is None:
        raise missing()
    if live == names.SSE:
        return sse.stream(exchange, page)
    if live == names.LONG_POLL:
        return await _long_poll(exchange, page)
    return _catch_up(exchange, page, at_tail=start is None)


def missing() -> Refused:
    """Return the 404 of a stream that is not there, or not any more (DEL-5)."""
    return Refused(404, "There is no such stream.")


def _catch_up(exchange: Exchange, page: Page, *, at_tail: bool) -> Reply:
    if at_tail:  # NOW-1: neither to be cached nor to be revalidated
        return _content(page, _page_headers(page) | {"Cache-Control": "no-store"})
    return _cacheable(exchange, page, _page_headers(page))


async def _long_poll(exchange: Exchange, page: Page) -> Reply:
    beyond_tail = page.start > page.stream.tail  # answered at once (OFF-13)
    if not (page.contents or page.final or beyond_tail):
        page = await _wait(exchange, page)
    headers = _page_headers(page)
    if not page.final:  # POLL-5
        seen = exchange.request.query_params.get(names.CURSOR)
        headers[names.STREAM_CURSOR] = str(cursors.following(seen, exchange.store.clock()))
    if page.contents or beyond_tail:
        return _cacheable(exchange, page, headers)
    return Reply(204, headers | {"Cache-Control": "no-store"})


async def _wait(exchange: Exchange, page: Page) -> Page:
    clock = asyncio.get_running_loop().time
    end = clock() + exchange.options.long_poll_timeout
    async with exchange.live(page.stream) as wait:
        while not (page.contents or page.final or wait.over):
            in_time = await wait.changed(end - clock())
            current = await exchange.read(page.end, stream=page.stream)
            if current is None:
                raise missing()
            page = current
            if not in_time:
                break
    return page


def _page_headers(page: Page) -> dict[str, str]:
    headers = {names.STREAM_NEXT_OFFSET: offsets.mint(page.end)}
    if page.up_to_date:
        headers[names.STREAM_UP_TO_DATE] = names.TRUE
    if page.final:
        headers[names.STREAM_CLOSED] = names.TRUE
    return headers


def _cacheable(exchange: Exchange, page: Page, headers: dict[str, str]) -> Reply:
    """Return a 200 with its ETag, or 304 if the client has it already (ETAG-1 to ETAG-6)."""
    etag = _etag(page)
    headers |= {"ETag": etag, "Cache-Control": _cache_control(exchange, page)}
    if _matches(exchange.request.headers.getlist("If-None-Match"), etag):
        return Reply(304, headers)
    return _content(page, headers)


def _content(page: Page, headers: dict[str, str]) -> Reply:
    content_type = page.stream.content_type
    headers = {"Content-Type": content_type, **headers}
    if names.media_type(content_type) == names.JSON_MEDIA_TYPE:
        return Reply(200, headers, messages.as_array(page.contents))
    return Reply(200, headers, b"".join(page.contents))


def _cache_control(exchange: Exchange, page: Page) -> str:
    if not page.contents:  # or a poller would be shown a stale "nothing new" (CACHE-3)
        return "no-store"
    scope = "public" if exchange.options.token is None else "private"
    return f"{scope}, max-age=60, stale-while-revalidate=300"


def _etag(page: Page) -> str:
    closed = ":c" if page.final else ""
    start, end = offsets.mint(page.start), offsets.mint(page.end)
    return f'"{page.stream.incarnation}:{start}:{end}{closed}"'


def _matches(fields: list[str], etag: str) -> bool:
    """Compare weakly with a list of tags (ETAG-5); our tags hold no commas."""
    tags = [tag.strip().removeprefix("W/") for field in fields for tag in field.split(",")]
    return etag in tags or "*" in tags
