"""Our own connections against servers that say byte by byte what the tests want."""

import asyncio
import gc
import os
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from streamdb import HandleClosed
from streamdb.protocol.exchange import Request
from streamdb.streams import connections, httpx_wire
from streamdb.streams.address import parse_address
from streamdb.streams.direct_wire import DirectAsyncWire, DirectWire
from streamdb.streams.httpx_wire import HttpxAsyncWire, HttpxWire
from streamdb.streams.wire import AsyncWire, Wire, WireFailure, WireSettings
from streamdb.streams.wires import async_wire, blocking_wire

GET = Request("GET")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TLS = Path(__file__).parent / "tls"  # a key and a certificate for localhost, for tests alone

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class BlockingInThread:
    """A blocking wire behind the methods of an async one."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def open(self, request: Request) -> Any:
        return BlockingInThread(await asyncio.to_thread(self._wire.open, request))  # type: ignore[arg-type] # an answer: it is closed and received from

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._wire, {"aclose": "close"}.get(name, name))
        if not callable(attribute):
            return attribute

        async def call() -> Any:
            return await asyncio.to_thread(attribute)

        return call


Opener = Callable[..., Any]


@pytest.fixture(params=["async", "blocking"])
def wire_to(request: pytest.FixtureRequest) -> Opener:
    @asynccontextmanager
    async def made(port: int, scheme: str = "http", timeout: float = 5.0) -> AsyncGenerator[Any]:
        address = parse_address(
            f"{scheme}://localhost:{port}/s" if scheme == "https" else f"http://127.0.0.1:{port}/s"
        )
        settings = WireSettings({}, {}, timeout, 5.0)
        wire: Any = (
            async_wire(address, settings, None)
            if request.param == "async"
            else BlockingInThread(blocking_wire(address, settings, None))
        )
        try:
            yield wire
        finally:
            await wire.aclose()

    return made


@asynccontextmanager
async def serving(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """Serve connections as ``talk`` says, on a port that is told."""
    tasks: set[asyncio.Task[None]] = set()

    async def talking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await talk(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(talking(reader, writer)))

    async with await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def request_of(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def whole(wire: AsyncWire, request: Request = GET) -> bytes:
    answer = await wire.open(request)
    try:
        body = b""
        while piece := await answer.receive():
            body += piece
        return body
    finally:
        await answer.aclose()


class Counting:
    """Answers every request alike, and counts connections and requests."""

    def __init__(self, answer: bytes = ANSWER, linger: float = 0.0) -> None:
        self.connections = 0
        self.requests = 0
        self._answer = answer
        self._linger = linger

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            await request_of(reader)
            self.requests += 1
            writer.write(self._answer)
            await writer.drain()


async def test_a_connection_is_used_for_one_request_after_another(wire_to: Opener) -> None:
    talk = Counting()
    async with serving(talk) as port, wire_to(port) as wire:
        for _ in range(5):
            assert await whole(wire) == b"ok"
    assert (talk.connections, talk.requests) == (1, 5)


async def test_requests_that_come_at_once_have_connections_of_their_own(wire_to: Opener) -> None:
    talk = Counting()
    async with serving(talk) as port, wire_to(port) as wire:
        answers = [await wire.open(GET) for _ in range(3)]
        assert await whole(wire) == b"ok"
        for answer in answers:
            await answer.aclose()
    assert (talk.connections, talk.requests) == (4, 4)


async def test_an_answer_that_is_given_up_takes_its_connection_along(wire_to: Opener) -> None:
    talk = Counting(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nok")
    async with serving(talk) as port, wire_to(port) as wire:
        for _ in range(2):
            answer = await wire.open(GET)
            assert await answer.receive() == b"ok"
            await answer.aclose()
            await answer.aclose()
    assert talk.connections == 2


@pytest.mark.parametrize(
    "answer",
    [ANSWER + b"more", ANSWER.replace(b"Content", b"Connection: close\r\nContent")],
    ids=["says too much", "closes"],
)
async def test_a_connection_that_is_spoilt_is_not_used_again(
    wire_to: Opener, answer: bytes
) -> None:
    talk = Counting(answer)
    async with serving(talk) as port, wire_to(port) as wire:
        assert [await whole(wire), await whole(wire)] == [b"ok", b"ok"]
    assert talk.connections == 2


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(
    wire_to: Opener,
) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(ANSWER)

    async with serving(once) as port, wire_to(port) as wire:
        for _ in range(3):
            assert await whole(wire) == b"ok"
            await asyncio.sleep(0.05)


async def test_a_long_body_is_held_back_until_it_is_read(wire_to: Opener) -> None:
    """What is not taken must not pile up here: the server feels it."""
    size, sent = 64 << 20, 0

    async def much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size >> 20):
            writer.write(b"x" * (1 << 20))
            await writer.drain()
            sent += 1 << 20

    async with serving(much) as port, wire_to(port) as wire:
        answer = await wire.open(GET)
        await asyncio.sleep(0.2)
        assert sent < size / 2
        got = 0
        while piece := await answer.receive():
            got += len(piece)
        assert got == size
        await answer.aclose()


async def test_a_long_body_is_sent_whole(wire_to: Opener) -> None:
    body, received = os.urandom(3_000_001), bytearray()

    async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        received.extend(await reader.readexactly(len(body)))
        writer.write(ANSWER)

    async with serving(sink) as port, wire_to(port) as wire:
        assert await whole(wire, Request("POST", body=body)) == b"ok"
    assert received == body


REFUSAL = b"HTTP/1.1 413 Too Much\r\nContent-Length: 0\r\n\r\n"


async def test_a_refusal_in_the_middle_of_a_long_body_is_heard(wire_to: Opener) -> None:
    """The server takes nothing in any more, and keeps the connection open."""
    over = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(REFUSAL)
        await over.wait()

    async with serving(refuse) as port, wire_to(port) as wire:
        answer = await wire.open(Request("POST", body=b"x" * (32 << 20)))
        assert answer.status == 413
        await answer.aclose()
        over.set()


async def test_after_a_refusal_the_rest_of_the_body_is_not_taken_for_a_request(
    wire_to: Opener,
) -> None:
    body = b"x" * (8 << 20)
    seen: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await request_of(reader)
            seen.append(head.split(b" ")[0])
            writer.write(REFUSAL if seen[-1] == b"POST" else ANSWER)
            if seen[-1] == b"POST":  # as Node does: it throws away what still comes of the body
                await reader.readexactly(len(body))

    async with serving(refuse) as port, wire_to(port, timeout=2) as wire:
        for _ in range(5):
            answer = await wire.open(Request("POST", body=body))
            await answer.aclose()
            assert await whole(wire) == b"ok"
    assert seen == [b"POST", b"GET"] * 5


async def test_what_another_thread_closes_is_no_end_of_an_answer(wire_to: Opener) -> None:
    """A body without a length ends with the connection; not so if we ended it."""
    over = asyncio.Event()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        await over.wait()

    async with serving(half) as port, wire_to(port) as wire:
        answer = await wire.open(GET)
        assert await answer.receive() == b"half of it"
        waiting = asyncio.create_task(answer.receive())
        await asyncio.sleep(0.05)
        await wire.aclose()
        with pytest.raises((WireFailure, HandleClosed)):
            await asyncio.wait_for(waiting, 3)
        await answer.aclose()
        over.set()


async def test_a_connection_that_was_idle_for_long_is_not_used_again(
    wire_to: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Counting()
    async with serving(talk) as port, wire_to(port) as wire:
        assert await whole(wire) == b"ok"
        monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
        assert await whole(wire) == b"ok"
    assert talk.connections == 2


async def test_connections_that_are_not_needed_any_more_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: list[None] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Counting()(reader, writer)
        finally:
            ended.append(None)

    async with serving(talk) as port:
        address = parse_address(f"http://127.0.0.1:{port}/s")
        wire = BlockingInThread(blocking_wire(address, WireSettings({}, {}, 5.0, 5.0), None))
        for answer in [await wire.open(GET) for _ in range(4)]:
            await answer.receive()
            await answer.aclose()
        assert not ended
        monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
        assert await whole(wire) == b"ok"
        await asyncio.sleep(0.05)
        assert len(ended) == 4
        await wire.aclose()


async def test_a_handle_that_is_closed_makes_no_connection() -> None:
    """Another thread closes it while this one asks a function for a header."""
    talk, asked, closed = Counting(), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def token() -> str:
        loop.call_soon_threadsafe(asked.set)
        closed.wait(3)
        return "x"

    async with serving(talk) as port:
        address = parse_address(f"http://127.0.0.1:{port}/s")
        settings = WireSettings({"Authorization": token}, {}, 5.0, 5.0)
        wire = BlockingInThread(blocking_wire(address, settings, None))
        waiting = asyncio.create_task(wire.open(GET))
        await asked.wait()
        await wire.aclose()
        closed.set()
        with pytest.raises(HandleClosed):
            await waiting
    assert talk.connections == 0


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200", ANSWER[:-1]])
async def test_a_silent_server_is_a_timeout(wire_to: Opener, said: bytes) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(said)
        await reader.read()

    async with serving(silent) as port, wire_to(port, timeout=0.1) as wire:
        with pytest.raises(WireFailure, match=r"nothing happened for 0.1 s") as caught:
            await whole(wire)
        assert caught.value.is_timeout


async def test_a_server_that_takes_nothing_in_is_a_timeout(wire_to: Opener) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)

    async with serving(deaf) as port, wire_to(port, timeout=0.1) as wire:
        with pytest.raises(WireFailure) as caught:
            await wire.open(Request("POST", body=b"x" * (64 << 20)))
        assert caught.value.is_timeout


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", ANSWER[:-1]])
async def test_a_connection_that_ends_is_a_failure(wire_to: Opener, said: bytes) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(said)

    async with serving(leave) as port, wire_to(port) as wire:
        with pytest.raises(WireFailure, match="closed the connection") as caught:
            await whole(wire)
        assert not caught.value.is_timeout


async def test_nobody_listens(wire_to: Opener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with wire_to(port) as wire:
        with pytest.raises(WireFailure, match="cannot connect: Connection refused"):
            await wire.open(GET)


async def test_closing_ends_the_waits_of_others(wire_to: Opener) -> None:
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        asked.set()
        await reader.read()

    async with serving(silent) as port, wire_to(port) as wire:
        waiting = asyncio.create_task(wire.open(GET))
        await asked.wait()
        await wire.aclose()
        with pytest.raises((WireFailure, HandleClosed)):
            await asyncio.wait_for(waiting, 3)
        with pytest.raises(HandleClosed):
            await wire.open(GET)


async def test_closing_ends_the_wait_for_a_connection(wire_to: Opener, full_port: int) -> None:
    async with wire_to(full_port, timeout=30) as wire:
        waiting = asyncio.create_task(wire.open(GET))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await wire.aclose()
        with pytest.raises((WireFailure, HandleClosed)):
            await asyncio.wait_for(waiting, 5)


async def test_a_server_that_does_not_take_connections_is_no_timeout_of_an_answer(
    wire_to: Opener, full_port: int
) -> None:
    async with wire_to(full_port, timeout=0.1) as wire:
        with pytest.raises(WireFailure, match="cannot connect: ") as caught:
            await wire.open(GET)
        assert not caught.value.is_timeout


async def test_a_cancelled_request_leaves_nothing_behind() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as port:
        address = parse_address(f"http://127.0.0.1:{port}/s")
        wire = async_wire(address, WireSettings({}, {}, 5.0, 5.0), None)
        for wait in (0, 0, 0.01, 0.05):
            waiting = asyncio.create_task(wire.open(GET))
            await asyncio.sleep(wait)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await wire.aclose()
        gc.collect()  # a socket that was left open would warn, which is an error here


def secured(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / f"{certificate}.pem", TLS / "key.pem")
    return context


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the certificate of the tests trusted, as `SSL_CERT_FILE` would from the start on."""
    context = ssl.create_default_context(cafile=str(TLS / "localhost.pem"))
    monkeypatch.setattr(httpx_wire, "_system_tls_context", lambda: context)


