"""AsyncStream and the running event loop: nothing is left behind, whoever leaves and when."""

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

import streamdb
from streamdb import AsyncStream, Batch, HandleClosed, Stream
from streamdb.protocol.read_options import LiveMode
from streamdb_server import Serving, Store, open_store

MODES: list[LiveMode] = ["sse", "long-poll"]


@pytest.fixture(params=["http", "embedded"])
async def place(
    request: pytest.FixtureRequest, patient_server: Serving, tmp_path: Path, name: str
) -> AsyncGenerator[tuple[str, Store]]:
    """An address and its store, where live reads end by what the test does only."""
    if request.param == "http":
        yield patient_server.url + name, patient_server.store
    else:
        with open_store(tmp_path / "data.db") as store:
            yield f"embedded:{tmp_path / 'data.db'}#{name}", store


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does, which has no event to wait for."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type] # there is one


def foreign_threads() -> set[threading.Thread]:
    """All but those of the server, whose pool grows when it likes."""
    return {thread for thread in threading.enumerate() if "server" not in thread.name}


async def follow(stream: AsyncStream, live: LiveMode, caught_up: asyncio.Event) -> list[Batch]:
    found: list[Batch] = []
    async for batch in stream.read(live=live):
        found.append(batch)
        caught_up.set()
    return found


@pytest.mark.parametrize("live", MODES)
async def test_a_cancelled_read_leaves_nothing(place: tuple[str, Store], live: LiveMode) -> None:
    address, store = place
    async with await AsyncStream.create(address, body=[1]) as stream:
        threads = foreign_threads()
        reader = asyncio.create_task(follow(stream, live, asyncio.Event()))
        await until(lambda: len(store.hub) == 1)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await until(lambda: len(store.hub) == 0)  # the server has seen it leave: SSE-20, POLL-13
        await until(lambda: not others())
        assert foreign_threads() <= threads
        await stream.append(2)  # the handle is as good as before
        batches = [batch async for batch in stream.read()]
        assert [item for batch in batches for item in stream.items(batch)] == [1, 2]


@pytest.mark.parametrize("live", MODES)
async def test_leaving_the_loop_releases_at_once(place: tuple[str, Store], live: LiveMode) -> None:
    address, store = place
    # Generators left to the garbage collector, to be closed later. httpx leaves some of its own.
    abandoned: list[AsyncGenerator[object]] = []
    sys.set_asyncgen_hooks(finalizer=abandoned.append)
    async with await AsyncStream.create(address, body=[1]) as stream:
        async with aclosing(stream.read(live=live)) as batches:
            await anext(batches)
            if live == "sse":
                await anext(batches)  # the first control event: the connection is open
                await until(lambda: len(store.hub) == 1)
        ours = str(Path(streamdb.__file__).parent)
        assert not [left for left in abandoned if left.ag_code.co_filename.startswith(ours)]
        await until(lambda: len(store.hub) == 0)
        await until(lambda: not others())


@pytest.mark.parametrize("live", MODES)
async def test_closing_the_handle_ends_its_reads(place: tuple[str, Store], live: LiveMode) -> None:
    address, store = place
    stream = await AsyncStream.create(address, body=[1])
    reader = asyncio.create_task(follow(stream, live, asyncio.Event()))
    await until(lambda: len(store.hub) == 1)
    await stream.aclose()
    with pytest.raises(HandleClosed):
        await asyncio.wait_for(reader, 10)
    await until(lambda: len(store.hub) == 0)
    assert not others()


async def test_a_timeout_around_a_read(place: tuple[str, Store]) -> None:
    address, store = place
    async with await AsyncStream.create(address, body=[1]) as stream:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await follow(stream, "auto", asyncio.Event())
        await until(lambda: len(store.hub) == 0)


async def test_an_abandoned_read_is_cleaned_up_by_the_loop(place: tuple[str, Store]) -> None:
    address, store = place
    async with await AsyncStream.create(address, body=[1]) as stream:
        batches = stream.read(live="sse")
        await anext(batches)
        await anext(batches)
        del batches
        gc.collect()
        await until(lambda: len(store.hub) == 0)


async def test_reads_of_one_handle_do_not_disturb_each_other(place: tuple[str, Store]) -> None:
    address, store = place
    async with await AsyncStream.create(address) as stream:
        events = [asyncio.Event() for _ in range(6)]
        readers = [
            asyncio.create_task(follow(stream, MODES[n % 2], event))
            for n, event in enumerate(events)
        ]
        await until(lambda: len(store.hub) == 6)
        readers[0].cancel()
        for number in range(10):
            await stream.append(number)
        await stream.close_stream()
        for reader in readers[1:]:
            batches = await asyncio.wait_for(reader, 10)
            items = [item for batch in batches for item in stream.items(batch)]
            assert items == list(range(10))


async def test_an_append_that_was_cancelled_is_whole_or_not_there(place: tuple[str, Store]) -> None:
    address, _ = place
    async with await AsyncStream.create(address) as stream:
        for number in range(20):
            append = asyncio.create_task(stream.append_many([number, number]))
            for _ in range(number // 2):
                await asyncio.sleep(0)
            append.cancel()
            await asyncio.gather(append, return_exceptions=True)
        await stream.append("last")
        batches = [batch async for batch in stream.read()]
        items = [item for batch in batches for item in stream.items(batch)]
        pairs, last = items[:-1], items[-1]
        assert last == "last"
        assert pairs[::2] == pairs[1::2]
        assert pairs[::2] == sorted(set(pairs))


async def test_two_event_loops_share_a_file(tmp_path: Path) -> None:
    address = f"embedded:{tmp_path / 'data.db'}#s"
    begun = threading.Event()
    found: list[object] = []

    async def read_elsewhere() -> None:
        async with AsyncStream(address) as stream:
            async for batch in stream.read(live="auto"):
                begun.set()
                found.extend(stream.items(batch))

    async with await AsyncStream.create(address) as stream:
        thread = threading.Thread(target=asyncio.run, args=(read_elsewhere(),))
        thread.start()
        await asyncio.to_thread(begun.wait, 10)
        with Stream(address) as blocking:  # and a third loop, that of blocking code
            for number in range(50):
                await stream.append(number)
                await asyncio.to_thread(blocking.append, -number)
        await stream.close_stream()
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive()
    assert found == [sign * number for number in range(50) for sign in (1, -1)]
