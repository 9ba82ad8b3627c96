"""The metas of rows, for the collections of which somebody asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from streamdb.collections.changes import Delta
from streamdb.collections.row_meta import MetaRows
from streamdb.collections.table import Table
from streamdb.state.schema import StateSchema


class AskedMetas:
    """Follows the metas of some collections from commit to commit. Called under the lock.

    Args:
        schema: of the database.
        tables: its rows, by the names of their collections.
    """

    def __init__(self, schema: StateSchema, tables: Mapping[str, Table]) -> None:
        self._schema: Final = schema
        self._tables: Final = tables
        self._by_name: Final[dict[str, MetaRows]] = {}
        #: False as long as nobody asks: most databases are never asked.
        self.are_asked = False

    def of(self, name: str) -> MetaRows:
        """Return those of a collection, which are followed from now on."""
        if name not in self._by_name:
            schema = self._schema.by_name[name]
            self._by_name[name] = MetaRows(self._tables[name], schema.parse_key)
            self.are_asked = True
        return self._by_name[name]

    def tables(self) -> Iterator[Table]:
        """Iterate over those that are followed, as rows."""
        return (metas.table for metas in self._by_name.values())

    def add_changes(self, changes: dict[Table, list[Delta]]) -> None:
        """Add to the changes of rows what has changed of their metas."""
        for metas in self._by_name.values():
            if changed := metas.catch_up():
                changes[metas.table] = changed
