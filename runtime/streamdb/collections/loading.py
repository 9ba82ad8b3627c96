"""The rows of a collection while it is being loaded, out of everybody's sight."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final

from streamdb.collections.ordinals import Ordinals
from streamdb.state.sink import Sink
from streamdb.state.unknown_fields import Stored, stored


class LoadingRows:
    """Rows by the text of their key, in order of first insertion, and the ordinals of their events.

    An older version of a row leaves nothing behind: the newer one takes its place.

    >>> loading = LoadingRows()
    >>> for ordinal, key in enumerate("abcb", 1):
    ...     loading.sink.put(key, key.upper(), ordinal)
    >>> loading.remove("a", 5)
    >>> loading.rows, loading.ordinals.of("b")
    ({'b': 'B', 'c': 'C'}, 4)
    """

    def __init__(self) -> None:
        #: Whether ``Stored`` rows may be among the others; to be set by who stores one.
        self.hold_texts = False
        self.rows: Final[dict[str, Any]] = {}
        self.ordinals: Final = Ordinals()

    @property
    def sink(self) -> Sink:
        """Where rows are stored, each in its place, a new one last."""
        return Sink(self.rows, self.ordinals.keys, self.ordinals.numbers)

    def clear(self) -> None:
        """Forget all rows."""
        self.rows.clear()
        self.ordinals.clear()

    def get(self, key: str) -> Stored | None:
        """Return the row of a key, None if there is none."""
        return stored(self.rows.get(key))

    def extend(self, keys: Sequence[str], rows: Sequence[Any], ordinals: array[int]) -> None:
        """Store new rows, perhaps ``Stored`` ones among them, behind all others.

        Raises:
            ValueError: there are more or fewer of one than of the others, or one is not new.
        """
        expected = len(self.rows) + len(keys)
        self.rows.update(zip(keys, rows, strict=True))
        if len(self.rows) != expected or len(ordinals) != len(keys):
            raise ValueError("rows, keys and ordinals do not fit each other")
        self.ordinals.keys.extend(keys)
        self.ordinals.numbers.extend(ordinals)

    def remove(self, key: str, _ordinal: int, /) -> None:
        """Remove a row if there is one."""
        self.rows.pop(key, None)

    def tidy(self) -> None:
        """Forget what is out of date; to be called every some hundred events."""
        self.ordinals.tidy(self.rows)
