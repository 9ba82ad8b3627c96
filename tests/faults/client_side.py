"""The side of a proxy that a client talks to."""

from __future__ import annotations

import asyncio
import re

from tests.faults.request import HEAD_END, Request


class Client:
    """A connection from a client; that it leaves is noticed at any time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ahead = b""

    async def request(self) -> Request:
        read = await self._reader.readuntil(HEAD_END)
        head = (self._ahead + read).removesuffix(HEAD_END)
        self._ahead = b""
        length = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
        return Request(head, await self._reader.readexactly(int(length[1])) if length else b"")

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def refuse(self, status: int) -> bool:
        """Answer with a status, and end the connection."""
        head = f"HTTP/1.1 {status} Refused\r\nContent-Length: 2\r\nConnection: close"
        await self.send(head.encode() + HEAD_END + b"no")
        return False

    async def leave(self) -> None:
        """Return when the client has left, and not before."""
        self._ahead += await self._reader.read(1)
        if self._ahead:  # it did not wait for the rest of an answer
            await asyncio.Event().wait()
