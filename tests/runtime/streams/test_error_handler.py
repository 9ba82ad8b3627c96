"""The error handler, pages asked for by their ETag, and waits that end with the handle."""

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults import Busy, proxy
from tests.runtime.streams.conftest import Opener

from streamdb import (
    AccessDenied,
    AsyncStream,
    HandleClosed,
    Retry,
    RetryPolicy,
    Stream,
    StreamDBError,
    StreamError,
)
from streamdb_server import Options, Serving, serving

_numbers = itertools.count()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    path = tmp_path_factory.mktemp("guarded") / "streams.db"
    with serving(path, options=Options(token="new")) as running:
        yield running


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_new_credentials_from_the_handler_are_used_from_then_on(
    guarded: Serving, open_stream: Opener
) -> None:  # C10
    asked: list[StreamError] = []

    def refresh(error: StreamError) -> Retry:
        asked.append(error)
        return Retry(headers={"authorization": "Bearer new"})

    url = guarded.url + f"refresh/{next(_numbers)}"
    stream = await open_stream("create", url, headers=bearer("old"), on_error=refresh)
    await stream.append(1)
    assert [item async for batch in stream.read() for item in stream.items(batch)] == [1]
    assert [type(error) for error in asked] == [AccessDenied]


async def test_without_an_answer_of_the_handler_the_error_is_raised(
    guarded: Serving, open_stream: Opener
) -> None:
    asked: list[StreamError] = []
    url = guarded.url + f"refuse/{next(_numbers)}"
    with pytest.raises(AccessDenied):
        await open_stream("create", url, headers=bearer("old"), on_error=asked.append)
    assert len(asked) == 1


async def test_an_async_handler_serves_producers_too(guarded: Serving) -> None:
    url = guarded.url + f"producer/{next(_numbers)}"
    await (await AsyncStream.create(url, headers=bearer("new"))).aclose()

    async def refresh(_: StreamError) -> Retry:
        await asyncio.sleep(0)
        return Retry(headers=bearer("new"))

    async with AsyncStream(url, headers=bearer("old"), on_error=refresh) as stream:
        async with stream.producer() as producer:
            await producer.append(1)
        assert [item async for batch in stream.read() for item in stream.items(batch)] == [1]


def test_an_async_handler_is_refused_by_the_blocking_form(guarded: Serving) -> None:
    async def refresh(_: StreamError) -> None:
        pass

    with (
        Stream(guarded.url + "x", on_error=refresh) as stream,
        pytest.raises(TypeError, match="AsyncStream"),
    ):
        stream.head()


async def test_catching_up_again_moves_no_data_twice(
    server: Serving, open_stream: Opener
) -> None:  # C17
    name = f"again/{next(_numbers)}"
    async with (
        await AsyncStream.create(server.url + name) as writer,
        proxy(server.url) as between,
    ):
        await writer.append("x" * 1000)
        stream = await open_stream("connect", between.url(name))
        for _ in range(3):
            read = [item async for batch in stream.read() for item in stream.items(batch)]
            assert read == ["x" * 1000]
        await writer.append(2)
        read = [item async for batch in stream.read() for item in stream.items(batch)]
        assert read == ["x" * 1000, 2]
        asked = [head for head in between.heads if b"if-none-match" in head.lower()]
        assert len(asked) == 3


@pytest.mark.parametrize("live", ["long-poll", "sse"])
@pytest.mark.parametrize("wire", ["http", "embedded"])
def test_closing_ends_the_waits_of_other_threads(
    patient_server: Serving, tmp_path: Path, live: str, wire: str
) -> None:  # CLIENT-25
    name = f"wait/{next(_numbers)}"
    url = patient_server.url + name if wire == "http" else f"embedded:{tmp_path}/a.db#{name}"
    stream = Stream.create(url)
    ended: list[BaseException | None] = []

    def follow() -> None:
        try:
            for _ in stream.read(live=live):  # type: ignore[arg-type] - a parameter of the test
                reading.set()
        except StreamDBError as error:
            ended.append(error)

    reading = threading.Event()
    thread = threading.Thread(target=follow)
    thread.start()
    assert reading.wait(10)
    time.sleep(0.1)  # until it waits for more
    stream.close()
    thread.join(10)
    assert not thread.is_alive()
    assert [type(error) for error in ended] == [HandleClosed]


async def test_closing_ends_the_wait_before_another_try(server: Serving) -> None:  # CLIENT-25
    slow = RetryPolicy(initial=3600, maximum=3600)
    async with proxy(server.url, [Busy(500)] * 9) as between:
        stream = Stream(between.url(f"wait/{next(_numbers)}"), retry=slow)
        head = asyncio.create_task(asyncio.to_thread(stream.head))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(stream.close)
        with pytest.raises(HandleClosed):
            async with asyncio.timeout(10):
                await head
