"""The outcome of writes: one for a transaction, and the caller learns it.

A transaction is *open* inside a ``with db.transaction()`` block, or until it is committed by hand;
*queued* until its POST is on its way, *sent* until the server or the stream has answered, *durable*
once it is acknowledged or has come back, *synced* once it has come back and shows in the
collections. Or it has *failed*, and then nothing of it is on the stream; or it is *unresolved*, and
nobody knows; or *kept*: it is in the outbox, and whoever opens that next goes on with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from streamdb.errors import (
    StreamDBError,
    TransactionKept,
    TransactionUnresolved,
    WaitTimeout,
    WouldDeadlock,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

#: Raises if waiting here would never end; is given what waits, for the message.
CheckMayWait: TypeAlias = Callable[[str], None]

TransactionStatus = Literal[
    "open", "queued", "sent", "durable", "synced", "failed", "unresolved", "kept"
]

_STEPS: Final[tuple[TransactionStatus, ...]] = ("open", "queued", "sent", "durable", "synced")
_ORDER: Final = {status: number for number, status in enumerate(_STEPS)}
_GIVEN_UP: Final = ("failed", "unresolved", "kept")
_SETTLED: Final = ("durable", "synced", *_GIVEN_UP)


class Outcome:
    """The state of one transaction; moved on by the database, on any thread.

    Who waits gets a future; for most transactions nobody does, and futures cost more than the rest.
    """

    __slots__ = (
        "_calls",
        "_durable",
        "_lock",
        "_synced",
        "conflict",
        "error",
        "is_asked",
        "is_txid_known",
        "on_change",
        "status",
        "stored",
        "txid",
    )

    def __init__(self, txid: str, on_change: Callable[[], None] = lambda: None) -> None:
        """Begin with an open transaction; ``on_change`` is called whenever something is new."""
        self.txid: Final = txid
        self.on_change: Final = on_change
        self.status: TransactionStatus = "open"
        self.error: BaseException | None = None
        #: Whether others wrote a row between what a write was made of and the write.
        self.conflict = False
        #: Whether anybody has asked for the id, and may have events written that carry it.
        self.is_txid_known = False
        #: Whether the program has waited for it, or looked at its error: it has been told, then.
        self.is_asked = False
        self._durable: Future[None] | None = None
        self._synced: Future[None] | None = None
        self._calls: list[Callable[[Outcome], object]] = []
        #: Done once it is on this machine's disk; None without an outbox.
        self.stored: Future[None] | None = None
        self._lock = threading.Lock()

    @property
    def is_settled(self) -> bool:
        """Whether it is durable, or is given up."""
        return self.status in _SETTLED

    @property
    def is_given_up(self) -> bool:
        """Whether this database does nothing more about it: it has failed, or nobody knows."""
        return self.status in _GIVEN_UP

    @property
    def durable(self) -> Future[None]:
        """Done when the transaction is durable, or has failed."""
        with self._lock:
            if self._durable is None:
                self._durable = _future()
                if self.is_settled:
                    _resolve(self._durable, self.error if self.is_given_up else None)
            return self._durable

    @property
    def synced(self) -> Future[None]:
        """Done when the transaction has come back, or never will."""
        with self._lock:
            if self._synced is None:
                self._synced = _future()
                if self.status == "synced" or self.error is not None:
                    _resolve(self._synced, self.error)
            return self._synced

    def when_settled(self, call: Callable[[Outcome], object]) -> None:
        """Call a function when it is durable or has failed, on whichever thread that happens."""
        with self._lock:
            if self.status not in _SETTLED:
                self._calls.append(call)
                return
        call(self)

    def keep(self) -> None:
        """Say that it is going to be on the disk."""
        self.stored = self.stored or _future()

    def note_stored(self, error: BaseException | None) -> None:
        """Tell who waits for it that it is on the disk, or why it is not; the first word counts."""
        with self._lock:
            stored = self.stored
            if stored is not None and not stored.done():
                _resolve(stored, error)

    def advance(self, status: TransactionStatus) -> None:
        """Move on; steps back and steps behind a failure are ignored."""
        with self._lock:
            before = self.status
            if before in _GIVEN_UP or _ORDER[status] <= _ORDER[before]:
                return
            self.status = status
            is_settled = status in _SETTLED and before not in _SETTLED
            settled = self._take_who_waits() if is_settled else None
            synced = self._synced if status == "synced" and self.error is None else None
        if settled is not None:
            self._tell(*settled)
        if synced is not None:
            _resolve(synced, None)
        self.on_change()

    def take_back(self) -> None:
        """Be queued again: it is not stored.

        The request that it was sent in was refused, or it is an action that is to be sent as it is.
        """
        with self._lock:
            if self.status != "sent":
                return
            self.status = "queued"
        self.on_change()

    def fail(self, error: BaseException) -> bool:
        """End in failure, unless the transaction is durable already. Tell whether it did."""
        with self._lock:
            if self.is_settled:
                return False
            self.status, self.error = _status_of(error), error
            settled, synced = self._take_who_waits(), self._synced
        self._tell(*settled)
        if synced is not None:
            _resolve(synced, error)
        if not isinstance(error, TransactionKept):
            self.note_stored(error)
        self.on_change()
        return True

    def lose_echo(self, error: BaseException) -> None:
        """Durable, but it will not be seen coming back: the reader has ended."""
        with self._lock:
            if self.status != "durable" or self.error is not None:
                return
            self.error, synced = error, self._synced
        if synced is not None:
            _resolve(synced, error)
        self.on_change()

    def _take_who_waits(self) -> tuple[Future[None] | None, list[Callable[[Outcome], object]]]:
        """Return who is to be told that it is settled, in the step that settles it.

        Who asks after that step finds it settled, and is told at once.
        """
        calls, self._calls = self._calls, []
        return self._durable, calls

    def _tell(self, durable: Future[None] | None, calls: list[Callable[[Outcome], object]]) -> None:
        if durable is not None:
            _resolve(durable, self.error)
        for call in calls:
            call(self)


def _status_of(failure: BaseException) -> TransactionStatus:
    if isinstance(failure, TransactionKept):
        return "kept"
    return "unresolved" if isinstance(failure, TransactionUnresolved) else "failed"


def _future() -> Future[None]:
    from concurrent.futures import Future  # not needed by who imports a package

    future: Future[None] = Future()
    # From here on nobody who waits can cancel it: cancelling a waiter is not an outcome.
    future.set_running_or_notify_cancel()
    return future


def _resolve(future: Future[None], error: BaseException | None) -> None:
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


class BaseTransaction:
    """What both forms of a transaction tell without waiting."""

    _instead = "leave its `with` block first"
    _asks = True

    def __init__(self, outcome: Outcome, *, asks: bool = True) -> None:
        """Tell of an outcome; ``asks`` is False if it is not the program that waits for it."""
        self._outcome = outcome
        if not asks:
            self._asks = False

    @property
    def txid(self) -> str:
        """The id that all events of the transaction carry."""
        self._outcome.is_txid_known = True
        return self._outcome.txid

    @property
    def status(self) -> TransactionStatus:
        """How far it has come."""
        return self._outcome.status

    @property
    def error(self) -> BaseException | None:
        """Why it failed, or why nobody knows; or why it will not be seen coming back."""
        if self._outcome.error is not None:
            self._outcome.is_asked = True
        return self._outcome.error

    @property
    def conflict(self) -> bool:
        """Whether others wrote a row between what a write of it was made of and the write.

        It is known once the transaction has come back. The last write stands.
        """
        return self._outcome.conflict

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._outcome.txid} {self.status}>"

    def _stored(self) -> Future[None]:
        self._check_sent()
        if self.status == "synced":
            return self._outcome.synced  # there is nothing to keep, of an empty one never was
        if self._outcome.stored is None:
            raise StreamDBError(
                "stored: the transaction is in no outbox: open the database with outbox=True and "
                "cache=...; what the application makes durable by itself is in none"
            )
        return self._outcome.stored

    def _check_sent(self) -> None:
        if self.status == "open":
            raise WouldDeadlock(f"the transaction is still open: {self._instead}")
        if self._asks:
            self._outcome.is_asked = True


def take_up(transaction: BaseTransaction, outcome: Outcome) -> None:
    """Have a transaction share the outcome of the one that it has become part of."""
    of_its: Any = transaction  # which no user of the class has to do with
    of_its._outcome = outcome


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

    async def stored(self) -> None:
        """Wait until the writes are in the outbox on disk: they survive the end of the process.

        Raises:
            CacheError: they could not be written there. They are still going to be sent.
            StreamDBError: the database has no outbox.
            WouldDeadlock: awaited inside the open transaction.
        """
        import asyncio

        await asyncio.wrap_future(self._stored())


class Transaction(BaseTransaction):
    """Writes on their way. ``result()`` waits until they are durable."""

    def __init__(
        self, outcome: Outcome, check_may_wait: CheckMayWait, *, asks: bool = True
    ) -> None:
        super().__init__(outcome, asks=asks)
        self._check_may_wait: Final = check_may_wait

    def result(self, timeout: float | None = None) -> None:
        """Wait until the writes are on the stream; giving up waiting does not cancel them.

        Raises:
            TransactionFailed: they are not; the cause says why.
            WaitTimeout: it takes longer than so many seconds.
            WouldDeadlock: called inside the open transaction, on streamdb's own thread, or by a
                function of a query.
            ForkedProcess: it is not settled, and belongs to the parent process.
        """
        self._wait(self._outcome.durable, timeout)

    def synced(self, timeout: float | None = None) -> None:
        """Wait until the writes have come back and show in the collections.

        Raises like :meth:`result`, and what ended the reading if they will never come back.
        """
        self._wait(self._outcome.synced, timeout)

    def stored(self, timeout: float | None = None) -> None:
        """Wait until the writes are in the outbox on disk: they survive the end of the process.

        Raises:
            CacheError: they could not be written there. They are still going to be sent.
            StreamDBError: the database has no outbox.
            WaitTimeout, WouldDeadlock: as :meth:`result` raises them.
        """
        self._wait(self._stored(), timeout)

    def _wait(self, future: Future[None], timeout: float | None) -> None:
        self._check_sent()
        self._wait_for(future, timeout)

    def _wait_for(self, future: Future[None], timeout: float | None) -> None:
        if not future.done():
            self._check_may_wait("waiting for a transaction")
        try:
            future.result(timeout)
        except TimeoutError:
            if future.done():  # in the very moment in which the wait ended
                return future.result()
            raise WaitTimeout(
                f"transaction {self._outcome.txid} is still {self.status} after {timeout} s; "
                "it goes on"
            ) from None
