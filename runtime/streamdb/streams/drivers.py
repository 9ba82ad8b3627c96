"""Carries out the effects of protocol operations, for asyncio and for blocking code.

All decisions are made in :mod:`streamdb.protocol`; what is here only sends, receives and sleeps.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import TypeVar

from streamdb.errors import StreamError
from streamdb.protocol.exchange import (
    Answer,
    Batch,
    Consult,
    Deliver,
    Effect,
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
from streamdb.streams import wire as wires

T = TypeVar("T")

Tell = Callable[[Interrupted], object]
Ask = Callable[[StreamError], Awaitable[bool]]
AskBlocking = Callable[[StreamError], bool]


async def run(operation: Operation[T], wire: wires.AsyncWire, tell: Tell, ask: Ask) -> T:
    """Carry an operation out to its end and return its result; interruptions are told."""
    hands = _AsyncHands(wire)
    answer: Answer = None
    try:
        while True:
            try:
                effect = operation.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = None
            if isinstance(effect, Interrupted):
                tell(effect)
            elif isinstance(effect, Consult):
                answer = await ask(effect.error)
            else:
                answer = await hands.carry_out(effect)
    finally:
        operation.close()
        await hands.aclose()


async def deliver(
    operation: Operation[None], wire: wires.AsyncWire, ask: Ask
) -> AsyncGenerator[Batch | Interrupted]:
    """Carry a read out, yielding what it delivers."""
    hands = _AsyncHands(wire)
    answer: Answer = None
    try:
        while True:
            try:
                effect = operation.send(answer)
            except StopIteration:
                return
            answer = None
            if isinstance(effect, Deliver):
                yield effect.batch
            elif isinstance(effect, Interrupted):
                yield effect
            elif isinstance(effect, Consult):
                answer = await ask(effect.error)
            else:
                answer = await hands.carry_out(effect)
    finally:
        operation.close()
        await hands.aclose()


def run_blocking(operation: Operation[T], wire: wires.Wire, tell: Tell, ask: AskBlocking) -> T:
    """Carry an operation out to its end and return its result; interruptions are told."""
    hands = _Hands(wire)
    answer: Answer = None
    try:
        while True:
            try:
                effect = operation.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = None
            if isinstance(effect, Interrupted):
                tell(effect)
            elif isinstance(effect, Consult):
                answer = ask(effect.error)
            else:
                answer = hands.carry_out(effect)
    finally:
        operation.close()
        hands.close()


def deliver_blocking(
    operation: Operation[None], wire: wires.Wire, ask: AskBlocking
) -> Generator[Batch | Interrupted]:
    """Carry a read out, yielding what it delivers."""
    hands = _Hands(wire)
    answer: Answer = None
    try:
        while True:
            try:
                effect = operation.send(answer)
            except StopIteration:
                return
            answer = None
            if isinstance(effect, Deliver):
                yield effect.batch
            elif isinstance(effect, Interrupted):
                yield effect
            elif isinstance(effect, Consult):
                answer = ask(effect.error)
            else:
                answer = hands.carry_out(effect)
    finally:
        operation.close()
        hands.close()


class _AsyncHands:
    """The I/O of one operation: holds the one answer that may be open."""

    def __init__(self, wire: wires.AsyncWire) -> None:
        self._wire = wire
        self._open: wires.AsyncAnswer | None = None

    async def carry_out(self, effect: Effect) -> Answer:
        try:
            match effect:
                case Exchange(request):
                    return await self._exchange(request)
                case Open(request):
                    self._open = await self._wire.open(request)
                    return Reply(self._open.status, self._open.headers)
                case Receive():
                    return await self._open.receive() if self._open else b""
                case Release():
                    await self.aclose()
                case Sleep(seconds):
                    await self._wire.sleep(seconds)
                case Deliver() | Interrupted() | Consult():
                    pass  # nobody is reading
        except wires.WireFailure as failure:
            return NoReply(str(failure), failure.is_timeout, failure.was_sent)
        return None

    async def _exchange(self, request: Request) -> Reply:
        answer = await self._wire.open(request)
        try:
            pieces: list[bytes] = []
            while piece := await answer.receive():
                pieces.append(piece)
            return Reply(answer.status, answer.headers, b"".join(pieces))
        finally:
            await answer.aclose()

    async def aclose(self) -> None:
        answer, self._open = self._open, None
        if answer is not None:
            await answer.aclose()


class _Hands:
    """The blocking form of :class:`_AsyncHands`."""

    def __init__(self, wire: wires.Wire) -> None:
        self._wire = wire
        self._open: wires.Answer | None = None

    def carry_out(self, effect: Effect) -> Answer:
        try:
            match effect:
                case Exchange(request):
                    return self._exchange(request)
                case Open(request):
                    self._open = self._wire.open(request)
                    return Reply(self._open.status, self._open.headers)
                case Receive():
                    return self._open.receive() if self._open else b""
                case Release():
                    self.close()
                case Sleep(seconds):
                    self._wire.sleep(seconds)
                case Deliver() | Interrupted() | Consult():
                    pass  # nobody is reading
        except wires.WireFailure as failure:
            return NoReply(str(failure), failure.is_timeout, failure.was_sent)
        return None

    def _exchange(self, request: Request) -> Reply:
        answer = self._wire.open(request)
        try:
            pieces: list[bytes] = []
            while piece := answer.receive():
                pieces.append(piece)
            return Reply(answer.status, answer.headers, b"".join(pieces))
        finally:
            answer.close()

    def close(self) -> None:
        answer, self._open = self._open, None
        if answer is not None:
            answer.close()
