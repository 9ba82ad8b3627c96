"""The side of a proxy that talks to the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from urllib.parse import SplitResult

import h11
from tests.faults.request import Request


async def send_part(target: SplitResult, part: bytes) -> None:
    _, writer = await asyncio.open_connection(target.hostname, target.port)
    writer.write(part)
    await writer.drain()
    writer.close()


Event = h11.Response | h11.Data


async def ask(target: SplitResult, request: Request) -> AsyncGenerator[Event]:
    """Send a request to the server as it is; yield the head of the answer, and its data."""
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    try:
        writer.write(request.raw)
        parser = h11.Connection(h11.CLIENT)
        parser.send(
            h11.Request(method=request.method, target=request.target, headers=[("Host", "server")])
        )
        parser.send(h11.EndOfMessage())
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(await reader.read(65536))
            elif isinstance(event, Event):
                yield event
            elif not isinstance(event, h11.InformationalResponse):
                return
    except h11.RemoteProtocolError as broken:  # the server is gone
        raise OSError from broken
    finally:
        writer.close()
