"""Every aggregate, one row a piece, and what it means: a function of all values of a group.

The values come in order of arrival, or in the order that was asked for. As in SQL, nulls do not
count, save where the table says so; without any value the answer is null, save for counts.
"""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple


class Aggregate(NamedTuple):
    """One row of the table.

    Attributes:
        function: takes the list of values, and then the options of the node.
        keeps_nulls: whether the function wants to see nulls.
        is_ordered: whether the order of the values matters.
    """

    function: Callable[..., Any]
    keeps_nulls: bool = False
    is_ordered: bool = False


def exact_sum(values: Sequence[Any]) -> Any:
    """Add up without the drift of floating point: the exact sum, rounded once.

    >>> exact_sum([0.1] * 10), exact_sum([1, 2]), exact_sum([]), exact_sum([1e308, 1e308, -1e308])
    (1.0, 3, None, 1e+308)
    """
    if not values:
        return None
    if not any(isinstance(value, float) for value in values):
        return sum(values[1:], start=values[0])
    if all(map(math.isfinite, values)):
        return _rounded(sum(map(Fraction, values), start=Fraction()))
    return sum(value for value in values if not math.isfinite(value))


def _rounded(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _average(values: Sequence[Any]) -> Any:
    if not values:
        return None
    if all(isinstance(value, int | float) and math.isfinite(value) for value in values):
        return _rounded(sum(map(Fraction, values), start=Fraction()) / len(values))
    return exact_sum(values) / len(values)


def _count_rows(values: Sequence[Any]) -> int:
    return len(values)


def _text(values: Sequence[str], separator: str) -> str | None:
    return separator.join(values) if values else None


def _fold(values: Sequence[Any], start: Any, step: Callable[[Any, Any], Any]) -> Any:
    return functools.reduce(step, values, start)


def _median(values: Sequence[Any]) -> Any:
    return statistics.median(values) if values else None


def _count_distinct(values: Sequence[Any]) -> int:
    return len(set(values))


def _least(values: Sequence[Any]) -> Any:
    return min(values, default=None)


def _greatest(values: Sequence[Any]) -> Any:
    return max(values, default=None)


def _any(values: Sequence[Any]) -> bool | None:
    return any(values) if values else None


def _all(values: Sequence[Any]) -> bool | None:
    return all(values) if values else None


def _first(values: Sequence[Any]) -> Any:
    return values[0] if values else None


def _last(values: Sequence[Any]) -> Any:
    return values[-1] if values else None


AGGREGATES: Final[Mapping[str, Aggregate]] = {
    "count": Aggregate(_count_rows),
    "count_distinct": Aggregate(_count_distinct),
    "sum": Aggregate(exact_sum),
    "avg": Aggregate(_average),
    "min": Aggregate(_least),
    "max": Aggregate(_greatest),
    "median": Aggregate(_median),
    "any": Aggregate(_any),
    "all": Aggregate(_all),
    "collect": Aggregate(tuple, keeps_nulls=True, is_ordered=True),
    "string_agg": Aggregate(_text, is_ordered=True),
    "first": Aggregate(_first, keeps_nulls=True, is_ordered=True),
    "last": Aggregate(_last, keeps_nulls=True, is_ordered=True),
    "fold": Aggregate(_fold, is_ordered=True),
}
