"""What may befall a request or its answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fine:
    """Nothing happens to this request."""


@dataclass(frozen=True)
class Refuse:
    """Close the connection at once."""


@dataclass(frozen=True)
class CutRequest:
    """Close the connection after so many bytes from the client, head or body."""

    after: int


@dataclass(frozen=True)
class CutAnswer:
    """Close the connection after so many bytes from the server, in the midst of whatever it is."""

    after: int


@dataclass(frozen=True)
class LoseAnswer:
    """Let the server do what it is asked, and close the connection instead of answering."""


@dataclass(frozen=True)
class Busy:
    """Answer with a status of one's own, and ask nobody."""

    status: int
    retry_after: str = "0"


@dataclass(frozen=True)
class RefuseWrite:
    """Refuse a POST with a status for good, if the server has not had it in an earlier attempt."""

    status: int


@dataclass(frozen=True)
class AnswerTo:
    """Answer what holds some bytes with a status of one's own, and ask nobody."""

    content: bytes
    status: int


@dataclass(frozen=True)
class Rubbish:
    """Answer with what is no HTTP, and ask nobody."""


@dataclass(frozen=True)
class Slow:
    """Hold every piece from the server back for so long."""

    seconds: float


@dataclass(frozen=True)
class Silent:
    """Take the request, and never answer."""


@dataclass(frozen=True)
class Stall:
    """Say nothing any more after so many bytes from the server."""

    after: int


@dataclass(frozen=True)
class SpoilBody:
    """Turn one byte of the body into NUL, where a client can see that it is none of the data."""

    at: int


@dataclass(frozen=True)
class ShortenBody:
    """Leave out the last bytes of JSON, as if it had been no longer: the length fits."""

    by: int


@dataclass(frozen=True)
class WrongLength:
    """Give a length that is so much larger than the body, or smaller for JSON."""

    by: int


@dataclass(frozen=True)
class BrokenChunks:
    """Send the body in chunks, and after some of them what is no chunk."""

    after: int


@dataclass(frozen=True)
class EndEvents:
    """End an SSE connection in good order after so many pieces."""

    after: int


@dataclass(frozen=True)
class DeliverTwice:
    """Have the request reach the server twice; the second answer counts."""


@dataclass(frozen=True)
class DeliverAgain:
    """Have a copy of the request reach the server so much later, as a stray."""

    seconds: float


@dataclass(frozen=True)
class Replay:
    """Give an old answer to an earlier request again, and ask nobody."""


Fault = (
    Fine
    | Refuse
    | CutRequest
    | CutAnswer
    | LoseAnswer
    | Busy
    | RefuseWrite
    | AnswerTo
    | Rubbish
    | Slow
    | Silent
    | Stall
    | SpoilBody
    | ShortenBody
    | WrongLength
    | BrokenChunks
    | EndEvents
    | DeliverTwice
    | DeliverAgain
    | Replay
)
