"""What a query reads: the little that it knows of a collection or of a live query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from streamdb.expr.shape import Slot


class Indexes(Protocol):
    """What finds rows by their values. It belongs to those who ask; who writes rows tells it."""

    def note(self, changes: Sequence[tuple[Any, ...]], /) -> None:
        """Note what a commit has done: the key of each row, the row before, and the one after."""
        ...

    def forget(self) -> None:
        """Note that the rows are others now."""
        ...


class Rows(Protocol):
    """Rows by key, as they are now; held still by whoever asks.

    Attributes:
        indexes: what finds them by their values, once somebody has set it.
    """

    indexes: Indexes | None

    @property
    def rows(self) -> Mapping[Any, Any]:
        """All rows; another mapping may take its place at any commit."""
        ...

    def arrival(self, key: Any) -> Any:
        """Return where a row stands in the order of arrival: comparable, greater is later."""
        ...

    def moved(self, key: Any) -> bool:
        """Tell of a row that is there whether the last commit moved it in that order.

        It does where it removed the row and wrote it again. Then there is a change of the key,
        even one from a row to the same row: whoever looks at the order has to know.
        """
        ...


class Source(Protocol):
    """A collection, a local one, or a live query, as queries see it. Compared by identity."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def slot(self) -> Slot:
        """What its rows are."""
        ...

    @property
    def table(self) -> Rows:
        """Its rows."""
        ...

    @property
    def key_column(self) -> str | None:
        """The column that holds the key, if one does."""
        ...

    def key_of(self, value: Any) -> Any:
        """Return the key in ``table.rows`` of the row whose key column has this value.

        Values that are equal have the same key, whatever their types. For one that no row can
        have, it returns anything that is no key. It never raises.
        """
        ...

    def parse_key(self, key: Any, /) -> Any:
        """Return what users see of a key of ``table.rows``."""
        ...
