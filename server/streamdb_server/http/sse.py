"""GET with ``live=sse``: a stream of data and control events (section 14)."""

import asyncio
import base64
import codecs
import json
import re
from collections.abc import AsyncGenerator
from typing import Final, Protocol

from streamdb.protocol import names
from streamdb_server import cursors, messages, offsets
from streamdb_server.http.exchange import EventStream, Exchange
from streamdb_server.storage.reading import Page
from streamdb_server.storage.records import StreamRecord

_LINE_END: Final = re.compile(r"\r\n|\r|\n")  # those of SSE; str.splitlines knows more (SSE-5)
_LONGEST_CHARACTER: Final = 4


def stream(exchange: Exchange, first: Page) -> EventStream:
    """Answer with the events that follow the start of ``first``."""
    headers = {"Content-Type": names.SSE_MEDIA_TYPE, "Cache-Control": "no-cache"}
    if _is_binary(first.stream):
        headers[names.SSE_DATA_ENCODING] = names.BASE64
    return EventStream(headers, _events(exchange, first))


async def _events(exchange: Exchange, page: Page) -> AsyncGenerator[bytes, None]:
    clock = asyncio.get_running_loop().time
    rotation = clock() + exchange.options.sse_lifetime
    payload = await _payload(exchange, page)
    cursor = cursors.following(
        exchange.request.query_params.get(names.CURSOR), exchange.store.clock()
    )
    silent = True  # nothing said yet, or not for a while: time for a control event of its own
    async with exchange.live(page.stream) as wait:
        while True:
            if page.contents or page.final or silent:
                cursor = max(cursor, cursors.current(exchange.store.clock()))  # CUR-5
                yield _frames(page, payload, cursor)
                silent = False
            if page.final or clock() >= rotation:
                return
            if page.up_to_date:
                patience = min(exchange.options.long_poll_timeout, rotation - clock())
                silent = not await wait.changed(patience)
            if wait.over:
                return
            following = await exchange.read(page.end, stream=page.stream)
            if following is None:  # deleted or expired (DEL-5)
                return
            page = following


def _frames(page: Page, payload: "Payload", cursor: int) -> bytes:
    """One data event, if there is data, and the control event that confirms it (AMB-6)."""
    control: dict[str, str | bool] = {names.CONTROL_NEXT_OFFSET: offsets.mint(page.end)}
    if page.up_to_date:
        control[names.CONTROL_UP_TO_DATE] = True
    if page.final:
        control[names.CONTROL_CLOSED] = True
    else:  # SSE-12
        control[names.CONTROL_CURSOR] = str(cursor)
    text = payload.encode(page)
    data = _event(names.DATA_EVENT, text) if text else ""
    return (data + _event(names.CONTROL_EVENT, json.dumps(control, separators=(",", ":")))).encode()


def _event(kind: str, payload: str) -> str:
    """Write an event; no payload can forge another one, as each of its lines is prefixed (SSE-5).

    A line that begins with a space gets one more, for parsers strip one (section 23, trap 9).

    >>> _event("data", "a\\r\\n b\\u2028c")
    'event: data\\ndata:a\\ndata:  b\\u2028c\\n\\n'
    """
    lines = "".join(
        f"data:{' ' if line.startswith(' ') else ''}{line}\n" for line in _LINE_END.split(payload)
    )
    return f"event: {kind}\n{lines}\n"


class Payload(Protocol):
    """How the content of a page becomes the text of its data event; empty text means no event."""

    def encode(self, page: Page) -> str:
        """Return the payload of one page."""
        ...


async def _payload(exchange: Exchange, page: Page) -> Payload:
    if names.media_type(page.stream.content_type) == names.JSON_MEDIA_TYPE:
        return JsonPayload()
    if _is_binary(page.stream):
        return Base64Payload()
    position = min(page.start, page.stream.tail)
    before = await exchange.in_thread(
        lambda: exchange.store.bytes_before(page.stream, position, _LONGEST_CHARACTER)
    )
    return TextPayload(before)


class JsonPayload:
    """An array, even of one message (section 23, trap 11)."""

    def encode(self, page: Page) -> str:
        """Return the messages of a page."""
        return messages.as_array(page.contents).decode() if page.contents else ""


class Base64Payload:
    """Each event encoded on its own (SSE-6, SSE-7)."""

    def encode(self, page: Page) -> str:
        """Return the bytes of a page."""
        return base64.b64encode(b"".join(page.contents)).decode()


class TextPayload:
    """UTF-8 text, decoded across appends and connections (section 23, trap 10).

    A character cut by the end of an append is sent whole with the append that completes it, and a
    CRLF cut in two is one line end. What lies before the start tells where decoding stands, so that
    a reader that reconnects gets the same text as one that stayed.
    """

    def __init__(self, before: bytes) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._after_cr = False
        self._decode(before, final=False)

    def encode(self, page: Page) -> str:
        """Return the text that a page completes."""
        return self._decode(b"".join(page.contents), final=page.final)

    def _decode(self, content: bytes, *, final: bool) -> str:
        text = self._decoder.decode(content, final)
        if not text:
            return ""
        starts_inside_line_end = self._after_cr and text.startswith("\n")
        self._after_cr = text.endswith("\r")
        return text[1:] if starts_inside_line_end else text


def _is_binary(stream: StreamRecord) -> bool:
    """Tell whether a stream's content must be base64-encoded (SSE-3)."""
    media = names.media_type(stream.content_type)
    return not media.startswith("text/") and media != names.JSON_MEDIA_TYPE
