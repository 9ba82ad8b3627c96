"""What callers of a database wait for: conditions and txids; and what they are told in vain."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final, cast

from streamdb.collections.base_collection import BaseCollection
from streamdb.collections.items import Source
from streamdb.db.conditions import MatchingRow, TrueState
from streamdb.db.state import DatabaseState
from streamdb.db.status import StatusBoard
from streamdb.errors import (
    ConditionTimeout,
    DatabaseClosed,
    TxidTimeout,
    WaitTimeout,
    WouldDeadlock,
)
from streamdb.expr import Expr
from streamdb.expr.query import Queryable
from streamdb.plain_functions import refuse_async

if TYPE_CHECKING:
    from concurrent.futures import Future

    from streamdb.engine.base_live_query import BaseLiveQuery


class Waits:
    """Makes what either form of a database waits on, in its own way.

    Args:
        url: the stream's address, for messages.
        state: what changes.
        status: how reading stands.
        check_started: raises if waiting would never end.
        offset: returns the position that the caller sees.
        collections: those of the database.
    """

    def __init__(
        self,
        url: str,
        state: DatabaseState,
        status: StatusBoard,
        *,
        check_started: Callable[[], None],
        offset: Callable[[], str],
        collections: Collection[BaseCollection[Any, Any, Any, Any]],
    ) -> None:
        self._url: Final = url
        self._state: Final = state
        self._status: Final = status
        self._check_started: Final = check_started
        self._offset: Final = offset
        self._collections: Final = collections

    def condition(
        self,
        condition: Callable[[], Any] | BaseCollection[Any, Any, Any, Any] | BaseLiveQuery[Any, Any],
        where: Callable[[Any], Expr[bool, Any]] | None,
        wake: Callable[[], None],
    ) -> Source[Any]:
        """Make what `until` waits on."""
        if self._state.snapshots.current is not None:
            raise WouldDeadlock("until: nothing changes inside `with db.snapshot()`")
        if not callable(condition) and not isinstance(cast("Any", condition), Queryable):
            raise TypeError(
                "until takes a function, a collection or a live query, not "
                f"{type(condition).__name__}: until(lambda: len(db.messages) > 2)"
            )
        if not callable(condition):
            return self._matching_row(condition, where, wake)
        if where is not None:
            raise TypeError("until: `where` goes with a collection, not with a function")
        refuse_async(condition, "until", "wait for what it awaits by itself")
        return TrueState(
            condition,
            self._state.signal,
            check_started=self._check_started,
            is_loaded=lambda: self._state.has_loaded,
            snapshot=self._state.snapshots.open,
            wake=wake,
        )

    def _matching_row(
        self,
        rows: BaseCollection[Any, Any, Any, Any] | BaseLiveQuery[Any, Any],
        where: Callable[[Any], Expr[bool, Any]] | None,
        wake: Callable[[], None],
    ) -> MatchingRow[Any]:
        """Wait on the changes of what belongs to this database, beginning with what is there."""
        closed = DatabaseClosed(f"{self._url}: the database is closed")
        if isinstance(rows, BaseCollection):
            if rows not in self._collections:
                raise ValueError(f"until: {rows!r} is a collection of another database")
            reader = rows.reader(wake, initial=True, where=where)
            return MatchingRow(reader, lambda: self._state.signal.end or closed)
        if not hasattr(rows, "is_of"):
            raise TypeError(
                "until takes a query that is kept up to date: until(db.live(query)), or "
                "until(lambda: query.fetch())"
            )
        if not rows.is_of(self._state.graph):
            raise ValueError(f"until: {rows!r} is a live query of another database")
        if where is not None:
            raise TypeError("until: `where` goes with a collection; a live query can be asked")
        reader = rows.reader(wake, initial=True)
        return MatchingRow(reader, lambda: self._state.signal.end or rows.why_over())

    def for_txid(self, txid: str) -> Future[None]:
        """Return what is done when a txid has come, and must be forgotten if it is not awaited."""
        if not isinstance(cast("Any", txid), str):
            raise TypeError(f"await_txid takes a txid, a text, not {type(txid).__name__}")
        with self._state.lock:
            return self._state.txids.wait(txid)

    def txid_timeout(self, txid: str, timeout: float) -> TxidTimeout:
        """Make the error of who waited for a txid."""
        return TxidTimeout(
            f"txid {txid!r} did not come back within {timeout} s ({self._standing()})"
        )

    def condition_timeout(self, timeout: float | None) -> ConditionTimeout:
        """Make the error of who waited for a condition."""
        return ConditionTimeout(f"it did not become true within {timeout} s ({self._standing()})")

    def preload_timeout(self, timeout: float | None) -> WaitTimeout:
        """Make the error of who waited for the first load."""
        return WaitTimeout(
            f"the first load took longer than {timeout} s "
            f"(url {self._url}, status {self._status.now})"
        )

    def _standing(self) -> str:
        """Say where the reading stands, for who waited in vain."""
        seen = ", ".join(self._state.txids.last()) or "none"
        status, offset = self._status.now, self._offset()
        return f"url {self._url}, status {status}, offset {offset}, last seen: {seen}"
