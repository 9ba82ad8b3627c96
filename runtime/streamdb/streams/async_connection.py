"""One TCP or TLS connection to a server, for asyncio: carries one exchange at a time."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Final, cast

from streamdb.streams import connections
from streamdb.streams.http1_answer import Incoming
from streamdb.streams.http1_request import Target
from streamdb.streams.sockets import has_news
from streamdb.streams.wire import WireFailure

# A body is sent in slices of so many bytes, so that a slow network can be told from a dead one.
_SLICE: Final = 256 * 1024
# A reader that is slower than the server holds so many bytes at most, twice over.
_MOST_HELD: Final = 256 * 1024
# Seconds until a second address of the same name is tried beside the first (RFC 8305).
_HEAD_START_SECONDS: Final = 0.25


class AsyncConnection(asyncio.Protocol):
    """Sends one request after another, and holds what comes back until it is taken."""

    def __init__(self, siblings: set[AsyncConnection]) -> None:
        self._siblings: Final = siblings
        self._loop: Final = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket
        self._incoming: Incoming | None = None
        self._failure: WireFailure | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_writable = True
        self._is_sent = True  # the whole of the last request
        self._is_reading = True
        self._idle_since = 0.0
        self._lost: asyncio.Future[None] = self._loop.create_future()

    @classmethod
    async def open(
        cls,
        target: Target,
        tls: ssl.SSLContext | None,
        timeout: float,
        siblings: set[AsyncConnection],
    ) -> AsyncConnection:
        """Connect within so many seconds; be one of ``siblings`` as long as the socket is open.

        Raises WireFailure.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, connection = await loop.create_connection(
                    lambda: cls(siblings),
                    target.host,
                    target.port,
                    ssl=tls,
                    happy_eyeballs_delay=None if target.is_literal else _HEAD_START_SECONDS,
                )
        except TimeoutError:
            raise connections.no_connection(TimeoutError("no answer in time")) from None
        except OSError as error:
            raise connections.no_connection(error) from error
        return connection

    @property
    def is_usable(self) -> bool:
        """Whether another request may be sent, here and now."""
        return (
            self._failure is None
            and self._loop is asyncio.get_running_loop()
            and self._loop.time() - self._idle_since < connections.IDLE_SECONDS
            # The end may have come without the loop's having had the time to tell.
            and not has_news(self._socket)
        )

    async def exchange(self, method: str, head: bytes, body: bytes, timeout: float) -> Incoming:
        """Send a request and return once the head of its answer is here. Raises WireFailure.

        Args:
            method: the method of the request, on which it depends whether there is a body.
            head: request line and headers.
            body: the body, or nothing.
            timeout: seconds in which something must happen, while sending and while waiting.
        """
        self._incoming = incoming = Incoming(method)
        assert self._transport is not None  # noqa: S101 - connected, by `open`
        if len(body) <= _SLICE:
            self._transport.write(head + body)
        else:
            self._is_sent = False
            self._transport.write(head)
            for begin in range(0, len(body), _SLICE):
                if incoming.has_head:
                    return incoming  # refused before it was sent; the rest would not be read
                self._transport.write(body[begin : begin + _SLICE])
                while not (self._is_writable or incoming.has_head):
                    await self._wait(timeout)
            self._is_sent = True
        while not incoming.has_head:
            await self._wait(timeout)
        return incoming

    async def receive(self, timeout: float) -> bytes:
        """Return the next piece of the body, empty at its end. Raises WireFailure."""
        incoming = self._incoming
        if incoming is None:
            return b""
        while not (data := incoming.take()):
            if incoming.is_complete:
                return b""
            await self._wait(timeout)
        if not self._is_reading and incoming.held < _MOST_HELD and self._transport is not None:
            self._is_reading = True
            self._transport.resume_reading()
        return data

    def finish(self) -> bool:
        """End the exchange; return whether the connection may carry another one."""
        incoming, self._incoming = self._incoming, None
        is_over = incoming is not None and incoming.is_reusable
        # What is not sent yet of a request that was refused would be taken for the next one.
        if not is_over or self._failure or not self._is_sent or not self._is_writable:
            self.abort()
            return False
        if not self._is_reading and self._transport is not None:
            self._is_reading = True
            self._transport.resume_reading()
        self._idle_since = self._loop.time()
        return True

    def abort(self) -> None:
        """Close without good-byes; who waits for an answer is told."""
        self._fail(WireFailure("the connection was given up"))
        if self._transport is not None and not self._loop.is_closed():
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the socket is released, after `abort`."""
        if self._loop is asyncio.get_running_loop():
            await self._lost

    async def _wait(self, timeout: float) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        try:
            async with asyncio.timeout(timeout):
                await self._waiter
        except TimeoutError:
            raise connections.silence(timeout) from None
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, failure: WireFailure) -> None:
        self._failure = self._failure or failure
        self._wake()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._socket = transport.get_extra_info("socket")
        self._siblings.add(self)

    def data_received(self, data: bytes) -> None:
        """Feed the answer that is awaited."""
        incoming = self._incoming
        if incoming is None:
            self.abort()  # an answer that nobody asked for
            return
        try:
            incoming.feed(data)
        except WireFailure as failure:
            self._fail(failure)
            return
        if incoming.held > _MOST_HELD and self._is_reading and self._transport is not None:
            self._is_reading = False
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """End the answer that is awaited; the server sends no more."""
        self._end(None)
        return False  # close our side, too

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer that is awaited, and let go."""
        self._end(exc)
        self._siblings.discard(self)
        if not self._lost.done():
            self._lost.set_result(None)

    def _end(self, error: Exception | None) -> None:
        failure = (
            connections.broken(error) if error is not None else WireFailure("closed by the server")
        )
        if self._incoming is not None and error is None and self._failure is None:
            try:
                self._incoming.end()
            except WireFailure as ended:
                failure = ended
        self._fail(failure)

    def pause_writing(self) -> None:
        """Hold what is still to be sent."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """Go on sending."""
        self._is_writable = True
        self._wake()
