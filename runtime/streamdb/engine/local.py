"""Collections of rows that are this program's own, on no stream: to be joined with those that are.

:class:`AsyncLocalCollection` and :class:`LocalCollection` differ in how changes are iterated.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar, overload

from streamdb.collections.base_collection import BaseCollection
from streamdb.collections.changes import Changes
from streamdb.collections.collection_forms import AsyncForm, BlockingForm
from streamdb.collections.collection_parts import CollectionParts
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.snapshots import Snapshots
from streamdb.collections.subscription import Subscription
from streamdb.collections.table import Table
from streamdb.engine.graph import Graph
from streamdb.engine.local_writer import Calls, LocalWriter
from streamdb.engine.viewing import Views
from streamdb.expr import Columns, Expr, UntypedColumns
from streamdb.state.declaring import completed_declaration
from streamdb.state.schema import CollectionSchema

Row = TypeVar("Row")
Key = TypeVar("Key", bound=str | int)
Cols = TypeVar("Cols", bound=Columns[Any])
RowOf = TypeVar("RowOf")
ColsOf = TypeVar("ColsOf", bound=Columns[Any])


# Checkers learn the types of an object from the class that is called, and not from its base: so
# both forms list the ways to make one.


class BaseLocalCollection(BaseCollection[Row, Key, Cols, None]):
    """What both forms share: a collection whose writes show at once."""

    def __init__(
        self,
        row: type[Any],
        *,
        key: str,
        columns: type[Columns[Any]] | None = None,
        name: str | None = None,
    ) -> None:
        """Take the class of the rows.

        Args:
            row: a msgspec struct, ``Extensible``, a pydantic model, a dataclass or a ``TypedDict``.
            key: the field that tells rows apart, text or an integer.
            columns: typed columns of the row; without, checkers know nothing of columns.
            name: what messages call the collection; the name of the class if it is not given.

        Raises:
            SchemaError: this makes no sense.
        """
        name = row.__name__ if name is None else name
        declared = completed_declaration(name, row=row, primary_key=key, columns=columns)
        schema = CollectionSchema[Any, Any](name=name, **declared)
        table, lock = Table(), CommitLock(f"the local collection {name!r}")
        graph = Graph(lock, is_loaded=lambda: True)
        snapshots = Snapshots(lock, lambda: (table,), offset=str, commit=lambda: graph.number)
        calls = Calls()
        self._writer: Final = LocalWriter(table, graph, calls)
        super().__init__(
            CollectionParts(
                schema=schema,
                table=table,
                lock=lock,
                snapshots=snapshots,
                writer=self._writer,
                deliver=calls.add,
                check_started=lambda: None,
                check_goes_on=lambda: None,
                runner=Views(graph, snapshots),
                origin=graph,
            )
        )

    def batch(self) -> AbstractContextManager[None]:
        """Group the writes of this task or thread: they show as one commit when the block ends.

        Nothing is written if it raises.

        ::

            with drafts.batch():
                drafts.delete("d1")
                drafts.insert(Draft(id="d2", text="hello"))
        """
        return self._writer.batch()

    def subscribe(
        self,
        callback: Callable[[Changes[Row, Key]], object],
        *,
        initial: bool = False,
        where: Callable[[Cols], Expr[bool, Any]] | None = None,
    ) -> Subscription:
        """Call ``callback`` with the changes of every commit; see :meth:`BaseCollection.subscribe`.

        It is called in the thread that writes, after the commit; with the rows as they are now, in
        this one.
        """
        subscription = super().subscribe(callback, initial=initial, where=where)
        self._writer.run_calls()
        return subscription


class AsyncLocalCollection(BaseLocalCollection[Row, Key, Cols], AsyncForm[Row, Key, Cols, None]):
    """A local collection for asyncio: written on the thread of the loop that uses it."""

    @overload
    def __init__(
        self: AsyncLocalCollection[RowOf, Any, ColsOf],
        row: type[RowOf],
        *,
        key: str,
        columns: type[ColsOf],
        name: str | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: AsyncLocalCollection[RowOf, Any, UntypedColumns[RowOf]],
        row: type[RowOf],
        *,
        key: str,
        name: str | None = None,
    ) -> None: ...
    def __init__(
        self,
        row: type[Any],
        *,
        key: str,
        columns: type[Columns[Any]] | None = None,
        name: str | None = None,
    ) -> None:
        """Take the class of the rows; see :class:`BaseLocalCollection`."""
        super().__init__(row, key=key, columns=columns, name=name)


class LocalCollection(BaseLocalCollection[Row, Key, Cols], BlockingForm[Row, Key, Cols, None]):
    """A typed collection of the program's own rows, on no stream; used from any thread.

    It is read, watched and asked like a collection of a database; writes show at once, and return
    nothing. It can stand in the queries of any database, whose live queries follow it: when a write
    returns, those of blocking databases have moved on.

    Callbacks run in the thread that writes, after the commit.

    >>> from msgspec import Struct
    >>> class Draft(Struct, frozen=True):
    ...     id: str
    ...     text: str
    >>> drafts = LocalCollection(Draft, key="id")
    >>> drafts.insert(Draft("d1", "hel"))
    >>> drafts.update("d1", text="hello")
    >>> drafts["d1"]
    Draft(id='d1', text='hello')
    >>> drafts.where(lambda d: d.text == "hello").fetch()
    [Draft(id='d1', text='hello')]
    """

    @overload
    def __init__(
        self: LocalCollection[RowOf, Any, ColsOf],
        row: type[RowOf],
        *,
        key: str,
        columns: type[ColsOf],
        name: str | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: LocalCollection[RowOf, Any, UntypedColumns[RowOf]],
        row: type[RowOf],
        *,
        key: str,
        name: str | None = None,
    ) -> None: ...
    def __init__(
        self,
        row: type[Any],
        *,
        key: str,
        columns: type[Columns[Any]] | None = None,
        name: str | None = None,
    ) -> None:
        """Take the class of the rows; see :class:`BaseLocalCollection`."""
        super().__init__(row, key=key, columns=columns, name=name)
