"""Every aggregate, one row a piece, and what it means: a function of all values of a group.

The values come in order of arrival, or in the order that was asked for. As in SQL, nulls do not
count, save where the table says so; without any value the answer is null, save for counts.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, localcontext
from fractions import Fraction
from typing import Any, Final, NamedTuple

from streamdb.expr.kinds import DAY, DURATION, NUMBER, ORDERED, TEXT, TRUTH, Kind
from streamdb.expr.meaning.logic import truth
from streamdb.expr.nodes import AggregateNode


class Aggregate(NamedTuple):
    """One row of the table.

    Attributes:
        function: takes the list of values, and then the options of the node.
        keeps_nulls: whether the function wants to see nulls.
        is_ordered: whether the order of the values matters.
        calls_users: whether a function of the user's is called, whose errors are handed on.
        takes: of what kinds the values may be; empty if it is not restricted.
        gives: the kind of what it gives, if it is always the same.
        gives_a_value: whether it gives one of the values, or one of their kind.
    """

    function: Callable[..., Any]
    keeps_nulls: bool = False
    is_ordered: bool = False
    calls_users: bool = False
    takes: frozenset[Kind] = frozenset()
    gives: Kind | None = None
    gives_a_value: bool = False


def keeps_nulls(node: AggregateNode) -> bool:
    """Tell whether nulls are among the values of an aggregate; rows that are missing never are."""
    return AGGREGATES[node.aggregate].keeps_nulls and not node.of_rows


#: In which decimals are added up without being rounded.
EXACTLY: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def exact_sum(values: Sequence[Any]) -> Any:
    """Add up without the drift of floating point: the exact sum, rounded once.

    Decimals are added exactly, too. Infinities and NaN give what they give in any order.

    >>> exact_sum([0.1] * 10), exact_sum([1, 2]), exact_sum([]), exact_sum([1e308, 1e308, -1e308])
    (1.0, 3, None, 1e+308)
    """
    if not values:
        return None
    if any(isinstance(value, float) for value in values):
        return _sum_of_floats(values)
    with localcontext(EXACTLY):
        return sum(values[1:], start=values[0])


def _sum_of_floats(values: Sequence[float]) -> float:
    if not all(map(_is_plain, values)):
        raise TypeError("floating point numbers add up with integers only")
    special = [value for value in values if not is_finite(value)]
    return sum(special) if special else nearest(sum(map(Fraction, values), start=Fraction()))


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float)


def is_finite(value: Any) -> bool:
    """Tell whether a number is neither infinite nor NaN, however large an integer it is."""
    return not isinstance(value, float) or math.isfinite(value)


def nearest(exact: Fraction) -> float:
    """Return the floating point number that is nearest to a fraction, or an infinity."""
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _average(values: Sequence[Any]) -> Any:
    if not values:
        return None
    if all(_is_plain(value) and is_finite(value) for value in values):
        return nearest(sum(map(Fraction, values), start=Fraction()) / len(values))
    return exact_sum(values) / len(values)


def nan_last(value: Any) -> tuple[bool, Any]:
    """Return what values are compared by: NaN is greater than all numbers, as in orders."""
    return (True, 0) if value != value else (False, value)


def spelling(value: Any) -> tuple[str, str]:
    """Return what equal values are told apart by: 1 and 1.0, or one instant with two offsets.

    Which of them is the least, and which is the greatest, so does not depend on which came first.
    """
    return type(value).__name__, str(value)


def middle(low: Any, high: Any) -> Any:
    """Return what is half-way between two values."""
    return low + (high - low) / 2 if isinstance(low, dt.date) else (low + high) / 2


def _median(values: Sequence[Any]) -> Any:
    if not values:
        return None
    ordered, half = sorted(sorted(values, key=spelling), key=nan_last), len(values) // 2
    return ordered[half] if len(values) % 2 else middle(ordered[half - 1], ordered[half])


def _count_rows(values: Sequence[Any]) -> int:
    return len(values)


def _count_distinct(values: Sequence[Any]) -> int:
    return len({nan_last(value) for value in values})


def _text(values: Sequence[str], separator: str) -> str | None:
    return separator.join(values) if values else None


def _fold(values: Sequence[Any], start: Any, step: Callable[[Any, Any], Any]) -> Any:
    return functools.reduce(step, values, start)


def _reduce(values: Sequence[Any], function: Callable[[Sequence[Any]], Any]) -> Any:
    return function(tuple(values))


def _accumulate(values: Sequence[Any], make: Callable[[], Any]) -> Any:
    accumulator = make()
    for value in values:
        accumulator.add(value)
    return accumulator.result()


def _least(values: Sequence[Any]) -> Any:
    least = min(values, default=None, key=nan_last)
    return min((value for value in values if value == least), default=least, key=spelling)


def _greatest(values: Sequence[Any]) -> Any:
    greatest = max(values, default=None, key=nan_last)
    return max((value for value in values if value == greatest), default=greatest, key=spelling)


def _any(values: Sequence[Any]) -> bool | None:
    return any(map(truth, values)) if values else None


def _all(values: Sequence[Any]) -> bool | None:
    return all(map(truth, values)) if values else None


def _first(values: Sequence[Any]) -> Any:
    return values[0] if values else None


def _last(values: Sequence[Any]) -> Any:
    return values[-1] if values else None


AGGREGATES: Final[Mapping[str, Aggregate]] = {
    "count": Aggregate(_count_rows, gives="number"),
    "count_distinct": Aggregate(_count_distinct, gives="number"),
    "sum": Aggregate(exact_sum, takes=NUMBER | DURATION),
    "avg": Aggregate(_average, takes=NUMBER | DURATION),
    "min": Aggregate(_least, takes=ORDERED, gives_a_value=True),
    "max": Aggregate(_greatest, takes=ORDERED, gives_a_value=True),
    "median": Aggregate(_median, takes=NUMBER | DURATION | DAY),
    "any": Aggregate(_any, takes=TRUTH, gives="truth value"),
    "all": Aggregate(_all, takes=TRUTH, gives="truth value"),
    "collect": Aggregate(tuple, keeps_nulls=True, is_ordered=True, gives="list"),
    "string_agg": Aggregate(_text, is_ordered=True, takes=TEXT, gives="text"),
    "first": Aggregate(_first, keeps_nulls=True, is_ordered=True, gives_a_value=True),
    "last": Aggregate(_last, keeps_nulls=True, is_ordered=True, gives_a_value=True),
    "fold": Aggregate(_fold, is_ordered=True, calls_users=True),
    "reduce": Aggregate(_reduce, is_ordered=True, calls_users=True),
    "accumulate": Aggregate(_accumulate, calls_users=True),
}
