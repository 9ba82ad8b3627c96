"""Real trouble for clients: a proxy that damages what goes through it.

Faults are data. Each request that comes meets the next one of its proxy; when they are used up,
all is well.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit, urlunsplit

import h11
from hypothesis import strategies as st

_HEAD_END = b"\r\n\r\n"
_LARGEST_KEPT = 1 << 20  # bytes of an old answer
# What a client can check for itself: a byte of another medium may be what was written.
_CHECKABLE = ("application/json", "text/event-stream")


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

# The head of an answer is some 500 bytes long.
_LENGTHS = st.integers(0, 900) | st.integers(0, 30_000)
_BUSY = st.builds(Busy, st.sampled_from([429, 500, 502, 503]), st.sampled_from(["0", "", "soon"]))
_OF_CONNECTIONS: list[st.SearchStrategy[Fault]] = [
    st.just(Fine()),
    st.just(Refuse()),
    st.builds(CutRequest, st.integers(0, 800)),
    st.builds(CutAnswer, _LENGTHS),
    st.just(LoseAnswer()),
    _BUSY,
    st.just(Rubbish()),
    st.builds(Slow, st.sampled_from([0.001, 0.01])),
    st.builds(DeliverAgain, st.sampled_from([0.0, 0.01, 0.05])),
    st.just(DeliverTwice()),
    st.just(Replay()),
]
_OF_BODIES: list[st.SearchStrategy[Fault]] = [
    st.builds(SpoilBody, st.integers(0, 400) | st.integers(0, 5_000)),
    st.builds(ShortenBody, st.integers(1, 3) | st.integers(1, 5_000)),
    st.builds(WrongLength, st.integers(-300, 300)),
    st.builds(BrokenChunks, st.integers(0, 2)),
    st.builds(EndEvents, st.integers(0, 3)),
]
# They cost as long as the client waits: drawn less often.
_OF_SILENCE: list[st.SearchStrategy[Fault]] = [st.just(Silent()), st.builds(Stall, _LENGTHS)]


def faults(max_size: int = 12) -> st.SearchStrategy[list[Fault]]:
    """Draw the faults of a proxy; a burst of one status counts as one of them."""
    bursts = st.builds(lambda busy, times: [busy] * times, _BUSY, st.integers(2, 8))
    one = st.one_of(*_OF_CONNECTIONS, *_OF_BODIES).map(lambda fault: [fault])
    silent = st.one_of(_OF_SILENCE).map(lambda fault: [fault])
    groups = st.lists(st.one_of(one, one, one, one, bursts, silent), max_size=max_size)
    return groups.map(lambda groups: [fault for group in groups for fault in group])


@dataclass(frozen=True)
class _Request:
    head: bytes
    body: bytes

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    @property
    def raw(self) -> bytes:
        return self.head + _HEAD_END + self.body

    @property
    def offset(self) -> str:
        return parse_qs(urlsplit(self.target).query).get("offset", [""])[0]

    @property
    def live(self) -> str:
        return parse_qs(urlsplit(self.target).query).get("live", [""])[0]


class _Client:
    """A connection from a client; that it leaves is noticed at any time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ahead = b""

    async def request(self) -> _Request:
        read = await self._reader.readuntil(_HEAD_END)
        head = (self._ahead + read).removesuffix(_HEAD_END)
        self._ahead = b""
        length = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
        return _Request(head, await self._reader.readexactly(int(length[1])) if length else b"")

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def refuse(self, status: int) -> bool:
        """Answer with a status, and end the connection."""
        head = f"HTTP/1.1 {status} Refused\r\nContent-Length: 2\r\nConnection: close"
        await self.send(head.encode() + _HEAD_END + b"no")
        return False

    async def leave(self) -> None:
        """Return when the client has left, and not before."""
        self._ahead += await self._reader.read(1)
        if self._ahead:  # it did not wait for the rest of an answer
            await asyncio.Event().wait()


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
        self._old_answers: dict[tuple[str, str], deque[_OldAnswer]] = {}
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
        client = _Client(reader, writer)
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

    def _next_fault(self, request: _Request) -> Fault:
        fault = next(self._faults_of_posts, None) if request.method == "POST" else None
        return next(self._faults, Fine()) if fault is None else fault

    async def _meet(self, fault: Fault, request: _Request, client: _Client) -> bool:
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
                await _send_part(self._target, request.raw[:after])
                return False
            case LoseAnswer():
                self._posted.add(request.body)
                async with aclosing(_ask(self._target, request)) as events:
                    await anext(events)
                return False
            case Busy(status, retry_after):
                again = f"Retry-After: {retry_after}\r\n" if retry_after else ""
                head = f"HTTP/1.1 {status} Trouble\r\n{again}Content-Length: 4\r\nConnection: close"
                await client.send(head.encode() + _HEAD_END + b"busy")
                return False
            case Rubbish():
                await client.send(b"\x16\x03\x01 what is this?" + _HEAD_END)
                return False
            case Silent():
                await client.leave()
                return False
            case Replay() if (old := self._old_answer(request)) is not None:
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

    async def _deliver(self, request: _Request, *, after: float) -> None:
        await asyncio.sleep(after)
        with suppress(OSError):
            async with aclosing(_ask(self._target, request)) as events:
                async for _ in events:
                    pass

    async def _relay(self, fault: Fault, request: _Request, client: _Client) -> bool:
        relay = asyncio.create_task(self._relay_answer(fault, request, client))
        leave = asyncio.create_task(client.leave())
        try:
            await asyncio.wait({relay, leave}, return_when="FIRST_COMPLETED")
            return relay.done() and relay.result()
        finally:
            for task in (relay, leave):
                task.cancel()
            await asyncio.gather(relay, leave, return_exceptions=True)

    async def _relay_answer(self, fault: Fault, request: _Request, client: _Client) -> bool:
        left = fault.after if isinstance(fault, CutAnswer | Stall) else sys.maxsize
        sent: list[bytes] = []
        async with (
            aclosing(_ask(self._target, request)) as events,
            aclosing(_damaged(fault, request, events)) as pieces,
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
            self._keep(request, b"".join(sent))
        return not isinstance(fault, WrongLength | BrokenChunks)

    def _keep(self, request: _Request, answer: bytes) -> None:
        if answer and len(answer) < _LARGEST_KEPT and not answer.startswith(b"HTTP/1.1 304"):
            old = self._old_answers.setdefault((request.method, request.live), deque(maxlen=3))
            old.append(_OldAnswer(request.offset, _next_offset(answer), answer))

    def _old_answer(self, request: _Request) -> bytes | None:
        # Not one to a read from further on, or from before with what is asked for: what it leaves
        # out or doubles, no client could know.
        for old in self._old_answers.get((request.method, request.live), ()):
            if old.begin == request.offset or old.begin < old.end <= request.offset:
                return old.answer
        return None


@dataclass(frozen=True)
class _OldAnswer:
    """What a server answered once: where the data begins, where it ends, and the whole of it."""

    begin: str
    end: str
    answer: bytes


def _next_offset(answer: bytes) -> str:
    found = re.search(rb"\r\nstream-next-offset: *([^\r]*)", answer, re.IGNORECASE)
    return found[1].decode() if found else ""


async def _send_part(target: SplitResult, part: bytes) -> None:
    _, writer = await asyncio.open_connection(target.hostname, target.port)
    writer.write(part)
    await writer.drain()
    writer.close()


_Event = h11.Response | h11.Data


async def _ask(target: SplitResult, request: _Request) -> AsyncGenerator[_Event]:
    """Send a request to the server as it is; yield the head of the answer, and its data."""
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    try:
        writer.write(request.raw)
        parser = h11.Connection(h11.CLIENT)
        parser.send(
            h11.Request(method=request.method, target=request.target, headers=[("Host", "server")])
        )
        parser.send(h11.EndOfMessage())
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(await reader.read(65536))
            elif isinstance(event, _Event):
                yield event
            elif not isinstance(event, h11.InformationalResponse):
                return
    except h11.RemoteProtocolError as broken:  # the server is gone
        raise OSError from broken
    finally:
        writer.close()


async def _damaged(
    fault: Fault, request: _Request, events: AsyncGenerator[_Event]
) -> AsyncGenerator[bytes]:
    """Yield an answer in pieces, head first, with what the fault does to it."""
    answer = await anext(events)
    assert isinstance(answer, h11.Response)
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    length = int(headers.get("content-length", "0"))
    has_body = request.method != "HEAD" and answer.status_code not in (204, 304)
    is_json = headers.get("content-type", "").startswith("application/json")
    kept = sys.maxsize
    match fault:
        case ShortenBody(by) if is_json:
            kept = max(length - by, 0)
            headers["content-length"] = str(kept)
        case WrongLength(by) if has_body and length and (by > 0 or is_json):
            headers["content-length"] = str(max(length + by, 0))
        case BrokenChunks() if has_body and headers.pop("content-length", None):
            headers["transfer-encoding"] = "chunked"
        case _:
            pass
    lines = [f"HTTP/1.1 {answer.status_code} {answer.reason.decode()}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    yield "\r\n".join(lines).encode() + _HEAD_END
    if not has_body:
        return
    is_chunked = "transfer-encoding" in headers
    content_type = headers.get("content-type", "")
    async with aclosing(_pieces(fault, content_type, length, events)) as pieces:
        async for piece in pieces:
            data, kept = piece[:kept], kept - len(piece[:kept])
            yield b"%x\r\n%s\r\n" % (len(data), data) if is_chunked and data else data
    if is_chunked:
        yield b"zz\r\n" if isinstance(fault, BrokenChunks) else b"0\r\n\r\n"


async def _pieces(
    fault: Fault, content_type: str, length: int, events: AsyncGenerator[_Event]
) -> AsyncGenerator[bytes]:
    """Yield the data of an answer, damaged or ended early."""
    is_sse = content_type.startswith("text/event-stream")
    at = -1
    if isinstance(fault, SpoilBody) and content_type.startswith(_CHECKABLE):
        at = fault.at % length if length else fault.at
    ends_early = isinstance(fault, BrokenChunks) or (isinstance(fault, EndEvents) and is_sse)
    last = fault.after if ends_early else sys.maxsize
    number = 0
    async for event in events:
        assert isinstance(event, h11.Data)
        if number >= last:
            return
        data = bytes(event.data)
        if 0 <= at < len(data):
            data = data[:at] + b"\0" + data[at + 1 :]
        at -= len(data)
        number += 1
        yield data


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
