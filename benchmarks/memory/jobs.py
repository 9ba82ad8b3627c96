"""What is measured: reading a long stream, and producing for a long time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing, closing
from typing import Final

from streamdb import AsyncStream, Stream

#: Called again and again with the bytes read or written so far; True ends a job.
Progress = Callable[[int], bool]
#: A job has the server's address, the bytes of a stream to read, and somebody to tell.
Job = Callable[[str, int, Progress], None]

_TEXT: Final = "x" * 1000


def read_pages(server: str, size: int, tell: Progress) -> None:
    """Catch up, blocking."""
    with Stream(f"{server}/pages/{size}") as stream, closing(stream.read()) as batches:
        done = 0
        for batch in batches:
            done += len(batch.data)
            if tell(done):
                return


def read_pages_async(server: str, size: int, tell: Progress) -> None:
    """Catch up, asyncio, and parse."""
    asyncio.run(_read(f"{server}/pages/{size}", False, tell))


def follow_async(server: str, size: int, tell: Progress) -> None:
    """Follow by SSE, asyncio, and parse."""
    asyncio.run(_read(f"{server}/follow/{size}", True, tell))


async def _read(url: str, follows: bool, tell: Progress) -> None:
    async with (
        AsyncStream(url) as stream,
        aclosing(stream.read(live="sse" if follows else False)) as batches,
    ):
        done = 0
        async for batch in batches:
            stream.items(batch)
            done += len(batch.data)
            if tell(done):
                return


def follow(server: str, size: int, tell: Progress) -> None:
    """Follow by SSE, blocking."""
    stream = Stream(f"{server}/follow/{size}")
    with stream, closing(stream.read(live="sse")) as batches:
        done = 0
        for batch in batches:
            done += len(batch.data)
            if tell(done):
                return


def produce_async(server: str, _: int, tell: Progress) -> None:
    """Append through a producer, asyncio, as fast as it takes it."""

    async def produce() -> None:
        async with (
            AsyncStream(f"{server}/sink") as stream,
            stream.producer(max_buffered_bytes=4 << 20) as producer,
        ):
            done = 0
            while not tell(done):
                for _ in range(100):
                    await producer.append(_TEXT)
                done += 100 * len(_TEXT)

    asyncio.run(produce())


def produce(server: str, _: int, tell: Progress) -> None:
    """Append through a producer, blocking, as fast as it takes it."""
    with (
        Stream(f"{server}/sink") as stream,
        stream.producer(max_buffered_bytes=4 << 20) as producer,
    ):
        done = 0
        while not tell(done):
            for _ in range(100):
                producer.append(_TEXT)
            done += 100 * len(_TEXT)


READING: Final[Mapping[str, Job]] = {
    "catch up, blocking": read_pages,
    "catch up, asyncio": read_pages_async,
    "SSE, blocking": follow,
    "SSE, asyncio": follow_async,
}
PRODUCING: Final[Mapping[str, Job]] = {
    "produce, blocking": produce,
    "produce, asyncio": produce_async,
}


def until_enough(size: int, seconds: float) -> Progress:
    """End a job after so many bytes, or so many seconds."""
    began_at = time.monotonic()
    return lambda done: done >= size or time.monotonic() - began_at >= seconds
