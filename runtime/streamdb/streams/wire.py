"""What a driver needs from the layer that moves bytes: open a request, receive, give up.

Two implementations stand behind it: :mod:`streamdb.streams.http` over httpx, and
:mod:`streamdb.streams.embedded` straight into the server's application in this process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from streamdb.protocol.exchange import Request


class WireFailure(Exception):
    """The connection failed or broke; the text says how."""

    def __init__(self, reason: str, *, is_timeout: bool = False) -> None:
        super().__init__(reason)
        self.is_timeout = is_timeout


class AsyncAnswer(Protocol):
    """An answer whose body is still to come."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case."""
        ...

    async def receive(self) -> bytes:
        """Return the next piece of the body, empty at its end. Raises WireFailure."""
        ...

    async def aclose(self) -> None:
        """Give the answer up; does nothing the second time."""
        ...


class AsyncWire(Protocol):
    """Opens requests to one stream, for asyncio."""

    async def open(self, request: Request) -> AsyncAnswer:
        """Send a request and return once the head of the answer is here. Raises WireFailure."""
        ...

    async def aclose(self) -> None:
        """Release all that is held."""
        ...


class Answer(Protocol):
    """The blocking form of :class:`AsyncAnswer`."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, names in lower case."""
        ...

    def receive(self) -> bytes:
        """Return the next piece of the body, empty at its end. Raises WireFailure."""
        ...

    def close(self) -> None:
        """Give the answer up; does nothing the second time."""
        ...


class Wire(Protocol):
    """The blocking form of :class:`AsyncWire`."""

    def open(self, request: Request) -> Answer:
        """Send a request and return once the head of the answer is here. Raises WireFailure."""
        ...

    def close(self) -> None:
        """Release all that is held."""
        ...
