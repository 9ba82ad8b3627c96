"""One database at work on one event loop: its reader and its sender, from start to close.

Both database classes stand on it: the async one on the caller's loop, the blocking one on the
process's loop thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Unpack

from streamdb.db.observers import Observers
from streamdb.db.open_checks import OpenChecks
from streamdb.db.options import DatabaseOptions
from streamdb.db.outgoing_writes import OutgoingWrites
from streamdb.db.pending_writes import PendingWrites
from streamdb.db.reader import Reader
from streamdb.db.sender import Sender
from streamdb.db.session_loop import SessionLoop, running_loop
from streamdb.db.session_parts import cache_of, outbox_of, stream_options
from streamdb.db.state import CameBack, DatabaseState
from streamdb.db.status import StatusBoard
from streamdb.errors import (
    StreamClosed,
    StreamDBError,
)
from streamdb.streams.address import parse_address
from streamdb.streams.async_stream import AsyncStream
from streamdb.streams.loop_thread import on_shared_loop_thread

if TYPE_CHECKING:
    from streamdb.db.outbox_keeper import OutboxKeeper

log: Final = logging.getLogger("streamdb.db")


class Session:
    """Runs the reader and the sender. All methods are called on its loop unless they say so."""

    def __init__(
        self,
        state: DatabaseState,
        observers: Observers,
        url: str,
        **options: Unpack[DatabaseOptions],
    ) -> None:
        # Messages show it without credentials and parameters.
        self._url: Final = parse_address(url).shown
        self._address: Final = url
        self._state: Final = state
        self._observers: Final = observers
        self._options: Final = options
        self._stream_options: Final = stream_options(options)
        self.close_timeout: Final = options.get("close_timeout", 5.0)
        self.status: Final = StatusBoard(state.lock)
        self.status.on_change = state.signal.fire
        self.checks: Final = OpenChecks(self._url, state, self.status)
        self.loop: Final = SessionLoop(self._url, self.status)
        self.pending: Final = PendingWrites(state, upsert_as=options.get("upsert_as", "upsert"))
        self.sender: Final = Sender(self._url, self.pending)
        self.sender.failed.log.later = self.loop.call_later_or_now
        state.on_commit = self.sender.returned.came_back
        state.in_flight = self.sender.in_flight
        state.gone_with = self.sender.returned.gone_with
        state.after_commit = self.sender.returned.after_commit
        self.outbox: Final = outbox_of(options, state, url)
        if self.outbox is not None:
            self._wire(self.outbox)
        #: What is written here, on its way.
        self.outgoing: Final = OutgoingWrites(
            self._url,
            state,
            status=self.status,
            checks=self.checks,
            loop=self.loop,
            pending=self.pending,
            sender=self.sender,
            outbox=self.outbox,
            start=self.start,
        )
        self._cache: Final = cache_of(options, state, url, self.outbox)
        if self._cache is not None:
            self._cache.on_another_stream = self.outgoing.refuse_all
        self._stream: AsyncStream | None = None
        self._reading: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        #: Has all transactions sent that are held back.
        self.release_all: Callable[[], None] = lambda: None

    def _wire(self, outbox: OutboxKeeper) -> None:
        sender = self.sender
        outbox.resume = sender.resume
        sender.deliver = outbox.deliver
        sender.failed.on_failed = outbox.failed
        self.pending.renamed.on_renamed = lambda draft: self.loop.run(lambda: outbox.renamed(draft))
        outbox.giving_up = sender.failed.giving_up
        outbox.on_loop = self.loop.run

        def came_back(came: CameBack) -> None:
            outbox.came_back(came)
            sender.returned.came_back(came)

        self._state.on_commit = came_back

    async def preload(self) -> None:
        """Connect if need be, and wait until the first load is committed.

        Raises:
            StreamDBError: what ended the reading.
        """
        self.start()
        await self.status.loaded.wait()
        if self.status.failure is not None:
            raise self.status.failure
        self.checks.check_not_closed()

    def start(self) -> None:
        """Begin to read and to write, once.

        Raises:
            DatabaseClosed: it is too late.
            StreamDBError: called elsewhere than on the database's event loop.
        """
        self.checks.check_not_closed()
        self.loop.take_running()
        if self._reading is None:
            self.status.set("connecting")
            self._stream = AsyncStream(self._address, **self._stream_options)
            self.outgoing.stream = self._stream
            self._reading = asyncio.create_task(self._read(self._stream), name="streamdb-reader")
            self._reading.add_done_callback(self._look_whether_cancelled)

    async def aclose(self) -> None:
        """Wait for writes on their way, as long as ``close_timeout``; then stop everything."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="streamdb-closing")
            self._closing.add_done_callback(lambda _: self._free_cache())
        await asyncio.shield(self._closing)  # begun once, it is carried out

    async def fork(self, url: str, *, at: str | None, sub_offset: int) -> None:
        """Create a stream that shares the beginning of this one."""
        self.checks.check_open()
        async with AsyncStream(self._address, **self._stream_options) as stream:
            made = await stream.fork(url, at=at, sub_offset=sub_offset)
            await made.aclose()

    async def _read(self, stream: AsyncStream) -> None:
        reader = Reader(
            stream, self._state, self.status, self._observers, self._options, self._cache
        )
        try:
            await reader.find()
            self.outgoing.found()
            await reader.read()
        except StreamDBError as error:
            if self.status.loaded.is_set():  # before, who opens the database is told
                log.error("%s: reading stopped for good: %s", self._url, error)
            self.outgoing.stop_sending()
            await self._close_cache()
            self._fail(error)
        except Exception as error:
            is_cut_off = on_shared_loop_thread() and not threading.main_thread().is_alive()
            if not is_cut_off:
                log.exception("%s: reading stopped", self._url)
            self.outgoing.stop_sending()
            await self._close_cache()
            # An interpreter that is ending raises errors of its own, where a module is imported.
            self._fail(self._program_ended() if is_cut_off else error)
        else:
            self._end()
            await self._close_cache()

    def _look_whether_cancelled(self, reading: asyncio.Task[None]) -> None:
        """Tell those who wait, if others cancelled the reading, with the whole loop perhaps."""
        if not reading.cancelled() or self.status.now == "closed":
            return
        self._free_cache()
        if self.status.now != "ended":
            error = StreamDBError(f"{self._url}: reading was cancelled from outside")
            if on_shared_loop_thread():  # which the end of the program stops, and nothing else
                error = self._program_ended()
            log.info("%s: close the database before its event loop ends", error)
            self._fail(error)

    def _program_ended(self) -> StreamDBError:
        return StreamDBError(
            f"{self._url}: the program ended before the database was closed: use it as a context "
            "manager, or close it"
        )

    def _fail(self, error: BaseException) -> None:
        """Nothing more will be read: tell everybody who waits for something."""
        with self._state.committing():
            if self.outbox is not None or not self.checks.is_found:
                self.outgoing.leave_or_fail_all(error)  # there will be nothing to write to
            self.status.set("error", error)
            self._state.end(error, error)
        self._observers.loaded()
        if self.checks.is_found:
            self.sender.failed.expect_no_echo(error)

    def _end(self) -> None:
        """Do likewise at the stream's end, which is no error, but for those who wait for more."""
        ended = StreamClosed("the stream has ended", final_offset=self._state.offset, url=self._url)
        self.outgoing.end_of_stream = ended
        self.outgoing.stop_sending()
        with self._state.committing():  # what is written from here on comes too late to be told
            # All that is on the stream was seen, so what has not come back never will.
            self.sender.fail_all(ended)
            self.status.set("ended")
            self._state.end(None, ended, is_final=False)
        self._observers.loaded()
        self.sender.failed.expect_no_echo(ended)

    async def _close(self) -> None:
        try:
            self.release_all()
            self.outgoing.roll_back_open()
            await asyncio.sleep(0)  # what is queued by other threads, in its order
            async with asyncio.timeout(self.close_timeout):
                await self.sender.drain()
        except TimeoutError:
            if self.outbox is None:
                log.warning("%s: closing with writes unresolved", self._url)
            else:
                log.info("%s: closing with writes in the outbox", self._url)
        finally:
            await self._stop()

    async def _stop(self) -> None:
        self.status.set("closed")
        self.loop.forget_timers()
        reading = [] if self._reading is None else [self._reading]
        tasks = [*reading, *self.outgoing.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        closed = self.checks.closed()
        with self._state.committing():
            self.outgoing.leave_or_fail_all(closed)
            self._state.end(None, closed)
        self.sender.failed.log.tell()
        self._observers.loaded()
        try:
            if self._stream is not None:
                await self._stream.aclose()
        finally:
            await self._close_cache()

    async def _close_cache(self) -> None:
        """Have the cache written and free for others: nothing more will be read.

        A task that is thrown away with its loop cannot wait; then its store is garbage, too.
        """
        if self._cache is not None and running_loop() is not None:
            await self._cache.aclose()

    def _free_cache(self) -> None:
        """See to it that the cache is closed: who waited for that may have been cancelled.

        If they were, the loop is ending, and is blocked; the next one may open the same cache.
        """
        if self._cache is not None:
            self._cache.finish()
