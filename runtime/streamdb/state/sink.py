"""Where a fold stores rows."""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple


class Sink(NamedTuple):
    """Where rows are stored; for each one all three are written.

    The fold does so itself: to call a function for each row would cost it a tenth of its time.

    Attributes:
        rows: by the text of their key, some of them ``Stored`` ones.
        keys: in the order of the events.
        ordinals: those of the events.
    """

    rows: dict[str, Any]
    keys: list[str]
    ordinals: array[int]

    def put(self, key: str, row: Any, ordinal: int) -> None:
        """Store a row."""
        self.rows[key] = row
        self.keys.append(key)
        self.ordinals.append(ordinal)
