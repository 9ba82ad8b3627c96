"""Random histories of readers and writers behind proxies that damage what goes through them.

Whatever happens: what is read is what was written, in order, once; offsets never go back; what a
producer loses is told for what it is; and nothing is left behind.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import struct
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from hypothesis import strategies as st
from tests.faults import Fault, faults, proxy
from tests.runtime.streams.conftest import InThread
from tests.runtime.streams.leftovers import nothing_left

from streamdb import (
    AsyncStream,
    Batch,
    Producer,
    ProducerFailed,
    RetryPolicy,
    Stream,
    StreamClosed,
    StreamParseError,
)
from streamdb.protocol import reading
from streamdb.protocol.read_options import LiveMode
from streamdb_server import Options, Serving, serving

Form = Literal["async", "blocking"]
Content = Literal["json", "binary"]

MESSAGES = 24
LONGEST = 60.0  # seconds of a history: only a hang takes so long
_QUICK = {"initial": 0.001, "maximum": 0.005}
TIRELESS = RetryPolicy(**_QUICK)
_MEDIA_TYPES: dict[Content, str] = {
    "json": "application/json",
    "binary": "application/octet-stream",
}
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Reading:
    """A reader.

    Attributes:
        form: of the handle.
        live: how to follow.
        faults: what its requests meet.
    """

    form: Form
    live: LiveMode
    faults: list[Fault]


@dataclass(frozen=True)
class Writing:
    """A producer.

    Attributes:
        form: of the handle.
        faults: what its requests meet.
        attempts: tries of a batch; after a loss the producer is restarted and goes on.
        batch: values of a batch at most.
        in_flight: batches under way at most.
        flush_every: so many values are followed by a flush.
        end: how it ends; ``give up`` closes the handle with requests under way.
    """

    form: Form
    faults: list[Fault]
    attempts: int | None
    batch: int
    in_flight: int
    flush_every: int
    end: Literal["close", "detach", "give up"]


@dataclass(frozen=True)
class ReadHistory:
    """Somebody reads what was written before, and what is written meanwhile."""

    content: Content
    reader: Reading
    before: int
    step: int


@dataclass(frozen=True)
class WriteHistory:
    """Somebody writes."""

    content: Content
    writer: Writing


@dataclass(frozen=True)
class BothHistory:
    """Somebody reads what somebody else writes."""

    content: Content
    reader: Reading
    writer: Writing


_forms = st.sampled_from(get_args(Form))
_contents = st.sampled_from(get_args(Content))
_lives: st.SearchStrategy[LiveMode] = st.sampled_from(["sse", "long-poll", "auto"])


def _readings(lives: st.SearchStrategy[LiveMode]) -> st.SearchStrategy[Reading]:
    return st.builds(Reading, _forms, lives, faults())


_writings = st.builds(
    Writing,
    form=_forms,
    faults=faults(),
    attempts=st.sampled_from([None, None, 1, 2, 3]),
    batch=st.integers(1, 9),
    in_flight=st.integers(1, 5),
    flush_every=st.integers(1, MESSAGES + 1),
    end=st.sampled_from(["close", "detach", "give up"]),
)
read_histories = st.builds(
    ReadHistory,
    _contents,
    _readings(st.just(False) | _lives),
    before=st.integers(0, MESSAGES),
    step=st.integers(1, 9),
)
write_histories = st.builds(WriteHistory, _contents, _writings)
both_histories = st.builds(BothHistory, _contents, _readings(_lives), _writings)


@contextmanager
def history_server(folder: Path) -> Generator[Serving]:
    """Run a server whose answers are small, and whose live reads are short."""
    options = Options(long_poll_timeout=0.05, sse_lifetime=0.3, page_bytes=4096)
    with serving(folder / "streams.db", options=options) as running:
        yield running


@contextmanager
def in_a_hurry() -> Generator[None]:
    """Shorten the waits after short connections: their number is what matters here."""
    noisy = [logging.getLogger(name) for name in ("httpx", "streamdb.streams")]
    levels = [logger.level for logger in noisy]
    for logger in noisy:
        logger.setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_SHORT_BASE_WAIT", 0.001)
        yield
    for logger, level in zip(noisy, levels, strict=True):
        logger.setLevel(level)


# --- what is written


def value(content: Content, number: int) -> Any:
    """Return the value of a number; it differs from all others."""
    if content == "json":
        return {"n": number, "text": "é" * (number * 67 % 400)}
    size = number * 67 % 400
    return struct.pack(">HH", number, size) + bytes(i * 37 % 256 for i in range(size))


def numbers_of(content: Content, found: list[Any]) -> list[int]:
    """Return the numbers of values, which must be just what was written."""
    if content == "json":
        numbers = [item["n"] for item in found]
    else:
        found, data = [], b"".join(found)
        numbers = []
        while data:
            number, size = struct.unpack_from(">HH", data)
            numbers.append(number)
            found.append(data[: 4 + size])
            data = data[4 + size :]
    assert found == [value(content, number) for number in numbers]
    return numbers


# --- who reads and writes


@asynccontextmanager
async def _opened(form: Form, url: str, **options: Any) -> AsyncGenerator[Any]:
    options = {"retry": TIRELESS, "reconnect": TIRELESS, **options}
    stream = AsyncStream(url, **options) if form == "async" else Stream(url, **options)
    try:
        yield stream
    finally:
        await _awaitable(stream).aclose()


def _awaitable(made: Any) -> Any:
    """Give the methods of a blocking handle or producer the form of the async one."""
    return InThread(made) if isinstance(made, Stream | Producer) else made


async def _read(url: str, content: Content, how: Reading) -> list[Any]:
    """Read to the end, as one does who minds errors: on from what was read and understood."""
    found: list[Any] = []
    offset = "-1"
    async with _opened(how.form, url, timeout=0.5, idle_timeout=0.3) as stream:
        while True:
            batches = _awaitable(stream).read(offset=offset, live=how.live)
            try:
                async for batch in batches:
                    found += stream.items(batch) if content == "json" else [batch.data]
                    assert offset == "-1" or batch.offset >= offset
                    offset = batch.offset
                    is_over = batch.closed if how.live else batch.up_to_date
            except StreamParseError:
                continue
            finally:
                await batches.aclose()
            assert is_over, "the read ended before the stream did"
            return found


@dataclass
class Told:
    """What a producer said of what it lost."""

    content: Content
    unwritten: list[int] = field(default_factory=list[int])
    unknown: list[int] = field(default_factory=list[int])

    def note(self, failed: ProducerFailed) -> None:
        """Take an error of it."""
        self.unwritten += numbers_of(self.content, list(failed.unwritten))
        self.unknown += numbers_of(self.content, list(failed.unknown))


async def _write(url: str, content: Content, how: Writing) -> Told:
    at_once, raised = Told(content), Told(content)

    async with _opened(how.form, url, timeout=0.5) as stream:
        made = stream.producer(
            "writer",
            linger=0.001,
            retry=RetryPolicy(attempts=how.attempts, **_QUICK),
            max_batch_items=how.batch,
            max_in_flight=how.in_flight,
            on_error=at_once.note,
        )
        producer = _awaitable(made)

        async def survive(method: Any, *arguments: Any) -> bool:
            """Return whether it succeeded; mend the producer if not."""
            try:
                await method(*arguments)
            except ProducerFailed as failed:
                raised.note(failed)
                if failed.is_stopped:
                    await survive(producer.flush)
                    await producer.restart()
                return isinstance(failed.__cause__, StreamClosed)
            return True

        for number in range(MESSAGES):
            while not await survive(producer.append, value(content, number)):
                pass
            if (number + 1) % how.flush_every == 0:
                await survive(producer.flush)
        if how.end == "close":
            while not await survive(producer.close):
                pass
        if how.end != "give up":
            await survive(producer.detach)
            assert at_once == raised
    return at_once


# --- histories


async def judge_read(server: str, history: ReadHistory) -> None:
    """Raise if a reader reads anything but what was written."""
    values = [value(history.content, number) for number in range(MESSAGES)]
    url = f"{server}read/{next(_NUMBERS)}"
    before = MESSAGES if history.reader.live is False else history.before

    async with surroundings(url, history.content) as writer:
        for first in range(0, before, history.step):
            await writer.append_many(values[first : min(first + history.step, before)])
        async with proxy(url, history.reader.faults) as between:
            reader = asyncio.create_task(_read(between.url(""), history.content, history.reader))
            for first in range(before, MESSAGES, history.step):
                await writer.append_many(values[first : first + history.step])
                await asyncio.sleep(0)
            await writer.close_stream()
            found = await reader
    assert numbers_of(history.content, found) == list(range(MESSAGES))


async def judge_write(server: str, history: WriteHistory) -> None:
    """Raise if anything that was written is lost untold, doubled, or out of order."""
    url = f"{server}write/{next(_NUMBERS)}"
    async with surroundings(url, history.content) as reader:
        async with proxy(url, history.writer.faults) as between:
            told = await _write(between.url(""), history.content, history.writer)
        stored = await _stored(reader, history.content)
    _check_fates(stored, told, history.writer)


async def judge_both(server: str, history: BothHistory) -> None:
    """Raise if a reader of a producer reads anything but what is stored, or that is wrong."""
    url = f"{server}both/{next(_NUMBERS)}"
    async with surroundings(url, history.content) as other:
        async with (
            proxy(url, history.reader.faults) as before_reader,
            proxy(url, history.writer.faults) as before_writer,
        ):
            reader = asyncio.create_task(
                _read(before_reader.url(""), history.content, history.reader)
            )
            told = await _write(before_writer.url(""), history.content, history.writer)
            await before_writer.settle()
            await other.close_stream()
            found = await reader
        stored = await _stored(other, history.content)
    assert numbers_of(history.content, found) == stored
    _check_fates(stored, told, history.writer)


async def _stored(stream: AsyncStream, content: Content) -> list[int]:
    batches: list[Batch] = [batch async for batch in stream.read()]
    items = [stream.items(batch) if content == "json" else [batch.data] for batch in batches]
    return numbers_of(content, [item for part in items for item in part])


def _check_fates(stored: list[int], told: Told, how: Writing) -> None:
    assert stored == sorted(set(stored)), "doubled, or out of order"
    lost = told.unwritten + told.unknown
    assert len(lost) == len(set(lost)), "told twice"
    assert not set(told.unwritten) & set(stored), "told as unwritten, and stored"
    assert set(stored) | set(lost) == set(range(MESSAGES)), "lost without a word"
    if how.attempts is None and how.end != "give up":
        assert not lost


@asynccontextmanager
async def surroundings(url: str, content: Content) -> AsyncGenerator[AsyncStream]:
    """Make a stream; afterwards nothing may be left of what happened meanwhile."""
    async with (
        nothing_left(),
        asyncio.timeout(LONGEST),
        await AsyncStream.create(url, content_type=_MEDIA_TYPES[content]) as stream,
    ):
        yield stream
