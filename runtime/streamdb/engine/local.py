"""Collections of rows that are this program's own, on no stream: to be joined with those that are.

:class:`AsyncLocalCollection` and :class:`LocalCollection` differ in how changes are iterated.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, TypeVar, overload

from streamdb.collections.callbacks import run_callback
from streamdb.collections.callers import OpenBlock
from streamdb.collections.collection import (
    AsyncChanges,
    BaseCollection,
    BlockingChanges,
    CollectionParts,
)
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.origin import release
from streamdb.collections.snapshots import Snapshots
from streamdb.collections.staging import StagedRows
from streamdb.collections.table import Table
from streamdb.engine.graph import Graph
from streamdb.engine.viewing import Views
from streamdb.errors import DuplicateKey, InvalidRow, MissingKey, StreamDBError
from streamdb.expr import Columns, Expr, UntypedColumns
from streamdb.query_functions import check_caller
from streamdb.state.declaring import completed_declaration
from streamdb.state.rows import checked_key
from streamdb.state.schema import CollectionSchema

Row = TypeVar("Row")
Key = TypeVar("Key", bound=str | int)
Cols = TypeVar("Cols", bound=Columns[Any])
RowOf = TypeVar("RowOf")
ColsOf = TypeVar("ColsOf", bound=Columns[Any])


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
        calls = _Calls()
        self._writer: Final = _LocalWriter(table, graph, calls)
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


class AsyncLocalCollection(BaseLocalCollection[Row, Key, Cols]):
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

    def changes(
        self,
        *,
        initial: bool = False,
        where: Callable[[Cols], Expr[bool, Any]] | None = None,
    ) -> AsyncChanges[Row, Key]:
        """Iterate over changes from this call on; see :meth:`AsyncCollection.changes`."""
        import asyncio  # not above, as in `collections.callers`

        woken = asyncio.Event()
        return AsyncChanges(self.reader(woken.set, initial=initial, where=where), woken)


class LocalCollection(BaseLocalCollection[Row, Key, Cols]):
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

    def changes(
        self,
        *,
        initial: bool = False,
        where: Callable[[Cols], Expr[bool, Any]] | None = None,
    ) -> BlockingChanges[Row, Key]:
        """Iterate over changes from this call on; see :meth:`Collection.changes`."""
        woken = threading.Event()
        return BlockingChanges(self.reader(woken.set, initial=initial, where=where), woken)


class _Calls:
    """Callbacks, run one after the other by who writes, when no lock is held."""

    def __init__(self) -> None:
        self._waiting: Final[deque[Callable[[], object]]] = deque()
        self._running: Final = threading.Lock()

    def add(self, call: Callable[[], object]) -> None:
        """Have it run after the commit under way."""
        self._waiting.append(call)

    def run(self) -> None:
        """Run what waits, unless somebody is at it; then that one goes on with these."""
        while self._waiting and self._running.acquire(blocking=False):
            try:
                while self._waiting:
                    run_callback(self._waiting.popleft())
            finally:
                self._running.release()


class _LocalWriter:
    """The ``Writer`` of a local collection."""

    def __init__(self, table: Table, graph: Graph, calls: _Calls) -> None:
        self._table: Final = table
        self._graph: Final = graph
        self._calls: Final = calls
        self._open: Final = OpenBlock[StagedRows]("open batch")
        self._number = 0

    @contextmanager
    def batch(self) -> Generator[None]:
        if self._open.current is not None:
            raise StreamDBError("batches do not nest: one is open in this task already")
        staged = StagedRows(self._table)
        with self._open.holding(staged):
            yield
        with self._graph.lock:
            self._commit(staged)
        self._tell_others()

    def insert(self, schema: CollectionSchema[Any, Any], row: Any) -> None:
        key = _checked(schema, row)
        with self._writing() as staged:
            if staged.get(key) is not None:
                raise DuplicateKey(
                    f"insert: collection {schema.name!r} holds a row of key {key!r} already; "
                    "use upsert or update"
                )
            self._put(staged, schema, key, row)

    def upsert(self, schema: CollectionSchema[Any, Any], row: Any) -> None:
        key = _checked(schema, row)
        with self._writing() as staged:
            self._put(staged, schema, key, row)

    def update(
        self, schema: CollectionSchema[Any, Any], key: Any, change: Callable[[Any], Any]
    ) -> None:
        wire_key = schema.wire_key(key)
        while True:
            with self._graph.lock:
                before = _existing(self._staged(), wire_key, key, schema, "update")
            # The user's code: it may take its time, and any other lock.
            changed = change(schema.rows.lent(before))
            if _checked(schema, changed) != wire_key:
                raise InvalidRow(
                    f"collection {schema.name!r}: an update must keep "
                    f"{schema.primary_key}={key!r}; delete the row and insert another one instead",
                    type=schema.type,
                    pointer=f"/{schema.wire_primary_key}",
                )
            with self._writing() as staged:
                if _existing(staged, wire_key, key, schema, "update") is before:
                    self._put(staged, schema, wire_key, changed)
                    return

    def delete(self, schema: CollectionSchema[Any, Any], key: Any) -> None:
        wire_key = schema.wire_key(key)
        with self._writing() as staged:
            _existing(staged, wire_key, key, schema, "delete")
            staged.remove(wire_key, self._number)

    def _put(
        self, staged: StagedRows, schema: CollectionSchema[Any, Any], key: str, row: Any
    ) -> None:
        self._number += 1
        # The caller may go on to change the row.
        staged.sink.put(key, schema.rows.lent(row), self._number)

    def _staged(self) -> StagedRows:
        return self._open.current or StagedRows(self._table)

    @contextmanager
    def _writing(self) -> Generator[StagedRows]:
        """Yield what the open batch has staged, or something to be committed at once."""
        is_batch = self._open.current is not None
        with self._graph.lock:
            staged = self._staged()
            yield staged
            if not is_batch:
                self._commit(staged)
        if not is_batch:
            self._tell_others()

    def _commit(self, staged: StagedRows) -> None:
        check_caller("a write to a local collection")
        deltas = staged.commit()
        changed = {self._table: deltas} if deltas else {}
        self._graph.commit(changed)

    def _tell_others(self) -> None:
        release(self._graph)
        self._calls.run()
        self._graph.raise_interrupt()


def _checked(schema: CollectionSchema[Any, Any], row: Any) -> str:
    """Return the text of the key of a row. Raises InvalidRow if the row does not fit its class."""
    schema.encode(row)
    return schema.wire_key(checked_key(schema, row, None))


def _existing(
    staged: StagedRows, wire_key: str, key: Any, schema: CollectionSchema[Any, Any], doing: str
) -> Any:
    stored = staged.get(wire_key)
    if stored is None:
        raise MissingKey(f"{doing}: collection {schema.name!r} holds no row of key {key!r}")
    return stored.row
