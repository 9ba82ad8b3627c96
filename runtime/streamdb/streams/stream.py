"""Handles on one stream: :class:`AsyncStream` for asyncio, :class:`Stream` for blocking code.

Both drive the same operations of :mod:`streamdb.protocol`; neither decides anything itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import aclosing, closing
from types import TracebackType
from typing import Any, Final, Self, TypedDict, Unpack, cast

from streamdb.protocol import calling, json_text, names, reading
from streamdb.protocol.calling import Appended, StreamInfo
from streamdb.protocol.exchange import Batch, Interrupted, Operation
from streamdb.protocol.reading import LiveMode, ReadOptions
from streamdb.protocol.retry import RetryPolicy
from streamdb.protocol.writing import ProducerState, append_once
from streamdb.streams import drivers
from streamdb.streams.address import Address, HttpAddress, parse_address
from streamdb.streams.embedded import EmbeddedAsyncWire, EmbeddedWire
from streamdb.streams.http import Headers, HttpxAsyncWire, HttpxWire
from streamdb.streams.wire import AsyncWire, Wire

log: Final = logging.getLogger("streamdb.streams")

#: A few tries within some seconds: enough for a hiccup, soon enough for a wrong address.
DEFAULT_RETRY: Final = RetryPolicy(attempts=6, initial=0.1, multiplier=2.0, maximum=10.0)
#: Once a reader has been connected it comes back for as long as it takes.
DEFAULT_RECONNECT: Final = RetryPolicy(initial=0.1, multiplier=1.5, maximum=10.0)


class StreamOptions(TypedDict, total=False):
    """What every way to open a stream takes.

    Attributes:
        headers: sent with every request; a value may be a function that is asked each time, and
            for the async classes an async one.
        retry: for requests, and for the first contact of a read.
        reconnect: for a read that was connected before.
        timeout: seconds to connect, to send and to be answered. Live reads wait longer.
    """

    headers: Headers
    retry: RetryPolicy
    reconnect: RetryPolicy
    timeout: float


class _Handle:
    """What both kinds of handles know: the address, the content type and the policies."""

    def __init__(self, url: str, **options: Unpack[StreamOptions]) -> None:
        self._address: Final[Address] = parse_address(url)
        self._headers: Final = options.get("headers", {})
        self._retry: Final = options.get("retry", DEFAULT_RETRY)
        self._reconnect: Final = options.get("reconnect", DEFAULT_RECONNECT)
        self._timeout: Final = options.get("timeout", 30.0)
        self._content_type: str | None = None

    @property
    def url(self) -> str:
        """The address as messages show it: without credentials and parameters."""
        return self._address.shown

    @property
    def content_type(self) -> str | None:
        """The stream's media type, once it is known."""
        return self._content_type

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    # The operations, built from what the caller gave.

    def _create(
        self,
        content_type: str,
        *,
        ttl_seconds: int | None = None,
        expires_at: str | None = None,
        closed: bool = False,
        body: Any = None,
    ) -> Operation[StreamInfo]:
        info = yield from calling.create(
            self.url,
            self._retry,
            content_type=content_type,
            ttl_seconds=ttl_seconds,
            expires_at=expires_at,
            closed=closed,
            body=_initial_body(content_type, body),
        )
        self._content_type = info.content_type
        return info

    def _head(self) -> Operation[StreamInfo]:
        info = yield from calling.head(self.url, self._retry)
        self._content_type = info.content_type
        return info

    def _known_content_type(self) -> Operation[str]:
        if self._content_type is not None:
            return self._content_type
        return (yield from self._head()).content_type

    def _append(self, values: list[Any]) -> Operation[Appended]:
        if not values:
            raise ValueError("append_many: there is nothing to append")
        content_type = yield from self._known_content_type()
        body = _body(content_type, values)
        return (
            yield from calling.append(self.url, self._retry, content_type=content_type, body=body)
        )

    def _append_once(self, producer: ProducerState, body: bytes) -> Operation[Appended]:
        content_type = yield from self._known_content_type()
        return (
            yield from append_once(
                producer, self.url, self._reconnect, content_type=content_type, body=body
            )
        )

    def _close_stream(self, last: list[Any]) -> Operation[Appended]:
        if not last:
            return (yield from calling.close(self.url, self._retry))
        content_type = yield from self._known_content_type()
        return (
            yield from calling.close(
                self.url, self._retry, content_type=content_type, body=_body(content_type, last)
            )
        )

    def _read(self, offset: str, live: LiveMode) -> Operation[None]:
        return reading.reading(
            ReadOptions(
                url=self.url,
                clock=time.monotonic,
                offset=offset,
                live=live,
                retry=self._retry,
                reconnect=self._reconnect,
            )
        )

    def _note(self, delivered: Batch | Interrupted) -> None:
        if isinstance(delivered, Interrupted):
            log.info("%s: %s; reading on in %.1f s", self.url, delivered.reason, delivered.retry_in)
        elif self._content_type is None:
            # Only then: a batch does not know the parameters of the type that PUT and HEAD give.
            self._content_type = delivered.content_type

    def items(self, batch: Batch) -> list[Any]:
        """Parse the messages of a batch of a JSON stream.

        Raises:
            StreamParseError: it is not JSON.
        """
        return json_text.messages(batch, url=self.url)


