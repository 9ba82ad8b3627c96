"""Takes over what is written on any thread, and has it sent or brought onto the stream in turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from streamdb.collections.callers import PERSISTING
from streamdb.db.conditions import reached
from streamdb.db.drafts import Draft
from streamdb.db.open_checks import OpenChecks
from streamdb.db.own_thread import RaisedThere
from streamdb.db.pending_writes import PendingWrites
from streamdb.db.read_place import is_before
from streamdb.db.running_actions import RunningAction
from streamdb.db.sender import Sender
from streamdb.db.session_loop import SessionLoop
from streamdb.db.state import DatabaseState
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
from streamdb.streams.async_stream import AsyncStream

if TYPE_CHECKING:
    from streamdb.db.outbox_keeper import OutboxKeeper

log: Final = logging.getLogger("streamdb.db")


class OutgoingWrites:
    """The tasks that send and persist. Methods are called on the loop unless they say so.

    Args:
        url: the stream's address, for messages.
        state: the rows.
        status: how reading stands.
        checks: tell whether there is a stream to write to.
        loop: of the database.
        pending: what shows of the writes.
        sender: takes them to the stream.
        outbox: keeps them on disk, if there is one.
        start: connects the database if need be.
    """

    def __init__(
        self,
        url: str,
        state: DatabaseState,
        *,
        status: StatusBoard,
        checks: OpenChecks,
        loop: SessionLoop,
        pending: PendingWrites,
        sender: Sender,
        outbox: OutboxKeeper | None,
        start: Callable[[], None],
    ) -> None:
        self._url: Final = url
        self._state: Final = state
        self._status: Final = status
        self._checks: Final = checks
        self._loop: Final = loop
        self._pending: Final = pending
        self._sender: Final = sender
        self._outbox: Final = outbox
        self._start: Final = start
        #: Where they go, once the database is connected.
        self.stream: AsyncStream | None = None
        #: Why nothing more can be sent, once the stream has ended.
        self.end_of_stream: StreamClosed | None = None
        self._sending: asyncio.Task[None] | None = None
        self._persisting: Final[set[asyncio.Task[None]]] = set()
        sender.returned.on_partly_back = self._take_rest_back_when_read

    def check_writable(self) -> None:
        """Raise if nothing may be written. May be called on any thread.

        Raises:
            DatabaseClosed: it is, or never found its stream; or reading is over, and so the outbox
                closed.
            NotConnected: what is in the outbox, and goes first, was not read yet.
        """
        self._checks.check_open()
        if self._outbox is None or self._outbox.ledger.is_open:
            return
        if self._status.now in ("idle", "connecting"):
            raise NotConnected(
                f"{self._url}: a database with an outbox cannot be written to before it is "
                "connected: use it as a context manager, or call preload() first"
            )
        raise DatabaseClosed(
            f"{self._url}: reading is over, and the outbox is closed with it"
        ) from self._status.failure

    def enqueue(self, draft: Draft) -> None:
        """Queue a transaction that shows; it is sent in its turn."""
        if self._accepts(draft):
            if self._outbox is not None:
                self._outbox.keep(draft)
            self._sender.enqueue(draft)
            if self._checks.is_found:
                self._send()

    def hold(self, draft: Draft) -> None:
        """Take note of a transaction that shows and will be queued later."""
        if self._accepts(draft):
            self._sender.hold(draft)

    def _accepts(self, draft: Draft) -> bool:
        """Tell whether a transaction can be sent; if not, it has failed. Connect if need be."""
        if draft.outcome.is_given_up:  # with the end of the stream, before it got here
            return False
        try:
            self.check_writable()
        except (DatabaseClosed, NotConnected) as error:
            self._sender.failed.fail(draft, error)
            return False
        if self.end_of_stream is not None:
            self._sender.failed.fail(draft, self.end_of_stream)
            return False
        self._start()
        return True

    def roll_back(self, draft: Draft, failure: TransactionFailed) -> None:
        """Have an open transaction fail, and what stands on it; the rest goes on."""
        self._sender.failed.roll_back(draft, failure)
        self._send_on()

    def give_up(self, txid: str) -> None:
        """Have a transaction fail by the word of the application. Called on any thread.

        Raises:
            UnknownTransaction: it is not pending (any more).
        """
        if self._outbox is not None and self._outbox.holds(txid):
            self._outbox.forget(txid)
            return
        if not self._sender.is_pending(txid):
            raise UnknownTransaction(
                f"transaction {txid!r} is not pending: it is none of this database, or is durable, "
                "or has failed"
            )

        def give_up() -> None:
            self._sender.give_up(txid)
            self._send_on()

        self._loop.run(give_up)

    def act(self, action: RunningAction, persist: Callable[[], Awaitable[object]]) -> None:
        """Have an action brought onto the stream in its turn.

        Args:
            action: which shows already.
            persist: does it.
        """
        try:
            self.check_writable()
        except (DatabaseClosed, NotConnected) as error:
            self._sender.failed.fail(action.draft, error)
            return
        self._start()
        self._sender.begin(action)
        task = asyncio.create_task(self._persist(action, persist), name="streamdb-persist")
        self._persisting.add(task)
        task.add_done_callback(self._persisting.discard)

    async def _persist(
        self, action: RunningAction, persist: Callable[[], Awaitable[object]]
    ) -> None:
        PERSISTING.set((*action.draft.by, action.txid))  # in the context of this task
        error: BaseException | None = None
        try:
            await self._sender.actions.turn(action)
            if not action.draft.outcome.is_given_up:  # with what it stands on
                action.draft.outcome.advance("sent")
                await persist()
        except asyncio.CancelledError as cancelled:
            if self._status.now == "closed":
                raise
            error = cancelled
        except RaisedThere as raised:
            error = raised.error
        except Exception as raised:  # noqa: BLE001 - the transaction tells it
            error = raised
        self._sender.end(action, error)
        if self._sender.is_awaited(action):
            self._loop.call_later(
                self._sender.waits.long, lambda: self._sender.tell_if_awaited(action)
            )
        if self._status.now != "closed":
            self._send()

    def hand_over(self, action: RunningAction) -> None:
        """Have what an action shows sent as it is, like any other transaction."""
        draft = action.draft
        if draft.has_come_back:
            draft.outcome.advance("synced")  # whoever brought it
        elif draft.is_partly_back:
            draft.outcome.advance("durable")  # likewise
        elif not draft.writes:
            self._sender.forget(draft)
            draft.outcome.advance("synced")  # an empty transaction is free
        elif draft.is_brought and draft.outcome.status == "sent":
            draft.is_brought = False
            draft.outcome.take_back()  # nothing of it is on the stream yet
            if self._outbox is not None:
                self._outbox.keep(draft)
            self._sender.send_first(draft)
            if self._checks.is_found:
                self._send()

    def _take_rest_back_when_read(self, draft: Draft) -> None:
        """Have an action that is over show no more when all is read that is on the stream now."""
        if self.stream is not None and self._status.now != "closed":
            reading = self._take_rest_back(draft, self.stream)
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
        self._sender.returned.take_rest_back(draft)

    def found(self) -> None:
        """Send what is queued by now and later: there is a stream."""
        self._checks.is_found = True
        self._send()

    def _send_on(self) -> None:
        if self._checks.is_found and self._status.now != "closed":
            self._send()

    def _send(self) -> None:
        """Send what is queued. No task waits for more, which nobody might end."""
        if self.stream is not None and (self._sending is None or self._sending.done()):
            sending = self._send_to(self.stream)
            self._sending = asyncio.create_task(sending, name="streamdb-sender")

    async def _send_to(self, stream: AsyncStream) -> None:
        if self._outbox is not None:  # what an earlier process has sent may be on the stream
            await self._status.loaded.wait()
        await self._sender.send_to(stream)

    def roll_back_open(self) -> None:
        """Have the open transactions fail, for the database is about to close."""
        with self._state.committing():
            for draft in list(self._pending.open):
                reason = "the database was closed before it was committed"
                self._sender.failed.fail(draft, StreamDBError(reason))
        self._send_on()

    def stop_sending(self) -> None:
        """Send no more of what is in an outbox: that is about to close."""
        if self._outbox is not None and self._sending is not None:
            self._sending.cancel()

    def leave_or_fail_all(self, reason: BaseException) -> None:
        """Leave what is in an outbox to who opens it next; the rest has failed."""
        if self._outbox is not None:
            self._sender.failed.leave(self._outbox.ledger.txids, reason)
        # An action may still bring about what it wants: why reading ended says nothing of it.
        self._sender.fail_all(reason, is_answer=False)

    def refuse_all(self, reason: Exception) -> None:
        """Give up what was written for another stream than the one that is there now."""
        self._sender.fail_all(
            StreamError(f"the stream is another one than that it was written for: {reason}")
        )

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """What is under way."""
        sending = [] if self._sending is None else [self._sending]
        return [*sending, *self._persisting]
