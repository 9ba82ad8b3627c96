"""Which event of the stream each row comes from."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable
from itertools import islice


class Ordinals:
    """The ordinal of the last event of every row of a table.

    Those of rows that were loaded are in one array, in the order of the table: eight bytes a row.
    Their places are looked up when the first one is asked for. Those of rows that were written
    since are in a dictionary.

    Args:
        loaded: in the order of the table.
    """

    def __init__(self, loaded: array[int]) -> None:
        self._loaded = loaded
        self._keys: list[str] | None = None
        self._places: dict[str, int] | None = None
        self._written: dict[str, int] = {}

    def of(self, key: str, keys: Iterable[str]) -> int:
        """Return the ordinal of a row that is in the table; ``keys`` are those of the table."""
        ordinal = self._written.get(key)
        if ordinal is not None:
            return ordinal
        if self._places is None:
            self.keep_places(keys)
            self._places = {key: place for place, key in enumerate(self._keys or ())}
            self._keys = []
        return self._loaded[self._places[key]]

    def in_order(self, keys: Collection[str]) -> array[int]:
        """Return those of all rows; ``keys`` are those of the table.

        >>> ordinals = Ordinals(array("q", [1, 2]))
        >>> ordinals.write("c", 3)
        >>> ordinals.in_order(["a", "b", "c"])
        array('q', [1, 2, 3])
        """
        if not self._written and len(keys) == len(self._loaded):
            return self._loaded
        return array("q", [self.of(key, keys) for key in keys])

    def copy(self) -> Ordinals:
        """Return those of now, for other threads; the array is shared, for it never changes."""
        copied = Ordinals(self._loaded)
        copied._keys, copied._places = self._keys, self._places
        copied._written = self._written.copy()
        return copied

    def write(self, key: str, ordinal: int) -> None:
        """Note a row that was written."""
        self._written[key] = ordinal

    def keep_places(self, keys: Iterable[str]) -> None:
        """Remember which row is where; to be called before the first one leaves the table."""
        if self._keys is None:
            self._keys = list(islice(keys, len(self._loaded)))

    def forget(self, key: str) -> None:
        """Forget a row that was removed."""
        self._written.pop(key, None)