class AsyncStream(_Handle):
    """One stream, for asyncio.

    ::

        async with await AsyncStream.create(url, content_type="application/json") as stream:
            await stream.append({"n": 1})
            async for batch in stream.read(live="auto"):
                print(stream.items(batch), batch.offset)
    """

    def __init__(self, url: str, **options: Unpack[StreamOptions]) -> None:
        super().__init__(url, **options)
        self._wire: AsyncWire = (
            HttpxAsyncWire(self._address, headers=self._headers, timeout=self._timeout)
            if isinstance(self._address, HttpAddress)
            else EmbeddedAsyncWire(self._address)
        )

    @classmethod
    async def create(
        cls,
        url: str,
        *,
        content_type: str = names.JSON_MEDIA_TYPE,
        ttl_seconds: int | None = None,
        expires_at: str | None = None,
        closed: bool = False,
        body: Any = None,
        **options: Unpack[StreamOptions],
    ) -> Self:
        """Create a stream, or open it if it exists with the same configuration.

        Args:
            url: ``http(s)://...`` or ``embedded:FILE#STREAM``.
            content_type: the media type of the stream, for ever.
            ttl_seconds: the stream expires after so many seconds without a read or write.
            expires_at: the stream expires then; RFC 3339 text.
            closed: create it closed: ``body`` is all it ever holds.
            body: initial content: a list of values for JSON, bytes or text otherwise.
            **options: see :class:`StreamOptions`.

        Raises:
            StreamExists: a stream with another configuration is there.
        """
        stream = cls(url, **options)
        try:
            await stream.put(
                content_type=content_type,
                ttl_seconds=ttl_seconds,
                expires_at=expires_at,
                closed=closed,
                body=body,
            )
        except BaseException:
            await stream.aclose()
            raise
        return stream

    @classmethod
    async def connect(cls, url: str, **options: Unpack[StreamOptions]) -> Self:
        """Open a stream that must exist.

        Raises:
            StreamNotFound: it does not.
        """
        stream = cls(url, **options)
        try:
            await stream.head()
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def put(
        self,
        *,
        content_type: str = names.JSON_MEDIA_TYPE,
        ttl_seconds: int | None = None,
        expires_at: str | None = None,
        closed: bool = False,
        body: Any = None,
    ) -> StreamInfo:
        """Create the stream of this handle, or confirm that it exists just so; see `create`."""
        operation = self._create(
            content_type,
            ttl_seconds=ttl_seconds,
            expires_at=expires_at,
            closed=closed,
            body=body,
        )
        return await drivers.run(operation, self._wire)

    async def head(self) -> StreamInfo:
        """Ask for the stream's tail, content type, closure and expiry."""
        return await drivers.run(self._head(), self._wire)

    async def append(self, value: Any) -> Appended:
        """Append one value: anything JSON can say, a change event, or bytes, by content type.

        Raises:
            ConnectionFailed: the connection broke, and whether it was stored is unknown; a plain
                append is never repeated in doubt (CLIENT-23).
        """
        return await drivers.run(self._append([value]), self._wire)

    async def append_many(self, values: Iterable[Any]) -> Appended:
        """Append several values in one request: all of them or none (APPEND-1)."""
        return await drivers.run(self._append(list(values)), self._wire)

    async def append_once(self, producer: ProducerState, body: bytes) -> Appended:
        """Append a ready body under the next number of a producer: repeated until answered."""
        return await drivers.run(self._append_once(producer, body), self._wire)

    async def close_stream(self, *last: Any) -> Appended:
        """Close the stream for good, with last values if given. Readers learn of the end.

        Not to be taken for :meth:`aclose`, which gives up this handle only.
        """
        return await drivers.run(self._close_stream(list(last)), self._wire)

    async def delete(self) -> None:
        """Delete the stream and all it holds."""
        await drivers.run(calling.delete(self.url, self._retry), self._wire)

    async def read(
        self, *, offset: str = names.BEGINNING, live: LiveMode = False
    ) -> AsyncGenerator[Batch]:
        """Read batches from an offset: to the tail, or on and on with ``live``.

        Args:
            offset: an offset that a batch gave, ``-1`` for the beginning, ``now`` for the tail.
            live: False, ``"auto"``, ``"sse"`` or ``"long-poll"``.

        A live read survives every loss of connection and ends at the end of a closed stream.
        Leave the loop early inside ``contextlib.aclosing`` to release the connection at once.
        """
        async with aclosing(self.deliveries(offset=offset, live=live)) as deliveries:
            async for delivered in deliveries:
                if isinstance(delivered, Batch):
                    yield delivered

    async def deliveries(
        self, *, offset: str, live: LiveMode
    ) -> AsyncGenerator[Batch | Interrupted]:
        """Read like :meth:`read`, and be told of interruptions as well."""
        operation = self._read(offset, live)
        # Not left to the garbage collector: closing this generator must release the connection.
        async with aclosing(drivers.deliver(operation, self._wire)) as deliveries:
            async for delivered in deliveries:
                self._note(delivered)
                yield delivered

    async def aclose(self) -> None:
        """Release connections and, in embedded mode, the data file. The stream stays."""
        await self._wire.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class Stream(_Handle):
    """One stream, for blocking code; see :class:`AsyncStream` for what each call does.

    ::

        with Stream.create("embedded:session.db#log") as stream:
            stream.append({"n": 1})
            for batch in stream.read():
                print(stream.items(batch))
    """

    def __init__(self, url: str, **options: Unpack[StreamOptions]) -> None:
        super().__init__(url, **options)
        self._wire: Wire = (
            HttpxWire(self._address, headers=self._headers, timeout=self._timeout)
            if isinstance(self._address, HttpAddress)
            else EmbeddedWire(self._address)
        )

    @classmethod
    def create(
        cls,
        url: str,
        *,
        content_type: str = names.JSON_MEDIA_TYPE,
        ttl_seconds: int | None = None,
        expires_at: str | None = None,
        closed: bool = False,
        body: Any = None,
        **options: Unpack[StreamOptions],
    ) -> Self:
        """Create a stream, or open it if it exists with the same configuration."""
        stream = cls(url, **options)
        try:
            stream.put(
                content_type=content_type,
                ttl_seconds=ttl_seconds,
                expires_at=expires_at,
                closed=closed,
                body=body,
            )
        except BaseException:
            stream.close()
            raise
        return stream

    @classmethod
    def connect(cls, url: str, **options: Unpack[StreamOptions]) -> Self:
        """Open a stream that must exist."""
        stream = cls(url, **options)
        try:
            stream.head()
        except BaseException:
            stream.close()
            raise
        return stream

    def put(
        self,
        *,
        content_type: str = names.JSON_MEDIA_TYPE,
        ttl_seconds: int | None = None,
        expires_at: str | None = None,
        closed: bool = False,
        body: Any = None,
    ) -> StreamInfo:
        """Create the stream of this handle, or confirm that it exists just so; see `create`."""
        operation = self._create(
            content_type,
            ttl_seconds=ttl_seconds,
            expires_at=expires_at,
            closed=closed,
            body=body,
        )
        return drivers.run_blocking(operation, self._wire)

    def head(self) -> StreamInfo:
        """Ask for the stream's tail, content type, closure and expiry."""
        return drivers.run_blocking(self._head(), self._wire)

    def append(self, value: Any) -> Appended:
        """Append one value."""
        return drivers.run_blocking(self._append([value]), self._wire)

    def append_many(self, values: Iterable[Any]) -> Appended:
        """Append several values in one request: all of them or none."""
        return drivers.run_blocking(self._append(list(values)), self._wire)

    def close_stream(self, *last: Any) -> Appended:
        """Close the stream for good, with last values if given."""
        return drivers.run_blocking(self._close_stream(list(last)), self._wire)

    def delete(self) -> None:
        """Delete the stream and all it holds."""
        drivers.run_blocking(calling.delete(self.url, self._retry), self._wire)

    def read(self, *, offset: str = names.BEGINNING, live: LiveMode = False) -> Generator[Batch]:
        """Read batches from an offset: to the tail, or on and on with ``live``."""
        operation = self._read(offset, live)
        with closing(drivers.deliver_blocking(operation, self._wire)) as deliveries:
            for delivered in deliveries:
                self._note(delivered)
                if isinstance(delivered, Batch):
                    yield delivered

    def close(self) -> None:
        """Release connections and, in embedded mode, the data file. The stream stays."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _initial_body(content_type: str, body: Any) -> bytes:
    if body is None:
        return b""
    is_json = names.media_type(content_type) == names.JSON_MEDIA_TYPE
    if is_json and not isinstance(body, list):
        raise TypeError("create: the body of a JSON stream is a list of values")
    return _body(content_type, cast("list[Any]", body) if is_json else [body])


def _body(content_type: str, values: list[Any]) -> bytes:
    if names.media_type(content_type) == names.JSON_MEDIA_TYPE:
        return json_text.frame(json_text.encode(value) for value in values)
    pieces: list[bytes] = []
    for value in values:
        if not isinstance(value, bytes | str):
            raise TypeError(
                f"a stream of {content_type} takes bytes or text, not {type(value).__name__}"
            )
        pieces.append(value.encode() if isinstance(value, str) else value)
    body = b"".join(pieces)
    if not body:
        raise ValueError("an append must hold data (CLIENT-28)")
    return body
