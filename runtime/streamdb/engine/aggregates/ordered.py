"""Aggregates that look at the order of the values.

All keep the values in a list, by their places. What comes last is appended, which costs one step;
elsewhere the list is searched by bisection, and what stands behind moves by one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import reduce
from operator import itemgetter
from typing import Any, Final

from streamdb.engine.aggregates.view import View

#: More values that came in between are sorted together with all others.
_FEW: Final = 8


class Ordered:
    """Base of these aggregates: keeps the answer until something changes.

    Attributes:
        _items: the values in order, after ``_settle``; where it is shared, another list takes its
            place when anything but an append happens to it.
        _unchanged: how many of the first items have been where they are since it was last set.
    """

    __slots__ = (
        "_answer",
        "_between",
        "_is_known",
        "_is_shared",
        "_items",
        "_places",
        "_unchanged",
    )

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._unchanged = 0
        self._places: list[Any] = []
        self._between: list[tuple[Any, Any]] | None = None  # with places before the last one
        self._is_shared = False
        self._answer: Any = None
        self._is_known = False

    def add(self, value: Any, place: Any, /) -> None:
        """Take in a value."""
        self._is_known = False
        if not self._places or self._places[-1] < place:
            self._places.append(place)
            self._items.append(value)
        elif self._between is None:
            self._between = [(place, value)]
        else:
            self._between.append((place, value))

    def extend(self, values: Sequence[Any], places: Sequence[Any], /) -> None:
        """Take in many values; those of a load mostly come in order."""
        if self._places:
            for value, place in zip(values, places, strict=True):
                self.add(value, place)
            return
        self._is_known = False
        self._places = sorted(places)
        if self._places != list(places):
            pairs = sorted(zip(places, values, strict=True), key=itemgetter(0))
            values = [value for _, value in pairs]
        self._items += values

    def remove(self, value: Any, place: Any, /) -> None:
        """Take out the value at a place."""
        index = self._index(place)
        self._change_from(index)
        del self._places[index], self._items[index]

    def replace(self, old: Any, old_place: Any, new: Any, place: Any, /) -> None:
        """Take out a value and take in another one, at the same place most often."""
        if old_place == place:
            index = self._index(place)
            self._change_from(index)
            self._items[index] = new
        else:
            self.remove(old, old_place)
            self.add(new, place)

    def stays(self, before: Any, now: Any, /) -> bool:
        """Give a value another place, if it stands between the same ones there; tell whether so."""
        index, places = self._index(before), self._places
        if index and not places[index - 1] < now:
            return False
        if index + 1 < len(places) and not now < places[index + 1]:
            return False
        places[index] = now
        return True

    def result(self) -> Any:
        """Return the answer."""
        if not self._is_known:
            if self._between is not None:
                self._settle()
            self._answer = self._computed(self._items)
            self._is_known = True
        return self._answer

    def _computed(self, items: list[Any]) -> Any:
        raise NotImplementedError

    def _index(self, place: Any) -> int:
        """Return where a value stands that has a place."""
        if self._between is not None:
            self._settle()
        return bisect_left(self._places, place)

    def _settle(self) -> None:
        """Put all values where they belong."""
        between, self._between = self._between or [], None
        self._change_from(bisect_left(self._places, min(map(itemgetter(0), between))))
        if len(between) <= _FEW:
            for place, value in between:
                index = bisect_left(self._places, place)
                self._places.insert(index, place)
                self._items.insert(index, value)
        else:
            every = [*zip(self._places, self._items, strict=True), *between]
            every.sort(key=itemgetter(0))
            self._places = [place for place, _ in every]
            self._items = [value for _, value in every]

    def _change_from(self, index: int) -> None:
        """Prepare for items from one on not to stay what or where they are."""
        self._is_known = False
        if index < self._unchanged:
            self._unchanged = index
        if self._is_shared:
            self._items = self._items.copy()
            self._is_shared = False


class Collect(Ordered):
    """All values, as a sequence that does not change."""

    __slots__ = ()

    def _computed(self, items: list[Any]) -> Sequence[Any]:
        known: View[Any] | None = self._answer
        start, self._unchanged = self._unchanged, len(items)
        if known is not None and known.is_same_from(start, items):
            return known  # what was taken out was put back
        self._is_shared = True
        return View(items, len(items))


class First(Ordered):
    """The first value."""

    __slots__ = ()

    def _computed(self, items: list[Any]) -> Any:
        return items[0] if items else None


class Last(Ordered):
    """The last value."""

    __slots__ = ()

    def _computed(self, items: list[Any]) -> Any:
        return items[-1] if items else None


class Reduce(Ordered):
    """What a function of the user's makes of all values."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[Sequence[Any]], Any]) -> None:
        super().__init__()
        self._function: Final = function

    def _computed(self, items: list[Any]) -> Any:
        return self._function(tuple(items))


class Continued(Ordered):
    """Base of those that go on from the answer before, if values came at the end alone."""

    __slots__ = ("_start", "_state", "_taken")

    def __init__(self, start: Any) -> None:
        super().__init__()
        self._start: Final = start
        self._state = start
        self._taken = 0  # how many values are in the state

    def _computed(self, items: list[Any]) -> Any:
        if self._unchanged < self._taken:
            self._state, self._taken = self._start, 0
        self._state = self._with(self._state, items[self._taken :])
        self._taken = self._unchanged = len(items)
        return self._state

    def _with(self, state: Any, more: list[Any]) -> Any:
        raise NotImplementedError


class Fold(Continued):
    """What a function makes of one value after the other."""

    __slots__ = ("_step",)

    def __init__(self, start: Any, step: Callable[[Any, Any], Any]) -> None:
        super().__init__(start)
        self._step: Final = step

    def _with(self, state: Any, more: list[Any]) -> Any:
        return reduce(self._step, more, state)


class StringAgg(Continued):
    """All texts in one, with a separator between them."""

    __slots__ = ("_separator",)

    def __init__(self, separator: str) -> None:
        super().__init__(None)
        self._separator: Final = separator

    def _with(self, state: str | None, more: list[str]) -> str | None:
        if state is not None:
            return self._separator.join((state, *more))
        return self._separator.join(more) if more else None
