"""Typed collections: read like a dictionary, watched, and written through the database.

:class:`AsyncCollection` and :class:`Collection` differ in what a write returns and in how changes
are iterated; reads are plain calls in both, for the state is in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack

from streamdb.collections.base_collection import BaseCollection
from streamdb.collections.batch_limits import WriterSettings
from streamdb.collections.collection_forms import AsyncForm, BlockingForm
from streamdb.collections.row_meta import MetaColumns, RowMeta, meta_slot
from streamdb.collections.row_writer import AsyncRowWriter, RowWriter
from streamdb.collections.source import CollectionSource
from streamdb.collections.transaction import AsyncTransaction, Transaction
from streamdb.expr import Columns
from streamdb.expr.expression import column
from streamdb.expr.queries import Query1, Query2, query_of
from streamdb.plain_functions import check_takes, refuse_async

Row = TypeVar("Row")
Key = TypeVar("Key", bound=str | int)
Cols = TypeVar("Cols", bound=Columns[Any])
Tx = TypeVar("Tx")


class SyncedCollection(BaseCollection[Row, Key, Cols, Tx]):
    """What both forms of a collection of a stream share beside that: metas, and conflicts."""

    def with_meta(self) -> Query2[Row, RowMeta, Cols, MetaColumns]:
        """Return the query for all rows, each with its :class:`RowMeta` in a second slot.

        It moves on when a row becomes pending or comes back, although the row stays the same.

        ::

            db.messages.with_meta().where(lambda m, meta: meta.pending)
        """
        parts, key = self._parts, self._schema.primary_key
        assert parts.metas is not None  # noqa: S101 - databases have them
        slot = meta_slot(parts.schema.name)
        table = parts.metas().table
        source = CollectionSource(parts.schema, table, parts.origin, slot=slot, key_column="key")
        metas: Query1[RowMeta, MetaColumns] = query_of(source, parts.runner)
        return self.as_query().join(metas, on=lambda _, meta: column(key) == meta.key)

    def on_conflict(
        self,
        resolve: Callable[[Row | None, Row | None, Row | None], Row | Literal["ours", "theirs"]]
        | None,
    ) -> None:
        """Have a function say what becomes of rows of which a write has undone what others wrote.

        It is called with ``(base, theirs, ours)``, each None for no row: the row that the write was
        made for, the one that others had made of it, and the one that the write made, which stands.
        It returns the row as it is to be, or whose it is. What that changes of ``ours`` is written:
        the fields that differ, over the row as it shows by then. If one of them was written since,
        nothing is: the function is asked again, with the row that shows now as ``ours``. It is
        called where callbacks are, after the commit that told the conflict. What it raises is
        logged, and ours stands. Without it, ours stands always; ``tx.conflict`` tells it either
        way.

        ::

            def longer(base, theirs, ours):
                if theirs is None or ours is None:
                    return "ours"
                return theirs if len(theirs.content) > len(ours.content) else "ours"

            db.messages.on_conflict(longer)

        Args:
            resolve: the function, in place of one that was given before; None for none. Give it
                before the database is connected, or conflicts may go by.

        Raises:
            TypeError: it is ``async def``, or no function of three rows.
        """
        if resolve is not None:
            refuse_async(resolve, "on_conflict", "pass a function that decides at once")
            check_takes(resolve, "on_conflict", "base", "theirs", "ours")
        assert self._parts.resolve_by is not None  # noqa: S101 - databases have it
        self._parts.resolve_by(self._schema, resolve)


class AsyncCollection(
    SyncedCollection[Row, Key, Cols, AsyncTransaction],
    AsyncForm[Row, Key, Cols, AsyncTransaction],
):
    """A collection of an async database: writes return an awaitable transaction."""

    if TYPE_CHECKING:

        def __rows_of_async__(self) -> tuple[Row, Cols]:
            """Tell checkers what `until` waits for."""
            ...

    def writer(self, **settings: Unpack[WriterSettings]) -> AsyncRowWriter[Row]:
        """Return a writer for many new rows, such as the chunks of an answer.

        ::

            async with db.chunks.writer() as chunks:
                async for token in answer:
                    await chunks.write(Chunk(...))

        Rows show at once, and are sent in batches. Each batch is a transaction, stored once
        whatever happens to connections, and stands behind the one before: if one fails, so do those
        behind it, and the writer stops. `AsyncRowWriter.write` says what is raised.

        Args:
            **settings: see :class:`~streamdb.collections.batch_limits.WriterSettings`.

        Raises:
            ValueError: a number that makes no sense.
            DatabaseClosed: the database is closed.
        """
        return AsyncRowWriter(self._batches(settings))


class Collection(
    SyncedCollection[Row, Key, Cols, Transaction], BlockingForm[Row, Key, Cols, Transaction]
):
    """A collection of a blocking database: writes return a transaction with ``result()``."""

    if TYPE_CHECKING:

        def __rows_of_blocking__(self) -> tuple[Row, Cols]:
            """Tell checkers what `until` waits for."""
            ...

    def writer(self, **settings: Unpack[WriterSettings]) -> RowWriter[Row]:
        """Return a writer for many new rows; see :meth:`AsyncCollection.writer`."""
        return RowWriter(self._batches(settings), self._parts.check_may_wait)
