"""A proxy that damages what goes through it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

from tests.faults.client_side import Client
from tests.faults.damage import damaged
from tests.faults.kinds import (
    AnswerTo,
    BrokenChunks,
    Busy,
    CutAnswer,
    CutRequest,
    DeliverAgain,
    DeliverTwice,
    Fault,
    Fine,
    LoseAnswer,
    Refuse,
    RefuseWrite,
    Replay,
    Rubbish,
    Silent,
    Slow,
    Stall,
    WrongLength,
)
from tests.faults.old_answers import OldAnswers
from tests.faults.request import HEAD_END, Request
from tests.faults.server_side import ask, send_part


@asynccontextmanager
async def proxy(target: str, faults: Iterable[Fault] = ()) -> AsyncGenerator[Proxy]:
    """Run a proxy in front of a server's stream root on the running loop."""
    made = Proxy(target, faults)
    listener = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listener.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        # A connection that is just being accepted when a listener closes is never closed.
        await asyncio.sleep(0.01)
        listener.close()
        await made.trouble()
        await made.settle()


class Proxy:
    """Forwards requests; each of the first ones meets its fault, all later ones fare well.

    ``heads`` are those of the requests as they came. ``delivering`` is held while a request reaches
    the server twice: who holds it comes before the first time, or after the second.
    """

    def __init__(self, target: str, faults: Iterable[Fault] = ()) -> None:
        self._target = urlsplit(target)
        self._faults = iter(faults)
        self._faults_of_posts: Iterator[Fault] = iter(())
        self._posted: set[bytes] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._strays: set[asyncio.Task[None]] = set()
        self._old_answers = OldAnswers()
        self.heads: list[bytes] = []
        self.delivering = asyncio.Lock()
        self.port = 0

    def url(self, name: str, *, credentials: str = "", query: str = "") -> str:
        """Return the URL of a stream behind this proxy."""
        host = f"{credentials}@127.0.0.1:{self.port}" if credentials else f"127.0.0.1:{self.port}"
        return urlunsplit(("http", host, self._target.path + name, query, ""))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        client = Client(reader, writer)
        with suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            is_kept = True
            while is_kept:
                request = await client.request()
                self.heads.append(request.head)
                is_kept = await self._meet(self._next_fault(request), request, client)
        writer.close()

    async def trouble(self, faults: Iterable[Fault] = ()) -> None:
        """Break all connections; the next requests meet these faults."""
        self._faults = iter(faults)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)

    def trouble_posts(self, faults: Iterable[Fault]) -> None:
        """Have the next POSTs meet these faults, whatever other requests meet."""
        self._faults_of_posts = iter(faults)

    async def settle(self) -> None:
        """Wait until the server has had all strays."""
        await asyncio.gather(*self._strays)

    def _next_fault(self, request: Request) -> Fault:
        fault = next(self._faults_of_posts, None) if request.method == "POST" else None
        return next(self._faults, Fine()) if fault is None else fault

    async def _meet(self, fault: Fault, request: Request, client: Client) -> bool:
        """Answer a request or not; return whether the connection lives on."""
        is_new_post = request.method == "POST" and request.body not in self._posted
        match fault:
            case RefuseWrite(status) if is_new_post:
                return await client.refuse(status)
            case AnswerTo(content, status) if content in request.body:
                return await client.refuse(status)
            case Refuse():
                return False
            case CutRequest(after) if after < len(request.raw):
                await send_part(self._target, request.raw[:after])
                return False
            case LoseAnswer():
                self._posted.add(request.body)
                async with aclosing(ask(self._target, request)) as events:
                    await anext(events)
                return False
            case Busy(status, retry_after):
                again = f"Retry-After: {retry_after}\r\n" if retry_after else ""
                head = f"HTTP/1.1 {status} Trouble\r\n{again}Content-Length: 4\r\nConnection: close"
                await client.send(head.encode() + HEAD_END + b"busy")
                return False
            case Rubbish():
                await client.send(b"\x16\x03\x01 what is this?" + HEAD_END)
                return False
            case Silent():
                await client.leave()
                return False
            case Replay() if (old := self._old_answers.find(request)) is not None:
                await client.send(old)
                return True
            case DeliverTwice() if not request.live:
                self._posted.add(request.body)  # before the client may leave
                async with self.delivering:
                    await self._deliver(request, after=0)
                    return await self._relay(fault, request, client)
            case DeliverAgain(seconds) if not request.live:
                stray = asyncio.create_task(self._deliver(request, after=seconds))
                self._strays.add(stray)
                stray.add_done_callback(self._strays.discard)
            case _:
                pass  # it is about the answer
        self._posted.add(request.body)
        return await self._relay(fault, request, client)

    async def _deliver(self, request: Request, *, after: float) -> None:
        await asyncio.sleep(after)
        with suppress(OSError):
            async with aclosing(ask(self._target, request)) as events:
                async for _ in events:
                    pass

    async def _relay(self, fault: Fault, request: Request, client: Client) -> bool:
        relay = asyncio.create_task(self._relay_answer(fault, request, client))
        leave = asyncio.create_task(client.leave())
        try:
            await asyncio.wait({relay, leave}, return_when="FIRST_COMPLETED")
            return relay.done() and relay.result()
        finally:
            for task in (relay, leave):
                task.cancel()
            await asyncio.gather(relay, leave, return_exceptions=True)

    async def _relay_answer(self, fault: Fault, request: Request, client: Client) -> bool:
        left = fault.after if isinstance(fault, CutAnswer | Stall) else sys.maxsize
        sent: list[bytes] = []
        async with (
            aclosing(ask(self._target, request)) as events,
            aclosing(damaged(fault, request, events)) as pieces,
        ):
            async for piece in pieces:
                if isinstance(fault, Slow):
                    await asyncio.sleep(fault.seconds)
                await client.send(piece[:left])
                left -= len(piece)
                if left <= 0:
                    break
                if request.live != "sse":  # such an answer may have no end
                    sent.append(piece)
        if left <= 0:
            if isinstance(fault, Stall):
                await asyncio.Event().wait()  # until the client leaves
            return False
        if isinstance(fault, Fine):
            self._old_answers.keep(request, b"".join(sent))
        return not isinstance(fault, WrongLength | BrokenChunks)
