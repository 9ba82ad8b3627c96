"""Live queries: what is asked of collections, kept up to date, and a collection itself.

:class:`AsyncLiveQuery` and :class:`LiveQuery` differ in how changes are iterated; reads are plain
calls in both.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from streamdb.collections.change_iteration import AsyncChanges, BlockingChanges
from streamdb.engine.base_live_query import BaseLiveQuery

Row = TypeVar("Row")
Cols = TypeVar("Cols")


class AsyncLiveQuery(BaseLiveQuery[Row, Cols]):
    """A live query of an async database."""

    if TYPE_CHECKING:

        def __live_rows_of_async__(self) -> Row:
            """Tell checkers what `until` waits for."""
            ...

    def changes(self, *, initial: bool = False) -> AsyncChanges[Row, Any]:
        """Iterate over changes from this call on, with ``async for``.

        Each item holds one net change for each key since the last one taken, so a slow reader
        costs no memory. The iteration ends when the query or the database closes, or the stream
        ends, and raises what made the query or the reading fail otherwise.

        Args:
            initial: begin with the rows as they are now, as inserts.

        Raises:
            QueryClosed: it is closed already.
            DatabaseClosed: the database is.
            Exception: what has made it fail already, or the reading of the stream.
        """
        self._check_goes_on()
        import asyncio  # not above, as in `collections.callers`

        woken = asyncio.Event()
        return AsyncChanges(self.reader(woken.set, initial=initial), woken)


class LiveQuery(BaseLiveQuery[Row, Cols]):
    """A live query of a blocking database."""

    if TYPE_CHECKING:

        def __live_rows_of_blocking__(self) -> Row:
            """Tell checkers what `until` waits for."""
            ...

    def changes(self, *, initial: bool = False) -> BlockingChanges[Row, Any]:
        """Iterate over changes from this call on; see :meth:`AsyncLiveQuery.changes`."""
        self._check_goes_on()
        woken = threading.Event()
        return BlockingChanges(self.reader(woken.set, initial=initial), woken)
