"""The outcome of writes: one for a transaction, and the caller learns it.

A transaction is *open* inside a ``with db.transaction()`` block, *queued* until its POST is on its
way, *sent* until the server or the stream has answered, *durable* once it is acknowledged or has
come back, *synced* once it has come back and shows in the collections; or it has *failed*, and
then nothing of it is on the stream.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Final, Literal

from streamdb.errors import WaitTimeout, WouldDeadlock
from streamdb.query_functions import check_may_wait

if TYPE_CHECKING:
    from concurrent.futures import Future

TransactionStatus = Literal["open", "queued", "sent", "durable", "synced", "failed"]

_ORDER: Final[tuple[TransactionStatus, ...]] = ("open", "queued", "sent", "durable", "synced")


class Outcome:
    """The state of one transaction; moved on by the database, on any thread, forwards only."""

    def __init__(self, txid: str) -> None:
        from concurrent.futures import Future  # not needed by who imports a package

        self.txid: Final = txid
        self.status: TransactionStatus = "open"
        self.error: BaseException | None = None
        #: Whether others wrote a row between what a write was made of and the write.
        self.conflict = False
        self.durable: Final[Future[None]] = Future()
        self.synced: Final[Future[None]] = Future()
        self._lock = threading.Lock()
        for future in (self.durable, self.synced):
            # From here on nobody who waits can cancel it: cancelling a waiter is not an outcome.
            future.set_running_or_notify_cancel()

    def advance(self, status: TransactionStatus) -> None:
        """Move on; steps back and steps behind a failure are ignored."""
        with self._lock:
            if self.status == "failed" or _ORDER.index(status) <= _ORDER.index(self.status):
                return
            was, self.status = self.status, status
        if status in ("durable", "synced") and was not in ("durable", "synced"):
            self.durable.set_result(None)
        if status == "synced":
            self.synced.set_result(None)

    def fail(self, error: BaseException) -> bool:
        """End in failure, unless the transaction is durable already. Tell whether it did."""
        with self._lock:
            if self.status in ("durable", "synced", "failed"):
                return False
            self.status, self.error = "failed", error
        self.durable.set_exception(error)
        self.synced.set_exception(error)
        return True

    def lose_echo(self, error: BaseException) -> None:
        """Durable, but it will not be seen coming back: the reader has ended."""
        with self._lock:
            if self.status != "durable" or self.synced.done():
                return
            self.error = error
        self.synced.set_exception(error)


class BaseTransaction:
    """What both forms of a transaction tell without waiting."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def become_part_of(self, outcome: Outcome) -> None:
        """Share the outcome of another transaction, in which this one was taken up."""
        self._outcome = outcome

    @property
    def txid(self) -> str:
        """The id that all events of the transaction carry."""
        return self._outcome.txid

    @property
    def status(self) -> TransactionStatus:
        """How far it has come."""
        return self._outcome.status

    @property
    def error(self) -> BaseException | None:
        """Why it failed, if it did."""
        return self._outcome.error

    @property
    def conflict(self) -> bool:
        """Whether others wrote a row between what a write of it was made of and the write.

        It is known once the transaction has come back. The last write stands.
        """
        return self._outcome.conflict

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.txid} {self.status}>"

    def _check_sent(self) -> None:
        if self.status == "open":
            raise WouldDeadlock("the transaction is still open: leave its `with` block first")


class AsyncTransaction(BaseTransaction):
    """Writes on their way. ``await`` it to know that they are durable."""

    def __await__(self) -> Generator[object, None, None]:
        """Wait until the writes are on the stream.

        Raises:
            TransactionFailed: they are not; the cause says why.
            WouldDeadlock: awaited inside the open transaction.
        """
        import asyncio  # not above, as in `callers`

        self._check_sent()
        return asyncio.wrap_future(self._outcome.durable).__await__()

    async def synced(self) -> None:
        """Wait until the writes have come back and show in the collections.

        Raises:
            TransactionFailed: they are not on the stream.
            StreamDBError: they are, but reading ended before they came back.
            WouldDeadlock: awaited inside the open transaction.
        """
        import asyncio

        self._check_sent()
        await asyncio.wrap_future(self._outcome.synced)


class Transaction(BaseTransaction):
    """Writes on their way. ``result()`` waits until they are durable."""

    def __init__(self, outcome: Outcome, io_thread: int | None) -> None:
        super().__init__(outcome)
        self._io_thread = io_thread

    def result(self, timeout: float | None = None) -> None:
        """Wait until the writes are on the stream; giving up waiting does not cancel them.

        Raises:
            TransactionFailed: they are not; the cause says why.
            WaitTimeout: it takes longer than so many seconds.
            WouldDeadlock: called inside the open transaction, on streamdb's own thread, or by a
                function of a query.
        """
        self._wait(self._outcome.durable, timeout)

    def synced(self, timeout: float | None = None) -> None:
        """Wait until the writes have come back and show in the collections.

        Raises like :meth:`result`, and what ended the reading if they will never come back.
        """
        self._wait(self._outcome.synced, timeout)

    def _wait(self, future: Future[None], timeout: float | None) -> None:
        self._check_sent()
        if not future.done():
            check_may_wait("waiting for a transaction")
        if threading.get_ident() == self._io_thread and not future.done():
            raise WouldDeadlock("waiting on the thread that brings the answer would wait for ever")
        try:
            future.result(timeout)
        except TimeoutError:
            if future.done():
                raise
            raise WaitTimeout(
                f"transaction {self.txid} is still {self.status} after {timeout} s; it goes on"
            ) from None
