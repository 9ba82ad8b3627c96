"""The least, the greatest and the middle value: all keep the values in order."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence, Set
from itertools import islice
from operator import eq, itemgetter
from typing import Any, Final

from streamdb.engine.aggregates.one_by_one import OneByOne
from streamdb.expr.aggregates import middle, spelling

#: Of which equal values are the same.
_ONE_SPELLING: Final = frozenset((int, str, bool, dt.date, dt.timedelta))
_NEVER_NAN: Final = _ONE_SPELLING | {dt.datetime}
#: A block that is longer is cut in two, so that a change moves a few kilobytes at most.
_LONGEST: Final = 2000


class InOrder(OneByOne):
    """Values in ascending order, in blocks; NaN is after all of them.

    Equal ones are in the order of their spelling.

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
        number = self._number(value) if len(blocks) > 1 else 0
        block = blocks[number]
        place = bisect_left(block, value) if value < block[-1] else len(block)
        beside = block[place] if place < len(block) else block[-1]
        if beside == value and not _are_same(beside, value):
            number, place = self._place(value)
            block = blocks[number]
        block.insert(place, value)
        if len(block) > _LONGEST:
            half = len(block) // 2
            blocks[number : number + 1] = [block[:half], block[half:]]

    def extend(self, values: Sequence[Any], places: Sequence[Any], /) -> None:
        """Put them where they belong; those of a load are sorted at once."""
        if self._blocks:
            super().extend(values, places)
            return
        types = set(map(type, values))
        plain = types <= _NEVER_NAN
        there = sorted(values if plain else [value for value in values if value == value])
        if (len(types) > 1 or not types <= _ONE_SPELLING) and _has_spellings(there, types):
            there.sort(key=spelling)
            there.sort()
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
        number = self._number(value) if len(self._blocks) > 1 else 0
        block = self._blocks[number]
        index = bisect_left(block, value)
        if index == len(block) or not _are_same(block[index], value):
            number, index = self._place(value)
            block = self._blocks[number]
            if index == len(block) or block[index] != value:  # their order is not total
                number = next(n for n, block in enumerate(self._blocks) if value in block)
                block = self._blocks[number]
                index = block.index(value)
        del block[index]
        if not block:
            del self._blocks[number]

    def _number(self, value: Any) -> int:
        """Return in which block of several a value stands, or belongs."""
        return bisect_left(self._blocks, value, 0, len(self._blocks) - 1, key=itemgetter(-1))

    def _place(self, value: Any) -> tuple[int, int]:
        """Return in which block a value stands, or belongs, and where, among equal ones, too."""
        key, last = _with_spelling(value), len(self._blocks) - 1
        number = bisect_left(
            self._blocks, key, 0, last, key=lambda block: _with_spelling(block[-1])
        )
        return number, bisect_left(self._blocks[number], key, key=_with_spelling)


def _with_spelling(value: Any) -> tuple[Any, tuple[str, str]]:
    return value, spelling(value)


def _are_same(one: Any, other: Any) -> bool:
    """Tell whether values are equal and spelled alike."""
    if one is other:
        return True
    if type(one) is not type(other) or one != other:
        return False
    if type(one) is dt.datetime and one.tzinfo == other.tzinfo and one.fold == other.fold:
        return True
    return type(one) in _ONE_SPELLING or spelling(one) == spelling(other)


def _has_spellings(ordered: Sequence[Any], types: Set[type]) -> bool:
    """Tell whether some of the values may be equal and spelled otherwise."""
    if types == {float}:
        at = bisect_left(ordered, 0.0)  # of all floats, zeros alone are equal and have a sign
        return at < len(ordered) and ordered[at] == 0.0
    if types == {dt.datetime} and len({value.tzinfo for value in ordered}) == 1:
        return False
    return any(map(eq, ordered, islice(ordered, 1, None)))


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
