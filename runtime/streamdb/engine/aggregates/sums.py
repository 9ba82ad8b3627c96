"""Exact sums, from which a value can be taken out again without a trace.

A floating point number is an integer over a power of two, so integers and such numbers add up as
one integer over the greatest power of two that was met: exactly, at a cost that depends on the size
of the numbers alone. It is divided once, when the sum is asked for, which rounds to the nearest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

from streamdb.engine.aggregates.one_by_one import OneByOne
from streamdb.expr.aggregates import EXACTLY


class Sum(OneByOne):
    """The sum of numbers or durations; see :func:`~streamdb.expr.aggregates.exact_sum`."""

    __slots__ = (
        "_count",
        "_floats",
        "_minus",
        "_nans",
        "_others",
        "_plus",
        "_power",
        "_rest",
        "_total",
    )

    def __init__(self) -> None:
        self._count = 0
        self._total = 0  # of integers and finite floating point numbers, times 2 ** _power
        self._power = 0
        self._floats = 0
        self._plus = 0  # how many are infinite, of decimals, too
        self._minus = 0  # how many are negative and infinite
        self._nans = 0
        self._others = 0  # how many values of other types: decimals, durations
        self._rest: Any = None  # the sum of those of them that are finite

    def add(self, value: Any, place: Any, /) -> None:
        """Add a value."""
        self._count += 1
        if isinstance(value, int):
            self._total += value << self._power
        elif isinstance(value, float):
            self._take_float(value, 1)
        else:
            self._take_other(value, 1)

    def extend(self, values: Sequence[Any], places: Sequence[Any], /) -> None:
        """Add many values."""
        if set(map(type, values)) == {int}:
            self._count += len(values)
            self._total += sum(values) << self._power
        else:
            super().extend(values, places)

    def remove(self, value: Any, place: Any, /) -> None:
        """Subtract a value."""
        self._count -= 1
        if isinstance(value, int):
            self._total -= value << self._power
        elif isinstance(value, float):
            self._take_float(value, -1)
            if not self._floats:  # what is left is whole
                self._total >>= self._power
                self._power = 0
        else:
            self._take_other(value, -1)

    def replace(self, old: Any, old_place: Any, new: Any, place: Any, /) -> None:
        """Add the difference."""
        if type(old) is int and type(new) is int:
            self._total += (new - old) << self._power
        else:
            super().replace(old, old_place, new, place)

    def result(self) -> Any:
        """Return the sum, None of nothing."""
        if not self._count:
            return None
        if not self._floats:
            return self._exact() if self._others else self._total
        if self._others:
            raise TypeError("floating point numbers add up with integers only")
        special = self._special()
        return self._divided_by(1) if special is None else special

    def _take_float(self, value: float, times: int) -> None:
        self._floats += times
        if math.isfinite(value):
            numerator, denominator = value.as_integer_ratio()
            power = denominator.bit_length() - 1
            if power > self._power:
                self._total <<= power - self._power
                self._power = power
            self._total += times * (numerator << (self._power - power))
        else:
            self._take_special(value, times)

    def _take_other(self, value: Any, times: int) -> None:
        self._others += times
        if isinstance(value, Decimal) and not value.is_finite():
            self._take_special(value, times)
        else:
            with localcontext(EXACTLY):
                if times < 0:
                    self._rest -= value
                else:
                    # `sum` refuses text, which could not be taken out again.
                    self._rest = sum((), value) if self._rest is None else self._rest + value
        if not self._others:
            self._rest = None

    def _take_special(self, value: Any, times: int) -> None:
        """Count what could not be taken out of a sum again."""
        if value != value:
            self._nans += times
        elif value > 0:
            self._plus += times
        else:
            self._minus += times

    def _special(self) -> float | None:
        """Return the sum if it is infinite or NaN because a value is."""
        if self._nans or (self._plus and self._minus):
            return math.nan
        if self._plus:
            return math.inf
        return -math.inf if self._minus else None

    def _exact(self) -> Any:
        special = (("NaN", self._nans), ("Infinity", self._plus), ("-Infinity", self._minus))
        parts: list[Any] = [Decimal(name) for name, count in special if count]
        if self._rest is not None:
            parts.append(self._rest)
        if self._others < self._count:
            parts.append(self._total)
        with localcontext(EXACTLY):
            return sum(parts[1:], start=parts[0])

    def _divided_by(self, count: int) -> float:
        try:
            return self._total / (count << self._power)
        except OverflowError:
            return math.inf if self._total > 0 else -math.inf


class Average(Sum):
    """The mean of numbers or durations."""

    __slots__ = ()

    def result(self) -> Any:
        """Return the mean, None of nothing."""
        if self._count and not self._others and self._special() is None:
            return self._divided_by(self._count)
        total = super().result()
        return None if total is None else total / self._count
