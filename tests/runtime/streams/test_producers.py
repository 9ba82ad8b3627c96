"""The idempotent producer on real streams, in both forms (rows C18 to C20)."""

import asyncio
import itertools
import threading
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.faults import Busy, CutAnswer, CutRequest, Fault, LoseAnswer, Refuse, Slow, proxy
from tests.runtime.streams.conftest import InThread

from streamdb import (
    AsyncStream,
    BufferFull,
    ConnectionFailed,
    ContentTypeConflict,
    HandleClosed,
    PayloadTooLarge,
    ProducerFailed,
    ProducerFenced,
    RetryPolicy,
    Stream,
    StreamClosed,
    StreamNotFound,
)
from streamdb.streams.handle import DEFAULT_RETRY
from streamdb_server import Options, Serving, serving

Opener = Callable[..., Any]
TIRELESS = RetryPolicy(initial=0.001, maximum=0.005)
ONCE = RetryPolicy(attempts=1)
_numbers = itertools.count()


@pytest.fixture(params=["async", "blocking"])
def produce(request: pytest.FixtureRequest) -> Opener:
    """Make a producer of either form on a stream: ``async with produce(url, ...) as producer``."""

    @asynccontextmanager
    async def make(url: str, producer_id: str | None = None, **options: Any) -> AsyncGenerator[Any]:
        retry = options.get("retry", DEFAULT_RETRY)
        if request.param == "async":
            async with AsyncStream(url, retry=retry) as stream:
                yield stream.producer(producer_id, **options)
        else:
            with Stream(url, retry=retry) as blocking:
                yield InThread(blocking.producer(producer_id, **options))

    return make


async def items(url: str) -> list[Any]:
    async with AsyncStream(url) as stream:
        return [item async for batch in stream.read() for item in stream.items(batch)]


async def data(url: str) -> bytes:
    async with AsyncStream(url) as stream:
        return b"".join([batch.data async for batch in stream.read()])


async def create(url: str, **options: Any) -> str:
    await (await AsyncStream.create(url, **options)).aclose()
    return url


async def test_appends_return_at_once_and_are_stored_in_order(produce: Opener, url: str) -> None:
    await create(url)
    async with produce(url) as producer:
        for number in range(500):
            await producer.append({"n": number})
        appended = await producer.flush()
        assert [item["n"] for item in await items(url)] == list(range(500))
        async with AsyncStream(url) as stream:
            assert (await stream.head()).offset == appended.offset == producer.offset
        await producer.detach()


async def test_an_array_is_one_value(produce: Opener, url: str) -> None:  # CLIENT-27, trap 8
    await create(url)
    async with produce(url) as producer:
        await producer.append([1, 2])
        await producer.append([])
        await producer.detach()
    assert await items(url) == [[1, 2], []]


async def test_bytes_and_text_on_other_streams(produce: Opener, url: str) -> None:
    await create(url, content_type="text/plain")
    async with produce(url) as producer:
        await producer.append("é")
        await producer.append(b"!")
        with pytest.raises(TypeError, match="text/plain takes bytes or text"):
            await producer.append({"n": 1})
        with pytest.raises(ValueError, match="must hold data"):
            await producer.append("")
        await producer.detach()
    assert await data(url) == "é!".encode()


async def test_what_lingers_is_sent_without_being_asked(produce: Opener, url: str) -> None:
    await create(url)
    async with produce(url, linger=0.01) as producer:
        await producer.append(1)
        async with AsyncStream(url) as reader, asyncio.timeout(10):
            batches = reader.read(live="long-poll")
            async for batch in batches:
                if reader.items(batch) == [1]:
                    break
            await batches.aclose()
        await producer.detach()


async def test_close_closes_the_stream_once_with_last_values(produce: Opener, url: str) -> None:
    await create(url)  # C18
    async with produce(url) as producer:
        await producer.append(1)
        closed = await producer.close(2, 3)
        assert await producer.close() == closed
        with pytest.raises(HandleClosed, match="detached"):
            await producer.append(4)
    async with AsyncStream(url) as stream:
        info = await stream.head()
    assert (info.closed, info.offset) == (True, closed.offset)
    assert await items(url) == [1, 2, 3]


