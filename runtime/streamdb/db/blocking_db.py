"""The blocking database class: the same engine, on the process's loop thread."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from streamdb.collections.collection import Collection
from streamdb.collections.transaction import Outcome, Transaction
from streamdb.db.base import BaseDatabase
from streamdb.db.dispatcher import Dispatcher
from streamdb.db.mutations import Draft
from streamdb.errors import StreamDBError
from streamdb.streams.loop_thread import shared_loop_thread


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
        self._dispatcher = Dispatcher()

    def preload(self, timeout: float | None = None) -> None:
        """Connect, and wait until everything that the stream held is in the collections.

        Raises:
            StreamDBError: the stream is missing, cannot be reached, or is no state stream.
            TimeoutError: it takes longer than so many seconds. Loading goes on.
        """
        try:
            self._thread.run(self._session.preload(), timeout)
        except StreamDBError:
            raise
        except TimeoutError:
            raise self._preload_timeout(timeout) from None

    def await_txid(self, txid: str, timeout: float = 5.0) -> None:
        """Wait until the events of a transaction show in the collections (TXID-2).

        Raises:
            TxidTimeout: they do not within so many seconds.
            StreamDBError: reading ended, or the database was closed.
        """
        future = self._wait_for_txid(txid)
        try:
            future.result(timeout)
        except TimeoutError:
            if not future.done():
                raise self._txid_timeout(txid, timeout) from None
            raise
        finally:
            self._state.txids.forget(txid, future)

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
        """Send what is queued (for ``close_timeout`` seconds at most), then stop; rows stay."""
        self._thread.run(self._session.aclose())
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

    def _enqueue(self, draft: Draft) -> None:
        self._thread.call_soon(self._session.enqueue, draft)

    def _wrap(self, outcome: Outcome) -> Transaction:
        return Transaction(outcome, self._thread.ident)

    def _deliver(self, call: Callable[[], None]) -> None:
        self._dispatcher.submit(call)
