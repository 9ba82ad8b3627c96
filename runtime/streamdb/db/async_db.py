"""The async database class."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from streamdb.collections.collection import AsyncCollection
from streamdb.collections.items import AsyncItems
from streamdb.collections.transaction import AsyncTransaction, Outcome
from streamdb.db.action_transactions import AsyncActionTransaction
from streamdb.db.base import BaseDatabase
from streamdb.expr import Expr
from streamdb.plain_functions import refuse_async

if TYPE_CHECKING:
    from streamdb.db.action_steps import ActionSteps
    from streamdb.db.awaited import AsyncLiveRows, AsyncRows
    from streamdb.db.manual import AsyncManualTransaction
    from streamdb.db.paced import AsyncPaced
    from streamdb.db.rhythms import Debounce, InTurn, Throttle
    from streamdb.db.status import Status
    from streamdb.engine.live import AsyncLiveQuery
    from streamdb.expr.queries import Liveable

T = TypeVar("T")
Row = TypeVar("Row")
Cols = TypeVar("Cols")
ColsOfQuery = TypeVar("ColsOfQuery")


class AsyncStreamDB(BaseDatabase[AsyncTransaction, AsyncCollection[Any, Any, Any]]):
    """A stream as typed collections, for asyncio.

    Generated packages subclass it; ``async with`` connects, loads, stays live, and closes::

        async with AsyncAgentSession("http://localhost:4437/v1/stream/demo", create=True) as db:
            await db.messages.insert(Message(...))

    Without generated code, a class declares its collections by :func:`streamdb.collection`, or a
    schema is given and ``db.collections`` used: ``AsyncStreamDB(schema, url)``.

    It belongs to the event loop that it is first used on. Reads of collections are plain calls.
    """

    _form = AsyncCollection[Any, Any, Any]

    def _prepare(self) -> None:
        self._state.graph.run_here = self._session.loop.run

    async def preload(self, timeout: float | None = None) -> None:
        """Connect, and wait until everything that the stream held is in the collections.

        May be called by several tasks, and again; the work is done once (REF-15).

        Raises:
            StreamDBError: the stream is missing, cannot be reached, or is no state stream.
            WaitTimeout: it takes longer than so many seconds. Loading goes on.
        """
        import asyncio  # not above, as in `collections.callers`

        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                await self._session.preload()
        except TimeoutError:
            if limit.expired():
                raise self._waits.preload_timeout(timeout) from None
            raise

    async def await_txid(self, txid: str, timeout: float = 5.0) -> None:
        """Wait until the events of a transaction show in the collections (TXID-2).

        Raises:
            TxidTimeout: they do not within so many seconds.
            StreamDBError: reading ended, or the database was closed.
        """
        import asyncio

        future = self._waits.for_txid(txid)
        if future.done():
            future.result()  # known, or hopeless, whatever the timeout
            return
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                await asyncio.wrap_future(future)
        except TimeoutError:
            if limit.expired():
                raise self._waits.txid_timeout(txid, timeout) from None
            raise
        finally:
            self._state.txids.forget(txid, future)

    @overload
    async def until(self, condition: Callable[[], T], *, timeout: float | None = None) -> T: ...
    @overload
    async def until(
        self,
        condition: AsyncRows[Row, Cols],
        *,
        where: Callable[[Cols], Expr[bool, Any]] | None = None,
        timeout: float | None = None,
    ) -> Row: ...
    @overload
    async def until(
        self, condition: AsyncLiveRows[Row], *, timeout: float | None = None
    ) -> Row: ...
    async def until(
        self,
        condition: Any,
        *,
        where: Callable[[Any], Expr[bool, Any]] | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Wait until something is true, and return what made it so.

        ::

            await db.until(lambda: len(db.messages) >= 2 and "ada" in db.presence)
            answer = await db.until(db.messages, where=lambda m: m.role == "assistant", timeout=30)

        Args:
            condition: a function that looks at the database; called in this task once the first
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
        """
        import asyncio

        woken = asyncio.Event()
        source = self._waits.condition(condition, where, woken.set)
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                return await anext(AsyncItems(source, woken))
        except TimeoutError:
            if limit.expired():
                raise self._waits.condition_timeout(timeout) from None
            raise
        finally:
            source.close()

    def live(self, query: Liveable[Row, ColsOfQuery]) -> AsyncLiveQuery[Row, ColsOfQuery]:
        """Ask something of the collections, and keep the answer up to date.

        ::

            answers = db.live(
                db.messages.where(lambda m: m.role == "assistant").order_by(lambda m: m.created_at)
            )
            async for changes in answers.changes():
                ...

        It may ask several collections, other live queries, which gives a chain or a net of them,
        those of other databases, and a :class:`LocalCollection`. All live queries follow a commit
        at once: nobody sees one that has moved on beside one that has not. It is kept up to date
        as long as anybody holds it, has subscribed to it, or has derived another one from it.

        Before the first load it is empty, and `status` is ``loading``.

        Args:
            query: what is asked: a query, or a whole collection.

        Raises:
            DatabaseClosed: this database is closed.
            StreamDBError: reading has failed, with what made it fail; or this is called by a
                function of a query.
            ExpressionError: the query asks something that belongs to no database.
        """
        from streamdb.engine.live import AsyncLiveQuery  # for those who have live queries

        return AsyncLiveQuery(self._live_parts(query))

    def begin(self) -> AsyncManualTransaction:
        """Begin a transaction that is filled over time, and committed or rolled back by hand.

        ::

            tx = db.begin()
            with tx:  # shows when the block ends, and is not sent
                db.messages.insert(...)
            with tx:
                db.messages.update("m1", content="...")
            await tx.commit()  # or: tx.rollback()

        It is one transaction: one request, one txid, one outcome. Other writes of rows that it has
        written wait until it is committed, and fail with it if they make no sense without it. It is
        rolled back when the database is closed.
        """
        from streamdb.db.manual import AsyncManualTransaction  # for those who commit by hand

        return AsyncManualTransaction(self._open_draft())

    def paced(self, rhythm: Debounce | Throttle | InTurn) -> AsyncPaced:
        """Return blocks whose writes show at once, and are sent when a rhythm says so.

        ::

            typing = db.paced(debounce(0.3))
            with typing:  # at every key
                db.drafts.update("d1", text=text)
            await typing.flush()  # or wait: it is sent after 0.3 s of silence

        Each block shows as a whole when it ends, as a transaction does; blocks that wait become
        one transaction, in which a row is written once. It is sent before its time if anything
        else writes a row of it, by `flush`, and when the database is closed. It may fail with
        what it stands on, and goes then with all its blocks.

        Args:
            rhythm: :func:`debounce`, :func:`throttle` or :func:`in_turn`.
        """
        from streamdb.db.paced import AsyncPaced  # for those who pace writes

        return AsyncPaced(self._mutations, rhythm, self._later, self._wrap)

    def perform(
        self,
        on_mutate: Callable[[], object],
        persist: Callable[[AsyncActionTransaction], Awaitable[object]],
        *,
        name: str = "perform",
    ) -> AsyncTransaction:
        """Have writes show at once that the application brings onto the stream in its own way.

        ::

            async def persist(tx: AsyncActionTransaction) -> None:
                await http.post("/messages", json={"id": "m1", "txid": tx.txid})

            await db.perform(lambda: db.messages.insert(Message(...)), persist)

        Actions of the spec without effects are that, with a name and a typed input: what the two
        functions do is told at :class:`AsyncActionStub`.

        Args:
            on_mutate: writes to the collections, all of it one transaction.
            persist: makes it durable.
            name: for messages.
        """
        refuse_async(on_mutate, "perform", "await in `persist`")

        def persisting(outcome: Outcome, steps: ActionSteps) -> Callable[[], Awaitable[object]]:
            transaction = AsyncActionTransaction(steps, AsyncTransaction(outcome, asks=False))
            return lambda: persist(transaction)

        return self._begin_action(name, on_mutate, persisting)

    def status_changes(self) -> AsyncItems[Status]:
        """Iterate over the status from this call on, with ``async for``.

        Every change is handed out in order, ``error`` too; `error` of the database then says why.
        The iteration ends behind ``closed``. A slow reader misses what is older than a hundred
        changes.
        """
        import asyncio

        woken = asyncio.Event()
        return AsyncItems(self._session.status.follow(woken.set), woken)

    async def fork(self, url: str, *, at: str | None = None, sub_offset: int = 0) -> Self:
        """Fork the stream, and return a database on the fork, not connected yet.

        ::

            async with await db.fork(f"{url}-what-if", at=db.offset) as other:
                ...  # the state that `db` showed, and from there on its own

        Args:
            url: the address of the fork, on the same server or in the same data file.
            at: an offset, such as `offset` of this database; not given, the end of the stream. Of
                this database's own writes, those that are durable are before it.
            sub_offset: so many events beyond ``at`` are shared, too.

        Raises:
            BadAddress: the fork would be elsewhere.
            StreamExists: another stream is there, or this one was deleted.
            DatabaseClosed: this database is closed.
        """
        await self._session.fork(url, at=at, sub_offset=sub_offset)
        return self._beside(url)

    async def aclose(self) -> None:
        """Send what is queued (for ``close_timeout`` seconds at most), then stop; rows stay."""
        await self._session.aclose()

    async def __aenter__(self) -> Self:
        """Preload."""
        try:
            await self.preload()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        await self.aclose()

    if not TYPE_CHECKING:  # checkers know that there are no such methods

        def __enter__(self):
            raise TypeError(f"{type(self).__name__} is an async database: use `async with`")

        def __exit__(self, *_):
            """Never called."""

    def _on_loop(self, call: Callable[[], object]) -> None:
        call()

    def _wrap(self, outcome: Outcome) -> AsyncTransaction:
        return AsyncTransaction(outcome)

    @property
    def _deliver(self) -> Callable[[Callable[[], object]], None]:
        return self._state.after_committing
