"""How many values are taken in where there is no better way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class OneByOne:
    """Base of aggregates that take in many values one after the other, and replace none at once."""

    __slots__ = ()

    def add(self, value: Any, place: Any, /) -> None:
        """Take in a value."""
        raise NotImplementedError

    def remove(self, value: Any, place: Any, /) -> None:
        """Take out a value."""
        raise NotImplementedError

    def replace(self, old: Any, old_place: Any, new: Any, place: Any, /) -> None:
        """Take out one value and take in another one."""
        self.remove(old, old_place)
        self.add(new, place)

    def extend(self, values: Sequence[Any], places: Sequence[Any], /) -> None:
        """Take in many."""
        for value, place in zip(values, places, strict=True):
            self.add(value, place)
