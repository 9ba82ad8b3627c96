"""What both kinds of connections ask of a socket, past its usual methods."""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress


def has_news(one: socket.socket) -> bool:
    """Whether there is something to read, here and now: data, the end, or an error.

    On a connection that nobody uses it is the end, or an answer that nobody asked for.
    """
    if isinstance(one, ssl.SSLSocket) and one.pending():
        return True  # read from the network already, and decrypted
    poll = select.poll()
    poll.register(one.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def wait_until_ready(one: socket.socket, seconds: float) -> bool:
    """Wait until bytes can be sent or have come; False if neither happens in time."""
    poll = select.poll()
    poll.register(one.fileno(), select.POLLIN | select.POLLOUT)
    return bool(poll.poll(1000 * seconds))


def shut_down(one: socket.socket) -> None:
    """Wake the threads that wait for a socket; closing it does not."""
    with suppress(OSError):  # not connected yet, or closed by the peer
        one.shutdown(socket.SHUT_RDWR)
