"""Appends that come at once, `Stream-Seq`, and forks, in both forms (row C14)."""

import asyncio
import itertools
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.faults import AnswerTo, Fine, LoseAnswer, Replay, Slow, proxy
from tests.runtime.protocol.player import URL, play, reply
from tests.runtime.streams.conftest import Opener

from streamdb import (
    Appended,
    AsyncStream,
    BadAddress,
    BadHeader,
    ConnectionFailed,
    ContentTypeConflict,
    HandleClosed,
    PayloadTooLarge,
    SequenceConflict,
    Stream,
    StreamExists,
    StreamGone,
    StreamNotFound,
)
from streamdb.protocol.exchange import Operation
from streamdb.streams.appending import Appends, AsyncAppends, Piece
from streamdb_server import Options, Serving, serving

_numbers = itertools.count()


async def items(stream: Any) -> list[Any]:
    return [item async for batch in stream.read() for item in stream.items(batch)]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    path = tmp_path_factory.mktemp("small") / "streams.db"
    with serving(path, options=Options(max_body_bytes=1000)) as running:
        yield running


@asynccontextmanager
async def slow_stream(server: Serving) -> AsyncGenerator[tuple[AsyncStream, AsyncStream]]:
    """A stream, and a handle on it whose first request takes a while."""
    name = f"appends/{next(_numbers)}"
    async with (
        await AsyncStream.create(server.url + name) as stream,
        proxy(server.url, [Slow(0.05)] * 50) as between,
        AsyncStream(between.url(name)) as slow,
    ):
        await slow.head()
        yield stream, slow


async def test_appends_that_come_at_once_share_requests_and_keep_their_order(
    server: Serving,
) -> None:  # CLIENT-29
    async with slow_stream(server) as (stream, slow):
        appended = await asyncio.gather(*(slow.append(number) for number in range(20)))
        assert await items(stream) == list(range(20))
    first, *others = appended
    assert len({one.offset for one in others}) == 1  # one request for all that came meanwhile
    assert others[0] != first


