"""How rows of a local collection are written: each write, or batch of them, is a commit."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

from streamdb.collections.callbacks import run_callback
from streamdb.collections.callers import OpenBlock
from streamdb.collections.origin import release
from streamdb.collections.staging import StagedRows
from streamdb.collections.table import Table
from streamdb.engine.graph import Graph
from streamdb.errors import DuplicateKey, InvalidRow, MissingKey, StreamDBError
from streamdb.query_functions import check_caller
from streamdb.state.rows import checked_key
from streamdb.state.schema import CollectionSchema


class Calls:
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


class LocalWriter:
    """The ``Writer`` of a local collection."""

    def __init__(self, table: Table, graph: Graph, calls: Calls) -> None:
        self._table: Final = table
        self._graph: Final = graph
        self._calls: Final = calls
        self._open: Final = OpenBlock[StagedRows]("open batch")
        self._number = 0

    @contextmanager
    def batch(self) -> Generator[None]:
        """Have the writes of a block show as one commit when it ends."""
        if self._open.current is not None:
            raise StreamDBError("batches do not nest: one is open in this task already")
        staged = StagedRows(self._table)
        with self._open.holding(staged):
            yield
        with self._graph.lock:
            self._commit(staged)
        self._tell_others()

    @contextmanager
    def together(self) -> Generator[None]:
        """See ``Writer``."""
        if (staged := self._open.current) is None:
            with self.batch():
                yield
            return
        before = staged.saved()
        try:
            yield
        except BaseException:
            staged.restore(before)
            raise

    def insert(self, schema: CollectionSchema[Any, Any], row: Any) -> None:
        """See ``Writer``."""
        key = _checked(schema, row)
        with self._writing() as staged:
            if staged.get(key) is not None:
                raise DuplicateKey(
                    f"insert: collection {schema.name!r} holds a row of key {key!r} already; "
                    "use upsert or update"
                )
            self._put(staged, schema, key, row)

    def upsert(self, schema: CollectionSchema[Any, Any], row: Any) -> None:
        """See ``Writer``."""
        key = _checked(schema, row)
        with self._writing() as staged:
            self._put(staged, schema, key, row)

    def update(
        self,
        schema: CollectionSchema[Any, Any],
        key: Any,
        change: Callable[[Any], Any],
        expect: Any | None = None,
    ) -> None:
        """See ``Writer``. Raises TypeError if something is expected."""
        if expect is not None:
            raise TypeError("update: nobody else writes a local collection: leave `expect` out")
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
        """See ``Writer``."""
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

    def run_calls(self) -> None:
        """Run callbacks that wait, in this thread."""
        self._calls.run()

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
