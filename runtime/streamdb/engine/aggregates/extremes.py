"""The least, the greatest and the middle value."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import eq
from typing import Any, Final

from streamdb.engine.aggregates.one_by_one import OneByOne
from streamdb.engine.row_forms import NAN, canonical
from streamdb.engine.sorted_rows import SortedRows
from streamdb.expr.aggregates import middle, nan_last

_WITH_NAN: Final = frozenset((float, Decimal))
#: Types whose values have a hash, and compare with one another if they are not NaN.
_PLAIN: Final = _WITH_NAN | {bool, int, str, dt.date, dt.datetime, dt.time, dt.timedelta}


class Least(OneByOne):
    """The least value.

    Values of one plain type are only written down. They are counted when the least one goes for the
    first time, or half of all, and put in order when the least one is there no more.
    """

    __slots__ = ("_came", "_counts", "_kind", "_ordered", "_value", "_went")

    def __init__(self) -> None:
        self._value: Any = None
        self._came: list[Any] = []
        self._went: list[Any] = []
        #: The type of all that was written down; None when they are counted.
        self._kind: type[Any] | None = None
        self._counts: dict[Any, int] = {}
        self._ordered: SortedRows | None = None

    def add(self, value: Any, place: Any, /) -> None:
        """Take it in."""
        if self._kind is not None:
            if type(value) is self._kind and value == value:
                if self._takes(value):
                    self._value = value
                self._came.append(value)
                return
            self._count()
        if value != value:
            value = NAN
        count = self._counts.get(value, 0)
        self._counts[value] = count + 1
        if count:
            return
        if self._ordered is not None:
            self._ordered.insert((nan_last(value), value))
        elif len(self._counts) == 1 or self._takes(value):
            self._value = value

    def extend(self, values: Sequence[Any], places: Sequence[Any], /) -> None:
        """Take them in."""
        kinds = set(map(type, values))
        is_plain = len(kinds) == 1 and kinds <= _PLAIN
        if kinds & _WITH_NAN:
            is_plain = is_plain and all(map(eq, values, values))
        if self._counts or self._came or not is_plain:
            super().extend(values, places)
            return
        self._value = self._of(values)
        self._came += values
        (self._kind,) = kinds

    def remove(self, value: Any, place: Any, /) -> None:
        """Take it out."""
        if self._kind is not None:
            if value != self._value and 2 * len(self._went) < len(self._came):
                self._went.append(value)
                return
            self._count()
        if value != value:
            value = NAN
        self._counts[value] -= 1
        if self._counts[value]:
            return
        del self._counts[value]
        if not self._counts:
            self._value = self._ordered = None
        elif self._ordered is not None:
            self._ordered.remove(value)
        elif value == self._value or value is self._value:
            self._ordered = SortedRows((nan_last(value), value) for value in self._counts)

    def result(self) -> Any:
        """Return the value, None of nothing."""
        return self._value if self._ordered is None else self._extreme(self._ordered)

    def _count(self) -> None:
        """Count what was only written down."""
        counts = Counter(self._came)
        counts.subtract(self._went)
        self._counts = {value: count for value, count in counts.items() if count}
        self._kind, self._came, self._went = None, [], []

    def _takes(self, value: Any) -> bool:
        """Tell whether another value is the new answer; NaN is greater than all."""
        return bool(value < self._value or self._value != self._value)

    def _of(self, values: Iterable[Any]) -> Any:
        return min(values)

    def _extreme(self, ordered: SortedRows) -> Any:
        return ordered[0]


class Greatest(Least):
    """The greatest value, likewise."""

    __slots__ = ()

    def _takes(self, value: Any) -> bool:
        return bool(self._value < value or value != value)

    def _of(self, values: Iterable[Any]) -> Any:
        return max(values)

    def _extreme(self, ordered: SortedRows) -> Any:
        return ordered[len(ordered) - 1]


class Median(OneByOne):
    """The value in the middle. Of equal values each has a number."""

    __slots__ = ("_counts", "_ordered")

    def __init__(self) -> None:
        self._counts: dict[Any, int] = {}
        self._ordered = SortedRows()

    def add(self, value: Any, place: Any, /) -> None:
        """Put it where it belongs."""
        value = canonical(value)
        number = self._counts.get(value, 0)
        self._counts[value] = number + 1
        self._ordered.insert((nan_last(value), number, (value, number)))

    def remove(self, value: Any, place: Any, /) -> None:
        """Take it out."""
        value = canonical(value)
        number = self._counts[value] - 1
        if number:
            self._counts[value] = number
        else:
            del self._counts[value]
        self._ordered.remove((value, number))

    def result(self) -> Any:
        """Return the median, None of nothing."""
        count = len(self._ordered)
        if not count:
            return None
        upper = self._at(count // 2)
        return upper if count % 2 else middle(self._at(count // 2 - 1), upper)

    def _at(self, index: int) -> Any:
        key: Any = self._ordered[index]
        return key[0]
