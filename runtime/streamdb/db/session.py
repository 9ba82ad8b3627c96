"""One database at work on one event loop: its reader and its sender, from start to close.

Both database classes stand on it: the async one on the caller's loop, the blocking one on the
process's loop thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Unpack

from streamdb.collections.callers import PERSISTING
from streamdb.db.conditions import reached
from streamdb.db.drafts import Draft
from streamdb.db.observers import Observers
from streamdb.db.open_checks import OpenChecks
from streamdb.db.options import DatabaseOptions
from streamdb.db.own_thread import RaisedThere
from streamdb.db.pending_writes import PendingWrites
from streamdb.db.read_place import is_before
from streamdb.db.reader import Reader
from streamdb.db.running_actions import RunningAction
from streamdb.db.sender import Sender
from streamdb.db.session_loop import SessionLoop, running_loop
from streamdb.db.session_parts import cache_of, outbox_of, stream_options
from streamdb.db.state import CameBack, DatabaseState
from streamdb.db.status import StatusBoard
from streamdb.errors import (
    DatabaseClosed,
    NotConnected,
    StreamClosed,
    StreamDBError,
    StreamError,
    TransactionFailed,
    UnknownTransaction,
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
        self.sender.returned.on_partly_back = self._take_rest_back_when_read
        state.on_commit = self.sender.returned.came_back
        state.in_flight = self.sender.in_flight
        state.gone_with = self.sender.returned.gone_with
        state.after_commit = self.sender.returned.after_commit
        self.outbox: Final = outbox_of(options, state, url)
        if self.outbox is not None:
            self._wire(self.outbox)
        self._cache: Final = cache_of(options, state, url, self.outbox)
        if self._cache is not None:
            self._cache.on_another_stream = self._refuse_all
        self._stream: AsyncStream | None = None
        self._end_of_stream: StreamClosed | None = None
        self._reading: asyncio.Task[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        #: Has all transactions sent that are held back.
        self.release_all: Callable[[], None] = lambda: None
        self._persisting: Final[set[asyncio.Task[None]]] = set()

    def _wire(self, outbox: OutboxKeeper) -> None:
        sender = self.sender
        outbox.resume = sender.resume
        sender.deliver = outbox.deliver
        sender.failed.on_failed = outbox.failed
        self.pending.on_renamed = lambda draft: self.loop.run(lambda: outbox.renamed(draft))
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
            self._reading = asyncio.create_task(self._read(self._stream), name="streamdb-reader")
            self._reading.add_done_callback(self._look_whether_cancelled)

    def check_writable(self) -> None:
        """Raise if nothing may be written. May be called on any thread.

        Raises:
            DatabaseClosed: it is, or never found its stream; or reading is over, and so the outbox
                closed.
            NotConnected: what is in the outbox, and goes first, was not read yet.
        """
        self.checks.check_open()
        if self.outbox is None or self.outbox.ledger.is_open:
            return
        if self.status.now in ("idle", "connecting"):
            raise NotConnected(
                f"{self._url}: a database with an outbox cannot be written to before it is "
                "connected: use it as a context manager, or call preload() first"
            )
        raise DatabaseClosed(
            f"{self._url}: reading is over, and the outbox is closed with it"
        ) from self.status.failure

    def enqueue(self, draft: Draft) -> None:
        """Queue a transaction that shows; it is sent in its turn."""
        if self._accepts(draft):
            if self.outbox is not None:
                self.outbox.keep(draft)
            self.sender.enqueue(draft)
            if self.checks.is_found:
                self._send()

    def hold(self, draft: Draft) -> None:
        """Take note of a transaction that shows and will be queued later."""
        if self._accepts(draft):
            self.sender.hold(draft)

    def _accepts(self, draft: Draft) -> bool:
        """Tell whether a transaction can be sent; if not, it has failed. Connect if need be."""
        if draft.outcome.is_given_up:  # with the end of the stream, before it got here
            return False
        try:
            self.check_writable()
        except (DatabaseClosed, NotConnected) as error:
            self.sender.failed.fail(draft, error)
            return False
        if self._end_of_stream is not None:
            self.sender.failed.fail(draft, self._end_of_stream)
            return False
        self.start()
        return True

    def roll_back(self, draft: Draft, failure: TransactionFailed) -> None:
        """Have an open transaction fail, and what stands on it; the rest goes on."""
        self.sender.failed.roll_back(draft, failure)
        self._send_on()

    def give_up(self, txid: str) -> None:
        """Have a transaction fail by the word of the application. Called on any thread.

        Raises:
            UnknownTransaction: it is not pending (any more).
        """
        if self.outbox is not None and self.outbox.holds(txid):
            self.outbox.forget(txid)
            return
        if not self.sender.is_pending(txid):
            raise UnknownTransaction(
                f"transaction {txid!r} is not pending: it is none of this database, or is durable, "
                "or has failed"
            )

        def give_up() -> None:
            self.sender.give_up(txid)
            self._send_on()

        self.loop.run(give_up)

    def _roll_back_open(self) -> None:
        with self._state.committing():
            for draft in list(self.pending.open):
                reason = "the database was closed before it was committed"
                self.sender.failed.fail(draft, StreamDBError(reason))
        self._send_on()

    def _send_on(self) -> None:
        if self.checks.is_found and self.status.now != "closed":
            self._send()

    def act(self, action: RunningAction, persist: Callable[[], Awaitable[object]]) -> None:
        """Have an action brought onto the stream in its turn.

        Args:
            action: which shows already.
            persist: does it.
        """
        try:
            self.check_writable()
        except (DatabaseClosed, NotConnected) as error:
            self.sender.failed.fail(action.draft, error)
            return
        self.start()
        self.sender.begin(action)
        task = asyncio.create_task(self._persist(action, persist), name="streamdb-persist")
        self._persisting.add(task)
        task.add_done_callback(self._persisting.discard)

    async def _persist(
        self, action: RunningAction, persist: Callable[[], Awaitable[object]]
    ) -> None:
        PERSISTING.set((*action.draft.by, action.txid))  # in the context of this task
        error: BaseException | None = None
        try:
            await self.sender.actions.turn(action)
            if not action.draft.outcome.is_given_up:  # with what it stands on
                action.draft.outcome.advance("sent")
                await persist()
        except asyncio.CancelledError as cancelled:
            if self.status.now == "closed":
                raise
            error = cancelled
        except RaisedThere as raised:
            error = raised.error
        except Exception as raised:  # noqa: BLE001 - the transaction tells it
            error = raised
        self.sender.end(action, error)
        if self.sender.is_awaited(action):
            self.loop.call_later(
                self.sender.waits.long, lambda: self.sender.tell_if_awaited(action)
            )
        if self.status.now != "closed":
            self._send()

    def _take_rest_back_when_read(self, draft: Draft) -> None:
        """Have an action that is over show no more when all is read that is on the stream now."""
        if self._stream is not None and self.status.now != "closed":
            reading = self._take_rest_back(draft, self._stream)
            task = asyncio.create_task(reading, name="streamdb-rest-of-action")
            self._persisting.add(task)
            task.add_done_callback(self._persisting.discard)

    async def _take_rest_back(self, draft: Draft, stream: AsyncStream) -> None:
        state = self._state
        try:
            end = (await stream.head()).offset
        except StreamDBError as error:  # then nobody can tell whether more will come
            log.info("%s: where the stream ends is not known: %s", self._url, error)
        else:
            await reached(state.signal, lambda: not is_before(state.offset, end))
        self.sender.returned.take_rest_back(draft)

    def hand_over(self, action: RunningAction) -> None:
        """Have what an action shows sent as it is, like any other transaction."""
        draft = action.draft
        if draft.has_come_back:
            draft.outcome.advance("synced")  # whoever brought it
        elif draft.is_partly_back:
            draft.outcome.advance("durable")  # likewise
        elif not draft.writes:
            self.sender.forget(draft)
            draft.outcome.advance("synced")  # an empty transaction is free
        elif draft.is_brought and draft.outcome.status == "sent":
            draft.is_brought = False
            draft.outcome.take_back()  # nothing of it is on the stream yet
            if self.outbox is not None:
                self.outbox.keep(draft)
            self.sender.send_first(draft)
            if self.checks.is_found:
                self._send()

    def _send(self) -> None:
        """Send what is queued. No task waits for more, which nobody might end."""
        if self._stream is not None and (self._sending is None or self._sending.done()):
            sending = self._send_to(self._stream)
            self._sending = asyncio.create_task(sending, name="streamdb-sender")

    async def _send_to(self, stream: AsyncStream) -> None:
        if self.outbox is not None:  # what an earlier process has sent may be on the stream
            await self.status.loaded.wait()
        await self.sender.send_to(stream)

    def _stop_sending(self) -> None:
        """Send no more of what is in an outbox: that is about to close."""
        if self.outbox is not None and self._sending is not None:
            self._sending.cancel()

    def _leave_or_fail_all(self, reason: BaseException) -> None:
        """Leave what is in an outbox to who opens it next; the rest has failed."""
        if self.outbox is not None:
            self.sender.failed.leave(self.outbox.ledger.txids, reason)
        # An action may still bring about what it wants: why reading ended says nothing of it.
        self.sender.fail_all(reason, is_answer=False)

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
            self.checks.is_found = True
            self._send()
            await reader.read()
        except StreamDBError as error:
            if self.status.loaded.is_set():  # before, who opens the database is told
                log.error("%s: reading stopped for good: %s", self._url, error)
            self._stop_sending()
            await self._close_cache()
            self._fail(error)
        except Exception as error:
            is_cut_off = on_shared_loop_thread() and not threading.main_thread().is_alive()
            if not is_cut_off:
                log.exception("%s: reading stopped", self._url)
            self._stop_sending()
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
                self._leave_or_fail_all(error)  # there will be nothing to write to
            self.status.set("error", error)
            self._state.end(error, error)
        self._observers.loaded()
        if self.checks.is_found:
            self.sender.failed.expect_no_echo(error)

    def _end(self) -> None:
        """Do likewise at the stream's end, which is no error, but for those who wait for more."""
        ended = StreamClosed("the stream has ended", final_offset=self._state.offset, url=self._url)
        self._end_of_stream = ended
        self._stop_sending()
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
            self._roll_back_open()
            await asyncio.sleep(0)  # what is queued by other threads, in its order
            await asyncio.wait_for(self.sender.drain(), self.close_timeout)
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
        own = (self._reading, self._sending, *self._persisting)
        tasks = [task for task in own if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        closed = self.checks.closed()
        with self._state.committing():
            self._leave_or_fail_all(closed)
            self._state.end(None, closed)
        self.sender.failed.log.tell()
        self._observers.loaded()
        try:
            if self._stream is not None:
                await self._stream.aclose()
        finally:
            await self._close_cache()

    def _refuse_all(self, reason: Exception) -> None:
        """Give up what was written for another stream than the one that is there now."""
        self.sender.fail_all(
            StreamError(f"the stream is another one than that it was written for: {reason}")
        )

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
