"""Processes that carry the cases out with one Python client each, asked in lines like their peers.

Run by `benchmarks.client` as ``python -m benchmarks.client.workers NAME``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import durable_streams

import streamdb

Times = list[float]

_TYPE: Final = "application/octet-stream"


class Blocking:
    """`streamdb.Stream`."""

    def append(self, url: str, size: int, count: int) -> Times:
        body = b"x" * size
        with streamdb.Stream.connect(url) as stream:
            return _each(count, lambda _: stream.append(body))

    def read(self, url: str, offsets: list[str]) -> Times:
        with streamdb.Stream.connect(url) as stream:
            return _each(len(offsets), lambda index: list(stream.read(offset=offsets[index])))

    def produce(self, url: str, size: int, count: int) -> Times:
        body = b"x" * size
        with streamdb.Stream.connect(url) as stream:

            def all_of_them(_: int) -> None:
                with stream.producer() as producer:
                    for _ in range(count):
                        producer.append(body)
                    producer.flush()

            return _each(1, all_of_them)


class Async:
    """`streamdb.AsyncStream`."""

    async def append(self, url: str, size: int, count: int) -> Times:
        body = b"x" * size
        async with await streamdb.AsyncStream.connect(url) as stream:
            return await _each_async(count, lambda _: stream.append(body))

    async def read(self, url: str, offsets: list[str]) -> Times:
        async with await streamdb.AsyncStream.connect(url) as stream:

            async def once(index: int) -> None:
                async for _ in stream.read(offset=offsets[index]):
                    pass

            return await _each_async(len(offsets), once)

    async def produce(self, url: str, size: int, count: int) -> Times:
        body = b"x" * size
        async with await streamdb.AsyncStream.connect(url) as stream:

            async def all_of_them(_: int) -> None:
                async with stream.producer() as producer:
                    for _ in range(count):
                        await producer.append(body)
                    await producer.flush()

            return await _each_async(1, all_of_them)


class PypiBlocking:
    """`durable_streams.DurableStream`, the client on PyPI."""

    def append(self, url: str, size: int, count: int) -> Times:
        body = b"x" * size
        with durable_streams.DurableStream(url, content_type=_TYPE) as stream:
            return _each(count, lambda _: stream.append(body))

    def read(self, url: str, offsets: list[str]) -> Times:
        with durable_streams.DurableStream(url) as stream:

            def once(index: int) -> None:
                with stream.stream(offset=offsets[index], live=False) as response:
                    response.read_bytes()

            return _each(len(offsets), once)


class PypiAsync:
    """`durable_streams.AsyncDurableStream`; its batching append is what it has of a producer."""

    async def append(self, url: str, size: int, count: int) -> Times:
        body = b"x" * size
        async with durable_streams.AsyncDurableStream(url, content_type=_TYPE) as stream:
            return await _each_async(count, lambda _: stream.append(body))

    async def read(self, url: str, offsets: list[str]) -> Times:
        async with durable_streams.AsyncDurableStream(url) as stream:

            async def once(index: int) -> None:
                async with stream.stream(offset=offsets[index], live=False) as response:
                    await response.read_bytes()

            return await _each_async(len(offsets), once)

    async def produce(self, url: str, size: int, count: int) -> Times:
        body = b"x" * size
        async with durable_streams.AsyncDurableStream(url, content_type=_TYPE) as stream:

            async def all_of_them(_: int) -> None:
                await asyncio.gather(*(stream.append(body) for _ in range(count)))

            return await _each_async(1, all_of_them)


WORKERS: Final[dict[str, type[Any]]] = {
    "streamdb": Blocking,
    "streamdb-async": Async,
    "pypi": PypiBlocking,
    "pypi-async": PypiAsync,
}


def main() -> None:
    """Answer ``{"command": case, ...}`` line by line, until the input ends."""
    worker = WORKERS[sys.argv[1]]()
    _say({"result": None})
    for line in sys.stdin:
        given = json.loads(line)
        case = getattr(worker, given.pop("command"))
        _say({"result": _measured(case, given)})


def _measured(case: Callable[..., Times | Awaitable[Times]], given: dict[str, Any]) -> object:
    async def awaited() -> tuple[Times, float]:
        begin = time.process_time()
        times = case(**given)
        return (await times if not isinstance(times, list) else times), time.process_time() - begin

    if asyncio.iscoroutinefunction(case):
        times, cpu = asyncio.run(awaited())
    else:
        begin = time.process_time()
        found = case(**given)
        assert isinstance(found, list)
        times, cpu = found, time.process_time() - begin
    return {"times": times, "cpu": 1000 * cpu}


def _each(count: int, act: Callable[[int], object]) -> Times:
    times: Times = []
    for index in range(count):
        begin = time.perf_counter()
        act(index)
        times.append(1000 * (time.perf_counter() - begin))
    return times


async def _each_async(count: int, act: Callable[[int], Awaitable[object]]) -> Times:
    times: Times = []
    for index in range(count):
        begin = time.perf_counter()
        await act(index)
        times.append(1000 * (time.perf_counter() - begin))
    return times


def _say(answer: object) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