async def test_detach_leaves_the_stream_open(produce: Opener, url: str) -> None:
    await create(url)
    async with produce(url, "same") as producer:
        await producer.append(1)
        await producer.detach()
        with pytest.raises(HandleClosed):
            await producer.append(2)
    async with produce(url, "same", epoch=1) as another:
        await another.append(2)
        await another.detach()
    assert await items(url) == [1, 2]


async def test_a_missing_stream_fails_before_anything_is_taken(produce: Opener, url: str) -> None:
    async with produce(url) as producer:
        with pytest.raises(StreamNotFound):
            await producer.append(1)


async def test_an_async_on_error_is_refused_at_once(url: str) -> None:
    async def note(failed: ProducerFailed) -> None:
        """Would never be awaited."""

    async with AsyncStream(url) as stream:
        with pytest.raises(TypeError, match="on_error of a producer calls a plain function"):
            stream.producer(on_error=note)


async def test_a_stream_closed_by_others_is_told_with_all_that_is_not_on_it(
    produce: Opener, url: str
) -> None:  # C20, CLIENT-35
    await create(url)
    told: list[ProducerFailed] = []
    async with produce(url, on_error=told.append) as producer:
        await producer.append(1)
        await producer.flush()
        async with AsyncStream(url) as other:
            end = (await other.close_stream()).offset
        for number in (2, 3):
            await producer.append(number)
        with pytest.raises(ProducerFailed, match="2 values are not on the stream") as caught:
            await producer.flush()
        assert caught.value.unwritten == (2, 3)
        assert caught.value.unknown == ()
        assert caught.value.is_stopped
        assert isinstance(caught.value.__cause__, StreamClosed)
        assert caught.value.__cause__.final_offset == end
        assert [error.unwritten for error in told] == [(2, 3)]
        with pytest.raises(ProducerFailed, match="has stopped"):
            await producer.append(4)
        await producer.detach()  # everything has been told
    assert await items(url) == [1]


async def test_epochs_fence_and_auto_claim_takes_over(produce: Opener, url: str) -> None:  # PROD-16
    await create(url)
    async with produce(url, "writer", epoch=3) as first:
        await first.append("first")
        await first.flush()
        async with produce(url, "writer") as late:
            await late.append("late")
            with pytest.raises(ProducerFailed) as caught:
                await late.flush()
            assert isinstance(caught.value.__cause__, ProducerFenced)
            assert caught.value.__cause__.epoch == 3
            assert caught.value.unwritten == ("late",)
        async with produce(url, "writer", auto_claim=True) as claiming:
            await claiming.append("claimed")
            await claiming.flush()
            assert claiming.epoch == 4
            await claiming.detach()
        await first.append("fenced")
        with pytest.raises(ProducerFailed):
            await first.flush()
        await first.restart()
        assert first.epoch == 5  # above the one that fenced it
        await first.append("again")
        await first.detach()
    assert await items(url) == ["first", "claimed", "again"]


async def test_one_value_that_is_too_large_hurts_no_other(produce: Opener, tmp_path: Path) -> None:
    with serving(tmp_path / "s.db", options=Options(max_body_bytes=1000)) as small:
        url = await create(small.url + "small", content_type="text/plain")
        async with produce(url, linger=60) as producer:
            for value in ("a", "b" * 2000, "c"):
                await producer.append(value)
            with pytest.raises(ProducerFailed, match="1 values are not") as caught:
                await producer.flush()
            assert isinstance(caught.value.__cause__, PayloadTooLarge)
            assert caught.value.unwritten == (b"b" * 2000,)
            assert not caught.value.is_stopped
            await producer.append("d")
            await producer.detach()
        assert await data(url) == b"acd"


async def test_append_waits_while_the_buffer_is_full(produce: Opener, server: Serving) -> None:
    url = await create(f"{server.url}full/{next(_numbers)}", content_type="text/plain")
    async with produce(url, linger=60, max_buffered_bytes=4) as producer:
        await producer.append("1234")
        with pytest.raises(BufferFull):
            producer.append_nowait("5")
        await producer.append("5")  # sends what lingers, and waits for it
        assert await data(url) == b"1234"
        producer.append_nowait("6")
        await producer.detach()
    assert await data(url) == b"123456"


async def test_flush_waits_for_what_was_there_before_it(produce: Opener, server: Serving) -> None:
    url = await create(f"{server.url}flush/{next(_numbers)}", content_type="text/plain")
    async with produce(url, linger=60) as producer:
        await producer.append("1")
        flushing = asyncio.create_task(producer.flush())
        await asyncio.sleep(0)
        await producer.append("2")
        async with asyncio.timeout(30):
            await flushing
        assert (await data(url)).startswith(b"1")
        await producer.detach()
    assert await data(url) == b"12"


