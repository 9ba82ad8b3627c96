"""Every operation of the stream client, in both forms, against the TypeScript reference server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.runtime.streams.conftest import Opener, open_stream

from streamdb import (
    AsyncStream,
    ContentTypeConflict,
    SequenceConflict,
    StreamClosed,
    StreamExists,
    StreamNotFound,
)

__all__ = ["open_stream"]


async def items(stream: Any, **options: Any) -> list[Any]:
    return [item async for batch in stream.read(**options) for item in stream.items(batch)]


async def test_a_stream_from_its_creation_to_its_end(
    open_stream: Opener, reference_url: str
) -> None:
    stream = await open_stream("create", reference_url, ttl_seconds=3600, body=[0])
    with pytest.raises(StreamExists):
        await open_stream("create", reference_url, content_type="text/plain")
    middle = (await stream.append({"text": "é 🙂"})).offset
    await stream.append_many([[1, 2], None])
    info = await stream.head()
    assert (info.content_type, info.ttl_seconds, info.closed) == ("application/json", 3600, False)
    assert await items(stream) == [0, {"text": "é 🙂"}, [1, 2], None]
    assert await items(stream, offset=middle) == [[1, 2], None]
    assert await items(stream, offset="now") == []
    closed = await stream.close_stream("last")
    assert (await stream.close_stream()).offset == closed.offset
    with pytest.raises(StreamClosed) as caught:
        await stream.append("late")
    assert caught.value.final_offset == closed.offset
    assert (await stream.head()).closed
    await stream.delete()
    with pytest.raises(StreamNotFound):
        await stream.head()


@pytest.mark.parametrize("live", ["sse", "long-poll", "auto"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png"])
async def test_live_reads_to_the_end(
    open_stream: Opener, reference_url: str, live: str, content_type: str
) -> None:
    stream = await open_stream("create", reference_url, content_type=content_type)
    values: list[Any] = [b"one\n", b"two \xc3\xa9", b"three"]
    if content_type == "application/json":
        values = [{"n": 1}, [2], "é"]
    if content_type == "image/png":
        values = [b"\x89PNG\r\n", b"\x00\xff", b"\x1a"]

    async def write() -> None:
        async with AsyncStream(reference_url) as writer:
            for value in values:
                await writer.append(value)
                await asyncio.sleep(0.05)
            await writer.close_stream()

    writing = asyncio.create_task(write())
    async with asyncio.timeout(20):
        batches = [batch async for batch in stream.read(live=live)]
    await writing
    assert batches[-1].closed
    if content_type == "application/json":
        assert [item for batch in batches for item in stream.items(batch)] == values
    else:
        assert b"".join(batch.data for batch in batches) == b"".join(values)


async def test_seq_and_content_types_are_told_apart(
    open_stream: Opener, reference_url: str
) -> None:
    stream = await open_stream("create", reference_url)
    await stream.append(1, seq="1")
    with pytest.raises(SequenceConflict):
        await stream.append(2, seq="1")
    await stream.delete()
    async with await AsyncStream.create(reference_url, content_type="text/plain"):
        with pytest.raises(ContentTypeConflict):
            await stream.append(3)


async def test_forks(open_stream: Opener, url: str) -> None:  # FORK-15, FORKSUB-2
    stream = await open_stream("create", url)
    middle = (await stream.append_many([1, 2])).offset
    await stream.append_many([3, 4, 5])
    fork = await stream.fork(url + "-fork", at=middle, sub_offset=1, body=["own"])
    await stream.append(6)
    with pytest.raises(StreamExists):
        await stream.fork(url + "-fork")
    await closing(fork, "fork")
    tail = await stream.fork(url + "-tail")
    await closing(tail, "tail")
    assert await items(stream) == [1, 2, 3, 4, 5, 6]
    async with AsyncStream(url + "-fork") as reader:
        assert await items(reader) == [1, 2, 3, "own", "fork"]
    async with AsyncStream(url + "-tail") as reader:
        assert await items(reader) == [1, 2, 3, 4, 5, 6, "tail"]


async def closing(fork: Any, value: str) -> None:
    """Append and close; a blocking fork comes from a thread, and is used in one."""
    if isinstance(fork, AsyncStream):
        await fork.append(value)
        await fork.aclose()
    else:
        await asyncio.to_thread(fork.append, value)
        await asyncio.to_thread(fork.close)


async def test_producers(reference_url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with await AsyncStream.create(reference_url) as stream:
        async with stream.producer("one", max_batch_items=3, max_in_flight=4) as producer:
            for number in range(100):
                await producer.append(number)
        async with stream.producer("one", auto_claim=True) as claiming:
            await claiming.append("claimed")
            await claiming.flush()
            assert claiming.epoch == 1
        async with stream.producer("one", epoch=1) as repeating:
            await repeating.append("claimed")
            assert (await repeating.flush()).duplicate
            assert "use a higher epoch" in caplog.text
        async with stream.producer("one", epoch=2) as last:
            await last.close("end")
        assert await items(stream) == [*range(100), "claimed", "end"]
        assert (await stream.head()).closed
