"""A handle on one stream for asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, Unpack
from weakref import WeakSet

from streamdb.errors import StreamError
from streamdb.protocol import names
from streamdb.protocol.exchange import Batch, Interrupted, Operation
from streamdb.protocol.glimpse import Glimpse, glimpse
from streamdb.protocol.read_options import LiveMode
from streamdb.protocol.results import Appended, StreamInfo
from streamdb.protocol.writing import ProducerState
from streamdb.streams import drivers
from streamdb.streams.appending import AsyncAppends
from streamdb.streams.async_producer import AsyncProducer
from streamdb.streams.handle import Handle
from streamdb.streams.options import StreamOptions
from streamdb.streams.producing import ProducerBase, ProducerSettings
from streamdb.streams.wire import AsyncWire
from streamdb.streams.wires import async_wire

if TYPE_CHECKING:
    from streamdb.streams.httpx_wire import AsyncClient

T = TypeVar("T")


class AsyncStream(Handle):
    """One stream, for asyncio.

    ::

        async with await AsyncStream.create(url, content_type="application/json") as stream:
            await stream.append({"n": 1})
            async for batch in stream.read(live="auto"):
                print(stream.items(batch), batch.offset)
    """

    def __init__(
        self,
        url: str,
        *,
        content_type: str | None = None,
        client: AsyncClient | None = None,
        **options: Unpack[StreamOptions],
    ) -> None:
        """Make a handle; nothing is sent yet.

        Args:
            url: ``http(s)://...`` or ``embedded:FILE#STREAM``.
            content_type: the stream's media type, if you know it: the first append need not ask.
            client: an ``httpx.AsyncClient`` of yours, for HTTP: its transport, its TLS, its
                proxies. It stays yours to close, and what it logs of requests is up to it.
            **options: see :class:`StreamOptions`.

        Raises:
            BadAddress: this is no address of a stream.
            BadHeader: the content type is none.
        """
        super().__init__(url, content_type, options)
        self._client: Final = client
        self._producers: WeakSet[AsyncProducer] = WeakSet()
        # Who drops a producer does not drop its values: they are stored, or told as lost.
        self._busy_producers: set[ProducerBase] = set()
        self._asking: asyncio.Task[str] | None = None
        self._appends = AsyncAppends(self._run, self._append)
        self._wire: AsyncWire = async_wire(self._address, self._wire_settings, client)

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
        client: AsyncClient | None = None,
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
            client: an ``httpx.AsyncClient`` of yours.
            **options: see :class:`StreamOptions`.

        Raises:
            BadHeader: the content type or the expiry is none; nothing was sent.
            StreamExists: a stream with another configuration is there.
        """
        stream = cls(url, client=client, **options)
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
    async def connect(
        cls, url: str, *, client: AsyncClient | None = None, **options: Unpack[StreamOptions]
    ) -> Self:
        """Open a stream that must exist.

        Raises:
            StreamNotFound: it does not.
        """
        stream = cls(url, client=client, **options)
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
        return await self._run(operation)

    async def head(self, *, doing: str = "head") -> StreamInfo:
        """Ask for the stream's tail, content type, closure and expiry.

        ``doing`` is what the caller is at, with which messages of errors begin.
        """
        return await self._run(self._head(doing))

    async def append(self, value: Any, *, seq: str | None = None) -> Appended:
        """Append one value: anything JSON can say, a change event, or bytes, by content type.

        Appends that come while another one of this handle is under way go together in the next
        request; each caller learns of its own.

        Args:
            value: what to append.
            seq: a `Stream-Seq`; the server takes only what is above the last one, as text (SEQ-1).

        Raises:
            ConnectionFailed: the connection broke, and whether it was stored is unknown; a plain
                append is never repeated in doubt (CLIENT-23), one with ``seq`` is.
            SequenceConflict: ``seq`` is not above the last one; nothing was stored.
        """
        return await self.append_many([value], seq=seq)

    async def append_many(self, values: Iterable[Any], *, seq: str | None = None) -> Appended:
        """Append several values in one request: all of them or none (APPEND-1)."""
        content_type = await self._ask_content_type()
        piece = self._piece(content_type, list(values), seq)
        return await self._appends.append(piece)

    async def append_once(
        self, producer: ProducerState, body: bytes, *, is_rest: bool = False
    ) -> Appended:
        """Append a ready body under the next number of a producer: repeated until answered.

        For databases, as is the type of the producer: both may change without notice.
        """
        return await self._run(self._append_once(producer, body, is_rest=is_rest))

    def producer(
        self, producer_id: str | None = None, **settings: Unpack[ProducerSettings]
    ) -> AsyncProducer:
        """Make an idempotent producer: batches, pipelined, each stored exactly once (section 8).

        Args:
            producer_id: who writes: the same over restarts together with a higher ``epoch``; made
                up if it is not given.
            **settings: see :class:`ProducerSettings`.

        Raises:
            ValueError: for an empty id, or numbers that make no sense; nothing is sent yet.
        """
        made = AsyncProducer(
            self._run,
            self._ask_content_type,
            producer_id,
            self.url,
            settings,
            self._busy_producers,
        )
        self._producers.add(made)
        return made

    async def _ask_content_type(self, doing: str = "append") -> str:
        if self._content_type is not None:
            return self._content_type
        # One question for all that wait for it, so that they go on in the order they came in.
        if self._asking is None:
            self._asking = asyncio.create_task(self._run(self._known_content_type(doing)))
            self._asking.add_done_callback(self._asked)
        return await asyncio.shield(self._asking)

    def _asked(self, task: asyncio.Task[str]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # seen, even if nobody waits any more

    async def close_stream(self, *last: Any) -> Appended:
        """Close the stream for good, with last values if given. Readers learn of the end.

        Not to be taken for :meth:`aclose`, which gives up this handle only.
        """
        return await self._run(self._close_stream(list(last)))

    async def fork(
        self, url: str, *, at: str | None = None, sub_offset: int = 0, body: Any = None
    ) -> Self:
        """Create a stream that shares this one's beginning and then goes its own way (section 6).

        Args:
            url: the address of the fork, on the same server or in the same data file.
            at: the offset where it leaves; this stream's tail if not given.
            sub_offset: so many messages (of JSON) or bytes beyond ``at`` are shared, too.
            body: first content of its own, as for `create`.

        Raises:
            BadAddress: the fork would be elsewhere.
            StreamExists: another stream is there, or this one was deleted.
        """
        fork = self._fork_point(url, at, sub_offset)
        content_type = await self._ask_content_type("fork")
        made = type(self)(url, client=self._client, **self._options)
        try:
            await made._run(made._create(content_type, body=body, fork=fork))
        except BaseException:
            await made.aclose()
            raise
        return made

    async def delete(self) -> None:
        """Delete the stream and all it holds."""
        await self._run(self._delete())

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
        operation = self._read(offset, live, is_repeatable=live is False)
        async with aclosing(self._deliver(operation)) as deliveries:
            async for delivered in deliveries:
                if isinstance(delivered, Batch):
                    yield delivered

    async def deliveries(
        self, *, offset: str, live: LiveMode, resumed: bool = False
    ) -> AsyncGenerator[Batch | Interrupted]:
        """Read like :meth:`read`, and be told of interruptions as well.

        For databases, as is the type of interruptions: both may change without notice.

        Args:
            offset: as for `read`.
            live: as for `read`.
            resumed: the reader was connected before, so that the policy `reconnect` holds from the
                first request on.
        """
        async with aclosing(self._deliver(self._read(offset, live, resumed=resumed))) as deliveries:
            async for delivered in deliveries:
                yield delivered

    async def glimpse(self, offset: str, size: int) -> Glimpse:
        """Read the first bytes of the page at an offset, and give the rest up.

        For databases, as is the type: both may change without notice.
        """
        return await self._run(glimpse(self.url, offset, size, self._retry))

    async def _deliver(self, operation: Operation[None]) -> AsyncGenerator[Batch | Interrupted]:
        # Not left to the garbage collector: closing this generator must release the connection.
        async with aclosing(drivers.deliver(operation, self._wire, self._ask)) as deliveries:
            async for delivered in deliveries:
                self._note(delivered)
                yield delivered

    async def _run(self, operation: Operation[T]) -> T:
        return await drivers.run(operation, self._wire, self._tell_of_request, self._ask)

    async def _ask(self, error: StreamError) -> bool:
        answer = self._ask_handler(error)
        if inspect.isawaitable(answer):
            answer = await answer
        if answer is not None:
            self._wire.amend(answer)
        return answer is not None

    async def aclose(self) -> None:
        """Release connections and, in embedded mode, the data file. The stream stays.

        Producers of this handle that were not detached are stopped; what they had not written yet
        goes to their ``on_error``, and to the log as an error.
        """
        for producer in list(self._producers):
            await producer.abandon()
        await self._appends.aclose()
        await self._wire.aclose()
        if self._asking is not None:  # the closing has ended what it waits for
            await asyncio.wait([self._asking])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
