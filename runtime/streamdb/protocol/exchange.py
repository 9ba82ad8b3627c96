"""How protocol logic asks for I/O without doing any: requests, replies and effects.

An *operation* is a generator. It yields effects ("send this", "sleep so long", "deliver this
batch"), is sent back what came of them, and returns its result. The drivers in
:mod:`streamdb.streams` carry effects out, once for asyncio and once for blocking code; tests play
the server with plain values.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from streamdb.errors import StreamError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to the stream's own URL."""

    method: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    #: True if the server may hold the answer back until there is something to say.
    patient: bool = False


class Reply(NamedTuple):
    """An answer. Header names are in lower case; the body is empty if it is received in pieces."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class NoReply(NamedTuple):
    """The connection failed or broke: whether the server acted is unknown.

    ``is_timeout`` is True if the server was reached and said nothing in time; ``was_sent`` is False
    if there was no connection, so that the server has not acted.
    """

    reason: str
    is_timeout: bool = False
    was_sent: bool = True


@dataclass(frozen=True, slots=True)
class Exchange:
    """Send a request and wait for the whole answer: ``Reply | NoReply``."""

    request: Request


@dataclass(frozen=True, slots=True)
class Open:
    """Send a request and wait for the head of the answer only: ``Reply | NoReply``."""

    request: Request


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for the next piece of the open body: ``bytes`` (empty at its end) or ``NoReply``."""


@dataclass(frozen=True, slots=True)
class Release:
    """Give the open answer up."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What one answer, or one control event of SSE, confirms (ATOM-1).

    Attributes:
        parts: the data, in pieces as they came; for JSON each piece is one JSON text.
        offset: where to read next.
        cursor: the cache cursor to echo, if the server gave one.
        up_to_date: True if there was nothing more at that moment.
        closed: True if there will never be more.
        content_type: the stream's media type, without parameters.
    """

    parts: tuple[bytes, ...]
    offset: str
    cursor: str | None
    up_to_date: bool
    closed: bool
    content_type: str

    @property
    def data(self) -> bytes:
        """The bytes of the batch."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand a batch to the reader; the operation goes on when the reader asks for more."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Tell that a request failed, for the so-manieth time in a row, and is repeated.

    Attributes:
        doing: what it was sent for, such as "append": of one stream, several may fail at once.
        reason: what happened; without secrets.
        retry_in: seconds until the next try.
        failures: how often it failed in a row, this time included.
    """

    doing: str
    reason: str
    retry_in: float
    failures: int = 1


@dataclass(frozen=True, slots=True)
class Consult:
    """Ask the caller's handler whether to go on after an error: ``bool``."""

    error: StreamError


Effect = Exchange | Open | Receive | Release | Sleep | Deliver | Interrupted | Consult
Answer = Reply | NoReply | bytes | bool | None
Operation = Generator[Effect, Answer, T]


def exchange(request: Request) -> Operation[Reply | NoReply]:
    """Yield :class:`Exchange` and return its answer, typed."""
    answer = yield Exchange(request)
    assert isinstance(answer, Reply | NoReply)  # noqa: S101 - the drivers' contract
    return answer


def open_reply(request: Request) -> Operation[Reply | NoReply]:
    """Yield :class:`Open` and return its answer, typed."""
    answer = yield Open(request)
    assert isinstance(answer, Reply | NoReply)  # noqa: S101 - the drivers' contract
    return answer


def consult(error: StreamError) -> Operation[bool]:
    """Yield :class:`Consult` and return its answer, typed."""
    answer = yield Consult(error)
    assert isinstance(answer, bool)  # noqa: S101 - the drivers' contract
    return answer


def pause(told: Interrupted) -> Operation[None]:
    """Tell of an interruption, and wait as long as it says."""
    yield told
    yield Sleep(told.retry_in)


def receive() -> Operation[bytes | NoReply]:
    """Yield :class:`Receive` and return its answer, typed."""
    answer = yield Receive()
    assert isinstance(answer, bytes | NoReply)  # noqa: S101 - the drivers' contract
    return answer
