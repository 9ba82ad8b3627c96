"""Rows of a table as they were at one moment, for snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final

from streamdb.collections.arrivals import Arrivals
from streamdb.collections.marks import Marks
from streamdb.collections.ordinals import Ordinals
from streamdb.collections.renamed import RenamedKeys
from streamdb.expr.sources import Indexes
from streamdb.state.stamps import Stamps


class FrozenRows:
    """What a table held at one moment, for as long as there are holders."""

    __slots__ = (
        "_ahead",
        "_arrivals",
        "_ordinals",
        "holders",
        "indexes",
        "marks",
        "renamed",
        "rows",
        "stamps",
    )

    def __init__(
        self,
        rows: dict[str, Any],
        ahead: Mapping[str, int],
        ordinals: Ordinals,
        stamps: Stamps,
        marks: Marks,
        renamed: RenamedKeys,
    ) -> None:
        self.rows: Final = rows
        self._ahead: Final = ahead
        self.stamps: Final = stamps
        self.marks: Final = marks
        self.renamed: Final = renamed
        self._ordinals: Final = ordinals
        self._arrivals: Arrivals | None = None
        self.indexes: Indexes | None = None
        self.holders = 0

    def ordinal(self, key: str) -> int:
        """Return the ordinal of a row; see ``Table.ordinal``. Raises KeyError."""
        if key not in self.rows:
            raise KeyError(key)
        return self._ordinals.of(key)

    def is_ahead(self, key: str) -> bool:
        """Tell of a row whether the stream does not have it."""
        return key in self._ahead

    def arrival(self, key: str) -> int:
        """Return where a row stands in the order of arrival. Raises KeyError."""
        if self._arrivals is None:
            self._arrivals = Arrivals(self.rows, self._ahead)
        return self._arrivals.of(key)

    def in_order(self) -> Iterable[tuple[str, Any]]:
        """Return keys and rows in order; those that the stream does not have come last."""
        return in_order(self.rows, self._ahead)

    def moved(self, key: str) -> bool:
        """Tell that nothing moves here."""
        return False


def in_order(rows: Mapping[str, Any], ahead: Mapping[str, int]) -> Iterable[tuple[str, Any]]:
    """Return rows that the stream has, and then those that it does not have yet."""
    if not ahead:
        return rows.items()
    synced = ((key, row) for key, row in rows.items() if key not in ahead)
    return chain(synced, ((key, rows[key]) for key in sorted(ahead, key=ahead.__getitem__)))
