"""The commands of the conformance runner, as they stand in its lines.

What a runner may leave out has a default; what it must give and does not is refused by msgspec,
with the name of the field as the runner spells it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Headers = dict[str, str]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class Command(msgspec.Struct, rename="camel", kw_only=True):
    """One line of the runner."""


class Init(Command):
    server_url: str
    timeout_ms: int | None = None


class OnStream(Command):
    """A command about one stream; `path` is absolute, behind the server's URL."""

    path: str
    headers: Headers = {}


class Create(OnStream, kw_only=True):
    content_type: str = "application/octet-stream"
    ttl_seconds: int | None = None
    expires_at: str | None = None
    closed: bool = False
    data: str | None = None


class Connect(OnStream, kw_only=True):
    pass


class Head(OnStream, kw_only=True):
    pass


class Delete(OnStream, kw_only=True):
    pass


class Append(OnStream, kw_only=True):
    data: str
    binary: bool = False
    seq: int | str | None = None


class Read(OnStream, kw_only=True):
    offset: str = "-1"
    live: bool | Literal["long-poll", "sse"] = False
    timeout_ms: float = 5000
    max_chunks: Positive = 100
    wait_for_up_to_date: bool = False


class Close(OnStream, kw_only=True):
    data: str | None = None
    content_type: str | None = None


class OfProducer(OnStream, kw_only=True):
    """A command of one producer on one stream."""

    producer_id: str
    epoch: int = 0
    auto_claim: bool = False


class IdempotentAppend(OfProducer, kw_only=True):
    data: str


class IdempotentAppendBatch(OfProducer, kw_only=True):
    items: list[str]
    max_in_flight: Positive = 1


class IdempotentClose(OfProducer, kw_only=True):
    data: str | None = None


class IdempotentDetach(OfProducer, kw_only=True):
    pass


class SetDynamicHeader(Command):
    name: str
    value_type: Literal["counter", "timestamp", "token"]
    initial_value: str | int | None = None


class SetDynamicParam(Command):
    name: str
    value_type: Literal["counter", "timestamp"]


class ClearDynamic(Command):
    pass


class ProducerTarget(Command, tag_field="target", tag="idempotent-producer"):
    producer_id: str = "validated"
    epoch: int | None = None
    max_batch_bytes: int | None = None
    max_batch_items: int | None = None


class RetryTarget(Command, tag_field="target", tag="retry-options"):
    max_retries: int | None = None
    initial_delay_ms: float | None = None
    max_delay_ms: float | None = None
    multiplier: float | None = None


class Validate(Command):
    target: ProducerTarget | RetryTarget


class Operation(Command, tag_field="op"):
    """What a benchmark measures."""

    path: str


class AppendOnce(Operation, tag="append", kw_only=True):
    size: int


class ReadAll(Operation, tag="read", kw_only=True):
    offset: str = "-1"


class CreateOne(Operation, tag="create", kw_only=True):
    content_type: str = "application/octet-stream"


class Roundtrip(Operation, tag="roundtrip", kw_only=True):
    size: int
    live: Literal["long-poll", "sse"] = "long-poll"
    content_type: str = "application/octet-stream"


class ThroughputAppend(Operation, tag="throughput_append", kw_only=True):
    count: int
    size: int
    concurrency: Positive = 1


class ThroughputRead(Operation, tag="throughput_read", kw_only=True):
    expected_count: int | None = None


class Benchmark(Command):
    iteration_id: str
    operation: AppendOnce | ReadAll | CreateOne | Roundtrip | ThroughputAppend | ThroughputRead


class Shutdown(Command):
    pass
