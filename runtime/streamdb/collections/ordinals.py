"""Which event of the stream each row comes from."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import Final

_TOLERATED_SHARE: Final = 3
_TOLERATED_OLD: Final = 1000


class Ordinals:
    """The ordinals of the last events of the rows of one collection.

    Few ask for one, and every event brings one. So they are only written down as they come, sixteen
    bytes each, and looked up in a dictionary that is made when one is asked for first.

    >>> ordinals = Ordinals()
    >>> for ordinal, key in enumerate("aba", 1):
    ...     ordinals.keys.append(key)
    ...     ordinals.numbers.append(ordinal)
    >>> ordinals.of("a"), ordinals.of("b")
    (3, 2)
    """

    def __init__(self) -> None:
        #: What was written, in the order of the stream; both get an item each time.
        self.keys: Final[list[str]] = []
        self.numbers: Final = array("q")
        self._index: dict[str, int] = {}
        self._indexed = 0

    def of(self, key: str) -> int:
        """Return the ordinal that was written last for a key."""
        begin, end = self._indexed, len(self.keys)
        if begin < end:
            self._index.update(zip(self.keys[begin:], self.numbers[begin:], strict=True))
            self._indexed = end
        return self._index[key]

    def in_order(self, keys: Sequence[str]) -> array[int]:
        """Return those of many keys."""
        if self.keys == keys:
            return self.numbers
        last = dict(zip(self.keys, self.numbers, strict=True))
        return array("q", map(last.__getitem__, keys))

    def copy(self) -> Ordinals:
        """Return those of now, for other threads."""
        copied = Ordinals()
        copied.keys.extend(self.keys)
        copied.numbers.extend(self.numbers)
        return copied

    def clear(self) -> None:
        """Forget all."""
        del self.keys[:], self.numbers[:]
        self._index, self._indexed = {}, 0

    def tidy(self, rows: Collection[str]) -> None:
        """Forget what is out of date, if that is most of it; ``rows`` are those there are."""
        if len(self.keys) <= _TOLERATED_SHARE * len(rows) + _TOLERATED_OLD:
            return
        last = dict(zip(self.keys, self.numbers, strict=True))
        kept = {key: number for key, number in last.items() if key in rows}
        # In the place of all: those who write into these two go on to do so.
        self.keys[:] = kept
        self.numbers[:] = array("q", kept.values())
        self._index, self._indexed = {}, 0
