"""A collection as queries see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from streamdb.collections.origin import Origin, Standing
from streamdb.collections.table import Table
from streamdb.collections.watchers import Ended, Watcher
from streamdb.expr.shape import Slot
from streamdb.expr.sources import Rows
from streamdb.state.schema import CollectionSchema


class CollectionSource:
    """What queries read of a collection; see :class:`~streamdb.expr.sources.Source`.

    Args:
        schema: the declaration.
        table: the rows.
        origin: what changes them; without, nobody can follow them.
        slot: what the rows are, if they are others of the same keys.
        key_column: which of their columns holds the key then.
    """

    def __init__(
        self,
        schema: CollectionSchema[Any, Any],
        table: Table,
        origin: Origin | None = None,
        *,
        slot: Slot | None = None,
        key_column: str | None = None,
    ) -> None:
        self.slot: Final = slot or Slot(
            schema.name, schema.columns, schema.rows.getter, kinds=schema.rows.kinds
        )
        self.name: Final = self.slot.name
        self.table: Final[Rows] = table
        self.origin: Final = origin
        self.watch: Final[Callable[[Watcher, Ended], Callable[[], None]]] = table.watch
        self.key_column: Final = key_column or schema.primary_key
        self._schema: Final = schema
        #: Returns what users see of a key of the table: text, or an integer.
        self.parse_key: Final[Callable[[str], Any]] = str if schema.key is str else schema.parse_key

    def __repr__(self) -> str:
        return f"<the collection {self.name!r}>"

    @property
    def is_ready(self) -> bool:
        """Whether the rows were loaded."""
        return self.origin is None or self.origin.is_loaded

    @property
    def standing(self) -> Standing:
        """Whether more will come."""
        return Standing() if self.origin is None else self.origin.standing

    def check_readable(self) -> None:
        """See ``WatchedSource``."""
        if self.origin is not None:
            self.origin.check_started()

    def key_of(self, value: Any) -> str | None:
        """Return the text of the key that equals a value of any type; None if none can."""
        if self._schema.key is str:
            if type(value) is str:  # as nearly all are
                return value
            return str.__str__(value) if isinstance(value, str) else None
        if isinstance(value, int):
            return int.__repr__(value + 0)  # True equals 1, and so do members of an IntEnum
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return None