@pytest.mark.usefixtures("trust")
async def test_tls(wire_to: Opener) -> None:
    talk = Counting()
    async with serving(talk, secured("localhost")) as port, wire_to(port, "https") as wire:
        assert [await whole(wire), await whole(wire)] == [b"ok", b"ok"]
    assert talk.connections == 1


@pytest.mark.usefixtures("trust")
@pytest.mark.parametrize("apart", [True, False])
async def test_what_a_server_says_unasked_over_tls_is_no_answer(
    wire_to: Opener, apart: bool
) -> None:
    async def talkative(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(ANSWER)
        if apart:
            await writer.drain()
        writer.write(ANSWER.replace(b"ok", b"no"))
        await reader.read()

    async with serving(talkative, secured("localhost")) as port, wire_to(port, "https") as wire:
        assert await whole(wire) == b"ok"
        await asyncio.sleep(0.05)
        assert await whole(wire) == b"ok"


async def test_a_certificate_that_nobody_vouches_for_is_refused(wire_to: Opener) -> None:
    talk = Counting()
    async with serving(talk, secured("localhost")) as port, wire_to(port, "https") as wire:
        with pytest.raises(WireFailure, match="cannot connect: CERTIFICATE_VERIFY_FAILED"):
            await wire.open(GET)
    assert talk.requests == 0


@pytest.mark.usefixtures("trust")
async def test_a_certificate_of_another_host_is_refused(wire_to: Opener) -> None:
    talk = Counting()
    async with serving(talk, secured("elsewhere")) as port, wire_to(port, "https") as wire:
        with pytest.raises(WireFailure, match="cannot connect: CERTIFICATE_VERIFY_FAILED"):
            await wire.open(GET)
    assert talk.requests == 0


def test_who_carries_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    settings = WireSettings({}, {}, 5.0, 5.0)
    address = parse_address("http://localhost:1/s")
    assert isinstance(blocking_wire(address, settings, None), DirectWire)
    assert isinstance(async_wire(address, settings, None), DirectAsyncWire)
    with httpx_wire.Client() as client:
        assert isinstance(blocking_wire(address, settings, client), HttpxWire)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    behind_proxy = blocking_wire(address, settings, None)
    assert isinstance(behind_proxy, HttpxWire)
    behind_proxy.close()
    assert isinstance(async_wire(address, settings, None), HttpxAsyncWire)
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert isinstance(blocking_wire(address, settings, None), DirectWire)


def test_threads_share_the_connections_of_a_blocking_wire() -> None:
    async def serve(ready: threading.Event, stop: asyncio.Event, port: list[int]) -> None:
        async with serving(Counting()) as number:
            port.append(number)
            ready.set()
            await stop.wait()

    ready, port, loop, stop = (
        threading.Event(),
        list[int](),
        asyncio.new_event_loop(),
        asyncio.Event(),
    )
    server = threading.Thread(target=loop.run_until_complete, args=(serve(ready, stop, port),))
    server.start()
    ready.wait()
    wire = blocking_wire(
        parse_address(f"http://127.0.0.1:{port[0]}/s"), WireSettings({}, {}, 5, 5), None
    )
    bodies: list[bytes] = []

    def ask() -> None:
        for _ in range(50):
            answer = wire.open(GET)
            bodies.append(answer.receive())
            answer.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wire.close()
    loop.call_soon_threadsafe(stop.set)
    server.join()
    loop.close()
    assert bodies == [b"ok"] * 200
