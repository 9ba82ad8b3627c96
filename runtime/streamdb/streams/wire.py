"""What a driver needs from the layer that moves bytes: open a request, receive, give up.

Three implementations stand behind it: :mod:`streamdb.streams.direct_wire` over sockets,
:mod:`streamdb.streams.httpx_wire` over httpx, and :mod:`streamdb.streams.embedded_wire` straight
into the server's application in this process. :mod:`streamdb.streams.wires` chooses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from streamdb.protocol.exchange import Request

Value = str | Callable[[], str] | Callable[[], Awaitable[str]]
Headers = Mapping[str, Value]
Params = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class WireSettings:
    """What the caller says of all requests of a handle.

    Attributes:
        headers: sent with every request.
        params: query parameters, likewise.
        timeout: seconds to connect, to send and to be answered.
        idle_timeout: seconds without a sign of life where the server may hold the answer back.
    """

    headers: Headers
    params: Params
    timeout: float
    idle_timeout: float

    def waits(self, request: Request) -> float:
        """Seconds to wait for each sign of life of the server."""
        return self.idle_timeout if request.patient else self.timeout


class WireFailure(Exception):
    """The connection failed or broke; the text says how."""

    def __init__(self, reason: str, *, is_timeout: bool = False, was_sent: bool = True) -> None:
        super().__init__(reason)
        self.is_timeout = is_timeout
        self.was_sent = was_sent


@dataclass(frozen=True, slots=True)
class Retry:
    """What an error handler returns to have a request repeated.

    Attributes:
        headers: sent from now on in place of those of the same name; values as in the options.
        params: query parameters, likewise.
    """

    headers: Headers = field(default_factory=dict[str, Value])
    params: Params = field(default_factory=dict[str, Value])


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

    def amend(self, amended: Retry) -> None:
        """Send other headers and parameters from now on."""
        ...

    async def open(self, request: Request) -> AsyncAnswer:
        """Send a request and return once the head of the answer is here. Raises WireFailure."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the wire is closed."""
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

    def amend(self, amended: Retry) -> None:
        """Send other headers and parameters from now on."""
        ...

    def open(self, request: Request) -> Answer:
        """Send a request and return once the head of the answer is here. Raises WireFailure."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the wire is closed."""
        ...

    def close(self) -> None:
        """Release all that is held."""
        ...
