"""Whatever happens to a producer, its values are stored or told as lost, and nobody hangs."""

import asyncio
import gc
import signal
import socket
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.faults import Silent, Slow, proxy
from tests.runtime.streams.conftest import InThread

from streamdb import (
    Appended,
    AsyncStream,
    HandleClosed,
    ProducerFailed,
    RetryPolicy,
    Stream,
    StreamClosed,
)
from streamdb.protocol.calling import Answered
from streamdb.protocol.exchange import Effect, NoReply, Operation
from streamdb.streams.blocking_producer import Producer
from streamdb_server import Options, Serving, serving

_JSON = "application/json"
_LONG_WAITS = RetryPolicy(initial=3600, maximum=3600)


@pytest.fixture(params=["async", "blocking"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def producing(form: str, url: str, **settings: Any) -> AsyncGenerator[Any]:
    """A producer of either form, with the methods of the async one."""
    if form == "async":
        async with AsyncStream(url, content_type=_JSON) as stream:
            yield stream.producer(**settings)
    else:
        with Stream(url, content_type=_JSON) as blocking:
            yield InThread(blocking.producer(**settings))


async def items(url: str) -> list[Any]:
    async with AsyncStream(url) as stream:
        return [item async for batch in stream.read() for item in stream.items(batch)]


@asynccontextmanager
async def closed_stream(url: str) -> AsyncGenerator[None]:
    async with await AsyncStream.create(url) as stream:
        await stream.close_stream()
        yield


class Raw:
    def __init__(self, text: bytes) -> None:
        self._text = text

    def __json__(self) -> bytes:
        return self._text


async def test_a_handler_that_raises_stops_nobody(
    form: str, server: Serving, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def mistaken(_: ProducerFailed) -> None:
        raise ZeroDivisionError

    settings = {"linger": 0, "on_error": mistaken}
    async with (
        closed_stream(server.url + name),
        producing(form, server.url + name, **settings) as producer,
        asyncio.timeout(30),
    ):
        for value in (1, 2):
            await producer.append(value)
            with pytest.raises(ProducerFailed) as caught:
                await producer.flush()
            assert caught.value.unwritten == (value,)
            await producer.restart()
    assert "on_error failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_a_handler_may_use_the_producer_from_any_thread(server: Serving, name: str) -> None:
    seen: list[type[BaseException]] = []

    def append() -> None:
        try:
            producer.append(2)
        except ProducerFailed as error:
            seen.append(type(error))

    def handle(_: ProducerFailed) -> None:
        thread = threading.Thread(target=append, daemon=True)
        thread.start()
        thread.join()
        with pytest.raises(ProducerFailed):
            producer.flush()

    async with closed_stream(server.url + name), asyncio.timeout(30):
        with Stream(server.url + name, content_type=_JSON) as stream:
            producer = stream.producer(on_error=handle)
            producer.append(1)
            await asyncio.to_thread(producer.flush)  # told in the handler
    assert seen == [ProducerFailed]


async def test_a_detach_that_is_cancelled_tells_what_it_leaves(
    server: Serving, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[ProducerFailed] = []
    async with (
        proxy(server.url, [Silent()] * 9) as between,
        AsyncStream(between.url(name), content_type=_JSON) as stream,
        asyncio.timeout(30),
    ):
        producer = stream.producer(linger=0, on_error=told.append)
        await producer.append(1)
        detaching = asyncio.create_task(producer.detach())
        await until(lambda: bool(between.heads))
        detaching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await detaching
        assert [error.unknown for error in told] == [(1,)]
        with pytest.raises(ProducerFailed, match="given up"):
            await producer.flush()
    assert caplog.text.count("1 values may be on the stream") == 1


async def test_a_producer_that_nobody_holds_still_tells_its_losses(
    server: Serving, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        closed_stream(server.url + name),
        AsyncStream(server.url + name, content_type=_JSON) as stream,
    ):
        tasks = asyncio.all_tasks()
        await stream.producer(max_batch_items=1).append("lost")
        await until(lambda: asyncio.all_tasks() <= tasks)
        gc.collect()
    assert "1 values are not on the stream" in caplog.text


async def test_a_producer_whose_values_are_stored_is_let_go(server: Serving, name: str) -> None:
    async with await AsyncStream.create(server.url + name) as stream:
        producer = stream.producer()
        reference = weakref.ref(producer)
        await producer.append(1)
        await producer.flush()
        del producer
        await until(lambda: gc.collect() >= 0 and reference() is None)  # its timer ends
        assert reference() is None


class Nowhere:
    """A server that never answers, or that is not there.

    Attributes:
        url: the address of a stream there.
    """

    def __init__(self, *, is_away: bool) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._accepted: list[socket.socket] = []
        self._is_away = is_away
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1/stream/x"
        if is_away:
            self._listener.close()

    def wait_for_request(self) -> None:
        """Return when a producer is about to wait: for an answer, or for its next try."""
        if self._is_away:
            time.sleep(0.1)
        else:
            self._accepted.append(self._listener.accept()[0])

    def close(self) -> None:
        for one in (*self._accepted, self._listener):
            one.close()


@pytest.fixture(params=["silent", "away"])
def nowhere(request: pytest.FixtureRequest) -> Iterator[Nowhere]:
    made = Nowhere(is_away=request.param == "away")
    yield made
    made.close()


def test_an_interrupted_block_waits_for_no_request_and_no_pause(nowhere: Nowhere) -> None:
    told: list[ProducerFailed] = []

    def write() -> None:
        with stream.producer(linger=0, retry=_LONG_WAITS, on_error=told.append) as producer:
            producer.append(1)
            nowhere.wait_for_request()
            raise KeyboardInterrupt

    stream = Stream(nowhere.url, content_type=_JSON, timeout=3600)
    with pytest.raises(KeyboardInterrupt):
        write()
    assert [(error.unwritten, error.unknown) for error in told] == [((), (1,))]
    stream.close()


def test_an_interrupted_detach_waits_for_nothing_either(nowhere: Nowhere) -> None:
    told: list[ProducerFailed] = []

    def interrupt(main: int) -> None:
        nowhere.wait_for_request()
        while not producer._is_detached:
            time.sleep(0.001)
        signal.pthread_kill(main, signal.SIGINT)

    stream = Stream(nowhere.url, content_type=_JSON, timeout=3600)
    producer = stream.producer(linger=0, retry=_LONG_WAITS, on_error=told.append)
    producer.append(1)
    thread = threading.Thread(target=interrupt, args=(threading.get_ident(),))
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        producer.detach()
    thread.join()
    assert [(error.unwritten, error.unknown) for error in told] == [((), (1,))]
    stream.close()


def test_what_was_given_up_is_not_sent_again() -> None:
    effects: list[Effect] = []
    begun, let_go = threading.Event(), threading.Event()

    def run(operation: Operation[Answered]) -> Answered:
        effects.append(operation.send(None))
        begun.set()
        let_go.wait(30)
        while True:
            effects.append(operation.send(NoReply("the connection broke")))

    producer = Producer(run, lambda: _JSON, None, "http://localhost/v1/stream/x", {}, set())
    producer.append(1)
    begun.wait(30)
    threads = list(producer._threads)
    producer.abandon(wait=False)
    let_go.set()
    for thread in threads:
        thread.join()
    assert len(effects) == 1
    with pytest.raises(ProducerFailed) as caught:
        producer.flush()
    assert caught.value.unknown == (1,)


def test_what_was_under_way_when_another_thread_closed_the_handle_is_unknown() -> None:
    def run(operation: Operation[Answered]) -> Answered:
        operation.send(None)
        raise HandleClosed("closed while the answer was awaited")

    producer = Producer(run, lambda: _JSON, None, "http://localhost/v1/stream/x", {}, set())
    producer.append(1)
    with pytest.raises(ProducerFailed) as caught:
        producer.detach()
    assert (caught.value.unwritten, caught.value.unknown) == ((), (1,))


async def test_closing_twice_at_once_closes_once(form: str, server: Serving, name: str) -> None:
    async with (
        await AsyncStream.create(server.url + name),
        proxy(server.url, [Slow(0.3)] * 9) as between,
        producing(form, between.url(name)) as producer,
        asyncio.timeout(30),
    ):
        await producer.append(1)
        first = asyncio.create_task(producer.close("end"))
        await until(lambda: producer._pipeline.is_ending)
        with pytest.raises(HandleClosed, match="closes the stream"):
            await producer.append("late")
        second = await producer.close("end")
        assert second == await first
    assert await items(server.url + name) == [1, "end"]


async def test_a_close_that_was_cancelled_can_be_waited_for(server: Serving, name: str) -> None:
    async with (
        await AsyncStream.create(server.url + name),
        proxy(server.url, [Slow(0.3)] * 9) as between,
        producing("async", between.url(name)) as producer,
        asyncio.timeout(30),
    ):
        first = asyncio.create_task(producer.close("end"))
        await until(lambda: bool(between.heads))
        first.cancel()
        assert isinstance(await producer.close("end"), Appended)
    assert await items(server.url + name) == ["end"]


async def test_a_close_that_was_refused_can_be_asked_for_again(form: str, tmp_path: Path) -> None:
    with serving(tmp_path / "s.db", options=Options(max_body_bytes=1000)) as small:
        async with (
            await AsyncStream.create(small.url + "small"),
            producing(form, small.url + "small") as producer,
        ):
            closes = [producer.close("x" * 2000), producer.close("x" * 2000)]
            outcomes = await asyncio.gather(*closes, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {ProducerFailed}
            await producer.append(1)
            await producer.close(2)
        assert await items(small.url + "small") == [1, 2]


async def test_lost_values_that_cannot_be_read_back_are_told_as_they_were_sent(
    form: str, server: Serving, name: str
) -> None:
    digits = b"1" * 5000  # more than Python makes a number of
    async with closed_stream(server.url + name), producing(form, server.url + name) as producer:
        await producer.append(Raw(digits))
        await producer.append(2)
        with pytest.raises(ProducerFailed) as caught:
            await producer.flush()
        await producer.flush()  # it was told
    assert caught.value.unwritten == (digits, 2)
    assert isinstance(caught.value.__cause__, StreamClosed)
    assert str(caught.value).count("url http") == 1


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what nothing tells of; the test's timeout bounds it."""
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
