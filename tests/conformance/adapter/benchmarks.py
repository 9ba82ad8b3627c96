"""The command `benchmark`: one operation, measured from within."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

from adapter.commands import (
    AppendOnce,
    CreateOne,
    ReadAll,
    Roundtrip,
    ThroughputAppend,
    ThroughputRead,
)
from adapter.modes import Mode
from adapter.values import compact, is_json

from streamdb import AsyncStream

Measured = AppendOnce | ReadAll | CreateOne | Roundtrip | ThroughputAppend | ThroughputRead


@dataclass
class Measurement:
    """How long it took, and how much was moved."""

    began_at: int = field(init=False, default_factory=perf_counter_ns)
    ended_at: int = field(init=False, default=0)
    size: int = 0
    messages: int = 0

    def end(self, *, size: int = 0, messages: int = 0) -> Measurement:
        self.ended_at = perf_counter_ns()
        self.size, self.messages = size, messages
        return self

    def answer(self) -> dict[str, Any]:
        nanoseconds = max(self.ended_at - self.began_at, 1)
        seconds = nanoseconds / 1e9
        return {
            "durationNs": str(nanoseconds),
            "metrics": {
                "bytesTransferred": self.size,
                "messagesProcessed": self.messages,
                "opsPerSecond": self.messages / seconds,
                "bytesPerSecond": self.size / seconds,
            },
        }


async def measure(mode: Mode, stream: AsyncStream, operation: Measured) -> Measurement:
    """Carry an operation out; what it needs beforehand is not measured."""
    match operation:
        case AppendOnce(size=size):
            value = _value(size, await _content_type(stream))
            measurement = Measurement()
            await stream.append(value)
            return measurement.end(size=size, messages=1)
        case ReadAll(offset=offset):
            measurement = Measurement()
            async with aclosing(stream.read(offset=offset)) as batches:
                read = sum([len(batch.data) async for batch in batches])
            return measurement.end(size=read, messages=1)
        case CreateOne(content_type=content_type):
            measurement = Measurement()
            await stream.put(content_type=content_type)
            return measurement.end(messages=1)
        case Roundtrip():
            return await _roundtrip(mode, stream, operation)
        case ThroughputAppend():
            return await _throughput_append(stream, operation)
        case ThroughputRead():
            return await _throughput_read(stream)


async def _roundtrip(mode: Mode, stream: AsyncStream, operation: Roundtrip) -> Measurement:
    info = await stream.put(content_type=operation.content_type)
    value = _value(operation.size, operation.content_type)
    measurement = Measurement()
    await mode.together(_first_data(stream, info.offset, operation), _append(stream, value))
    return measurement.end(size=operation.size, messages=1)


async def _first_data(stream: AsyncStream, offset: str, operation: Roundtrip) -> None:
    async with aclosing(stream.read(offset=offset, live=operation.live)) as batches:
        async for batch in batches:
            if batch.data.strip(b"[]"):
                return


async def _append(stream: AsyncStream, value: Any) -> None:
    await stream.append(value)


async def _throughput_append(stream: AsyncStream, operation: ThroughputAppend) -> Measurement:
    value = _value(operation.size, await _content_type(stream))
    measurement = Measurement()
    async with stream.producer(max_in_flight=operation.concurrency) as producer:
        for _ in range(operation.count):
            await producer.append(value)
        await producer.flush()
    return measurement.end(size=operation.size * operation.count, messages=operation.count)


async def _throughput_read(stream: AsyncStream) -> Measurement:
    size = messages = 0
    measurement = Measurement()
    async with aclosing(stream.read()) as batches:
        async for batch in batches:
            for item in stream.items(batch):
                size += len(compact(item))
                messages += 1
    return measurement.end(size=size, messages=messages)


async def _content_type(stream: AsyncStream) -> str:
    return stream.content_type or (await stream.head()).content_type


def _value(size: int, content_type: str) -> Any:
    return {"data": "x" * max(size - 11, 0)} if is_json(content_type) else b"x" * size
