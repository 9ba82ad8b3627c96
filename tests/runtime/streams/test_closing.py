"""A handle that is closed in the midst of things: who waits is told, and nothing is left."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.faults import Busy, Fault, Refuse, Silent, Stall, proxy
from tests.runtime.streams.conftest import InThread
from tests.runtime.streams.leftovers import nothing_left

from streamdb import AsyncStream, HandleClosed, ProducerFailed, RetryPolicy, Stream
from streamdb_server import Serving

Form = str
_PATIENT: dict[str, Any] = {"timeout": 3600, "idle_timeout": 3600}
_LONG_WAITS = RetryPolicy(initial=3600, maximum=3600)
_MANY = 5


@pytest.fixture(params=["async", "blocking"])
def form(request: pytest.FixtureRequest) -> Form:
    return str(request.param)


def opened(form: Form, url: str, **options: Any) -> Any:
    """Make a handle of either form, with the methods of the async one."""
    return AsyncStream(url, **options) if form == "async" else InThread(Stream(url, **options))


async def read_on(stream: Any, live: Any) -> None:
    async for _ in stream.read(live=live):
        pass


async def append_many(stream: Any) -> None:
    await asyncio.gather(*[stream.append(number) for number in range(_MANY)])


# What a handle does when it is closed: the faults that hold it up, and the call.
HELD_UP: dict[str, tuple[list[Fault], Callable[[Any], Awaitable[Any]]]] = {
    "waiting for an answer": ([Silent()], lambda stream: stream.head()),
    "in the midst of a page": ([Stall(200)], lambda stream: read_on(stream, live=False)),
    "in a long-poll": ([], lambda stream: read_on(stream, "long-poll")),
    "following by SSE": ([], lambda stream: read_on(stream, "sse")),
    "waiting to try again": ([Busy(503)], lambda stream: stream.head()),
    "without a connection": ([Refuse()], lambda stream: stream.head()),
    "appending": ([Silent()] * (_MANY + 1), append_many),
}


@pytest.mark.parametrize("held_up", HELD_UP.values(), ids=HELD_UP)
async def test_closing_ends_whatever_a_handle_does(
    patient_server: Serving,
    form: Form,
    held_up: tuple[list[Fault], Callable[[Any], Awaitable[Any]]],
    name: str,
) -> None:  # CLIENT-25
    faults, call = held_up
    async with (
        nothing_left(),
        await AsyncStream.create(patient_server.url + name, body=[1]),
        proxy(patient_server.url, faults) as between,
        asyncio.timeout(30),
    ):
        stream = opened(
            form, between.url(name), retry=_LONG_WAITS, reconnect=_LONG_WAITS, **_PATIENT
        )
        under_way = asyncio.ensure_future(call(stream))
        await until(lambda: bool(between.heads))
        await asyncio.sleep(0.1)  # until it waits
        await stream.aclose()
        await stream.aclose()
        with pytest.raises(HandleClosed):
            await under_way


@asynccontextmanager
async def dumb_listener() -> AsyncGenerator[tuple[int, asyncio.Event]]:
    """Take connections, and say nothing: a handshake of TLS does not end."""
    taken, over = asyncio.Event(), asyncio.Event()

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.set()
        await over.wait()
        writer.close()

    listener = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], taken
    finally:
        over.set()
        listener.close()


async def test_closing_while_a_connection_is_made(form: Form) -> None:  # CLIENT-25
    async with nothing_left(), dumb_listener() as (port, taken), asyncio.timeout(30):
        stream = opened(form, f"https://127.0.0.1:{port}/v1/stream/s", **_PATIENT)
        under_way = asyncio.ensure_future(stream.head())
        await taken.wait()
        await stream.aclose()
        with pytest.raises(HandleClosed):
            await under_way


@pytest.mark.parametrize("fault", [Silent(), Busy(503), Refuse()], ids=["silent", "busy", "away"])
async def test_closing_while_a_producer_sends_tells_what_becomes_of_its_values(
    patient_server: Serving, form: Form, fault: Fault, name: str
) -> None:
    told: list[ProducerFailed] = []
    settings: dict[str, Any] = {
        "linger": 0,
        "max_batch_items": 1,
        "retry": _LONG_WAITS,
        "on_error": told.append,
    }
    async with (
        nothing_left(),
        await AsyncStream.create(patient_server.url + name),
        proxy(patient_server.url) as between,
        asyncio.timeout(30),
    ):
        url = between.url(name)
        stream: Any = (AsyncStream if form == "async" else Stream)(url, **_PATIENT)
        producer: Any = stream.producer(**settings)
        if form == "blocking":
            stream, producer = InThread(stream), InThread(producer)
        await producer.append("first")
        await producer.flush()
        await between.trouble([fault] * 9)
        heads = len(between.heads)
        for number in range(_MANY):
            await producer.append(number)
        flushing = asyncio.ensure_future(producer.flush())
        await until(lambda: len(between.heads) == heads + _MANY)
        await stream.aclose()
        with pytest.raises(ProducerFailed):
            await flushing
        unwritten = [value for error in told for value in error.unwritten]
        unknown = [value for error in told for value in error.unknown]
        assert sorted(unwritten + unknown) == list(range(_MANY))


async def test_a_reader_that_is_cancelled_leaves_nothing(
    patient_server: Serving, name: str
) -> None:  # CLIENT-25
    async with (
        nothing_left(),
        await AsyncStream.create(patient_server.url + name, body=[1]),
        AsyncStream(patient_server.url + name) as stream,
    ):
        for live in ("sse", "long-poll"):
            reader = asyncio.create_task(read_on(stream, live))
            await asyncio.sleep(0.1)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nothing tells of; the test's timeout bounds it."""
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
