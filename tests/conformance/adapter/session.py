"""What an adapter does for each command, and what it keeps between them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec
from adapter import commands
from adapter.benchmarks import measure
from adapter.dynamic import DynamicValues
from adapter.failures import BadJson, NotSupportedHere, failure
from adapter.modes import Mode, OutOfTime
from adapter.reads import read
from adapter.validation import validate
from adapter.values import is_json, parsed, value_of

import streamdb
from streamdb import AsyncProducer, AsyncStream, ProducerFailed, RetryPolicy

# The runner waits 30 s for an answer, and takes a late one for the answer to its next command.
_LONGEST: Final = 25.0
# Enough for the few faults of a test; an end to the many.
_RETRY: Final = RetryPolicy(attempts=6, initial=0.1, multiplier=1.5, maximum=2.0, elapsed=8.0)
_FEATURES: Final = (
    "batching",
    "sse",
    "longPoll",
    "auto",
    "streaming",
    "dynamicHeaders",
    "retryOptions",
    "batchItems",
    "strictZeroValidation",
)

Result = dict[str, Any]
ProducerKey = tuple[str, str, int]


class Kept(NamedTuple):
    """A producer that lasts from one command to another, and the handle that it writes by."""

    stream: AsyncStream
    producer: AsyncProducer


@dataclass
class Session:
    """One runner's talk with one form of the client."""

    mode: Mode
    is_over: bool = field(init=False, default=False)
    _root: str | None = field(init=False, default=None)
    _content_types: dict[str, str] = field(init=False, default_factory=dict)
    _producers: dict[ProducerKey, Kept] = field(init=False, default_factory=dict)
    _headers: DynamicValues = field(init=False, default_factory=DynamicValues)
    _params: DynamicValues = field(init=False, default_factory=DynamicValues)

    async def answer(self, line: str) -> Result:
        """Carry one command out; whatever goes wrong is an answer, too."""
        name = "unknown"
        try:
            asked = parsed(line)
            if not isinstance(asked, dict) or not isinstance(asked.get("type"), str):
                raise ValueError("a command is a JSON object with a `type`")
            name = asked["type"]
            if name not in COMMANDS:
                raise NotSupportedHere(f"there is no command {name!r}")
            kind, carry_out = COMMANDS[name]
            result = await carry_out(self, msgspec.convert(asked, kind))
        except Exception as error:  # noqa: BLE001 - the runner gets an answer to every command
            return failure(name, error)
        known = {key: value for key, value in result.items() if value is not None}
        return {"type": name, "success": True, **known}

    async def reset(self) -> None:
        """Give up all that is kept."""
        for key in list(self._producers):
            await self._drop(key)
        self._content_types.clear()
        self._headers.clear()
        self._params.clear()

    # --- the session itself

    async def init(self, command: commands.Init) -> Result:
        await self.reset()
        self._root = command.server_url.rstrip("/")
        return {
            "clientName": f"streamdb ({self.mode.name})",
            "clientVersion": streamdb.__version__,
            "features": dict.fromkeys(_FEATURES, True),
        }

    async def shutdown(self, command: commands.Shutdown) -> Result:
        self.is_over = True
        return {}

    async def set_dynamic_header(self, command: commands.SetDynamicHeader) -> Result:
        self._headers.set(command)
        return {}

    async def set_dynamic_param(self, command: commands.SetDynamicParam) -> Result:
        self._params.set(command)
        return {}

    async def clear_dynamic(self, command: commands.ClearDynamic) -> Result:
        self._headers.clear()
        self._params.clear()
        return {}

    async def validate(self, command: commands.Validate) -> Result:
        stream = self._open("/", {}, {})
        try:
            validate(command.target, stream)
        finally:
            await stream.aclose()
        return {}

    async def benchmark(self, command: commands.Benchmark) -> Result:
        async with self._stream(command.operation.path, {}) as stream:
            measurement = await measure(self.mode, stream, command.operation)
        return {"iterationId": command.iteration_id, **measurement.answer()}

    # --- one stream

    async def create(self, command: commands.Create) -> Result:
        async with self._stream(command.path, command.headers) as stream:
            info = await stream.put(
                content_type=command.content_type,
                ttl_seconds=command.ttl_seconds,
                expires_at=command.expires_at,
                closed=command.closed,
                body=_initial_body(command),
            )
        self._content_types[command.path] = info.content_type
        return {"status": 201 if info.created else 200, "offset": info.offset}

    async def connect(self, command: commands.Connect) -> Result:
        async with self._stream(command.path, command.headers) as stream:
            info = await stream.head()
        self._content_types[command.path] = info.content_type
        return {"status": 200, "offset": info.offset}

    async def head(self, command: commands.Head) -> Result:
        async with self._stream(command.path, command.headers) as stream:
            info = await stream.head()
        self._content_types[command.path] = info.content_type
        return {
            "status": 200,
            "offset": info.offset,
            "contentType": info.content_type,
            "streamClosed": info.closed,
            "ttlSeconds": info.ttl_seconds,
            "expiresAt": info.expires_at,
        }

    async def delete(self, command: commands.Delete) -> Result:
        async with self._stream(command.path, command.headers) as stream:
            await stream.delete()
        self._content_types.pop(command.path, None)
        for key in [key for key in self._producers if key[0] == command.path]:
            await self._drop(key)
        return {"status": 200}

    async def append(self, command: commands.Append) -> Result:
        headers, params = self._headers.next(), self._params.next()
        data = _decoded(command.data) if command.binary else command.data
        async with self._stream(command.path, {**headers, **command.headers}, params) as stream:
            value = value_of(data, await _content_type(stream))
            if command.seq is not None:
                done = await stream.append(value, seq=str(command.seq))
            else:
                # A plain append is never repeated in doubt, and the runner wants one that is:
                # that is what producers are for.
                async with stream.producer(retry=_RETRY) as producer:
                    await producer.append(value)
                    done = await producer.flush()
        return {"status": 200, "offset": done.offset, **_sent(headers, params)}

    async def read(self, command: commands.Read) -> Result:
        headers, params = self._headers.next(), self._params.next()
        stream = self._open(command.path, {**headers, **command.headers}, params)
        try:
            found = await read(self.mode, stream, command, _LONGEST)
        finally:
            await stream.aclose()
        return {**found, **_sent(headers, params)}

    async def close(self, command: commands.Close) -> Result:
        async with self._stream(command.path, {}, content_type=command.content_type) as stream:
            last = (
                []
                if command.data is None
                else [value_of(command.data, await _content_type(stream))]
            )
            done = await stream.close_stream(*last)
        return {"finalOffset": done.offset}

    # --- producers

    async def idempotent_append(self, command: commands.IdempotentAppend) -> Result:
        async with self._producer(command) as kept:
            value = value_of(command.data, await _content_type(kept.stream))
            await kept.producer.append(value)
            done = await kept.producer.flush()
        return {"status": 200, "offset": done.offset, "duplicate": done.duplicate}

    async def idempotent_append_batch(self, command: commands.IdempotentAppendBatch) -> Result:
        in_flight = command.max_in_flight
        settings = {"linger": 3600.0} if in_flight == 1 else {"linger": 0.0, "max_batch_bytes": 1}
        async with self._stream(command.path, command.headers) as stream:
            content_type = await _content_type(stream)
            values = [value_of(item, content_type) for item in command.items]
            producer = stream.producer(
                command.producer_id,
                epoch=command.epoch,
                auto_claim=command.auto_claim,
                max_in_flight=in_flight,
                retry=_RETRY,
                **settings,  # type: ignore[arg-type]  # names and types fit
            )
            async with producer:
                for value in values:
                    await producer.append(value)
                await producer.flush()
        return {"status": 200}

    async def idempotent_close(self, command: commands.IdempotentClose) -> Result:
        async with self._producer(command) as kept:
            last = (
                []
                if command.data is None
                else [value_of(command.data, await _content_type(kept.stream))]
            )
            done = await kept.producer.close(*last)
        return {"status": 200, "finalOffset": done.offset}

    async def idempotent_detach(self, command: commands.IdempotentDetach) -> Result:
        async with self._producer(command) as kept:
            await kept.producer.detach()
        await self._drop(_key(command))
        return {"status": 200}

    # --- handles

    def _open(
        self,
        path: str,
        headers: dict[str, str],
        params: dict[str, str],
        content_type: str | None = None,
    ) -> AsyncStream:
        if self._root is None:
            raise ValueError("the first command is `init`")
        function = self.mode.function
        return self.mode.open(
            self._root + path,
            content_type=content_type or self._content_types.get(path),
            headers={name: function(value) for name, value in headers.items()},
            params={name: function(value) for name, value in params.items()},
            retry=_RETRY,
            reconnect=_RETRY,
            timeout=10.0,
        )

    @asynccontextmanager
    async def _stream(
        self,
        path: str,
        headers: dict[str, str],
        params: dict[str, str] | None = None,
        content_type: str | None = None,
    ) -> AsyncGenerator[AsyncStream]:
        """Open a stream for one command."""
        stream = self._open(path, headers, params or {}, content_type)
        try:
            async with self.mode.limit(_LONGEST, stream):
                yield stream
        finally:
            await stream.aclose()

    @asynccontextmanager
    async def _producer(self, command: commands.OfProducer) -> AsyncGenerator[Kept]:
        """Take the producer that is kept, or make one. Its headers are those of its first command.

        One that has stopped is given up if it can be made anew as it was: with nothing stored.
        """
        key = _key(command)
        if key not in self._producers:
            stream = self._open(command.path, command.headers, {})
            producer = stream.producer(
                command.producer_id,
                epoch=command.epoch,
                auto_claim=command.auto_claim,
                retry=_RETRY,
            )
            self._producers[key] = Kept(stream, producer)
        kept = self._producers[key]
        try:
            async with self.mode.limit(_LONGEST, kept.stream):
                yield kept
        except OutOfTime:
            await self._drop(key)
            raise
        except ProducerFailed as error:
            if error.is_stopped and kept.producer.offset is None:
                await self._drop(key)
            raise

    async def _drop(self, key: ProducerKey) -> None:
        await self._producers.pop(key).stream.aclose()


