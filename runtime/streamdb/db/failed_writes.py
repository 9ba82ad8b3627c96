"""Ends transactions that will not come back from the stream, and tells each why.

They have failed, their outcome will stay unknown, a later process sends them, or they are durable
and nobody will see them come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from typing import Final

from streamdb.collections.transaction import Outcome
from streamdb.db.drafts import Draft
from streamdb.db.failure_log import FailureLog
from streamdb.db.pending_writes import PendingWrites
from streamdb.db.returned_writes import ReturnedWrites
from streamdb.db.running_actions import RunningActions
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


class FailedWrites:
    """Has transactions of a database fail, with those that stand on them.

    Args:
        url: the stream's address, for messages.
        in_flight: by txid, those that are yet to come back; what ends here is taken out.
        running: the actions that are under way.
        pending: what shows of them.
        returned: what has come back.
    """

    def __init__(
        self,
        url: str,
        in_flight: dict[str, Draft],
        running: RunningActions,
        pending: PendingWrites,
        returned: ReturnedWrites,
    ) -> None:
        self._in_flight: Final = in_flight
        self._running: Final = running
        self._pending: Final = pending
        self._returned: Final = returned
        #: Tells of those that nobody asks for their outcome.
        self.log: Final = FailureLog(url)
        #: Called for each transaction that has failed.
        self.on_failed: Callable[[Draft], None] = lambda _: None
        self._no_echo: BaseException | None = None

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
        self.log.note(self._fail_with_dependents(draft, failure))

    def roll_back(self, draft: Draft, failure: TransactionFailed) -> None:
        """Have an open transaction fail by the word of the application."""
        self._in_flight.pop(draft.outcome.txid, None)
        self._fail_with_dependents(draft, failure)

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

    def fail_all(self, reason: BaseException, *, is_answer: bool = True) -> None:
        """Give up everything that has not come back.

        Args:
            reason: why.
            is_answer: whether it may tell that what was sent is not on the stream.
        """
        if is_answer:  # all that is on the stream was seen, and what has come of an action is on it
            for draft in list(self._in_flight.values()):
                if draft.is_partly_back:
                    self._returned.take_rest_back(draft)
        for action in self._running:
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
            self.log.note([draft.outcome])

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

    def expect_no_echo(self, reason: BaseException) -> None:
        """Nothing will come back any more: let go of what waits for it, now and later."""
        self._no_echo = reason
        for draft in list(self._in_flight.values()):
            if draft.outcome.status == "durable":
                self._lose_echo(draft, reason)

    def let_go_if_no_echo(self, draft: Draft) -> bool:
        """Let go of a durable transaction if nothing comes back any more; tell whether."""
        if self._no_echo is None:
            return False
        self._lose_echo(draft, self._no_echo)
        return True

    def _lose_echo(self, draft: Draft, reason: BaseException) -> None:
        """Let go of a transaction that is on the stream and will not be seen coming back."""
        self._in_flight.pop(draft.outcome.txid, None)
        draft.outcome.lose_echo(reason)
