"""A live query, in all but how its changes are iterated: reading, asking, subscribing."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, TypeVar, cast, overload

from streamdb.collections.change_iteration import ChangeReader
from streamdb.collections.changes import Buffer, Change, ChangeBuffer, Changes, kind_of
from streamdb.collections.subscription import Subscription
from streamdb.engine.executor import Changes as RawChanges
from streamdb.engine.executor import Item, Key
from streamdb.engine.graph import Graph
from streamdb.engine.positioned_buffer import PositionedBuffer
from streamdb.engine.result import Result
from streamdb.engine.viewing import Views, is_wrapped, items_of, shown_row
from streamdb.errors import NotOneRow, QueryClosed, StreamClosed, StreamDBError
from streamdb.expr.queries import Query1, Queryable
from streamdb.expr.query import Query
from streamdb.expr.query_tree import SourceNode
from streamdb.expr.shape import Shape
from streamdb.plain_functions import refuse_async

Row = TypeVar("Row")
Cols = TypeVar("Cols")
Default = TypeVar("Default")

LiveStatus = Literal["loading", "ready", "error", "ended", "closed"]

_INSTEAD_OF_ASYNC: Final = "iterate over `changes()`, or pass a plain function that creates a task"


@dataclass(frozen=True, slots=True)
class LiveParts:
    """What a database hands to each of its live queries.

    Attributes:
        result: the rows.
        views: tells what the caller sees of them.
        deliver: runs a user's callback where callbacks of this database run.
        check_goes_on: raises if there will be no commit: the database is closed, or has failed.
    """

    result: Result
    views: Views
    deliver: Callable[[Callable[[], object]], None]
    check_goes_on: Callable[[], None]


class BaseLiveQuery(Queryable[Row, Cols]):
    """What both forms of a live query share: reading, asking, subscribing."""

    def __init__(self, parts: LiveParts) -> None:
        self._parts: Final = parts
        self._result: Final = parts.result
        self._lock: Final = parts.result.origin.lock
        self._show: Final = shown_row(parts.result.shape)
        #: Turns changes into what users see.
        self._present: Final[Callable[[RawChanges], Changes[Row, Any]]] = _presenter(parts.result)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._result.name}, {self.status}>"

    # --- how it stands

    @property
    def status(self) -> LiveStatus:
        """How it stands.

        ``loading`` before the first load of what it asks, ``ready``, or for good ``error`` (a
        function of it raised, or the reading of a stream failed), ``ended`` (the stream is closed),
        ``closed`` (it is, or the database).

        What it asks of other databases counts, too: it has failed or is closed if one of them is.
        One whose stream has ended ends it if it asks nothing else.
        """
        ready: LiveStatus = "ready" if self._result.is_ready else "loading"
        return self._result.standing.status or ready

    @property
    def error(self) -> BaseException | None:
        """What made it fail, if something did; its own functions, or the reading of a stream."""
        return self._result.standing.error

    def close(self) -> None:
        """Follow no more, and neither do those that are derived from it; rows stay."""
        self._result.origin.close(self._result)

    def is_of(self, graph: Graph) -> bool:
        """Tell whether it belongs to the database of a graph."""
        return self._result.origin is graph

    # --- reading

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        """Return the row at an index, or those of a slice, if the query is ordered.

        Raises:
            IndexError: there is no such row.
            TypeError: the query has no order.
        """
        if not self._result.is_ordered:
            raise TypeError(
                f"{self!r} has no order, so no row is at an index: ask for one by `get(key)`, or "
                "give the query an `order_by`"
            )
        with self._lock:
            executor = self._parts.views.of(self._result)
            positions = () if executor is None or executor.positions is None else executor.positions
            rows: Mapping[Key, Item] = {} if executor is None else executor.rows
            if isinstance(index, slice):
                span = range(len(positions))[index]
                return [self._show(rows[positions[number]]) for number in span]
            number = index + len(positions) if index < 0 else index
            if not 0 <= number < len(positions):
                raise IndexError(f"there is no row {index}: there are {len(positions)}")
            return self._row(rows[positions[number]])

    @overload
    def get(self, key: object) -> Row | None: ...
    @overload
    def get(self, key: object, default: Default) -> Row | Default: ...
    def get(self, key: object, default: Any = None) -> Any:
        """Return the row of a key, or ``default``.

        Keys are those of the collection that is asked; of joins the pair of both keys, None where
        one misses; of unions the number of the branch and the key there; of groups and distinct
        rows the value, or the tuple of values; of an aggregate over all rows ``()``.
        """
        with self._lock:
            row = self._find(key)
            return default if row is None else self._show(row)

    def __contains__(self, key: object) -> bool:
        """Tell whether there is a row of that key."""
        with self._lock:
            return self._find(key) is not None

    def __len__(self) -> int:
        with self._lock:
            executor = self._parts.views.of(self._result)
            return 0 if executor is None else len(executor.rows)

    def __iter__(self) -> Iterator[Row]:
        """Iterate over the rows as they are now, in order if there is one."""
        return iter([row for _, row in self._items()])

    def keys(self) -> list[Any]:
        """Return the keys, in the order of the rows."""
        return [self._result.parse_key(key) for key, _ in self._items()]

    def items(self) -> list[tuple[Any, Row]]:
        """Return keys and rows, in order if there is one."""
        return [(self._result.parse_key(key), row) for key, row in self._items()]

    def first(self) -> Row | None:
        """Return the first row, or None; which one that is follows from the order alone."""
        return next(iter(self), None)

    def one(self) -> Row:
        """Return the only row.

        Raises:
            NotOneRow: there is none, or there are several.
        """
        rows = list(self)
        if len(rows) != 1:
            raise NotOneRow(f"one() found {len(rows)} rows in {self!r}")
        return rows[0]

    def fetch(self) -> list[Row]:
        """Return the rows as they are now: ``list(query)``."""
        return list(self)

    def _items(self) -> list[tuple[Key, Row]]:
        with self._lock:
            executor = self._parts.views.of(self._result)
            return [] if executor is None else items_of(executor, self._result.shape)

    def _find(self, key: object) -> Item | None:
        executor = self._parts.views.of(self._result)
        if executor is None:
            return None
        try:
            return executor.rows.get(self._result.key_of(key))
        except TypeError:  # unhashable, so no key
            return None

    def _row(self, item: Item) -> Row:
        row: Row = self._show(item)
        return row

    # --- asking

    def as_query(self) -> Query1[Row, Cols]:
        """Return the query for all rows, at which others begin."""
        result = self._result
        # Rows of several slots are one thing here: their tuple.
        is_one = len(result.shape.slots) == 1
        shape = result.shape if is_one else Shape((result.slot,), is_tuple=False)
        query = Query(SourceNode(result, shape), self._parts.views)
        return cast("Query1[Row, Cols]", query)

    def explain(self) -> str:
        """Describe how it is kept up to date."""
        return self._parts.views.explain(self._result.query)

    # --- watching

    def subscribe(
        self, callback: Callable[[Changes[Row, Any]], object], *, initial: bool = False
    ) -> Subscription:
        """Call ``callback`` with the changes of every commit that changes the rows.

        It is called where callbacks of the database are, after all live queries have moved on. What
        it raises is logged. The query goes on as long as the subscription is not closed.

        Args:
            callback: a plain function; it may start a task.
            initial: call it first with the rows as they are now, as inserts.

        Raises:
            TypeError: ``callback`` is ``async def``, or no function.
            QueryClosed: it is closed, so there will be no change.
            DatabaseClosed: the database is.
            Exception: what made it fail, or the reading of the stream.
        """
        refuse_async(callback, "subscribe", _INSTEAD_OF_ASYNC)
        self._check_goes_on()
        present, deliver = self._present, self._parts.deliver
        closed = False

        def call(changes: RawChanges) -> None:
            if not closed:
                callback(present(changes))

        def on_commit(changes: RawChanges) -> None:
            deliver(partial(call, changes))

        with self._lock:
            if initial and (rows := self._as_inserts()):
                on_commit(rows)
            let_go = self._result.origin.keep(self._result)
            stop_watching = self._result.watchers.add(on_commit, lambda _: let_go(), outlasts=True)

        def stop() -> None:
            nonlocal closed
            closed = True
            stop_watching()
            let_go()

        return Subscription(stop)

    def why_over(self) -> StreamDBError:
        """Return the error for who waits for a row that will never come, though nothing failed."""
        if self.status == "ended":
            return StreamClosed(f"{self!r}: what it asks has ended", final_offset=None)
        return QueryClosed(f"{self!r} holds no row, and there will be none: make it anew")

    def _check_goes_on(self) -> None:
        self._parts.check_goes_on()
        standing = self._result.standing
        if standing.error is not None:
            raise standing.error
        if standing.status == "closed":
            raise QueryClosed(f"{self!r} will not change: make it anew")

    def reader(self, wake: Callable[[], None], *, initial: bool) -> ChangeReader[Row, Any]:
        """Register what iterators and waits read; ``wake`` is called when there may be more."""
        is_ordered = self._result.is_ordered
        with self._lock:
            rows = self._as_inserts()
            buffer = _buffer(wake, is_ordered=is_ordered, length=0 if initial else len(rows))
            if initial:
                buffer.push(rows)
            stop = self._result.watchers.add(buffer.push, buffer.end)
        reader: ChangeReader[Row, Any] = ChangeReader(
            buffer, self._lock, self._result.check_readable, self._present, stop
        )
        weakref.finalize(reader, stop).atexit = False  # a loop that was left with `break`
        return reader

    def _as_inserts(self) -> RawChanges:
        executor = self._result.executor
        if executor is None:
            return ()
        if executor.positions is None:
            return [(key, None, row) for key, row in executor.rows.items()]
        return [
            (key, None, executor.rows[key], None, index)
            for index, key in enumerate(executor.positions)
        ]


def _presenter(result: Result) -> Callable[[RawChanges], Changes[Any, Any]]:
    """Return what turns changes into what users see."""
    parse_key = result.parse_key

    # Lists and no generators, one for each form: a good part of what a commit costs is here.
    def present(changes: RawChanges) -> Changes[Any, Any]:
        return tuple(
            [Change(kind_of(old, new), parse_key(key), old, new) for key, old, new in changes]
        )

    def present_ordered(changes: RawChanges) -> Changes[Any, Any]:
        return tuple(
            [
                Change(kind_of(old, new), parse_key(key), old, new, old_index, new_index)
                for key, old, new, old_index, new_index in changes
            ]
        )

    def present_wrapped(changes: RawChanges) -> Changes[Any, Any]:
        return tuple(
            [
                Change(kind_of(old, new), parse_key(key), _inner(old), _inner(new), *indices)
                for key, old, new, *indices in changes
            ]
        )

    if is_wrapped(result.shape):
        return present_wrapped
    return present_ordered if result.is_ordered else present


def _inner(row: tuple[Any] | None) -> Any:
    return None if row is None else row[0]


def _buffer(wake: Callable[[], None], *, is_ordered: bool, length: int) -> Buffer:
    """Return what gathers changes for a reader that has so many rows."""
    return PositionedBuffer(wake, length) if is_ordered else ChangeBuffer(wake)
