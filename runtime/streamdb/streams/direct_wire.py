"""The wires over HTTP that speak it themselves, on connections that are kept for the next request.

httpx takes most of the time of a small request (docs/decisions.md), so that it carries only what
these do not: a client that the caller hands in, and proxies.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Final
from weakref import WeakSet

from streamdb.protocol.exchange import Request
from streamdb.streams.address import HttpAddress
from streamdb.streams.async_connection import AsyncConnection
from streamdb.streams.blocking_connection import Connection
from streamdb.streams.given import Additions, Given
from streamdb.streams.http1_answer import Incoming
from streamdb.streams.http1_request import Target, request_head
from streamdb.streams.lifetime import Lifetime
from streamdb.streams.sockets import shut_down
from streamdb.streams.wire import Retry, WireSettings

_MOST_IDLE: Final = 20


class Route:
    """What both wires know: where requests go, what the caller adds, how long to wait.

    Attributes:
        target: the server and the path.
        tls: what a server must prove, for https.
        settings: what the caller says of all requests.
        given: the caller's headers and parameters, as they are now.
        lifetime: whether the wire may still be used.
    """

    def __init__(
        self,
        address: HttpAddress,
        settings: WireSettings,
        given: Given,
        target: Target,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.settings: Final = settings
        self.given = given
        self.target: Final = target
        self.tls: Final = tls
        self.lifetime: Final = Lifetime(address.shown)
        self._of_address: Final = address.params

    def head(self, request: Request, own: Additions) -> bytes:
        """The first bytes of a request."""
        params = own.query(self._of_address, request.params)
        return request_head(self.target, request, own.headers, params)


class DirectAsyncWire:
    """Requests to one stream, for asyncio."""

    def __init__(self, route: Route) -> None:
        self._route: Final = route
        self._idle: list[AsyncConnection] = []
        self._all: set[AsyncConnection] = set()
        self._connecting: set[asyncio.Task[AsyncConnection]] = set()

    async def open(self, request: Request) -> _AsyncAnswer:
        """Send a request and return once the head of the answer is here."""
        route = self._route
        route.lifetime.check()
        own = await route.given.ask_async()
        route.lifetime.check()  # closed while we awaited?
        head, timeout = route.head(request, own), route.settings.waits(request)
        connection = self._take_idle() or await self._connect()
        try:
            route.lifetime.check()
            incoming = await connection.exchange(request.method, head, request.body, timeout)
        except BaseException:
            connection.abort()
            raise
        return _AsyncAnswer(self, connection, incoming, timeout)

    async def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the wire is closed."""
        await self._route.lifetime.sleep(seconds)

    def amend(self, amended: Retry) -> None:
        """Send other headers and parameters from now on."""
        self._route.given = self._route.given.amended(amended)

    async def aclose(self) -> None:
        """Close all connections; requests that are under way end with a failure."""
        if not self._route.lifetime.end():
            return
        self._idle.clear()
        connecting = list(self._connecting)
        for task in connecting:
            task.cancel()
        await asyncio.gather(*connecting, return_exceptions=True)
        connections = list(self._all)
        for one in connections:
            one.abort()
        for one in connections:
            await one.wait_closed()

    def give_back(self, connection: AsyncConnection) -> None:
        """Take a connection back whose exchange is over, for the next one."""
        if connection.finish() and len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.abort()

    def _take_idle(self) -> AsyncConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> AsyncConnection:
        route = self._route
        connecting = asyncio.create_task(
            AsyncConnection.open(route.target, route.tls, route.settings.timeout, self._all)
        )
        self._connecting.add(connecting)
        try:
            return await connecting
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if caller is not None and not caller.cancelling():
                route.lifetime.check()  # raises: it was `aclose` that ended the wait
            if connecting.done() and not connecting.cancelled() and not connecting.exception():
                connecting.result().abort()  # it came at the same moment
            raise
        finally:
            self._connecting.discard(connecting)


class DirectWire:
    """The blocking form of :class:`DirectAsyncWire`."""

    def __init__(self, route: Route) -> None:
        self._route: Final = route
        self._closed: Final = threading.Event()
        self._lock: Final = threading.Lock()
        self._idle: list[Connection] = []
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def open(self, request: Request) -> _Answer:
        """Send a request and return once the head of the answer is here."""
        route = self._route
        route.lifetime.check()
        own = route.given.ask()
        head, timeout = route.head(request, own), route.settings.waits(request)
        connection = self._take_idle() or Connection.open(
            route.target,
            route.tls,
            route.settings.timeout,
            register=self._register,
            lifetime=route.lifetime,
        )
        try:
            incoming = connection.exchange(request.method, head, request.body, timeout)
        except BaseException:
            connection.close()
            raise
        return _Answer(self, connection, incoming, timeout)

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the wire is closed."""
        self._closed.wait(seconds)

    def amend(self, amended: Retry) -> None:
        """Send other headers and parameters from now on."""
        self._route.given = self._route.given.amended(amended)

    def close(self) -> None:
        """Close all connections, and end the waits of other threads for them."""
        with self._lock:
            is_first = self._route.lifetime.end()
            idle, self._idle = self._idle, []
            sockets = list(self._sockets)
        self._closed.set()
        if is_first:
            for one in sockets:
                shut_down(one)
        for connection in idle:
            connection.close()

    def give_back(self, connection: Connection) -> None:
        """Take a connection back whose exchange is over, for the next one."""
        done_with = [connection]
        with self._lock:
            while self._idle and not self._idle[0].is_usable:  # the one that was idle the longest
                done_with.append(self._idle.pop(0))
            if connection.finish() and not self._closed.is_set() and len(self._idle) < _MOST_IDLE:
                self._idle.append(done_with.pop(0))
        for one in done_with:
            one.close()

    def _take_idle(self) -> Connection | None:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None or connection.is_usable:
                return connection
            connection.close()

    def _register(self, made: socket.socket) -> None:
        with self._lock:
            self._route.lifetime.check()
            self._sockets.add(made)


class _AsyncAnswer:
    def __init__(
        self,
        wire: DirectAsyncWire,
        connection: AsyncConnection,
        incoming: Incoming,
        timeout: float,
    ) -> None:
        self.status = incoming.status
        self.headers: Mapping[str, str] = incoming.headers
        self._wire = wire
        self._connection: AsyncConnection | None = connection
        self._timeout = timeout

    async def receive(self) -> bytes:
        return b"" if self._connection is None else await self._connection.receive(self._timeout)

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._wire.give_back(connection)


class _Answer:
    def __init__(
        self, wire: DirectWire, connection: Connection, incoming: Incoming, timeout: float
    ) -> None:
        self.status = incoming.status
        self.headers: Mapping[str, str] = incoming.headers
        self._wire = wire
        self._connection: Connection | None = connection
        self._timeout = timeout

    def receive(self) -> bytes:
        return b"" if self._connection is None else self._connection.receive(self._timeout)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._wire.give_back(connection)
