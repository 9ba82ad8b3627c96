"""A collection as queries see it."""

from __future__ import annotations

from typing import Any, Final

from streamdb.collections.table import Table
from streamdb.expr.shape import Slot
from streamdb.expr.sources import Rows
from streamdb.state.schema import CollectionSchema


class CollectionSource:
    """What queries read of a collection; see :class:`~streamdb.expr.sources.Source`."""

    def __init__(self, schema: CollectionSchema[Any, Any], table: Table) -> None:
        self.name: Final = schema.name
        self.slot: Final = Slot(
            schema.name, schema.columns, schema.rows.getter, kinds=schema.rows.kinds
        )
        self.table: Final[Rows] = table
        self.key_column: Final = schema.primary_key
        self._schema: Final = schema

    def __repr__(self) -> str:
        return f"<the collection {self.name!r}>"

    def key_of(self, value: Any) -> str | None:
        """Return the text of the key that equals a value of any type; None if none can."""
        if self._schema.key is str:
            return str.__str__(value) if isinstance(value, str) else None
        if isinstance(value, int):
            return int.__repr__(value + 0)  # True equals 1, and so do members of an IntEnum
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return None

    def parse_key(self, key: str) -> Any:
        """Return what users see of a key of the table: text, or an integer."""
        return self._schema.parse_key(key)
