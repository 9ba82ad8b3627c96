"""What every collection is, a local one, too: rows that are read, asked, watched and written."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Generic, TypeGuard, TypeVar, overload

from msgspec import UNSET, UnsetType

from streamdb.collections.batch_limits import WriterSettings, limits_of
from streamdb.collections.change_iteration import ChangeReader
from streamdb.collections.changes import (
    ChangeBuffer,
    Changes,
    Delta,
    Test,
    changes_of,
    filtered,
)
from streamdb.collections.collection_parts import CollectionParts
from streamdb.collections.frozen_rows import FrozenRows
from streamdb.collections.row_meta import RowMeta, meta_of
from streamdb.collections.row_writer import Batches
from streamdb.collections.source import CollectionSource
from streamdb.collections.subscription import Subscription
from streamdb.collections.table import Table
from streamdb.collections.updating import change_of, expected_of
from streamdb.expr import Columns, Expr
from streamdb.expr.asking import condition_of
from streamdb.expr.conditions import test_of
from streamdb.expr.queries import Query1, Queryable, query_of
from streamdb.plain_functions import refuse_async
from streamdb.state.schema import CollectionSchema

Row = TypeVar("Row")
Key = TypeVar("Key", bound=str | int)
Cols = TypeVar("Cols", bound=Columns[Any])
Tx = TypeVar("Tx")
Default = TypeVar("Default")
Item = TypeVar("Item")

_INSTEAD_OF_ASYNC: Final = "iterate over `changes()`, or pass a plain function that creates a task"


class BaseCollection(Queryable[Row, Cols], Generic[Row, Key, Cols, Tx]):
    """What both forms of a collection share: reading, asking, subscribing, writing."""

    def __init__(self, parts: CollectionParts[Tx]) -> None:
        self._parts: Final = parts
        self._schema: CollectionSchema[Row, Key] = parts.schema
        self._table: Final = parts.table
        self._source: Final = CollectionSource(parts.schema, parts.table, parts.origin)

    def __repr__(self) -> str:
        count = len(self._parts.snapshots.of(self._table).rows)
        return f"<{type(self).__name__} {self._schema.name!r} with {count} rows>"

    # --- reading

    def __getitem__(self, key: Key) -> Row:
        """Return the row of a key. Raises KeyError if there is none.

        It is the database's own: if it is no immutable one, leave it as it is, and change it by
        :meth:`update`.
        """
        row = self.get(key)
        if row is None:
            raise KeyError(key)
        return row

    @overload
    def get(self, key: Key) -> Row | None: ...
    @overload
    def get(self, key: Key, default: Default) -> Row | Default: ...
    def get(self, key: Key, default: Any = None) -> Any:
        """Return the row of a key, or ``default``."""
        with self._parts.lock:
            shown = self._shown
            return shown.rows.get(_called_now(self._schema.wire_key(key), shown), default)

    def __contains__(self, key: object) -> bool:
        """Tell whether there is a row of that key."""
        with self._parts.lock:
            shown = self._shown
            return type(key) is self._schema.key and _called_now(str(key), shown) in shown.rows

    def __len__(self) -> int:
        with self._parts.lock:
            return len(self._shown.rows)

    def __iter__(self) -> Iterator[Row]:
        """Iterate over the rows as they are now, in order of first insertion in the stream.

        Rows that were inserted here and are not in the stream yet come last.
        """
        with self._parts.lock:
            rows = [row for _, row in self._shown.in_order()]
        return iter(rows)

    def keys(self) -> list[Key]:
        """Return the keys, in the order of the rows."""
        with self._parts.lock:
            keys = [key for key, _ in self._shown.in_order()]
        return [self._schema.parse_key(key) for key in keys]

    def items(self) -> list[tuple[Key, Row]]:
        """Return keys and rows, in order."""
        with self._parts.lock:
            items = list(self._shown.in_order())
        return [(self._schema.parse_key(key), row) for key, row in items]

    def first(self) -> Row | None:
        """Return the oldest row, or None."""
        with self._parts.lock:
            return next((row for _, row in self._shown.in_order()), None)

    def meta(self, key: Key) -> RowMeta:
        """Return what is known of a row beside its fields.

        Raises:
            KeyError: there is no row of that key, and no write that would make one has failed.
        """
        with self._parts.lock:
            shown = self._shown
            wire_key = _called_now(self._schema.wire_key(key), shown)
            meta = meta_of(shown, wire_key, self._schema.parse_key)
        if meta is None:
            raise KeyError(key)
        return meta

    @property
    def _shown(self) -> Table | FrozenRows:
        """What the caller sees: the table, or what a snapshot has kept of it."""
        self._parts.check_started()  # or all collections would be taken for empty
        return self._parts.snapshots.of(self._table)

    # --- asking

    def as_query(self) -> Query1[Row, Cols]:
        """Return the query for all rows, at which every other one begins."""
        return query_of(self._source, self._parts.runner)

    # --- watching

    def subscribe(
        self,
        callback: Callable[[Changes[Row, Key]], object],
        *,
        initial: bool = False,
        where: Callable[[Cols], Expr[bool, Any]] | None = None,
    ) -> Subscription:
        """Call ``callback`` with the changes of every commit that touches this collection.

        Args:
            callback: called once a commit, after all collections have moved on. What it raises is
                logged. It is a plain function, which may start a task; async code may rather
                iterate over :meth:`changes`.
            initial: call it first with the rows as they are now, as inserts.
            where: watch only rows of which this is true; one that stops matching is a delete.

        ::

            db.messages.subscribe(print, where=lambda m: m.role == "assistant")

        Raises:
            TypeError: ``callback`` is ``async def``, or no function.
            DatabaseClosed: the database is closed, so there will be no commit.
            StreamDBError: reading has failed, with what made it fail.
        """
        refuse_async(callback, "subscribe", _INSTEAD_OF_ASYNC)
        self._parts.check_goes_on()
        test, deliver = self._test(where), self._parts.deliver
        closed = False

        def call(deltas: Sequence[Delta]) -> None:
            if not closed:
                callback(changes_of(deltas, self._schema.parse_key))

        def on_commit(deltas: Sequence[Delta]) -> None:
            if seen := filtered(deltas, test):
                deliver(partial(call, seen))

        with self._parts.lock:
            if initial and (rows := self._as_inserts(test)):
                deliver(partial(call, rows))
            stop_watching = self._table.watch(on_commit, lambda _: None, outlasts=True)

        def stop() -> None:
            nonlocal closed
            closed = True
            stop_watching()

        return Subscription(stop)

    def _as_inserts(self, test: Test | None) -> Sequence[Delta]:
        return filtered([(key, None, row) for key, row in self._table.in_order()], test)

    def _test(self, where: Callable[[Cols], Expr[bool, Any]] | None) -> Test | None:
        if where is None:
            return None
        shape = self.as_query().node.shape
        return test_of(condition_of(where, shape, "where"), shape)

    def reader(
        self,
        wake: Callable[[], None],
        *,
        initial: bool,
        where: Callable[[Cols], Expr[bool, Any]] | None,
    ) -> ChangeReader[Row, Key]:
        """Register what iterators and waits read; ``wake`` is called when there may be more.

        Of a database that is closed, there are the rows as they are, and then the end.
        """
        buffer = ChangeBuffer(wake, self._test(where))
        with self._parts.lock:
            if initial:
                buffer.push(self._as_inserts(None))
            stop = self._table.watch(buffer.push, buffer.end)
        parse_key = self._schema.parse_key
        reader: ChangeReader[Row, Key] = ChangeReader(
            buffer,
            self._parts.lock,
            self._parts.check_started,
            lambda deltas: changes_of(deltas, parse_key),
            stop,
        )
        weakref.finalize(reader, stop).atexit = False  # a loop that was left with `break`
        return reader

    # --- writing

    def insert(self, row: Row | Sequence[Row]) -> Tx:
        """Write a new row, or several ones, as one write: all of them or none.

        Raises:
            InvalidRow: a row does not fit its type; nothing is sent.
            DuplicateKey: there is a row of that key; use ``upsert`` or ``update``.
        """
        writer, schema = self._parts.writer, self._schema
        if not _are_several(row, schema.row):
            return writer.insert(schema, row)
        return self._each(row, lambda one: writer.insert(schema, one))

    def upsert(self, row: Row | Sequence[Row]) -> Tx:
        """Write a row, whether or not there is one of its key; or several ones, as one write.

        Raises:
            InvalidRow: a row does not fit its type; nothing is sent.
        """
        writer, schema = self._parts.writer, self._schema
        if not _are_several(row, schema.row):
            return writer.upsert(schema, row)
        return self._each(row, lambda one: writer.upsert(schema, one))

    def update(self, key: Any, /, *change: Any, **fields: Any) -> Tx:
        """Write changed fields, or what a function makes of the row.

        ``update(key, content="...")`` or ``update(key, function)``, from row to row. Generated
        collections give it its types. A row may be shared: a function makes a changed copy of it.
        Of a sequence of keys, all those rows are changed, as one write.

        With ``expect=row`` it is written only if the row is that one, compared as JSON: now, and
        again when it is sent. Where rows have a field of that name, it goes with a function alone.
        If it is not given, it is ``UNSET``.

        Raises:
            MissingKey: there is no row of that key.
            RowChanged: the row is not the expected one; or the transaction fails so.
            InvalidRow: the new row does not fit its type, or has another key.
            TypeError: neither or both of function and fields are given, or a field is unknown.
        """
        if len(change) > 1:
            raise TypeError("update takes a key, and then either fields or one function")
        expect: Any = UNSET
        if change or "expect" not in self._schema.rows.fields:
            expect = fields.pop("expect", UNSET)
        return self._update(key, change[0] if change else None, fields, expect)

    def delete(self, key: Key | Sequence[Key]) -> Tx:
        """Remove a row, or several ones, as one write.

        Raises:
            MissingKey: there is no row of that key; nothing is removed.
        """
        writer, schema = self._parts.writer, self._schema
        if not _are_several(key, schema.key):
            return writer.delete(schema, key)
        return self._each(key, lambda one: writer.delete(schema, one))

    def _update(
        self,
        key: Key | Sequence[Key],
        change: Callable[[Row], Row] | None,
        fields: Mapping[str, Any],
        expect: Row | UnsetType = UNSET,
    ) -> Tx:
        """Do what ``update`` does, for its typed forms in generated collections."""
        schema, writer = self._schema, self._parts.writer
        changed, expected = change_of(schema, change, fields), expected_of(schema, expect)
        if not _are_several(key, schema.key):
            return writer.update(schema, key, changed, expected)
        if expected is not None:
            raise TypeError("update: expect= is one row, and goes with one key")
        return self._each(key, lambda one: writer.update(schema, one, changed, None))

    def _each(self, several: Sequence[Item], write: Callable[[Item], Tx]) -> Tx:
        """Write several things as one write."""
        with self._parts.writer.together() as transaction:
            for one in several:
                write(one)
        return transaction

    def _batches(self, settings: WriterSettings) -> Batches[Row]:
        self._parts.check_goes_on()
        if self._parts.batches is None:
            raise TypeError(f"{self!r} is not of a stream: it takes rows by `insert`")
        return self._parts.batches(self._schema, limits_of(settings))


def _are_several(
    given: Item | Sequence[Item], kind: Callable[..., Item]
) -> TypeGuard[Sequence[Item]]:
    """Tell whether it is a sequence of rows or keys, and not one, which is of that class."""
    if type(given) is kind or isinstance(given, str):  # to ask the second question takes long
        return False
    return isinstance(given, Sequence)


def _called_now(wire_key: str, shown: Table | FrozenRows) -> str:
    renamed = shown.renamed
    return renamed.now(wire_key, shown.rows) if renamed.keys else wire_key
