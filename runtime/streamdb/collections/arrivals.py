"""Where each row stands in the order of arrival."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Arrivals:
    """Numbers of rows, the greater the later; a key that was removed and written again is late.

    Few ask for one. So they are made from the order of the rows when one is asked for first, and
    kept from then on.

    >>> arrivals = Arrivals(["a", "b"])
    >>> arrivals.follow([("b", "new"), ("a", None), ("c", "C"), ("a", "A")])
    >>> sorted("abc", key=arrivals.of)
    ['b', 'c', 'a']
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._numbers = {key: number for number, key in enumerate(keys)}
        self._next = len(self._numbers)

    def of(self, key: str) -> int:
        """Return the number of a row. Raises KeyError if there is none."""
        return self._numbers[key]

    def follow(self, writes: Iterable[tuple[Any, ...]]) -> None:
        """Take in what was written, in order: a key, its row or None for a removal, and more."""
        numbers = self._numbers
        for key, row, *_ in writes:
            if row is None:
                numbers.pop(key, None)
            elif key not in numbers:
                numbers[key] = self._next
                self._next += 1
