"""Rows as the caller has left them: what shows, under what its open transaction does to them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from streamdb.collections.callers import OpenBlock, this_task_or_thread
from streamdb.collections.table import Table
from streamdb.db.drafts import Draft
from streamdb.db.local_writes import LocalWrite, Place, is_same_json
from streamdb.errors import MissingKey, StreamDBError
from streamdb.state.schema import CollectionSchema
from streamdb.state.unknown_fields import Stored


class SeenRows:
    """What a task or thread builds its writes on. All but `changing` is called under the lock.

    Args:
        tables: the rows of each collection, by its name.
        open_block: the transactions that are open.
        check_started: raises if nothing has connected the database yet.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        open_block: OpenBlock[Draft],
        check_started: Callable[[], None],
    ) -> None:
        self._tables: Final = tables
        self._open: Final = open_block
        self._check_started: Final = check_started
        self._changes: Final[list[tuple[Place, object]]] = []  # of functions that run, and whose

    def latest(
        self, schema: CollectionSchema[Any, Any], wire_key: str, current: Draft | None
    ) -> Stored | None:
        """Return a row as this task or thread has left it, whose open transaction is given."""
        write = None if current is None else current.writes.get((schema.name, wire_key))
        if write is not None:
            return None if write.row is None else Stored(write.row)
        return self._shown(schema, wire_key)

    def existing(self, schema: CollectionSchema[Any, Any], wire_key: str, doing: str) -> Stored:
        """Return a row that is to be changed.

        Args:
            schema: of the collection.
            wire_key: of the row.
            doing: how, to begin a message with.

        Raises:
            MissingKey: there is none.
            StreamDBError: the caller is the function of an update of it.
        """
        self.check_unchanging(schema, wire_key)
        stored = self.latest(schema, wire_key, self._open.current)
        if stored is None:
            self._check_started()  # or every row would be taken for missing
            key = schema.parse_key(wire_key)
            raise MissingKey(f"{doing}: collection {schema.name!r} holds no row of key {key!r}")
        return stored

    def kept_of(self, schema: CollectionSchema[Any, Any], wire_key: str) -> Stored | None:
        """Return the row of which readers keep what a write leaves out, None if there is none.

        That is not what this block itself has written, for one write comes of it all.
        """
        if schema.updates != "merge":
            return None
        write = self._written(schema, wire_key)
        begins_anew = write is not None and write.kind in ("insert", "replace", "delete")
        return None if begins_anew else self._shown(schema, wire_key)

    def key_now(self, schema: CollectionSchema[Any, Any], wire_key: str) -> str:
        """Return what the row of a key is called now."""
        table = self._tables[schema.name]
        if not table.renamed.keys or self._written(schema, wire_key) is not None:
            return wire_key
        return table.renamed.now(wire_key, table.rows)

    def is_expected(
        self, schema: CollectionSchema[Any, Any], wire_key: str, row: Any, expect: Any
    ) -> bool:
        """Tell whether a row is the expected one, as it is or as it was before this block."""
        if is_same_json(schema, row, expect):
            return True
        earlier = self._written(schema, wire_key)
        if earlier is None or earlier.base is None:
            return False
        return is_same_json(schema, earlier.base, expect)

    @contextmanager
    def changing(self, schema: CollectionSchema[Any, Any], wire_key: str) -> Generator[None]:
        """Have the function of an update write no row that is being changed by it.

        It would change the row that it stands on, and be called again for that, without end.
        """
        change = (schema.name, wire_key), this_task_or_thread()
        self._changes.append(change)
        try:
            yield
        finally:
            self._changes.remove(change)

    def check_unchanging(self, schema: CollectionSchema[Any, Any], wire_key: str) -> None:
        """Raise StreamDBError if the caller is the function of an update of a row."""
        changes = self._changes
        if changes and ((schema.name, wire_key), this_task_or_thread()) in changes:
            raise StreamDBError(
                f"update: the function for {wire_key!r} of collection {schema.name!r} writes that "
                "row itself: return the changed row instead"
            )

    def _written(self, schema: CollectionSchema[Any, Any], wire_key: str) -> LocalWrite | None:
        """Return what the open transaction does to a row, None for nothing."""
        current = self._open.current
        return None if current is None else current.writes.get((schema.name, wire_key))

    def _shown(self, schema: CollectionSchema[Any, Any], wire_key: str) -> Stored | None:
        """Return a row as it shows."""
        table = self._tables[schema.name]
        row = table.rows.get(wire_key)
        if row is None:
            return None
        has_text = table.originals and wire_key not in table.overlay
        return Stored(row, table.originals.get(wire_key) if has_text else None)
