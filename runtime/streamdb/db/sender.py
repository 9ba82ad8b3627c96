"""Sends the transactions of a database, in their order, and tells each its outcome."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Container,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from typing import Final, TypeAlias

from streamdb.collections.overlay import Conflicting, Gone
from streamdb.collections.transaction import Outcome
from streamdb.db.breaking_off import BreakingOff
from streamdb.db.drafts import Draft
from streamdb.db.failure_log import FailureLog
from streamdb.db.long_waits import LongWaits
from streamdb.db.pending_writes import PendingWrites
from streamdb.db.running_actions import RunningAction, RunningActions, gone_with
from streamdb.db.state import Came, CameBack
from streamdb.db.without_content import frames_of, log_in_full, without_content
from streamdb.errors import (
    ConnectionFailed,
    NotReached,
    RowChanged,
    StreamDBError,
    StreamError,
    TransactionFailed,
    TransactionKept,
    TransactionUnresolved,
)
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
        #: Called for each transaction that has failed.
        self.on_failed: Callable[[Draft], None] = lambda _: None
        #: Tells of requests that are not answered.
        self.waits: Final = LongWaits(url)
        self._url: Final = url
        self.failures: Final = FailureLog(url)
        self._producer: Final = ProducerState(str(uuid.uuid4()))
        self._in_flight: Final[dict[str, Draft]] = {}
        pending.open.drafts = self._in_flight
        self._queue: Final[deque[Draft]] = deque()
        self._first: list[Draft] = []
        self._is_sending = False
        self._request: Final = BreakingOff()
        self._drained: Final = asyncio.Event()
        self._drained.set()
        self._no_echo: BaseException | None = None
        self._back: list[Draft] = []
        self._partly_back: list[Draft] = []
        #: Actions that the application brings onto the stream.
        self.actions: Final = RunningActions(self._queue)
        #: Told of an action that is over and of which events have come back, though not of all
        #: that it shows; calls `take_rest_back` when all that is on the stream was read.
        self.on_partly_back: Callable[[Draft], None] = lambda _: None
        #: Has a conflict resolved.
        self.resolve: Callable[[str, Conflicting], None] = lambda _name, _conflicting: None
        self._conflicts: list[tuple[str, Conflicting]] = []

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
            self.take_rest_back(action.draft)  # what is on the stream stands
        is_settled = not action.draft.is_brought or outcome.is_settled
        if error is not None and not is_settled:
            self.fail(action.draft, error, action.failure(error))
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
            if self._no_echo is not None:
                self._lose_echo(action.draft, self._no_echo)
            elif action.draft.is_partly_back:
                self.on_partly_back(action.draft)
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
        self._pending.roll_back([action.draft])
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
                        self.fail(draft, error)
        finally:
            self._is_sending = False
        self._look_whether_drained()

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

    def gone_with(
        self, txids: Iterable[str], came_of: Callable[[str], Came | None]
    ) -> Mapping[str, Collection[Gone]]:
        """Return what shows of actions no more when events with their txids come, by collection.

        Args:
            txids: of the events of own transactions.
            came_of: returns the rows that events with a txid write; None if there are no others.
        """
        gone: dict[str, dict[Gone, None]] = {}
        for txid in dict.fromkeys(txids):
            draft = self._in_flight.get(txid)
            if draft is not None and draft.is_brought:
                showing, came = self._pending.showing(draft), came_of(txid)
                places = showing if came is None else gone_with(draft, showing, came)
                for name, key in places:
                    gone.setdefault(name, {})[key, txid] = None
        return gone

    def came_back(self, came: CameBack) -> None:
        """Note what a commit held of this database's own transactions."""
        for name, conflicting in came.conflicts:
            draft = self._in_flight.get(conflicting.txid)
            if draft is not None:
                draft.outcome.conflict = True
                self._conflicts.append((name, conflicting))
        for txid in came.whole:
            self._is_back(self._in_flight.get(txid))
        for txid in came.events.values():
            draft = self._in_flight.get(txid)
            if draft is not None and draft.is_brought:
                self._is_partly_back(draft)
            elif draft is not None:
                draft.unseen -= 1
                if draft.unseen <= 0:
                    self._is_back(draft)

    def _is_partly_back(self, draft: Draft) -> None:
        """Note that events with the txid of an action have come."""
        if not self._pending.showing(draft):
            self._is_back(draft)
            return
        is_first, draft.is_partly_back = not draft.is_partly_back, True
        self._partly_back.append(draft)
        if is_first and draft.outcome.txid not in self.actions:
            self.on_partly_back(draft)

    def take_rest_back(self, draft: Draft) -> None:
        """Have nothing of an action show any more: what will ever come in its place has come."""
        if draft.outcome.txid in self._in_flight:
            self._is_back(draft)
            self._forget_rest()

    def _is_back(self, draft: Draft | None) -> None:
        if draft is not None:
            del self._in_flight[draft.outcome.txid]
            self._back.append(draft)
            draft.has_come_back = True
            if draft.outcome.txid not in self.actions:  # who waits for one, waits for all of it
                draft.outcome.advance("synced")

    def after_commit(self) -> None:
        """See to what a commit has left behind, when its watchers are told."""
        self._forget_rest()
        conflicts, self._conflicts = self._conflicts, []
        for name, conflicting in conflicts:
            self.resolve(name, conflicting)

    def _forget_rest(self) -> None:
        """Take back what still shows of what came back: events that readers could not apply."""
        partly, self._partly_back = self._partly_back, []
        back, self._back = self._back, []
        if back:
            self._pending.roll_back(back)
        actions = dict.fromkeys(draft for draft in (*partly, *back) if draft.is_brought)
        if actions:
            self._pending.follow_renamed(actions, self._in_flight)

    def expect_no_echo(self, reason: BaseException) -> None:
        """Nothing will come back any more: let go of what waits for it, now and later."""
        self._no_echo = reason
        for draft in list(self._in_flight.values()):
            if draft.outcome.status == "durable":
                self._lose_echo(draft, reason)

    def fail_all(self, reason: BaseException, *, is_answer: bool = True) -> None:
        """Give up everything that has not come back.

        Args:
            reason: why.
            is_answer: whether it may tell that what was sent is not on the stream.
        """
        self._forget_queue()
        if is_answer:  # all that is on the stream was seen, and what has come of an action is on it
            for draft in list(self._in_flight.values()):
                if draft.is_partly_back:
                    self.take_rest_back(draft)
        for action in self.actions:
            if action.draft.has_come_back:
                action.draft.outcome.advance("synced")
        drafts, failures = list(self._in_flight.values()), dict[Draft, TransactionFailed]()
        self._in_flight.clear()
        for draft in drafts:
            if draft.outcome.status in ("durable", "synced"):
                draft.outcome.lose_echo(reason)
            else:
                failures[draft] = self._failure(draft, reason, is_answer=is_answer)
        if not failures:
            return

        def fail_each() -> None:
            for draft, failure in failures.items():
                draft.outcome.fail(failure)

        self._pending.roll_back(failures, fail_each)
        for draft in failures:
            self.on_failed(draft)
            self.failures.note([draft.outcome])

    def leave(self, txids: Collection[str], reason: BaseException) -> None:
        """Leave transactions to a later process, for they are in an outbox; they go on to show."""
        for txid in txids:
            if (draft := self._in_flight.pop(txid, None)) is not None:
                left = TransactionKept(
                    f"transaction {txid} is in the outbox, and is sent when that is opened again: "
                    f"{reason}"
                )
                left.__cause__ = reason
                draft.outcome.fail(left)

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
        with self.giving_up(txid, is_sent):
            if action is not None and draft.is_brought:
                self.actions.remove(action)  # nothing waits for it any more
        if is_sent and not draft.is_brought:
            self._request.break_off()
        self._look_whether_drained()

    @contextmanager
    def giving_up(self, txid: str, is_sent: bool) -> Generator[Collection[str]]:
        """Have a transaction fail that the application has given up, and what stands on it.

        When the block ends, which gets the ids of them all.
        """
        draft = self._in_flight.get(txid)
        if draft is None:
            yield [txid]
            return
        lost = [draft, *self._pending.dependents(draft, self._in_flight)]
        yield [one.outcome.txid for one in lost]
        draft.outcome.is_asked = True  # the log has nothing to tell of it
        error = StreamDBError("the application has given it up")
        failure = TransactionFailed(f"transaction {txid} is not on the stream: {error}")
        if is_sent:
            failure = TransactionUnresolved(f"transaction {txid}: its outcome is unknown: {error}")
        self.fail(draft, error, failure)

    def fail(
        self, draft: Draft, error: BaseException, failure: TransactionFailed | None = None
    ) -> None:
        """Tell a transaction that it failed, or that its outcome will stay unknown.

        Args:
            draft: the transaction.
            error: why.
            failure: what it is told, if that does not follow from the error.
        """
        outcome = draft.outcome
        self._in_flight.pop(outcome.txid, None)
        if outcome.status in ("durable", "synced"):
            outcome.lose_echo(error)
            return
        failure = failure or self._failure(draft, error)
        if failure is not error:
            failure.__cause__ = error
        self.failures.note(self._fail_with_dependents(draft, failure))

    def roll_back(self, draft: Draft, failure: TransactionFailed) -> None:
        """Have an open transaction fail by the word of the application."""
        self._in_flight.pop(draft.outcome.txid, None)
        self._fail_with_dependents(draft, failure)

    def _fail_with_dependents(self, draft: Draft, failure: TransactionFailed) -> list[Outcome]:
        def fail_all() -> None:
            draft.outcome.fail(failure)
            for dependent in dependents:
                self._fail_with(dependent, failure)

        with self._pending.committing():  # what is written next knows of it
            dependents = self._pending.dependents(draft, self._in_flight)
            failed = [draft, *dependents]
            self._pending.roll_back(failed, fail_all)
        for one in failed:
            self.on_failed(one)
        return [one.outcome for one in failed]

    def _failure(
        self, draft: Draft, error: BaseException, *, is_answer: bool = True
    ) -> TransactionFailed:
        if isinstance(error, RowChanged):
            return error
        outcome = draft.outcome
        # Only an answer that refuses it tells that what was sent is not on the stream.
        is_unknown = isinstance(error, ConnectionFailed) and not isinstance(error, NotReached)
        is_refused = is_answer and isinstance(error, StreamError) and not is_unknown
        failure = (
            TransactionFailed(f"transaction {outcome.txid} is not on the stream: {error}")
            if is_refused or outcome.status != "sent"
            else TransactionUnresolved(
                f"transaction {outcome.txid}: its outcome is unknown: {error}"
            )
        )
        failure.__cause__ = error
        return failure

    def _fail_with(self, draft: Draft, cause: TransactionFailed) -> None:
        """Fail a transaction that stands on one that failed, in the same request perhaps."""
        txid = draft.outcome.txid
        self._in_flight.pop(txid, None)
        if isinstance(cause, TransactionUnresolved) and draft.outcome.status == "sent":
            failure: TransactionFailed = TransactionUnresolved(
                f"transaction {txid}: its outcome is unknown, as is that of one that it was sent "
                f"with: {cause}"
            )
        else:
            failure = TransactionFailed(
                f"transaction {txid} is not on the stream: it changes what an earlier one wrote, "
                f"and that failed: {cause}"
            )
        failure.__cause__ = cause
        draft.outcome.fail(failure)

    def _forget_queue(self) -> None:
        self._first = []
        self._queue.clear()
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
                self.fail(draft, error)
            except Exception as error:  # noqa: BLE001 - of a row of it, and of no other's
                self._tell_of_fault(error)
                self.fail(draft, error)
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
                self.fail(draft, error)
        else:
            for draft in drafts:
                draft.outcome.advance("durable")
                if self._no_echo is not None:
                    self._lose_echo(draft, self._no_echo)

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

    def _lose_echo(self, draft: Draft, reason: BaseException) -> None:
        """Let go of a transaction that is on the stream and will not be seen coming back."""
        self._in_flight.pop(draft.outcome.txid, None)
        draft.outcome.lose_echo(reason)
