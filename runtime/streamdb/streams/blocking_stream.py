"""A handle on one stream for blocking code."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterable
from contextlib import closing
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, Unpack
from weakref import WeakSet

from streamdb.errors import StreamError
from streamdb.protocol import names
from streamdb.protocol.exchange import Batch, Operation
from streamdb.protocol.read_options import LiveMode
from streamdb.protocol.results import Appended, StreamInfo
from streamdb.streams import drivers
from streamdb.streams.appending import Appends
from streamdb.streams.blocking_producer import Producer
from streamdb.streams.handle import Handle
from streamdb.streams.options import StreamOptions
from streamdb.streams.producing import ProducerBase, ProducerSettings
from streamdb.streams.wire import Retry, Wire
from streamdb.streams.wires import blocking_wire

if TYPE_CHECKING:
    from streamdb.streams.httpx_wire import Client

T = TypeVar("T")


class Stream(Handle):
    """One stream, for blocking code; see :class:`AsyncStream` for what each call does.

    ::

        with Stream.create("embedded:session.db#log") as stream:
            stream.append({"n": 1})
            for batch in stream.read():
                print(stream.items(batch))
    """

    def __init__(
        self,
        url: str,
        *,
        content_type: str | None = None,
        client: Client | None = None,
        **options: Unpack[StreamOptions],
    ) -> None:
        """Make a handle; nothing is sent yet. ``client`` is an ``httpx.Client`` of yours."""
        super().__init__(url, content_type, options)
        self._client: Final = client
        self._producers: WeakSet[Producer] = WeakSet()
        # Who drops a producer does not drop its values: they are stored, or told as lost.
        self._busy_producers: set[ProducerBase] = set()
        self._appends = Appends(self._run, self._append)
        self._wire: Wire = blocking_wire(self._address, self._wire_settings, client)

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
        client: Client | None = None,
        **options: Unpack[StreamOptions],
    ) -> Self:
        """Create a stream, or open it if it exists with the same configuration."""
        stream = cls(url, client=client, **options)
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
    def connect(
        cls, url: str, *, client: Client | None = None, **options: Unpack[StreamOptions]
    ) -> Self:
        """Open a stream that must exist."""
        stream = cls(url, client=client, **options)
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
        return self._run(operation)

    def head(self, *, doing: str = "head") -> StreamInfo:
        """Ask for the stream's tail, content type, closure and expiry.

        ``doing`` is what the caller is at, with which messages of errors begin.
        """
        return self._run(self._head(doing))

    def append(self, value: Any, *, seq: str | None = None) -> Appended:
        """Append one value, with a `Stream-Seq` if given."""
        return self.append_many([value], seq=seq)

    def append_many(self, values: Iterable[Any], *, seq: str | None = None) -> Appended:
        """Append several values in one request: all of them or none."""
        content_type = self._ask_content_type()
        piece = self._piece(content_type, list(values), seq)
        return self._appends.append(piece)

    def producer(
        self, producer_id: str | None = None, **settings: Unpack[ProducerSettings]
    ) -> Producer:
        """Make an idempotent producer; nothing is sent yet."""
        made = Producer(
            self._run,
            self._ask_content_type,
            producer_id,
            self.url,
            settings,
            self._busy_producers,
        )
        self._producers.add(made)
        return made

    def _ask_content_type(self, doing: str = "append") -> str:
        return self._run(self._known_content_type(doing))

    def close_stream(self, *last: Any) -> Appended:
        """Close the stream for good, with last values if given."""
        return self._run(self._close_stream(list(last)))

    def fork(
        self, url: str, *, at: str | None = None, sub_offset: int = 0, body: Any = None
    ) -> Self:
        """Create a stream that shares this one's beginning and then goes its own way."""
        fork = self._fork_point(url, at, sub_offset)
        content_type = self._ask_content_type("fork")
        made = type(self)(url, client=self._client, **self._options)
        try:
            made._run(made._create(content_type, body=body, fork=fork))
        except BaseException:
            made.close()
            raise
        return made

    def delete(self) -> None:
        """Delete the stream and all it holds."""
        self._run(self._delete())

    def read(self, *, offset: str = names.BEGINNING, live: LiveMode = False) -> Generator[Batch]:
        """Read batches from an offset: to the tail, or on and on with ``live``."""
        operation = self._read(offset, live, is_repeatable=live is False)
        with closing(drivers.deliver_blocking(operation, self._wire, self._ask)) as deliveries:
            for delivered in deliveries:
                self._note(delivered)
                if isinstance(delivered, Batch):
                    yield delivered

    def _run(self, operation: Operation[T]) -> T:
        return drivers.run_blocking(operation, self._wire, self._tell, self._ask)

    def _ask(self, error: StreamError) -> bool:
        answer = self._ask_handler(error)
        if answer is None:
            return False
        if not isinstance(answer, Retry):
            if inspect.iscoroutine(answer):
                answer.close()
            raise TypeError("on_error returns a Retry or None; an async one is for AsyncStream")
        self._wire.amend(answer)
        return True

    def close(self) -> None:
        """Release connections and, in embedded mode, the data file. The stream stays.

        Producers of this handle that were not detached are stopped; what they had not written yet
        goes to their ``on_error``, and to the log as an error.
        """
        self._wire.close()  # before: it ends the requests that the producers' threads wait for
        for producer in list(self._producers):
            producer.abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):  # interrupted: wait for nothing
            for producer in list(self._producers):
                producer.abandon(wait=False)
        self.close()
