"""The rows of a collection while it is being loaded, out of everybody's sight."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final

_TOLERATED_GAPS: Final = 1000


class LoadingRows:
    """Rows by the text of their key, in order of first insertion, and the ordinals of their events.

    An older version of a row goes into no history: the newer one takes its place.

    >>> loading = LoadingRows()
    >>> for ordinal, key in enumerate("abcb", 1):
    ...     loading.put(key, key.upper(), ordinal)
    >>> loading.remove("a")
    >>> loading.finish()
    ({'b': 'B', 'c': 'C'}, array('q', [4, 3]))
    """

    def __init__(self) -> None:
        self._slots: dict[str, Any] = {}  # where in both lists; `finish` puts the rows there
        self._rows: list[Any] = []
        self._ordinals = array("q")

    def get(self, key: str) -> Any | None:
        """Return the row of a key, None if there is none."""
        slot = self._slots.get(key)
        return None if slot is None else self._rows[slot]

    def put(self, key: str, row: Any, ordinal: int) -> None:
        """Store a row in its place, a new one last."""
        slot = self._slots.get(key)
        if slot is None:
            self._slots[key] = len(self._rows)
            self._rows.append(row)
            self._ordinals.append(ordinal)
        else:
            self._rows[slot] = row
            self._ordinals[slot] = ordinal

    def extend(self, keys: Sequence[str], rows: Sequence[Any], ordinals: Sequence[int]) -> None:
        """Store new rows behind all others.

        Raises:
            ValueError: there are more or fewer of one than of the others, or one is not new.
        """
        begin = len(self._rows)
        self._rows += rows
        self._ordinals.extend(ordinals)
        self._slots.update(zip(keys, range(begin, len(self._rows)), strict=True))
        if not len(self._slots) == len(self._rows) == len(self._ordinals):
            raise ValueError("rows, keys and ordinals do not fit each other")

    def remove(self, key: str) -> None:
        """Remove a row if there is one."""
        slot = self._slots.pop(key, None)
        if slot is not None:
            self._rows[slot] = None
            if len(self._rows) > 2 * len(self._slots) + _TOLERATED_GAPS:
                self._close_gaps()

    def clear(self) -> None:
        """Forget all rows."""
        self._slots, self._rows, self._ordinals = {}, [], array("q")

    def finish(self) -> tuple[dict[str, Any], array[int]]:
        """Return the rows, and the ordinals in the same order; nothing can be stored any more."""
        if len(self._rows) > len(self._slots):
            self._close_gaps()
        slots, rows, ordinals = self._slots, self._rows, self._ordinals
        self.clear()
        # In place: a second dictionary of a million keys would be there for nothing.
        slots.update(zip(list(slots), rows, strict=True))
        return slots, ordinals

    def _close_gaps(self) -> None:
        slots: list[int] = list(self._slots.values())
        self._rows = [self._rows[slot] for slot in slots]
        self._ordinals = array("q", [self._ordinals[slot] for slot in slots])
        self._slots = {key: slot for slot, key in enumerate(self._slots)}
