"""What follows from how many values there are of which kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamdb.engine.aggregates.one_by_one import OneByOne
from streamdb.engine.row_forms import canonical
from streamdb.expr.meaning.logic import truth


class Count:
    """How many values there are.

    Attributes:
        number: the answer.
    """

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0

    def add(self, value: Any, place: Any, /) -> None:
        """Count it."""
        self.number += 1

    def extend(self, values: Sequence[Any], places: Sequence[Any], /) -> None:
        """Count them."""
        self.number += len(values)

    def remove(self, value: Any, place: Any, /) -> None:
        """Count it no longer."""
        self.number -= 1

    def replace(self, old: Any, old_place: Any, new: Any, place: Any, /) -> None:
        """Do nothing: there are as many as before."""

    def result(self) -> int:
        """Return the number."""
        return self.number


class Counts(OneByOne):
    """How often each value is there; NaN is one value."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[Any, int] = {}

    def add(self, value: Any, place: Any, /) -> None:
        """Count it."""
        value = canonical(value)
        self._counts[value] = self._counts.get(value, 0) + 1

    def remove(self, value: Any, place: Any, /) -> None:
        """Count it no longer."""
        value = canonical(value)
        self._counts[value] -= 1
        if not self._counts[value]:
            del self._counts[value]


class CountDistinct(Counts):
    """How many different values there are."""

    __slots__ = ()

    def result(self) -> int:
        """Return the number."""
        return len(self._counts)


class Truths(Counts):
    """How often true and false are there."""

    __slots__ = ()

    def add(self, value: Any, place: Any, /) -> None:
        """Count it. Raises TypeError if it is no truth value."""
        super().add(truth(value), place)


class AnyOf(Truths):
    """Whether one is true."""

    __slots__ = ()

    def result(self) -> bool | None:
        """Return the answer; None if nothing is there."""
        return True in self._counts if self._counts else None


class All(Truths):
    """Whether all are true."""

    __slots__ = ()

    def result(self) -> bool | None:
        """Return the answer; None if nothing is there."""
        return False not in self._counts if self._counts else None
