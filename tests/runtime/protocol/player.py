"""Plays the server, and time, for one operation: plain values instead of I/O."""

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from streamdb.errors import StreamError
from streamdb.protocol.exchange import (
    Answer,
    Batch,
    Consult,
    Deliver,
    Exchange,
    Interrupted,
    NoReply,
    Open,
    Operation,
    Receive,
    Release,
    Reply,
    Request,
    Sleep,
)

T = TypeVar("T")
URL = "http://server/v1/stream/s"
LOST = NoReply("the connection broke")


def reply(
    status: int = 200,
    body: bytes = b"",
    *,
    next: str | None = None,
    up_to_date: bool = False,
    closed: bool = False,
    cursor: str | None = None,
    content_type: str | None = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Build an answer the way a server would."""
    found = {
        "content-type": content_type,
        "stream-next-offset": next,
        "stream-up-to-date": "true" if up_to_date else None,
        "stream-closed": "true" if closed else None,
        "stream-cursor": cursor,
        **(headers or {}),
    }
    return Reply(status, {name: value for name, value in found.items() if value is not None}, body)


class Player(Generic[T]):
    """Runs an operation against answers given beforehand, and notes what it asks for.

    Answers are used up by `Exchange`, `Open` and `Receive`; when there are none left, the operation
    is closed, as a reader who has seen enough would.
    """

    def __init__(
        self,
        operation: Operation[T],
        answers: Iterable[Reply | NoReply | bytes],
        *,
        handler: Iterable[bool] = (),
    ) -> None:
        self._operation = operation
        self.answers = iter(answers)
        self.handler = iter(handler)
        self.consulted: list[StreamError] = []
        self.requests: list[Request] = []
        self.sleeps: list[float] = []
        self.batches: list[Batch] = []
        self.interruptions: list[Interrupted] = []
        self.is_open = False
        self.is_finished = False

    def run(self) -> T | None:
        """Return the operation's result, or None if the answers ended first."""
        answer: Answer = None
        try:
            while True:
                effect = self._operation.send(answer)
                answer = None
                match effect:
                    case Exchange(request) | Open(request):
                        assert not self.is_open, "an answer was left open"
                        self.requests.append(request)
                        answer = next(self.answers, None)
                        self.is_open = isinstance(effect, Open) and isinstance(answer, Reply)
                    case Consult(error):
                        self.consulted.append(error)
                        answer = next(self.handler, False)
                    case Receive():
                        assert self.is_open
                        answer = next(self.answers, None)
                    case Release():
                        self.is_open = False
                    case Sleep(seconds):
                        self.sleeps.append(seconds)
                    case Deliver(batch):
                        self.batches.append(batch)
                    case Interrupted():
                        self.interruptions.append(effect)
                if answer is None and isinstance(effect, Exchange | Open | Receive):
                    self._operation.close()
                    return None
        except StopIteration as stop:
            self.is_finished = True
            result: T = stop.value
            return result

    @property
    def offsets_asked(self) -> list[str]:
        return [request.params["offset"] for request in self.requests]

    @property
    def modes_asked(self) -> list[str | None]:
        return [request.params.get("live") for request in self.requests]


def play(operation: Operation[T], *answers: Reply | NoReply | bytes) -> Player[T]:
    """Run an operation and return what was noted."""
    player = Player(operation, answers)
    player.run()
    return player
