"""Whatever happens to connections: what is read is what was written, in order, once."""

import asyncio
import itertools
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.faults import (
    Busy,
    CutAnswer,
    CutRequest,
    Fault,
    LoseAnswer,
    Refuse,
    Silent,
    Slow,
    Stall,
    proxy,
)
from tests.runtime.streams.conftest import Opener

from streamdb import (
    AsyncStream,
    Batch,
    ConnectionFailed,
    RateLimited,
    RetryPolicy,
    Stream,
    UnexpectedStatus,
)
from streamdb.protocol import json_text, reading
from streamdb.protocol.exchange import Interrupted
from streamdb.protocol.read_options import LiveMode
from streamdb.protocol.writing import ProducerState
from streamdb_server import Serving

TIRELESS = RetryPolicy(initial=0.001, maximum=0.005)
MESSAGES = [{"n": n, "text": "é" * (n * 67 % 700)} for n in range(24)]

# The head of an answer is some 800 bytes long; a catch-up of all messages some 20,000.
lengths = st.integers(0, 1200) | st.integers(0, 30_000)
faults: st.SearchStrategy[list[Fault]] = st.lists(
    st.one_of(
        st.builds(CutAnswer, lengths),
        st.builds(CutRequest, st.integers(0, 600)),
        st.just(LoseAnswer()),
        st.just(Refuse()),
        st.builds(Busy, st.sampled_from([429, 500, 502, 503])),
        st.builds(Slow, st.sampled_from([0.001, 0.01])),
    ),
    max_size=12,
)
bounded = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Shorten the waits after short connections: their number is what matters here."""
    monkeypatch.setattr(reading, "_SHORT_BASE_WAIT", 0.001)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    yield
    logging.getLogger("httpx").setLevel(logging.NOTSET)


async def follow(url: str, live: LiveMode) -> list[Batch]:
    async with AsyncStream(url, retry=TIRELESS, reconnect=TIRELESS, timeout=5) as stream:
        return [batch async for batch in stream.read(live=live)]


@pytest.mark.parametrize("live", ["sse", "long-poll", "auto"])
@bounded
@given(faults=faults, before=st.integers(0, len(MESSAGES)), step=st.integers(1, 9))
def test_a_read_delivers_everything_once_and_in_order(
    server: Serving, live: LiveMode, faults: list[Fault], before: int, step: int
) -> None:
    async def run() -> list[Batch]:
        name = f"read/{next(_numbers)}"
        async with (
            await AsyncStream.create(server.url + name) as writer,
            proxy(server.url, faults) as between,
            asyncio.timeout(30),
        ):
            if before:
                await writer.append_many(MESSAGES[:before])
            reader = asyncio.create_task(follow(between.url(name), live))
            for first in range(before, len(MESSAGES), step):
                await writer.append_many(MESSAGES[first : min(first + step, len(MESSAGES))])
                await asyncio.sleep(0)
            await writer.close_stream()
            return await reader

    batches = asyncio.run(run())
    items = [item for batch in batches for item in json_text.messages(batch, url="")]
    assert items == MESSAGES
    offsets = [batch.offset for batch in batches]
    assert offsets == sorted(offsets)
    assert [batch.closed for batch in batches] == [False] * (len(batches) - 1) + [True]


@bounded
@given(faults)
def test_a_catch_up_delivers_everything_once_and_in_order(
    server: Serving, faults: list[Fault]
) -> None:
    async def run() -> list[Batch]:
        name = f"catch-up/{next(_numbers)}"
        async with (
            await AsyncStream.create(server.url + name) as writer,
            proxy(server.url, faults) as between,
            asyncio.timeout(30),
        ):
            for first in range(0, len(MESSAGES), 3):
                await writer.append_many(MESSAGES[first : first + 3])
            return await follow(between.url(name), live=False)

    batches = asyncio.run(run())
    assert len(batches) > 1  # in pages
    items = [item for batch in batches for item in json_text.messages(batch, url="")]
    assert items == MESSAGES


@bounded
@given(faults)
def test_a_producer_stores_everything_once_and_in_order(
    server: Serving, faults: list[Fault]
) -> None:
    async def run() -> list[Batch]:
        name = f"produce/{next(_numbers)}"
        async with (
            await AsyncStream.create(server.url + name) as reader,
            proxy(server.url, faults) as between,
            AsyncStream(between.url(name), retry=TIRELESS, reconnect=TIRELESS) as writer,
            asyncio.timeout(30),
        ):
            producer = ProducerState("writer")
            for message in MESSAGES:
                await writer.append_once(producer, json_text.frame([json_text.encode(message)]))
            assert producer.epoch == 0
            return [batch async for batch in reader.read()]

    batches = asyncio.run(run())
    assert [item for batch in batches for item in json_text.messages(batch, url="")] == MESSAGES


@bounded
@given(faults, st.lists(st.integers(0, 30), max_size=len(MESSAGES)))
def test_an_impatient_producer_loses_nothing_that_was_acknowledged(
    server: Serving, faults: list[Fault], patience: list[int]
) -> None:
    """It gives up after one try, or is cancelled: what is then unknown is stored once or never."""
    once = RetryPolicy(attempts=1)

    async def run() -> tuple[list[object], list[Batch]]:
        name = f"impatient/{next(_numbers)}"
        acknowledged: list[object] = []
        async with (
            await AsyncStream.create(server.url + name) as reader,
            proxy(server.url, faults) as between,
            AsyncStream(between.url(name), retry=TIRELESS, reconnect=once) as writer,
            asyncio.timeout(30),
        ):
            producer = ProducerState("writer")
            for message, turns in itertools.zip_longest(MESSAGES, patience):
                body = json_text.frame([json_text.encode(message)])
                append = asyncio.create_task(writer.append_once(producer, body))
                if turns is not None:
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    append.cancel()
                try:
                    await append
                except (asyncio.CancelledError, ConnectionFailed, RateLimited, UnexpectedStatus):
                    continue
                acknowledged.append(message)
            await writer.aclose()
            return acknowledged, [batch async for batch in reader.read()]

    acknowledged, batches = asyncio.run(run())
    stored = [item for batch in batches for item in json_text.messages(batch, url="")]
    numbers = [item["n"] for item in stored]
    assert len(set(numbers)) == len(numbers)
    assert [item for item in stored if item in acknowledged] == acknowledged


@pytest.mark.parametrize("form", ["async", "blocking"])
async def test_tries_without_end_are_logged_and_become_a_warning(
    server: Serving, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    caplog.set_level(logging.INFO, "streamdb.streams")
    name = f"logged/{next(_numbers)}"
    async with (
        await AsyncStream.create(server.url + name),
        proxy(server.url, [Busy(500)] * 6) as between,
    ):
        address = between.url(name, query="token=sesame")
        if form == "async":
            async with AsyncStream(address, retry=TIRELESS) as stream:
                await stream.head()
        else:
            with Stream(address, retry=TIRELESS) as blocking:
                await asyncio.to_thread(blocking.head)
    told = [record for record in caplog.records if record.name == "streamdb.streams"]
    assert [record.levelname for record in told] == ["INFO"] * 4 + ["WARNING"] * 2
    assert (
        told[5]
        .getMessage()
        .startswith(f"{between.url(name)}: head: the server answered 500 (failure 6 in a row)")
    )


async def test_what_is_logged_says_what_the_tries_are_for(
    server: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    """A database reads and writes the same stream, and an outage hits both."""
    caplog.set_level(logging.INFO, "streamdb.streams")
    name = f"said/{next(_numbers)}"
    async with (
        await AsyncStream.create(server.url + name),
        proxy(server.url) as between,
        AsyncStream(between.url(name), retry=TIRELESS) as stream,
    ):
        await stream.head()
        await between.trouble([Busy(503)])
        await stream.append(1)
        await between.trouble([Busy(503)])
        assert [batch.offset async for batch in stream.read(offset="-1")]
    told = [one.getMessage() for one in caplog.records if one.name == "streamdb.streams"]
    assert [text.removeprefix(f"{between.url(name)}: ").partition(" (")[0] for text in told] == [
        "append: the server answered 503",
        "read: the server answered 503",
    ]


async def test_a_read_that_was_connected_before_is_as_patient_as_a_reconnect(
    server: Serving,
) -> None:
    name = f"resumed/{next(_numbers)}"
    async with (
        await AsyncStream.create(server.url + name, body=[1]),
        proxy(server.url) as between,
        AsyncStream(between.url(name), retry=RetryPolicy(attempts=1), reconnect=TIRELESS) as stream,
    ):
        for resumed in (True, False):
            await between.trouble([Busy(503)] * 9)
            reading_on = stream.deliveries(offset="-1", live=False, resumed=resumed)
            if resumed:
                found = [one async for one in reading_on]
                assert [type(one) for one in found] == [Interrupted] * 9 + [Batch]
            else:
                with pytest.raises(UnexpectedStatus):
                    await anext(reading_on)


@pytest.mark.parametrize("fault", [Silent(), Stall(700)], ids=["at once", "in the midst"])
@pytest.mark.parametrize("live", ["sse", "long-poll"])
async def test_a_live_read_leaves_a_peer_that_falls_silent(
    patient_server: Serving, open_stream: Opener, live: LiveMode, fault: Fault, name: str
) -> None:
    async with (
        await AsyncStream.create(patient_server.url + name) as writer,
        proxy(patient_server.url) as between,
    ):
        reader = await open_stream("connect", between.url(name), timeout=60, idle_timeout=0.2)
        batches = reader.read(live=live)
        async with asyncio.timeout(30):
            assert (await anext(batches)).up_to_date
            await between.trouble([fault])
            await writer.close_stream(*MESSAGES)
            found = [item async for batch in batches for item in reader.items(batch)]
    assert found == MESSAGES
    assert len(between.heads) > 3  # it has asked again


def test_timeouts_are_seconds_above_zero() -> None:
    for option in ("timeout", "idle_timeout"):
        with pytest.raises(ValueError, match=f"{option} is 0: seconds, more than 0"):
            Stream("http://localhost/v1/stream/s", **{option: 0})
        for value in (float("inf"), float("nan"), 1e12):
            with pytest.raises(ValueError, match=f"{option} is .*: seconds, more than 0, at most"):
                Stream("http://localhost/v1/stream/s", **{option: value})


def test_a_live_read_is_more_patient_than_the_longest_poll() -> None:
    longest_poll = 30  # of the reference server
    for timeout in (1, 300):
        with Stream("http://localhost/v1/stream/s", timeout=timeout) as stream:
            assert stream._wire_settings.idle_timeout >= max(2 * longest_poll, timeout)
