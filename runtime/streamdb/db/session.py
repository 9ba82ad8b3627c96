"""One database at work on one event loop: it reads the stream, commits, and writes back.

Both database classes stand on it: the async one on the caller's loop, the blocking one on the
process's loop thread.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import aclosing
from typing import Final, Literal, Unpack, cast

from streamdb.db.mutations import Draft
from streamdb.db.options import DatabaseOptions
from streamdb.db.state import DatabaseState
from streamdb.errors import (
    BadRequest,
    ConnectionFailed,
    DatabaseClosed,
    NotAStateStream,
    NotConnected,
    NotReached,
    PayloadTooLarge,
    StreamClosed,
    StreamDBError,
    StreamError,
    StreamExists,
    StreamGone,
    StreamNotFound,
    TransactionFailed,
    TransactionUnresolved,
)
from streamdb.protocol import json_text, names
from streamdb.protocol.calling import StreamInfo
from streamdb.protocol.exchange import Interrupted
from streamdb.protocol.writing import ProducerState
from streamdb.streams.address import parse_address
from streamdb.streams.async_stream import AsyncStream
from streamdb.streams.handle import StreamOptions

log: Final = logging.getLogger("streamdb.db")

Status = Literal[
    "idle",
    "connecting",
    "catching_up",
    "live",
    "reconnecting",
    "ended",
    "closed",
    "error",
]

# A POST holds what has queued up while the one before was in flight, up to about this much.
_BODY_BYTES: Final = 1024 * 1024
_REFUSED_ALONE: Final = (BadRequest, PayloadTooLarge)


class Session:
    """The reader and the writer of one database. All methods run on its loop unless they say so."""

    def __init__(self, state: DatabaseState, url: str, **options: Unpack[DatabaseOptions]) -> None:
        self.status: Status = "idle"
        #: What ended the reading, if a fault did.
        self.failure: BaseException | None = None
        self._state = state
        #: Called with every transaction that came back or failed.
        self.settled: Callable[[Draft], None] = lambda _: None
        self._in_flight: dict[str, Draft] = {}
        state.on_commit = self._on_commit
        # Messages show it without credentials and parameters.
        self._url: Final = parse_address(url).shown
        self._address: Final = url
        self._create = options.get("create", False)
        self._live: Final = options.get("live", "auto")
        self.close_timeout = options.get("close_timeout", 5.0)
        self._stream_options = _stream_options(options)
        self._stream: AsyncStream | None = None
        self._producer = ProducerState(str(uuid.uuid4()))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loaded: asyncio.Event = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self._queue: deque[Draft] = deque()
        self._queued = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()

    # --- for the databases

    async def preload(self) -> None:
        """Connect if need be, and wait until the first load is committed.

        Raises:
            StreamDBError: what ended the reading.
        """
        self.start()
        await self._loaded.wait()
        if self.failure is not None:
            raise self.failure
        if self.status == "closed":
            raise self._closed()

    def start(self) -> None:
        """Begin to read and to write, once.

        Raises:
            DatabaseClosed: it is too late.
            StreamDBError: called elsewhere than on the database's event loop.
        """
        if self.status == "closed":
            raise self._closed()
        loop = _running_loop()
        if loop is None or self._loop not in (None, loop):
            raise StreamDBError(
                f"{self._url}: an async database is used on one event loop and its thread only; "
                "for other threads there is the blocking form"
            )
        if self._reader is None:
            self._loop = loop
            self.status = "connecting"
            self._reader = asyncio.create_task(self._read(), name="streamdb-reader")
            self._writer = asyncio.create_task(self._write(), name="streamdb-writer")

    def check_started(self) -> None:
        """Raise if nothing has connected the database yet. May be called on any thread.

        Raises:
            NotConnected: waiting for its changes would never end.
        """
        if self.status == "idle":
            raise NotConnected(
                f"{self._url}: the database is not connected: use it as a context manager, "
                "or call preload() first"
            )

    def check_open(self) -> None:
        """Raise if there is no stream to write to. May be called on any thread.

        Raises:
            DatabaseClosed: the database is closed, or never found its stream; the cause says why.
        """
        if self.status == "closed":
            raise self._closed()
        if self.failure is not None and not self._opened.is_set():
            raise DatabaseClosed(f"{self._url}: the stream could not be opened") from self.failure

    def enqueue(self, draft: Draft) -> None:
        """Queue a transaction; it is sent in its turn."""
        try:
            self.check_open()
        except DatabaseClosed as error:
            self._fail(draft, error)
            return
        self.start()
        self._in_flight[draft.outcome.txid] = draft
        self._queue.append(draft)
        self._drained.clear()
        self._queued.set()

    async def aclose(self) -> None:
        """Wait for writes on their way, as long as ``close_timeout``; then stop everything."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="streamdb-closing")
        await asyncio.shield(self._closing)  # begun once, it is carried out

    async def _close(self) -> None:
        try:
            await asyncio.wait_for(self._drained.wait(), self.close_timeout)
        except TimeoutError:
            log.warning("%s: closing with writes unresolved", self._url)
        finally:
            await self._stop()

    async def _stop(self) -> None:
        self.status = "closed"
        tasks = [task for task in (self._reader, self._writer) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        closed = self._closed()
        for draft in list(self._in_flight.values()):
            self._fail(draft, closed)
        self._state.end(None, closed)
        self._loaded.set()
        if self._stream is not None:
            await self._stream.aclose()

    async def fork(self, url: str, *, at: str | None, sub_offset: int) -> None:
        """Create a stream that shares the beginning of this one."""
        self.check_open()
        async with AsyncStream(self._address, **self._stream_options) as stream:
            made = await stream.fork(url, at=at, sub_offset=sub_offset)
            await made.aclose()

    # --- reading

    async def _read(self) -> None:
        try:
            stream = await self._open()
            self._opened.set()
            offset = await self._read_from(stream, names.BEGINNING, is_restart=False)
            while offset is not None:
                offset = await self._read_from(stream, offset, is_restart=True)
        except StreamDBError as error:
            if self._loaded.is_set():  # before, who opens the database is told
                log.error("%s: reading stopped for good: %s", self._url, error)
            self._end("error", error)
        except Exception as error:
            log.exception("%s: reading stopped", self._url)
            self._end("error", error)
        else:
            self._end("ended", None, self._stream_ended())

    async def _open(self) -> AsyncStream:
        self._stream = stream = AsyncStream(self._address, **self._stream_options)
        try:
            info = await stream.head()
        except StreamNotFound as missing:
            if not self._create:
                raise StreamNotFound(
                    "there is no such stream: check the address, or pass create=True",
                    url=stream.url,
                    status=missing.status,
                ) from None
            info = await self._create_stream(stream)
        if names.media_type(info.content_type) != names.JSON_MEDIA_TYPE:
            raise NotAStateStream(
                f"the stream holds {info.content_type}, not {names.JSON_MEDIA_TYPE}: "
                "it cannot carry state events",
                url=stream.url,
            )
        return stream

    async def _create_stream(self, stream: AsyncStream) -> StreamInfo:
        try:
            return await stream.put(content_type=names.JSON_MEDIA_TYPE)
        except StreamExists:
            return await stream.head()  # somebody else was quicker; the caller looks what it is

    async def _read_from(self, stream: AsyncStream, offset: str, *, is_restart: bool) -> str | None:
        """Read on from an offset. Return where to start over, or None at the stream's end."""
        self.status = "catching_up"
        reading = stream.deliveries(offset=offset, live=self._live, resumed=is_restart)
        try:
            async with aclosing(reading) as deliveries:
                async for delivered in deliveries:
                    if isinstance(delivered, Interrupted):
                        self.status = "reconnecting"
                        continue
                    is_restart = False
                    restart_from = self._state.take(delivered)
                    if restart_from is not None:
                        return restart_from
                    self.status = "catching_up" if self._state.is_loading else "live"
                    if self.status == "live":
                        self._loaded.set()
        except (BadRequest, StreamGone) as error:
            if is_restart:
                raise type(error)(
                    f"a reset asks to read again from {offset}, which the server refuses: {error}",
                    url=stream.url,
                    status=error.status,
                    offset=offset,
                ) from error
            raise
        return None

    def _end(
        self, status: Status, error: BaseException | None, waiters: BaseException | None = None
    ) -> None:
        """Nothing more will be read: tell everybody who waits for something."""
        reason = waiters or error or DatabaseClosed("the stream has ended")
        self.status, self.failure = status, error
        self._state.end(error, reason)
        if not self._opened.is_set():
            self._queue.clear()
            self._drained.set()
            if self._writer is not None:
                self._writer.cancel()  # there will be nothing to write to
        for draft in list(self._in_flight.values()):
            if not self._opened.is_set():
                self._fail(draft, reason)
            elif draft.outcome.status == "durable":
                self._lose_echo(draft, reason)
        self._loaded.set()

    def _on_commit(self, txids: list[str]) -> None:
        for txid in txids:
            draft = self._in_flight.pop(txid, None)
            if draft is not None:
                draft.outcome.advance("synced")
                self.settled(draft)

    # --- writing

    async def _write(self) -> None:
        await self._opened.wait()
        while True:
            await self._queued.wait()
            drafts = self._take_queued()
            try:
                await self._send(drafts)
            except Exception as error:
                log.exception("%s: writing failed", self._url)
                for draft in drafts:
                    self._fail(draft, error)
            if not self._queue:
                self._queued.clear()
                self._drained.set()

    def _take_queued(self) -> list[Draft]:
        drafts: list[Draft] = []
        size = 0
        while self._queue and (not drafts or size < _BODY_BYTES):
            draft = self._queue.popleft()
            drafts.append(draft)
            size += sum(map(len, draft.events))
        return drafts

    async def _send(self, drafts: list[Draft]) -> None:
        """Write transactions in one request; each gets its outcome."""
        assert self._stream is not None  # noqa: S101 - the writer waits until it is open
        for draft in drafts:
            draft.outcome.advance("sent")
        body = json_text.frame(event for draft in drafts for event in draft.events)
        try:
            await self._stream.append_once(self._producer, body)
        except StreamDBError as error:
            if isinstance(error, _REFUSED_ALONE) and len(drafts) > 1:
                # One of them is at fault; the others must not suffer. A refused batch has used
                # no sequence number up (PROD-8).
                for draft in drafts:
                    await self._send([draft])
                return
            for draft in drafts:
                self._fail(draft, error)
        else:
            for draft in drafts:
                draft.outcome.advance("durable")
                if self.status in ("ended", "error"):
                    self._lose_echo(draft, self.failure or self._stream_ended())

    def _lose_echo(self, draft: Draft, reason: BaseException) -> None:
        """Let go of a transaction that is on the stream and will not be seen coming back."""
        self._in_flight.pop(draft.outcome.txid, None)
        draft.outcome.lose_echo(reason)
        self.settled(draft)

    def _closed(self) -> DatabaseClosed:
        return DatabaseClosed(f"{self._url}: the database is closed")

    def _stream_ended(self) -> StreamClosed:
        return StreamClosed("the stream has ended", final_offset=self._state.offset, url=self._url)

    def _fail(self, draft: Draft, error: BaseException) -> None:
        outcome = draft.outcome
        # Only an answer that refuses it tells that what was sent is not on the stream.
        is_unknown = isinstance(error, ConnectionFailed) and not isinstance(error, NotReached)
        is_refused = isinstance(error, StreamError) and not is_unknown
        failure = (
            TransactionFailed(f"transaction {outcome.txid} is not on the stream: {error}")
            if is_refused or outcome.status != "sent"
            else TransactionUnresolved(
                f"transaction {outcome.txid}: its outcome is unknown: {error}"
            )
        )
        failure.__cause__ = error
        self._in_flight.pop(outcome.txid, None)
        if outcome.fail(failure):
            log.error("%s: %s", self._url, failure)
        elif outcome.status == "durable":
            outcome.lose_echo(error)
        self.settled(draft)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _stream_options(options: DatabaseOptions) -> StreamOptions:
    names_of_stream = StreamOptions.__optional_keys__
    return cast(
        "StreamOptions",
        {name: value for name, value in options.items() if name in names_of_stream},
    )