async def test_a_server_that_is_away_for_good_is_told_as_unknown(
    produce: Opener, server: Serving
) -> None:  # CLIENT-39
    name = f"away/{next(_numbers)}"
    await create(server.url + name)
    async with proxy(server.url) as between, produce(between.url(name), retry=ONCE) as producer:
        await producer.append(1)
        await producer.flush()
        await between.trouble([LoseAnswer()])
        await producer.append(2)
        with pytest.raises(ProducerFailed, match="1 values may be on the stream") as caught:
            await producer.flush()
        assert (caught.value.unwritten, caught.value.unknown) == ((), (2,))
        assert isinstance(caught.value.__cause__, ConnectionFailed)
        await producer.restart()
        await producer.append(3)
        await producer.detach()
        assert producer.epoch == 1
    assert await items(server.url + name) == [1, 2, 3]


async def test_bad_headers_are_told_and_lose_nothing_silently(server: Serving) -> None:
    url = await create(f"{server.url}headers/{next(_numbers)}")
    values = iter(["fine", "fine", "bad\nvalue"])
    async with AsyncStream(url, headers={"X-Own": lambda: next(values)}) as stream:
        producer = stream.producer()
        await producer.append(1)
        await producer.flush()
        await producer.append(2)
        with pytest.raises(ProducerFailed, match="BadHeader") as caught:
            await producer.detach()
        assert caught.value.unwritten == (2,)


async def test_a_header_that_fails_after_a_lost_answer_leaves_the_value_unknown(
    server: Serving,
) -> None:
    name = f"headers/{next(_numbers)}"
    await create(server.url + name)
    values = iter(["fine", "fine", "bad\nvalue"])
    async with (
        proxy(server.url, [LoseAnswer()]) as between,
        AsyncStream(between.url(name), headers={"X-Own": lambda: next(values)}) as stream,
    ):
        stream._content_type = "application/json"  # asking would use the fault up
        next(values)
        producer = stream.producer(retry=TIRELESS)
        await producer.append(1)
        with pytest.raises(ProducerFailed, match="BadHeader") as caught:
            await producer.detach()
    assert (caught.value.unwritten, caught.value.unknown) == ((), (1,))
    assert await items(server.url + name) == [1]


async def test_lost_values_with_half_a_surrogate_are_told_too(
    server: Serving, produce: Opener
) -> None:
    url = await create(f"{server.url}surrogate/{next(_numbers)}")
    async with produce(url) as producer:
        await producer.append(1)
        await producer.flush()
        async with AsyncStream(url) as other:
            await other.close_stream()
        await producer.append("\ud800")
        with pytest.raises(ProducerFailed) as caught:
            await producer.flush()
        assert caught.value.unwritten == ("\ud800",)
        assert repr(caught.value.unwritten).encode()  # it can be printed
        assert "".join(traceback.format_exception(caught.value)).encode()


async def test_a_cancelled_block_ends_at_once_and_tells_what_it_leaves(server: Serving) -> None:
    name = f"cancelled/{next(_numbers)}"  # CLIENT-25
    await create(server.url + name)
    told: list[ProducerFailed] = []
    slow = RetryPolicy(initial=3600, maximum=3600)

    async def write() -> None:
        async with (
            proxy(server.url) as between,
            AsyncStream(between.url(name)) as stream,
            stream.producer(retry=slow, on_error=told.append) as producer,
        ):
            await between.trouble([Refuse()] * 9)
            await producer.append(1)
            await producer.flush()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await write()
    assert [(error.unwritten, error.unknown) for error in told] == [((), (1,))]


