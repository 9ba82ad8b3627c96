"""One TCP or TLS connection to a server, for blocking code: carries one exchange at a time."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

from streamdb.streams import connections
from streamdb.streams.http1_answer import Incoming
from streamdb.streams.http1_request import Target
from streamdb.streams.lifetime import Lifetime
from streamdb.streams.sockets import has_news, wait_until_ready
from streamdb.streams.wire import WireFailure

_MOST_AT_ONCE: Final = 256 * 1024
# A socket that does not wait has nothing to give, or no room.
_NOT_NOW: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

#: Told of every socket before it connects, so that another thread can end the wait for it.
Register = Callable[[socket.socket], None]


class Connection:
    """Sends one request after another, and holds what comes back until it is taken."""

    def __init__(self, connected: socket.socket, lifetime: Lifetime) -> None:
        self._socket: Final = connected
        self._lifetime: Final = lifetime
        self._is_sent = True  # the whole of the last request
        self._incoming: Incoming | None = None
        self._idle_since = 0.0

    @classmethod
    def open(
        cls,
        target: Target,
        tls: ssl.SSLContext | None,
        timeout: float,
        register: Register,
        lifetime: Lifetime,
    ) -> Connection:
        """Connect, within so many seconds for each address of the host.

        Args:
            target: where.
            tls: what the server must prove, for https.
            timeout: seconds.
            register: told of every socket.
            lifetime: that of the wire, whose end is the end of its connections.

        Raises:
            WireFailure: nobody answers there.
        """
        try:
            connected = _connect(target, timeout, register)
            if tls is not None:
                connected = _secure(connected, tls, target.host, register)
            return cls(connected, lifetime)
        except OSError as error:
            raise connections.no_connection(error) from error

    @property
    def is_usable(self) -> bool:
        """Whether another request may be sent, here and now."""
        return time.monotonic() - self._idle_since < connections.IDLE_SECONDS and not has_news(
            self._socket
        )

    def exchange(self, method: str, head: bytes, body: bytes, timeout: float) -> Incoming:
        """Send a request and return once the head of its answer is here. Raises WireFailure.

        The arguments are those of :meth:`AsyncConnection.exchange`.
        """
        self._incoming = incoming = Incoming(method)
        self._is_sent = False
        try:
            self._is_sent = self._send(head + body, incoming, timeout)
        except OSError as error:
            # The server may have answered before it closed: it refuses what is too long.
            self._receive_refusal(incoming, timeout, error)
            return incoming
        while not incoming.has_head:
            self._read(incoming, timeout)
        return incoming

    def receive(self, timeout: float) -> bytes:
        """Return the next piece of the body, empty at its end. Raises WireFailure."""
        incoming = self._incoming
        if incoming is None:
            return b""
        while not (data := incoming.take()):
            if incoming.is_complete:
                return b""
            self._read(incoming, timeout)
        return data

    def finish(self) -> bool:
        """End the exchange; return whether the connection may carry another one."""
        incoming, self._incoming = self._incoming, None
        # What is not sent yet of a request that was refused would be taken for the next one.
        if incoming is None or not incoming.is_reusable or not self._is_sent:
            return False
        self._idle_since = time.monotonic()
        return True

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()

    def _send(self, data: bytes, incoming: Incoming, timeout: float) -> bool:
        """Send all of it and return True, or False if the answer came before: it is a refusal."""
        self._socket.settimeout(0)
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except _NOT_NOW:
                if not wait_until_ready(self._socket, timeout):
                    raise connections.silence(timeout) from None
                self._take_news(incoming)
                if incoming.has_head:
                    return False
        return True

    def _take_news(self, incoming: Incoming) -> None:
        try:
            data = self._socket.recv(_MOST_AT_ONCE)
        except _NOT_NOW:
            return
        self._take(data, incoming)

    def _receive_refusal(self, incoming: Incoming, timeout: float, error: OSError) -> None:
        try:
            while not incoming.has_head:
                self._read(incoming, timeout)
        except WireFailure:
            raise connections.broken(error) from error

    def _read(self, incoming: Incoming, timeout: float) -> None:
        self._socket.settimeout(timeout)
        try:
            data = self._socket.recv(_MOST_AT_ONCE)
        except TimeoutError:
            raise connections.silence(timeout) from None
        except OSError as error:
            raise connections.broken(error) from error
        self._take(data, incoming)

    def _take(self, data: bytes, incoming: Incoming) -> None:
        if data:
            incoming.feed(data)
            return
        if self._lifetime.is_over:  # closed by us, from another thread: no end of an answer
            raise WireFailure("the handle was closed")
        incoming.end()


def _connect(target: Target, timeout: float, register: Register) -> socket.socket:
    addresses = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    refusal: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in addresses:
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(timeout)
            register(made)
            made.connect(address)
            # Requests are small and waited for (as asyncio does).
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            made.close()
            refusal = error
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise refusal


def _secure(
    connected: socket.socket, tls: ssl.SSLContext, host: str, register: Register
) -> ssl.SSLSocket:
    try:
        secured = tls.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
    except BaseException:
        connected.close()
        raise
    try:
        register(secured)
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured
