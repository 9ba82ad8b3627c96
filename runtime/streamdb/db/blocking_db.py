"""The blocking database class: the same engine, on the process's loop thread."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from streamdb.collections.collection import Collection
from streamdb.collections.items import BlockingItems
from streamdb.collections.transaction import Outcome, Transaction
from streamdb.db.action_transactions import ActionTransaction
from streamdb.db.base import BaseDatabase
from streamdb.db.dispatcher import Dispatcher
from streamdb.db.own_thread import in_own_thread
from streamdb.errors import StreamDBError
from streamdb.expr import Expr
from streamdb.plain_functions import refuse_async
from streamdb.query_functions import check_may_wait
from streamdb.streams.loop_thread import shared_loop_thread

if TYPE_CHECKING:
    from streamdb.db.action_steps import ActionSteps
    from streamdb.db.awaited import BlockingLiveRows, BlockingRows
    from streamdb.db.manual import ManualTransaction
    from streamdb.db.paced import Paced
    from streamdb.db.rhythms import Debounce, InTurn, Throttle
    from streamdb.db.status import Status
    from streamdb.engine.live import LiveQuery
    from streamdb.expr.queries import Liveable

T = TypeVar("T")
Row = TypeVar("Row")
Cols = TypeVar("Cols")
ColsOfQuery = TypeVar("ColsOfQuery")


class StreamDB(BaseDatabase[Transaction, Collection[Any, Any, Any]]):
    """A stream as typed collections, for blocking code.

    Generated packages subclass it; ``with`` connects, loads, stays live, and closes::

        with AgentSession("embedded:session.db#demo", create=True) as db:
            db.messages.insert(Message(...)).result()

    Without generated code, a class declares its collections by :func:`streamdb.collection`, or a
    schema is given and ``db.collections`` used: ``StreamDB(schema, url)``.

    One background thread of the process reads and writes for all databases; callbacks run on a
    thread of their database, so ``.result()`` is legal inside them.
    """

    _form = Collection[Any, Any, Any]

    def _prepare(self) -> None:
        self._thread = shared_loop_thread()
        self._check_may_wait = self._thread.check_may_wait

    @cached_property
    def _dispatcher(self) -> Dispatcher:
        return Dispatcher()

    def preload(self, timeout: float | None = None) -> None:
        """Connect, and wait until everything that the stream held is in the collections.

        Raises:
            StreamDBError: the stream is missing, cannot be reached, or is no state stream.
            WaitTimeout: it takes longer than so many seconds. Loading goes on.
        """
        try:
            self._thread.run(self._session.preload(), timeout)
        except StreamDBError:
            raise
        except TimeoutError:
            raise self._waits.preload_timeout(timeout) from None

    def await_txid(self, txid: str, timeout: float = 5.0) -> None:
        """Wait until the events of a transaction show in the collections (TXID-2).

        Raises:
            TxidTimeout: they do not within so many seconds.
            StreamDBError: reading ended, or the database was closed.
            WouldDeadlock: called on streamdb's own thread.
        """
        self._thread.check_may_wait("await_txid()")
        future = self._waits.for_txid(txid)
        try:
            future.result(timeout)
        except TimeoutError:
            if not future.done():
                raise self._waits.txid_timeout(txid, timeout) from None
            raise
        finally:
            self._state.txids.forget(txid, future)

    @overload
    def until(self, condition: Callable[[], T], *, timeout: float | None = None) -> T: ...
    @overload
    def until(
        self,
        condition: BlockingRows[Row, Cols],
        *,
        where: Callable[[Cols], Expr[bool, Any]] | None = None,
        timeout: float | None = None,
    ) -> Row: ...
    @overload
    def until(self, condition: BlockingLiveRows[Row], *, timeout: float | None = None) -> Row: ...
    def until(
        self,
        condition: Any,
        *,
        where: Callable[[Any], Expr[bool, Any]] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Wait until something is true, and return what made it so.

        ::

            db.until(lambda: len(db.messages) >= 2 and "ada" in db.presence)
            answer = db.until(db.messages, where=lambda m: m.role == "assistant", timeout=30)

        Args:
            condition: a function that looks at the database; called in this thread once the first
                load is there, and after every commit and change of the status of the database or
                of a transaction. It waits for a state and not for an event: what is true between
                two commits that come at once may be missed. Or a collection or a live query: then
                the first row that is there, or comes, is returned.
            where: which rows of the collection count.
            timeout: seconds.

        Raises:
            ConditionTimeout: it is not true within so many seconds; names offset, status, last
                txids.
            StreamDBError: reading ended, or the database was closed.
            NotConnected: the database is not connected, so that nothing would ever change.
            WouldDeadlock: called on streamdb's own thread.
        """
        self._thread.check_may_wait("until()")
        woken = threading.Event()
        source = self._waits.condition(condition, where, woken.set)
        try:
            found = BlockingItems(source, woken).wait(timeout)
        finally:
            source.close()
        if found is None:
            raise self._waits.condition_timeout(timeout)
        return found

    def live(self, query: Liveable[Row, ColsOfQuery]) -> LiveQuery[Row, ColsOfQuery]:
        """Ask something of the collections, and keep the answer up to date.

        ::

            answers = db.live(
                db.messages.where(lambda m: m.role == "assistant").order_by(lambda m: m.created_at)
            )

        See :meth:`AsyncStreamDB.live`. It may be called on any thread.
        """
        from streamdb.engine.live import LiveQuery  # for those who have live queries

        return LiveQuery(self._live_parts(query))

    def begin(self) -> ManualTransaction:
        """Begin a transaction that is filled over time, and committed or rolled back by hand.

        ::

            tx = db.begin()
            with tx:  # shows when the block ends, and is not sent
                db.messages.insert(...)
            with tx:
                db.messages.update("m1", content="...")
            tx.commit().result()  # or: tx.rollback()

        It is one transaction: one request, one txid, one outcome. Other writes of rows that it has
        written wait until it is committed, and fail with it if they make no sense without it. It is
        rolled back when the database is closed.
        """
        from streamdb.db.manual import ManualTransaction  # for those who commit by hand

        return ManualTransaction(self._open_draft(), self._check_may_wait)

    def paced(self, rhythm: Debounce | Throttle | InTurn) -> Paced:
        """Return blocks whose writes show at once, and are sent when a rhythm says so.

        ::

            typing = db.paced(debounce(0.3))
            with typing:  # at every key
                db.drafts.update("d1", text=text)
            typing.flush()  # or wait: it is sent after 0.3 s of silence

        Each block shows as a whole when it ends, as a transaction does; blocks that wait become
        one transaction, in which a row is written once. It is sent before its time if anything
        else writes a row of it, by `flush`, and when the database is closed. It may fail with
        what it stands on, and goes then with all its blocks.

        Args:
            rhythm: :func:`debounce`, :func:`throttle` or :func:`in_turn`.
        """
        from streamdb.db.paced import Paced  # for those who pace writes

        return Paced(self._mutations, rhythm, self._later, self._wrap)

    def perform(
        self,
        on_mutate: Callable[[], object],
        persist: Callable[[ActionTransaction], object],
        *,
        name: str = "perform",
    ) -> Transaction:
        """Have writes show at once that the application brings onto the stream in its own way.

        ::

            def persist(tx: ActionTransaction) -> None:
                http.post("/messages", json={"id": "m1", "txid": tx.txid})

            db.perform(lambda: db.messages.insert(Message(...)), persist).result()

        Actions of the spec without effects are that, with a name and a typed input: what the two
        functions do is told at :class:`ActionStub`.

        Args:
            on_mutate: writes to the collections, all of it one transaction.
            persist: makes it durable, on a thread of its own.
            name: for messages.
        """
        for function in (on_mutate, persist):
            refuse_async(function, "perform", "use the async form of the database")

        def persisting(outcome: Outcome, steps: ActionSteps) -> Callable[[], Awaitable[object]]:
            transaction = ActionTransaction(
                steps, Transaction(outcome, self._check_may_wait, asks=False)
            )
            return lambda: in_own_thread(lambda: persist(transaction))

        return self._begin_action(name, on_mutate, persisting)

    def status_changes(self) -> BlockingItems[Status]:
        """Iterate over the status from this call on; see :meth:`AsyncStreamDB.status_changes`."""
        woken = threading.Event()
        return BlockingItems(self._session.status.follow(woken.set), woken)

    def fork(self, url: str, *, at: str | None = None, sub_offset: int = 0) -> Self:
        """Fork the stream, and return a database on the fork, not connected yet.

        Args:
            url: the address of the fork, on the same server or in the same data file.
            at: an offset, such as `offset` of this database; not given, the end of the stream.
            sub_offset: so many events beyond ``at`` are shared, too.

        Raises:
            BadAddress: the fork would be elsewhere.
            StreamExists: another stream is there, or this one was deleted.
            DatabaseClosed: this database is closed.
        """
        self._thread.run(self._session.fork(url, at=at, sub_offset=sub_offset))
        return self._beside(url)

    def close(self) -> None:
        """Send what is queued (for ``close_timeout`` seconds at most), then stop; rows stay.

        Does nothing in a child process after ``os.fork()``: the database is its parent's.

        Raises:
            WouldDeadlock: called by a function of a query, or on streamdb's own thread.
        """
        if self._thread.belongs_to_parent:
            return
        check_may_wait("close()")  # at once: it would wait for its callbacks, too
        try:
            self._thread.run(self._session.aclose())
        finally:
            self._dispatcher.close(self._session.close_timeout)

    def __enter__(self) -> Self:
        """Preload."""
        try:
            self.preload()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    if not TYPE_CHECKING:  # checkers know that there are no such methods

        async def __aenter__(self):
            raise TypeError(f"{type(self).__name__} is a blocking database: use `with`")

        async def __aexit__(self, *_):
            """Never called."""

    def _on_loop(self, call: Callable[[], object]) -> None:
        self._thread.call_soon(call)

    def _wrap(self, outcome: Outcome) -> Transaction:
        return Transaction(outcome, self._check_may_wait)

    @property
    def _deliver(self) -> Callable[[Callable[[], object]], None]:
        return self._dispatcher.submit