Handler = Callable[[Session, Any], Awaitable[Result]]

COMMANDS: Final[dict[str, tuple[type[commands.Command], Handler]]] = {
    "init": (commands.Init, Session.init),
    "create": (commands.Create, Session.create),
    "connect": (commands.Connect, Session.connect),
    "append": (commands.Append, Session.append),
    "read": (commands.Read, Session.read),
    "head": (commands.Head, Session.head),
    "delete": (commands.Delete, Session.delete),
    "close": (commands.Close, Session.close),
    "idempotent-append": (commands.IdempotentAppend, Session.idempotent_append),
    "idempotent-append-batch": (
        commands.IdempotentAppendBatch,
        Session.idempotent_append_batch,
    ),
    "idempotent-close": (commands.IdempotentClose, Session.idempotent_close),
    "idempotent-detach": (commands.IdempotentDetach, Session.idempotent_detach),
    "set-dynamic-header": (commands.SetDynamicHeader, Session.set_dynamic_header),
    "set-dynamic-param": (commands.SetDynamicParam, Session.set_dynamic_param),
    "clear-dynamic": (commands.ClearDynamic, Session.clear_dynamic),
    "validate": (commands.Validate, Session.validate),
    "benchmark": (commands.Benchmark, Session.benchmark),
    "shutdown": (commands.Shutdown, Session.shutdown),
}


def _key(command: commands.OfProducer) -> ProducerKey:
    return command.path, command.producer_id, command.epoch


def _sent(headers: dict[str, str], params: dict[str, str]) -> Result:
    return {"headersSent": headers, "paramsSent": params}


def _initial_body(command: commands.Create) -> Any:
    if command.data is None or not is_json(command.content_type):
        return command.data
    value = parsed(command.data)
    return value if isinstance(value, list) else [value]


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise BadJson(f"not base64: {error}") from None


async def _content_type(stream: AsyncStream) -> str:
    return stream.content_type or (await stream.head()).content_type
