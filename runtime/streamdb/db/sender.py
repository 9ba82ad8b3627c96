"""Queues the transactions of a database, and sends them in their order."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from typing import Final, TypeAlias

from streamdb.db.breaking_off import BreakingOff
from streamdb.db.drafts import Draft
from streamdb.db.failed_writes import FailedWrites
from streamdb.db.long_waits import LongWaits
from streamdb.db.pending_writes import PendingWrites
from streamdb.db.returned_writes import ReturnedWrites
from streamdb.db.running_actions import RunningAction, RunningActions
from streamdb.db.without_content import frames_of, log_in_full, without_content
from streamdb.errors import StreamDBError, StreamError
from streamdb.protocol import json_text
from streamdb.protocol.answers import may_be_of_the_body
from streamdb.protocol.writing import ProducerState
from streamdb.streams.async_stream import AsyncStream

log: Final = logging.getLogger("streamdb.db")

#: A transaction, and the events that it is sent as.
Sending: TypeAlias = tuple[Draft, list[bytes]]

# A POST holds what has queued up while the one before was in flight, up to about this much.
_BODY_BYTES: Final = 1024 * 1024


class Sender:
    """A queue of transactions, and the idempotent producer that takes them to the stream.

    Args:
        url: the stream's address, for messages.
        pending: what shows of the transactions.
    """

    def __init__(self, url: str, pending: PendingWrites) -> None:
        self._pending: Final = pending
        #: Takes transactions and their events to the stream, in one request.
        self.deliver: Callable[[AsyncStream, Sequence[Sending]], Awaitable[None]] = self._append
        #: Tells of requests that are not answered.
        self.waits: Final = LongWaits(url)
        self._url: Final = url
        self._producer: Final = ProducerState(str(uuid.uuid4()))
        self._in_flight: Final[dict[str, Draft]] = {}
        pending.open.drafts = self._in_flight
        self._queue: Final[deque[Draft]] = deque()
        self._first: list[Draft] = []
        self._is_sending = False
        self._request: Final = BreakingOff()
        self._drained: Final = asyncio.Event()
        self._drained.set()
        #: Actions that the application brings onto the stream.
        self.actions: Final = RunningActions(self._queue)
        #: What has come back.
        self.returned: Final = ReturnedWrites(self._in_flight, self.actions, pending)
        #: What will not.
        self.failed: Final = FailedWrites(
            url, self._in_flight, self.actions, pending, self.returned
        )

    def expect(self, draft: Draft) -> None:
        """Answer for a transaction from now on. Called under the lock, on any thread."""
        self._in_flight[draft.outcome.txid] = draft

    def forget(self, draft: Draft) -> None:
        """Answer for a transaction no more: it was not queued."""
        self._in_flight.pop(draft.outcome.txid, None)

    def hold(self, draft: Draft) -> None:
        """Take note that an expected transaction is queued later, or comes to nothing."""

        def forget_nothing(_: object) -> None:
            if draft.outcome.status == "synced":
                self.forget(draft)

        draft.outcome.when_settled(forget_nothing)

    def enqueue(self, draft: Draft) -> None:
        """Queue a transaction that is expected; it is sent in its turn."""
        self._queue.append(draft)
        self._drained.clear()
        if draft.is_open:  # now it is no more, and goes before what waits for it
            draft.is_open = False
            above = self._pending.above(draft)
            waiting = [other for other in self._queue if other.outcome.txid in above]
            for other in waiting:
                self._queue.remove(other)
            self._queue.extend(waiting)

    def begin(self, action: RunningAction) -> None:
        """Take an action for on its way, which the application brings onto the stream."""
        self.actions.add(action, self._in_flight.values())
        self._drained.clear()

    def send_first(self, draft: Draft) -> None:
        """Queue what an action shows, before later writes that wait for it."""
        self._queue.appendleft(draft)

    def end(self, action: RunningAction, error: BaseException | None) -> None:
        """Note that the application is done with an action, or why it is not on the stream."""
        self.actions.remove(action)
        outcome = action.draft.outcome
        if action.draft.has_come_back:
            outcome.advance("synced")
        elif action.draft.is_partly_back and error is not None:
            self.returned.take_rest_back(action.draft)  # what is on the stream stands
        is_settled = not action.draft.is_brought or outcome.is_settled
        if error is not None and not is_settled:
            self.failed.fail(action.draft, error, action.failure(error))
        elif error is not None and error is not outcome.error:
            log.error(
                "%s: persist of the action %r failed when its outcome stood already: %s",
                self._url,
                action.name,
                without_content(error),
            )
            log_in_full(log, error)
        elif error is None and not is_settled and action.is_forgotten:
            self._release_forgotten(action)
        elif error is None and action.is_released:
            self._in_flight.pop(action.txid, None)
            outcome.advance("synced")
        elif error is None and not is_settled:
            outcome.advance("durable")
            if not self.failed.let_go_if_no_echo(action.draft) and action.draft.is_partly_back:
                self.returned.on_partly_back(action.draft)
        self._look_whether_drained()

    def tell_if_awaited(self, action: RunningAction) -> None:
        """Say so if an action that is over still shows, for no event has come in its place."""
        if self.is_awaited(action):
            self.waits.tell_of_action(action.name, action.txid)

    def is_awaited(self, action: RunningAction) -> bool:
        """Tell whether an action that is over shows until events come that others write."""
        draft = action.draft
        is_awaited = draft.is_brought and not draft.is_partly_back
        return is_awaited and bool(draft.writes) and action.txid in self._in_flight

    def _release_forgotten(self, action: RunningAction) -> None:
        """Have an action show no more that would show for ever, and say what it lacks."""
        self._pending.release(action.draft)
        self._in_flight.pop(action.txid, None)
        action.draft.outcome.advance("synced")
        log.warning(
            "%s: persist of the action %r has returned without asking for `tx.txid` or "
            "`tx.events`, so no event can come in place of what on_mutate wrote: that shows no "
            "more; append `tx.events`, have your server write events with `tx.txid`, or call "
            "`tx.send()`; `tx.release()` says that none will come",
            self._url,
            action.name,
        )

    def resume(self, sent: list[Draft], queued: list[Draft]) -> None:
        """Take over what an earlier process has left: what it has sent, as one batch, and the rest.

        Before anything is queued here.
        """
        self._first = sent
        for draft in (*sent, *queued):
            self._in_flight[draft.outcome.txid] = draft
            self._drained.clear()
        self._queue.extend(queued)

    async def drain(self) -> None:
        """Wait until nothing is on its way."""
        while not self._drained.is_set():  # more may have come before this went on
            await self._drained.wait()

    async def send_to(self, stream: AsyncStream) -> None:
        """Send what is queued, and what is meanwhile."""
        self._is_sending = True
        try:
            while drafts := self._take_queued():
                try:
                    await self._send(stream, drafts)
                except Exception as error:  # noqa: BLE001 - it is told without what it says
                    self._tell_of_fault(error)
                    for draft in drafts:
                        self.failed.fail(draft, error)
        finally:
            self._is_sending = False
            self._look_whether_drained()  # an action may have ended before what was cancelled

    def _tell_of_fault(self, error: Exception) -> None:
        told = without_content(error)
        log.error("%s: writing failed: %s\n%s", self._url, told, frames_of(error))
        log_in_full(log, error)

    def _look_whether_drained(self) -> None:
        if not (self._is_sending or self._first or self._queue or self.actions):
            self._drained.set()

    @property
    def in_flight(self) -> Container[str]:
        """The ids of the transactions of this database that are yet to come back."""
        return self._in_flight

    @property
    def drafts(self) -> Mapping[str, Draft]:
        """The transactions that are yet to come back."""
        return self._in_flight

    def is_pending(self, txid: str) -> bool:
        """Tell whether a transaction has no outcome yet. Called on any thread."""
        draft = self._in_flight.get(txid)
        return draft is not None and not draft.outcome.is_settled

    def give_up(self, txid: str) -> None:
        """Have a transaction fail that the application has given up, and what stands on it."""
        if not self.is_pending(txid):
            return  # it has an outcome by now
        draft, action = self._in_flight[txid], self.actions.get(txid)
        is_sent = draft.outcome.status == "sent"
        with self.failed.giving_up(txid, is_sent):
            if action is not None and draft.is_brought:
                self.actions.remove(action)  # nothing waits for it any more
        if is_sent and not draft.is_brought:
            self._request.break_off()
        self._look_whether_drained()

    def fail_all(self, reason: BaseException, *, is_answer: bool = True) -> None:
        """Forget what is queued, and give up everything that has not come back.

        Args:
            reason: why.
            is_answer: whether it may tell that what was sent is not on the stream.
        """
        self._forget_queue()
        self.failed.fail_all(reason, is_answer=is_answer)

    def _forget_queue(self) -> None:
        self._first = []
        self._queue.clear()
        if not self.actions:  # they go on, and may bring about what is not on the stream
            self._drained.set()

    def _take_queued(self) -> list[Draft]:
        drafts, self._first = self._first, []
        if drafts:
            return drafts
        waiting: list[Draft] = []
        size = 0
        while self._queue and (not drafts or size < _BODY_BYTES):
            draft = self._queue.popleft()
            if draft.outcome.is_given_up:  # with one that it stood on
                continue
            may_wait = self.actions or draft.after or waiting
            if may_wait and self.actions.hold_back(draft, waiting):
                waiting.append(draft)
                continue
            drafts.append(draft)
            size += draft.size
        self._queue.extendleft(reversed(waiting))
        return drafts

    async def _send(self, stream: AsyncStream, drafts: list[Draft]) -> None:
        """Write transactions in one request; each gets its outcome."""
        sent: list[Sending] = []
        for draft in drafts:
            if draft.outcome.is_given_up:  # with one that was sent before it
                continue
            try:
                events = self._pending.events(draft)
            except StreamDBError as error:
                self.failed.fail(draft, error)
            except Exception as error:  # noqa: BLE001 - of a row of it, and of no other's
                self._tell_of_fault(error)
                self.failed.fail(draft, error)
            else:
                draft.outcome.advance("sent")
                sent.append((draft, events))
        drafts = [draft for draft, _ in sent]
        if not drafts:
            return
        try:
            await self._deliver(stream, sent)
        except StreamDBError as error:
            drafts = [draft for draft in drafts if not draft.outcome.is_given_up]
            is_of_one = isinstance(error, StreamError) and may_be_of_the_body(error)
            if is_of_one and len(drafts) > 1:
                # One of them is at fault; the others must not suffer. A refused batch has used
                # no sequence number up (PROD-8). What others have written meanwhile counts.
                self._pending.take_back(drafts)
                for draft in drafts:
                    draft.outcome.take_back()
                for draft in drafts:
                    await self._send(stream, [draft])
                return
            for draft in drafts:
                self.failed.fail(draft, error)
        else:
            for draft in drafts:
                draft.outcome.advance("durable")
                self.failed.let_go_if_no_echo(draft)

    async def _deliver(self, stream: AsyncStream, sending: Sequence[Sending]) -> None:
        """Deliver, for as long as it takes, and say so if that is long."""
        outcomes = [draft.outcome for draft, _ in sending]
        with self.waits.told(stream, outcomes):
            await self.deliver(stream, sending)

    async def _append(self, stream: AsyncStream, sending: Sequence[Sending]) -> None:
        """Send transactions in one request, and what is left of them whenever one is given up."""
        is_rest = False
        while left := [events for draft, events in sending if not draft.outcome.is_given_up]:
            body = json_text.frame([event for events in left for event in events])
            appending = stream.append_once(self._producer, body, is_rest=is_rest)
            if await self._request.do(appending):
                return
            is_rest = True