async def test_one_refused_value_hurts_no_other(small: Serving, open_stream: Opener) -> None:
    stream = await open_stream("create", small.url + f"refused/{next(_numbers)}")
    values = ["a", "b", "x" * 2000, "c"]
    outcomes = await asyncio.gather(
        *(stream.append(value) for value in values), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [
        Appended,
        Appended,
        PayloadTooLarge,
        Appended,
    ]
    assert sorted(await items(stream)) == ["a", "b", "c"]


async def test_one_refused_by_a_status_of_the_servers_own_hurts_no_other(server: Serving) -> None:
    name = f"appends/{next(_numbers)}"
    async with (
        await AsyncStream.create(server.url + name) as direct,
        proxy(server.url) as between,
        AsyncStream(between.url(name)) as stream,
    ):
        between.trouble_posts(itertools.repeat(AnswerTo(b"bad", 422)))
        outcomes = await asyncio.gather(
            *(stream.append(value) for value in ["a", "b", "bad", "c"]), return_exceptions=True
        )
        refused = [getattr(outcome, "status", None) for outcome in outcomes]
        assert refused == [None, None, 422, None]
        assert sorted(await items(direct)) == ["a", "b", "c"]


async def test_who_gives_up_while_waiting_has_appended_nothing(server: Serving) -> None:
    async with slow_stream(server) as (stream, slow):
        first = asyncio.create_task(slow.append(1))
        second = asyncio.create_task(slow.append(2))
        third = asyncio.create_task(slow.append(3))
        await asyncio.sleep(0.01)
        second.cancel()
        await asyncio.gather(first, third)
        with pytest.raises(asyncio.CancelledError):
            await second
        assert await items(stream) == [1, 3]


async def test_who_gives_up_the_first_request_leaves_the_others_alone(server: Serving) -> None:
    async with slow_stream(server) as (stream, slow):
        first = asyncio.create_task(slow.append(1))
        others = [asyncio.create_task(slow.append(number)) for number in (2, 3)]
        await asyncio.sleep(0.01)
        first.cancel()
        await asyncio.gather(*others)
        assert [item for item in await items(stream) if item != 1] == [2, 3]


async def test_a_lost_answer_is_told_to_all_that_it_concerns(server: Serving) -> None:
    name = f"appends/{next(_numbers)}"
    async with (
        await AsyncStream.create(server.url + name),
        proxy(server.url) as between,
        AsyncStream(between.url(name)) as stream,
    ):
        await stream.append(0)
        await between.trouble([LoseAnswer(), LoseAnswer()])
        outcomes = await asyncio.gather(
            *(stream.append(number) for number in (1, 2, 3)), return_exceptions=True
        )
    assert [type(outcome) for outcome in outcomes] == [ConnectionFailed] * 3


async def test_closing_the_handle_fails_what_waits_and_leaves_no_task(server: Serving) -> None:
    tasks = asyncio.all_tasks()
    name = f"appends/{next(_numbers)}"
    async with await AsyncStream.create(server.url + name):
        async with proxy(server.url, [Slow(5)] * 9) as between:
            stream = AsyncStream(between.url(name))
            stream._content_type = "application/json"  # asking would take 5 s
            appends = [asyncio.create_task(stream.append(number)) for number in range(3)]
            await asyncio.sleep(0.05)
            await stream.aclose()
            appends[0].cancel()
            outcomes = await asyncio.gather(*appends, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes[1:]] == [HandleClosed, HandleClosed]
    assert asyncio.all_tasks() == tasks


def test_threads_share_requests(server: Serving) -> None:
    with Stream.create(server.url + f"threads/{next(_numbers)}") as stream:

        def write(number: int) -> None:
            for turn in range(30):
                stream.append([number, turn])

        threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = [item for batch in stream.read() for item in stream.items(batch)]
    assert len(found) == 150
    for number in range(5):
        assert [turn for who, turn in found if who == number] == list(range(30))


def send_one_by_one(sent: list[tuple[list[bytes], str | None]]) -> Any:
    def send(texts: Any, seq: str | None) -> Operation[Appended]:
        sent.append((list(texts), seq))
        return Appended(str(len(sent)))
        yield  # makes it an operation

    return send


def test_pieces_with_a_seq_go_alone() -> None:  # SEQ-2: a joint request has only one
    sent: list[tuple[list[bytes], str | None]] = []

    async def run(operation: Operation[None]) -> None:
        await asyncio.sleep(0)
        for _ in operation:
            pass

    async def main() -> None:
        appends = AsyncAppends(run, send_one_by_one(sent))
        pieces = [Piece([b"0"]), Piece([b"1"]), Piece([b"2"], "a"), Piece([b"3"]), Piece([b"4"])]
        await asyncio.gather(*(appends.append(piece) for piece in pieces))

    asyncio.run(main())
    assert sent == [
        ([b"0"], None),
        ([b"1"], None),
        ([b"2"], "a"),
        ([b"3", b"4"], None),
    ]


def test_an_interrupted_leader_does_not_hang_the_others() -> None:
    def interrupt(_: Operation[None]) -> None:
        raise KeyboardInterrupt

    appends = Appends(interrupt, send_one_by_one([]))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            appends.append(Piece([b"1"]))


async def test_seq_must_rise(open_stream: Opener, url: str) -> None:  # SEQ-1, SEQ-2, C14
    stream = await open_stream("create", url)
    await stream.append(1, seq="09")
    await stream.append_many([2, 3], seq="10")
    with pytest.raises(SequenceConflict, match="'10' is not above") as caught:
        await stream.append(4, seq="10")
    assert caught.value.status == 409
    with pytest.raises(BadHeader):
        await stream.append(4, seq="a\nb")
    await stream.append(5)
    assert await items(stream) == [1, 2, 3, 5]


async def test_a_content_type_that_is_known_is_not_asked_for(server: Serving) -> None:
    name = f"known/{next(_numbers)}"
    async with await AsyncStream.create(server.url + name):
        pass
    async with proxy(server.url) as between:
        async with AsyncStream(between.url(name), content_type="application/json") as stream:
            await stream.append({"n": 1})
            await stream.append({"n": 2})
        methods = [head.split()[0] for head in between.heads if b"HTTP/1.1" in head]
    assert methods == [b"POST", b"POST"]


def test_a_content_type_that_is_not_the_streams_is_told_apart_from_a_low_seq(
    server: Serving,
) -> None:  # 18.2: the headers of the refusal do not say which of both it is
    url = server.url + f"known/{next(_numbers)}"
    with Stream.create(url) as stream, Stream(url, content_type="text/plain") as mistaken:
        stream.append(1, seq="1")
        for seq in (None, "1", "2"):
            with pytest.raises(ContentTypeConflict):
                mistaken.append("text", seq=seq)


def test_a_content_type_that_is_none_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(BadHeader, match="type/subtype"):
        Stream("http://localhost/v1/stream/x", content_type="text/plain\r\nX: y")


async def test_forks_that_make_no_sense_are_refused_before_anything_is_sent(
    open_stream: Opener, url: str
) -> None:
    stream = await open_stream("create", url)
    with pytest.raises(ValueError, match="sub_offset"):
        await stream.fork(url + "-fork", sub_offset=-1)


async def test_fork_headers_go_with_the_request_that_creates_and_no_other(
    open_stream: Opener, server: Serving, name: str
) -> None:  # CLIENT-30
    async with proxy(server.url) as between:
        stream = await open_stream("create", between.url(name))
        fork = await stream.fork(between.url(name + "-fork"))
        await closed(fork)
        reader = await open_stream("connect", between.url(name + "-fork"))
        await reader.append("own")
        forking = [head for head in between.heads if b"stream-fork" in head.lower()]
    assert [head.split()[0] for head in forking] == [b"PUT"]


async def test_a_fork_outlives_its_source(open_stream: Opener, url: str) -> None:  # FORK-23
    stream = await open_stream("create", url)
    middle = (await stream.append_many([1, 2])).offset
    await stream.append_many([3, 4, 5])
    fork = await stream.fork(url + "-fork", at=middle, sub_offset=1, body=["own"])
    await stream.append(6)
    with pytest.raises(StreamExists):
        await stream.fork(url + "-fork")
    await stream.delete()
    with pytest.raises(StreamGone):
        await stream.append(7)
    with pytest.raises(StreamExists):
        await open_stream("create", url)
    reader = await open_stream("connect", url + "-fork")
    assert await items(reader) == [1, 2, 3, "own"]
    await reader.append("more")
    assert await items(reader) == [1, 2, 3, "own", "more"]
    await reader.delete()
    with pytest.raises(StreamNotFound):
        await open_stream("connect", url)
    await closed(fork)


async def closed(fork: Any) -> None:
    """Close a handle; a blocking fork comes from a thread, and is closed in one."""
    if isinstance(fork, Stream):
        await asyncio.to_thread(fork.close)
    else:
        await fork.aclose()


async def test_forks_share_nothing_but_the_beginning(open_stream: Opener, url: str) -> None:
    stream = await open_stream("create", url, content_type="text/plain", body="shared ")
    await closed(await stream.fork(url + "-fork"))
    other = await open_stream("connect", url + "-fork")
    await stream.append("source")
    await other.close_stream("fork")
    assert b"".join([batch.data async for batch in stream.read()]) == b"shared source"
    assert b"".join([batch.data async for batch in other.read(live="auto")]) == b"shared fork"
    assert not (await stream.head()).closed


async def test_a_fork_stays_on_its_server(server: Serving, tmp_path: Any) -> None:
    url = server.url + f"fork/{next(_numbers)}"
    async with await AsyncStream.create(url) as stream:
        for elsewhere in ("http://other.example/v1/stream/x", f"embedded:{tmp_path}/x.db#x"):
            with pytest.raises(BadAddress, match="stays on its server"):
                await stream.fork(elsewhere)


async def test_an_old_answer_does_not_say_that_something_is_stored(
    open_stream: Opener, server: Serving
) -> None:  # OFF-3: each append ends behind all before it
    name = f"replayed/{next(_numbers)}"
    async with await AsyncStream.create(server.url + name) as other, proxy(server.url) as between:
        stream = await open_stream("connect", between.url(name))
        await stream.append(1)
        await between.trouble([Fine(), Replay(), Fine()])
        await stream.append(2)
        with pytest.raises(ConnectionFailed, match="an old one; whether the data was stored"):
            await stream.append(3)
        await stream.append(4)
        assert await items(other) == [1, 2, 4]


async def test_a_stream_that_was_made_anew_takes_appends(open_stream: Opener, url: str) -> None:
    stream = await open_stream("create", url)
    await stream.append("a" * 100)
    await stream.delete()
    await stream.put()
    await stream.append("b")
    assert await items(stream) == ["b"]


async def test_an_append_to_a_stream_that_others_made_anew_is_known_to_be_stored(
    open_stream: Opener, url: str
) -> None:
    stream = await open_stream("create", url)
    await stream.append("one")
    await stream.append("two")
    other = await open_stream("connect", url)
    await other.delete()
    await other.put()
    appended = await stream.append("three")
    assert appended.offset == (await stream.head()).offset
    assert await items(stream) == ["three"]


def test_an_older_answer_does_not_say_that_the_stream_was_made_anew() -> None:  # OFF-3
    for tail, told in (("5", "3"), ("5", "5"), ("4", "3")):
        stream = Stream(URL, content_type="application/json")
        play(stream._append([b"1"], None), reply(204, next="5"))
        with pytest.raises(ConnectionFailed, match="an old one"):
            play(stream._append([b"2"], None), reply(204, next=told), reply(200, next=tail))


async def test_appends_to_a_stream_of_unknown_type_ask_once_and_keep_their_order(
    server: Serving, name: str
) -> None:
    async with (
        await AsyncStream.create(server.url + name),
        proxy(server.url) as between,
        AsyncStream(between.url(name)) as stream,
    ):
        await asyncio.gather(*(stream.append(n, seq=str(n)) for n in (1, 2, 3)))
        assert await items(stream) == [1, 2, 3]
    assert [head.split()[0] for head in between.heads if b" HTTP/" in head].count(b"HEAD") == 1


async def test_a_question_that_nobody_waits_for_any_more_hurts_nobody(full_port: int) -> None:
    async with AsyncStream(f"http://127.0.0.1:{full_port}/s") as stream:
        appends = [asyncio.create_task(stream.append(n)) for n in range(2)]
        await asyncio.sleep(0.05)
        appends[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await appends[0]
        assert not appends[1].done()
        await stream.aclose()
        with pytest.raises(HandleClosed):
            await appends[1]
    assert len(asyncio.all_tasks()) == 1
