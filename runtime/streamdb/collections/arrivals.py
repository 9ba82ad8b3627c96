"""Where each row stands in the order of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

# Rows that the stream does not have yet stand behind all that it will ever have.
_AHEAD: Final = 1 << 62


class Arrivals:
    """Numbers of rows, the greater the later; a key that was removed and written again is late.

    Few ask for one. So they are made from the order of the rows when one is asked for first, and
    kept from then on.

    Args:
        keys: of all rows, in order.
        ahead: numbers of those of them that the stream does not have yet.

    >>> arrivals = Arrivals(["a", "b", "c"], {"b": 1})
    >>> arrivals.forget("a")
    >>> arrivals.add("d")
    >>> arrivals.add("a")
    >>> sorted("abcd", key=arrivals.of)
    ['c', 'd', 'a', 'b']
    """

    def __init__(self, keys: Iterable[str], ahead: Mapping[str, int]) -> None:
        self._numbers = {key: number for number, key in enumerate(keys)}
        self._next = len(self._numbers)
        for key, number in ahead.items():
            self.add_ahead(key, number)

    def of(self, key: str) -> int:
        """Return the number of a row. Raises KeyError if there is none."""
        return self._numbers[key]

    def add(self, key: str) -> None:
        """Give a row the number of one that comes now."""
        self._numbers[key] = self._next
        self._next += 1

    def add_ahead(self, key: str, number: int) -> None:
        """Put a row that the stream does not have yet behind all others, by a number of theirs."""
        self._numbers[key] = _AHEAD + number

    def forget(self, key: str) -> None:
        """Take the number of a row away that is not there any more."""
        self._numbers.pop(key, None)