def test_an_interrupted_block_gives_up_and_tells(server: Serving) -> None:
    told: list[ProducerFailed] = []

    def write() -> None:
        with (
            Stream.create(f"{server.url}interrupted/{next(_numbers)}") as stream,
            stream.producer(linger=3600, on_error=told.append) as producer,
        ):
            producer.append(1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert [error.unwritten for error in told] == [(1,)]


async def test_closing_a_handle_ends_a_request_of_its_producer(patient_server: Serving) -> None:
    name = f"hung/{next(_numbers)}"
    await create(patient_server.url + name)
    told: list[ProducerFailed] = []
    async with proxy(patient_server.url, [Slow(3600)] * 9) as between:
        stream = Stream(between.url(name), timeout=3600)
        stream._content_type = "application/json"  # asking would hang, too
        producer = stream.producer(linger=0, retry=TIRELESS, on_error=told.append)
        await asyncio.to_thread(producer.append, 1)
        await asyncio.sleep(0.2)
        async with asyncio.timeout(30):
            await asyncio.to_thread(stream.close)
    assert [(error.unwritten, error.unknown) for error in told] == [((), (1,))]


async def test_nothing_is_left_behind(server: Serving, produce: Opener) -> None:
    url = await create(f"{server.url}left/{next(_numbers)}")
    tasks, threads = asyncio.all_tasks(), set(threading.enumerate())
    async with produce(url, max_batch_items=1) as producer:
        for number in range(50):
            await producer.append(number)
        await producer.detach()
        assert not producers_in(set(threading.enumerate()) - threads)
    assert asyncio.all_tasks() == tasks


def producers_in(threads: set[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threads if thread.name == "streamdb-producer"]


async def test_a_closed_handle_stops_its_producers_and_says_what_is_unwritten(
    server: Serving, produce: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    url = await create(f"{server.url}abandoned/{next(_numbers)}")
    threads = set(threading.enumerate())
    told: list[ProducerFailed] = []
    async with produce(url, linger=60, on_error=told.append) as producer:
        await producer.append("unsent")
    assert [error.unwritten for error in told] == [("unsent",)]
    assert "1 values are not on the stream" in caplog.text
    assert not producers_in(set(threading.enumerate()) - threads)
    with pytest.raises(HandleClosed):
        await producer.append("late")


async def test_many_threads_share_a_producer(server: Serving) -> None:
    url = await create(f"{server.url}threads/{next(_numbers)}")

    def work() -> None:
        with Stream(url) as stream, stream.producer(max_batch_items=7) as producer:

            def write(number: int) -> None:
                for turn in range(100):
                    producer.append([number, turn])

            threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    await asyncio.to_thread(work)
    found = await items(url)
    assert len(found) == 400
    for number in range(4):
        assert [turn for who, turn in found if who == number] == list(range(100))


def test_ids_and_bounds_are_checked_without_a_server() -> None:  # CLIENT-37
    with Stream("http://127.0.0.1:9/v1/stream/s") as stream:
        for bad in ("", "né", "a\nb"):
            with pytest.raises(ValueError, match="producer id"):
                stream.producer(bad)
        with pytest.raises(ValueError, match="max_batch_bytes"):
            stream.producer(max_batch_bytes=0)


faults: st.SearchStrategy[list[Fault]] = st.lists(
    st.one_of(
        st.builds(CutAnswer, st.integers(0, 400)),
        st.builds(CutRequest, st.integers(0, 600)),
        st.just(LoseAnswer()),
        st.just(Refuse()),
        st.builds(Busy, st.sampled_from([429, 500, 502, 503])),
    ),
    max_size=10,
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(faults=faults, size=st.integers(1, 9), closes=st.booleans())
def test_through_faults_everything_is_stored_once_and_in_order(
    server: Serving, produce: Opener, faults: list[Fault], size: int, closes: bool
) -> None:  # CLIENT-31, CLIENT-38
    async def run() -> list[Any]:
        name = f"faults/{next(_numbers)}"
        await create(server.url + name)
        async with proxy(server.url, faults) as between, asyncio.timeout(60):
            options = {"retry": TIRELESS, "max_batch_items": size}
            async with produce(between.url(name), **options) as producer:
                for number in range(40):
                    await producer.append(number)
                await (producer.close() if closes else producer.detach())
                assert producer.epoch == 0
        return await items(server.url + name)

    assert asyncio.run(run()) == list(range(40))


async def test_values_of_another_type_than_the_streams_are_refused(
    produce: Opener, server: Serving
) -> None:
    url = await create(f"{server.url}type/{next(_numbers)}")
    async with produce(url) as producer:
        await producer.append(1)
        await producer.flush()
        async with AsyncStream(url) as other:
            await other.delete()
        await create(url, content_type="text/plain")
        await producer.append(2)
        with pytest.raises(ProducerFailed) as caught:
            await producer.flush()
        assert isinstance(caught.value.__cause__, ContentTypeConflict)
        assert caught.value.unwritten == (2,)
