"""The least, the greatest and the middle value: all keep the values in order."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, insort_left
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from streamdb.engine.aggregates.one_by_one import OneByOne
from streamdb.expr.aggregates import middle

_NEVER_NAN: Final = frozenset((int, str, dt.date, dt.datetime, dt.timedelta))
#: A block that is longer is cut in two, so that a change moves a few kilobytes at most.
_LONGEST: Final = 2000


class InOrder(OneByOne):
    """Values in ascending order, in blocks; NaN is after all of them.

    No value is hashed: to compare a few is faster, above all of instants.
    """

    __slots__ = ("_blocks", "_nan", "_nans")

    def __init__(self) -> None:
        self._blocks: list[list[Any]] = []  # none is empty
        self._nan: Any = None  # one of them: that of decimals is another one
        self._nans = 0

    def add(self, value: Any, place: Any, /) -> None:
        """Put it where it belongs."""
        if value != value:
            self._nan = value
            self._nans += 1
            return
        blocks = self._blocks
        if not blocks:
            blocks.append([value])
            return
        number = self._number(value)
        block = blocks[number]
        if value < block[-1]:
            insort_left(block, value)
        else:
            block.append(value)
        if len(block) > _LONGEST:
            half = len(block) // 2
            blocks[number : number + 1] = [block[:half], block[half:]]

    def extend(self, values: Sequence[Any], places: Sequence[Any], /) -> None:
        """Put them where they belong; those of a load are sorted at once."""
        if self._blocks:
            super().extend(values, places)
            return
        plain = _NEVER_NAN.issuperset(map(type, values))
        there = sorted(values if plain else [value for value in values if value == value])
        if len(there) < len(values):
            self._nan = next(value for value in values if value != value)
            self._nans += len(values) - len(there)
        for at in range(0, len(there), _LONGEST):
            self._blocks.append(there[at : at + _LONGEST] if len(there) > _LONGEST else there)

    def remove(self, value: Any, place: Any, /) -> None:
        """Take it out."""
        if value != value:
            self._nans -= 1
            return
        number = self._number(value)
        block = self._blocks[number]
        index = bisect_left(block, value)
        if index == len(block) or block[index] != value:  # their order is not total
            number = next(n for n, block in enumerate(self._blocks) if value in block)
            block = self._blocks[number]
            index = block.index(value)
        del block[index]
        if not block:
            del self._blocks[number]

    def _number(self, value: Any) -> int:
        """Return in which block a value stands, or belongs."""
        last = len(self._blocks) - 1
        return bisect_left(self._blocks, value, 0, last, key=itemgetter(-1)) if last else 0


class Least(InOrder):
    """The least value."""

    __slots__ = ()

    def result(self) -> Any:
        """Return the value, None of nothing."""
        if self._blocks:
            return self._blocks[0][0]
        return self._nan if self._nans else None


class Greatest(InOrder):
    """The greatest value."""

    __slots__ = ()

    def result(self) -> Any:
        """Return the value, None of nothing."""
        if self._nans:
            return self._nan
        return self._blocks[-1][-1] if self._blocks else None


class Median(InOrder):
    """The value in the middle."""

    __slots__ = ()

    def result(self) -> Any:
        """Return the median, None of nothing."""
        count = sum(map(len, self._blocks)) + self._nans
        if not count:
            return None
        upper = self._at(count // 2)
        return upper if count % 2 else middle(self._at(count // 2 - 1), upper)

    def _at(self, index: int) -> Any:
        for block in self._blocks:
            if index < len(block):
                return block[index]
            index -= len(block)
        return self._nan
