"""Answers with what a fault does to them."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

import h11
from tests.faults.kinds import BrokenChunks, EndEvents, Fault, ShortenBody, SpoilBody, WrongLength
from tests.faults.request import HEAD_END, Request
from tests.faults.server_side import Event

# What a client can check for itself: a byte of another medium may be what was written.
_CHECKABLE = ("application/json", "text/event-stream")


async def damaged(
    fault: Fault, request: Request, events: AsyncGenerator[Event]
) -> AsyncGenerator[bytes]:
    """Yield an answer in pieces, head first, with what the fault does to it."""
    answer = await anext(events)
    assert isinstance(answer, h11.Response)
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    length = int(headers.get("content-length", "0"))
    has_body = request.method != "HEAD" and answer.status_code not in (204, 304)
    is_json = headers.get("content-type", "").startswith("application/json")
    kept = sys.maxsize
    match fault:
        case ShortenBody(by) if is_json:
            kept = max(length - by, 0)
            headers["content-length"] = str(kept)
        case WrongLength(by) if has_body and length and (by > 0 or is_json):
            headers["content-length"] = str(max(length + by, 0))
        case BrokenChunks() if has_body and headers.pop("content-length", None):
            headers["transfer-encoding"] = "chunked"
        case _:
            pass
    lines = [f"HTTP/1.1 {answer.status_code} {answer.reason.decode()}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    yield "\r\n".join(lines).encode() + HEAD_END
    if not has_body:
        return
    is_chunked = "transfer-encoding" in headers
    content_type = headers.get("content-type", "")
    async with aclosing(_pieces(fault, content_type, length, events)) as pieces:
        async for piece in pieces:
            data, kept = piece[:kept], kept - len(piece[:kept])
            yield b"%x\r\n%s\r\n" % (len(data), data) if is_chunked and data else data
    if is_chunked:
        yield b"zz\r\n" if isinstance(fault, BrokenChunks) else b"0\r\n\r\n"


async def _pieces(
    fault: Fault, content_type: str, length: int, events: AsyncGenerator[Event]
) -> AsyncGenerator[bytes]:
    """Yield the data of an answer, damaged or ended early."""
    is_sse = content_type.startswith("text/event-stream")
    at = -1
    if isinstance(fault, SpoilBody) and content_type.startswith(_CHECKABLE):
        at = fault.at % length if length else fault.at
    ends_early = isinstance(fault, BrokenChunks) or (isinstance(fault, EndEvents) and is_sse)
    last = fault.after if ends_early else sys.maxsize
    number = 0
    async for event in events:
        assert isinstance(event, h11.Data)
        if number >= last:
            return
        data = bytes(event.data)
        if 0 <= at < len(data):
            data = data[:at] + b"\0" + data[at + 1 :]
        at -= len(data)
        number += 1
        yield data
