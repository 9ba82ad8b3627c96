"""What a stream does, over HTTP and embedded, in the async and in the blocking form."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from tests.runtime.streams.conftest import Opener

from streamdb import (
    AsyncStream,
    BadRequest,
    Batch,
    ContentTypeConflict,
    HandleClosed,
    NotReached,
    ProducerFailed,
    RetryPolicy,
    Stream,
    StreamClosed,
    StreamExists,
    StreamNotFound,
    StreamParseError,
)
from streamdb.protocol.read_options import LiveMode
from streamdb_server import Serving


async def batches(stream: AsyncStream, **options: Any) -> list[Batch]:
    return [batch async for batch in stream.read(**options)]


async def everything(stream: AsyncStream, **options: Any) -> list[Any]:
    return [item for batch in await batches(stream, **options) for item in stream.items(batch)]


async def test_a_stream_from_its_creation_to_its_end(open_stream: Opener, url: str) -> None:
    stream = await open_stream("create", url)
    assert stream.content_type == "application/json"
    first = await stream.append({"n": 1})
    second = await stream.append_many([{"n": 2}, {"n": 3}])
    assert first.offset is not None
    assert second.offset is not None
    assert first.offset < second.offset  # OFF-2
    assert (await stream.head()).offset == second.offset
    assert await everything(stream) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert await everything(stream, offset=first.offset) == [{"n": 2}, {"n": 3}]
    assert await everything(stream, offset="now") == []
    await stream.close_stream({"n": 4})
    assert (await stream.head()).closed
    assert (await batches(stream))[-1].closed
    await stream.delete()
    with pytest.raises(StreamNotFound):
        await stream.head()


async def test_creating_again_confirms(open_stream: Opener, url: str) -> None:
    await open_stream("create", url, body=[1, [2]], ttl_seconds=3600)
    again = await open_stream("create", url, body=[3], ttl_seconds=3600)
    assert await everything(again) == [1, [2]]
    with pytest.raises(StreamExists):
        await open_stream("create", url, content_type="text/plain")
    with pytest.raises(StreamExists):
        await again.put(content_type="text/plain")
    await again.append(4)  # a refused PUT has not changed what the handle knows
    assert (await again.head()).ttl_seconds == 3600


async def test_created_closed(open_stream: Opener, url: str) -> None:
    stream = await open_stream("create", url, content_type="text/plain", body="all", closed=True)
    found = await batches(stream, live="auto")
    assert b"".join(batch.data for batch in found) == b"all"
    assert found[-1].closed


async def test_connecting_to_what_is_not_there(open_stream: Opener, url: str) -> None:
    with pytest.raises(StreamNotFound, match="check the address, or create it first") as caught:
        await open_stream("connect", url)
    assert caught.value.url == url
    assert caught.value.status == 404


async def test_the_type_is_learned_before_the_first_append(open_stream: Opener, url: str) -> None:
    await open_stream("create", url, content_type="text/plain; charset=utf-8")
    stream = await open_stream("connect", url)
    assert stream.content_type == "text/plain; charset=utf-8"
    await batches(stream)
    assert stream.content_type == "text/plain; charset=utf-8"  # a read knows no parameters
    await stream.append("é")
    await stream.append(b"\r\n")
    assert [batch.data for batch in await batches(stream)] == ["é\r\n".encode()]


async def test_what_json_means_to_the_server_stays_what_was_appended(
    open_stream: Opener, url: str
) -> None:  # JSON-9, trap 8
    stream = await open_stream("create", url)
    values: list[Any] = [[1, 2], [], None, "x", {"a": [[]]}, 2**60]
    for value in values:
        await stream.append(value)
    await stream.append_many(values)
    assert await everything(stream) == values * 2


@pytest.mark.parametrize("text", ["one\n", "1"])
async def test_a_stream_of_text_has_no_items(open_stream: Opener, url: str, text: str) -> None:
    stream = await open_stream("create", url, content_type="text/plain", body=text)
    with pytest.raises(
        StreamParseError, match="holds text/plain, not application/json: take `data`"
    ):
        await everything(stream)


async def test_appends_that_cannot_be(open_stream: Opener, url: str) -> None:
    stream = await open_stream("create", url, content_type="text/plain")
    with pytest.raises(ValueError, match="must hold data"):  # CLIENT-28
        await stream.append("")
    with pytest.raises(ValueError, match="nothing to append"):  # CLIENT-27
        await stream.append_many([])
    with pytest.raises(TypeError, match="takes bytes or text, not int"):
        await stream.append(7)
    assert await batches(stream) != []
    with pytest.raises(TypeError, match="a list of values"):
        await open_stream("create", url + "2", body={"n": 1})


async def test_a_recreated_stream_of_another_type(open_stream: Opener, url: str) -> None:
    stream = await open_stream("create", url)
    await stream.delete()
    await open_stream("create", url, content_type="text/plain")
    with pytest.raises(ContentTypeConflict):
        await stream.append(1)


async def test_a_closed_stream_takes_no_more(open_stream: Opener, url: str) -> None:
    stream = await open_stream("create", url, content_type="text/plain")
    end = await stream.close_stream("the end")
    assert await stream.close_stream() == end  # CLOSE-2
    with pytest.raises(StreamClosed) as caught:
        await stream.append("more")
    assert caught.value.final_offset == end.offset
    with pytest.raises(StreamClosed):
        await stream.close_stream("another end")  # APPEND-16


async def test_pages_join_to_the_whole(open_stream: Opener, url: str) -> None:  # OFF-11
    stream = await open_stream("create", url, content_type="text/plain")
    pieces = [letter * 2_500_000 for letter in "abc"]
    for piece in pieces:
        await stream.append(piece)
    found = await batches(stream)
    assert len(found) > 1
    assert [batch.up_to_date for batch in found] == [False] * (len(found) - 1) + [True]
    assert b"".join(batch.data for batch in found) == "".join(pieces).encode()
    resumed = await batches(stream, offset=found[0].offset)
    assert b"".join(batch.data for batch in resumed) == b"".join(b.data for b in found[1:])


@pytest.mark.parametrize("live", ["auto", "sse", "long-poll"])
@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream"])
async def test_following_while_another_writes(
    open_stream: Opener, url: str, live: LiveMode, content_type: str
) -> None:
    stream = await open_stream("create", url, content_type=content_type)
    writer = await open_stream("connect", url)
    is_json = content_type == "application/json"
    values = [{"n": n} if is_json else bytes([n, 13, 10, 255]) for n in range(20)]
    await writer.append(values[0])
    caught_up = asyncio.Event()

    async def read() -> list[Batch]:
        found: list[Batch] = []
        async for batch in stream.read(live=live):
            found.append(batch)
            caught_up.set()
        return found

    async with asyncio.TaskGroup() as both:
        reader = both.create_task(read())
        await caught_up.wait()
        for value in values[1:-1]:
            await writer.append(value)
        await writer.close_stream(values[-1])
    found = reader.result()
    offsets = [batch.offset for batch in found]
    assert offsets == sorted(offsets)
    assert [batch.closed for batch in found] == [False] * (len(found) - 1) + [True]
    if is_json:
        assert [item for batch in found for item in stream.items(batch)] == values
    else:
        assert b"".join(batch.data for batch in found) == b"".join(values)  # type: ignore[arg-type] # bytes


@pytest.mark.parametrize("live", ["sse", "long-poll"])
async def test_following_from_now(open_stream: Opener, url: str, live: LiveMode) -> None:  # NOW-1
    stream = await open_stream("create", url, body=["old"])
    found: list[Any] = []
    async with aclosing(stream.read(offset="now", live=live)) as deliveries:
        async for batch in deliveries:
            found += stream.items(batch)
            if batch.closed:
                break
            if not found:
                await stream.close_stream("new")
    assert found == ["new"]


async def test_a_closed_handle_says_so(open_stream: Opener, url: str) -> None:
    stream = await open_stream("create", url)
    await stream.append(1)
    await stream.aclose()
    await stream.aclose()
    with pytest.raises(HandleClosed, match="this handle is closed"):
        await stream.append(2)
    with pytest.raises(HandleClosed):
        await batches(stream)
    other = await open_stream("connect", url)
    assert await everything(other) == [1]  # the stream itself is as it was


async def test_bad_requests_have_the_servers_reason(open_stream: Opener, url: str) -> None:
    stream = await open_stream("create", url)
    with pytest.raises(BadRequest) as caught:
        await batches(stream, offset="no?such&offset")  # CLIENT-1: encoded, so it arrives
    assert caught.value.offset == "no?such&offset"


@pytest.mark.parametrize("kind", [Stream, AsyncStream])
def test_a_misspelt_option_is_an_error(kind: Any) -> None:
    with pytest.raises(TypeError, match="no option 'tiemout': did you mean 'timeout'"):
        kind("http://localhost/v1/stream/s", tiemout=3)
    with pytest.raises(TypeError, match="no option 'token'; there are headers,"):
        kind("http://localhost/v1/stream/s", token="x")
    with pytest.raises(TypeError, match="no option 'max_batch_byte': did you mean"):
        kind("http://localhost/v1/stream/s").producer(max_batch_byte=3)


def test_a_server_that_is_not_there_has_stored_nothing() -> None:
    retry = RetryPolicy(attempts=2, initial=0.001)
    with Stream("http://127.0.0.1:9/s", content_type="text/plain", retry=retry) as stream:
        with pytest.raises(NotReached, match=r"cannot connect: .*; gave up after 2 tries"):
            stream.append("x")
        with pytest.raises(ProducerFailed) as caught, stream.producer(retry=retry) as producer:
            producer.append("x")
    assert (caught.value.unwritten, caught.value.unknown) == ((b"x",), ())


@pytest.mark.parametrize("path", ["", "/nope", "/v1/stream/"])
def test_an_address_where_no_stream_can_be(server: Serving, path: str) -> None:
    url = server.url.partition("/v1")[0] + path
    with pytest.raises(StreamNotFound, match="create: the server keeps no streams at this address"):
        Stream.create(url)
