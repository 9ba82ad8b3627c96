"""Appends of one handle that come at once go together: one request is under way, the rest wait.

Who comes first is sent alone and at once; what comes meanwhile is collected for the next request
(CLIENT-29). So the order of appends is the order on the stream, and many small appends cost few
requests. Each caller gets the outcome of its own values: what the server refuses as a whole is sent
again caller by caller.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from streamdb.errors import ConnectionFailed, HandleClosed, StreamError
from streamdb.protocol.answers import may_be_of_the_body
from streamdb.protocol.exchange import Operation
from streamdb.protocol.results import Appended

T = TypeVar("T")

_MOST_TOGETHER: Final = 1024 * 1024  # bytes of a joint request


@dataclass(slots=True, eq=False)
class Piece:
    """What one caller appends.

    Attributes:
        texts: its values, as they stand on the wire.
        seq: its `Stream-Seq`. It then goes alone: a joint request has only one, and the server
            would not see those before it.
        outcome: what came of it, in the end; None if its request was given up.
        is_settled: True once its request is over.
    """

    texts: Sequence[bytes]
    seq: str | None = None
    outcome: Appended | Exception | None = field(init=False, default=None)
    is_settled: bool = field(init=False, default=False)

    def result(self) -> Appended:
        """Return or raise the outcome."""
        if isinstance(self.outcome, Appended):
            return self.outcome
        raise self.outcome or ConnectionFailed(
            "append: the request was given up; whether the data was stored is unknown"
        )


Send = Callable[[Sequence[bytes], str | None], Operation[Appended]]


def append_together(pieces: Sequence[Piece], send: Send) -> Operation[None]:
    """Send pieces in one request, and note the outcome of each."""
    texts = [text for piece in pieces for text in piece.texts]
    outcome: Appended | Exception
    try:
        outcome = yield from send(texts, pieces[0].seq)
    except StreamError as refusal:
        if len(pieces) > 1 and may_be_of_the_body(refusal):  # the others' values may be fine
            for piece in pieces:
                yield from append_together([piece], send)
            return
        outcome = refusal
    except Exception as error:  # noqa: BLE001 - each caller raises it
        outcome = error
    note(pieces, outcome)


def note(pieces: Iterable[Piece], outcome: Appended | Exception) -> None:
    """Give an outcome to each piece that has none. An error is raised by several callers at once,
    which must not write their tracebacks into the same one.
    """
    open_ones = [piece for piece in pieces if piece.outcome is None]
    for number, piece in enumerate(open_ones):
        if number > 0 and not isinstance(outcome, Appended):
            piece.outcome = _copy_of(outcome)
        else:
            piece.outcome = outcome


def _copy_of(error: Exception) -> Exception:
    try:
        # Not by its constructor, as `copy.copy` would: it may want other arguments than `args`.
        copied = type(error).__new__(type(error), *error.args)
    except Exception:  # noqa: BLE001 - an error of the caller's, made in its own way
        return error
    copied.__dict__.update(error.__dict__)
    copied.__cause__ = error.__cause__ or error
    return copied


class AsyncAppends:
    """The appends of an :class:`AsyncStream`."""

    def __init__(self, run: Callable[[Operation[None]], Awaitable[None]], send: Send) -> None:
        self._run: Final = run
        self._send: Final = send
        self._is_busy = False
        self._waiting: deque[tuple[Piece, asyncio.Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def append(self, piece: Piece) -> Appended:
        """Send a piece, now or with others as soon as what is under way is answered.

        Who is cancelled while waiting has appended nothing; who is cancelled while the own request
        is under way gives it up. A joint request goes on for the others.
        """
        if self._is_busy:
            waiter = piece, asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter[1]
            except asyncio.CancelledError:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
                raise
        else:
            self._is_busy = True
            try:
                await self._run(append_together([piece], self._send))
            finally:
                self._go_on()
        return piece.result()

    def _go_on(self) -> None:
        if self._waiting:
            self._task = asyncio.get_running_loop().create_task(self._send_waiting())
        else:
            self._is_busy = False

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                group = _next_group(self._waiting, lambda waiter: waiter[0])
                pieces = [piece for piece, _ in group]
                try:
                    await self._run(append_together(pieces, self._send))
                except Exception as error:  # noqa: BLE001 - a header that cannot be sent, a handler
                    note(pieces, error)
                finally:
                    for _, done in group:
                        if not done.done():
                            done.set_result(None)
        finally:
            self._is_busy = False

    async def aclose(self) -> None:
        """Give up what is under way, and fail what waits."""
        while self._waiting:
            piece, done = self._waiting.popleft()
            piece.outcome = HandleClosed("append: the handle was closed; nothing was sent")
            if not done.done():
                done.set_result(None)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


class Appends:
    """The appends of a :class:`Stream`: threads that come at once share requests.

    The thread that has waited longest sends its piece, with those that came after it. So a failure
    or an interruption of a thread is never in the midst of the values of others alone.
    """

    def __init__(self, run: Callable[[Operation[None]], None], send: Send) -> None:
        self._run: Final = run
        self._send: Final = send
        self._changed = threading.Condition()
        self._is_busy = False
        self._waiting: deque[Piece] = deque()  # in the order of arrival

    def append(self, piece: Piece) -> Appended:
        """Send a piece, or wait until another thread has sent it with its own."""
        group = self._wait_for_turn(piece)
        if group:
            try:
                self._run(append_together(group, self._send))
            except Exception as error:  # noqa: BLE001 - a header that cannot be sent, a handler
                note(group, error)
            finally:
                with self._changed:
                    for one in group:
                        one.is_settled = True
                    self._is_busy = False
                    self._changed.notify_all()
        return piece.result()

    def _wait_for_turn(self, piece: Piece) -> list[Piece]:
        """Return what to send now; nothing if another thread has sent this piece, too."""

        def may_go_on() -> bool:
            return piece.is_settled or (not self._is_busy and self._waiting[0] is piece)

        with self._changed:
            try:
                self._waiting.append(piece)
                self._changed.wait_for(may_go_on)
            except BaseException:  # interrupted: nothing of it was sent, or it goes with others
                if piece in self._waiting:
                    self._waiting.remove(piece)
                    self._changed.notify_all()
                raise
            if piece.is_settled:
                return []
            self._is_busy = True
            return _next_group(self._waiting, lambda waiting: waiting)


def _next_group(waiting: deque[T], piece_of: Callable[[T], Piece]) -> list[T]:
    """Take as many from the front as go into one request."""
    group = [waiting.popleft()]
    first = piece_of(group[0])
    size = sum(map(len, first.texts))
    while first.seq is None and waiting:
        piece = piece_of(waiting[0])
        size += sum(map(len, piece.texts))
        if piece.seq is not None or size > _MOST_TOGETHER:
            break
        group.append(waiting.popleft())
    return group
