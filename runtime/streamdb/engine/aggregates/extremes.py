"""The least, the greatest and the middle value."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any, Final

from streamdb.engine.aggregates.one_by_one import OneByOne
from streamdb.engine.row_forms import NAN, canonical
from streamdb.engine.sorted_rows import SortedRows
from streamdb.expr.aggregates import middle, nan_last

_WITH_NAN: Final = frozenset((float, Decimal))


class Least(OneByOne):
    """The least value. Values are put in order only when the least one goes for the first time."""

    __slots__ = ("_counts", "_ordered", "_value")

    def __init__(self) -> None:
        self._counts: dict[Any, int] = {}
        self._value: Any = None
        self._ordered: SortedRows | None = None

    def add(self, value: Any, place: Any, /) -> None:
        """Take it in."""
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
        counts = self._counts
        if counts or not values:
            super().extend(values, places)
            return
        kinds = set(map(type, values))
        for value in map(canonical, values) if kinds & _WITH_NAN else values:
            counts[value] = counts.get(value, 0) + 1
        self._value = self._of(counts)

    def remove(self, value: Any, place: Any, /) -> None:
        """Take it out."""
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

    def _takes(self, value: Any) -> bool:
        """Tell whether another value is the new answer; NaN is greater than all."""
        return bool(value < self._value or self._value != self._value)

    def _of(self, values: Collection[Any]) -> Any:
        return min(values, key=nan_last if NAN in values else None)

    def _extreme(self, ordered: SortedRows) -> Any:
        return ordered[0]


class Greatest(Least):
    """The greatest value, likewise."""

    __slots__ = ()

    def _takes(self, value: Any) -> bool:
        return bool(self._value < value or value != value)

    def _of(self, values: Collection[Any]) -> Any:
        return max(values, key=nan_last if NAN in values else None)

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
