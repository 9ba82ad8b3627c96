"""Whether two rows of a query are the same, so that a change from one to the other is none."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import eq
from typing import Any, Final, cast


def same(old: tuple[object, ...] | None, new: tuple[object, ...]) -> bool:
    """Compare rows that are tuples, slot by slot.

    Whole rows and objects are the same if they are one object, as everywhere. Plain values are if
    nobody could tell them apart: 1, 1.0 and True differ.

    >>> same(("a", 1), ("".join(["a"]), 1)), same((1,), (True,)), same((0.0,), (-0.0,))
    (True, False, False)
    """
    if old is None:
        return False
    for one, other in zip(old, new, strict=True):
        if one is other:
            continue
        kind = type(one)
        is_equal = _PLAIN.get(kind)
        if kind is not type(other) or is_equal is None or not is_equal(one, other):
            return False
    return True


def same_value(one: object, other: object) -> bool:
    """Compare two slots as :func:`same` does.

    >>> same_value(1, 1), same_value(1, 1.0), same_value([], [])
    (True, False, False)
    """
    if one is other:
        return True
    kind = type(one)
    is_equal = _PLAIN.get(kind)
    return kind is type(other) and is_equal is not None and is_equal(one, other)


def is_same_row(old: Any, new: object, *, are_tuples: bool) -> bool:
    """Compare two rows of a shape; ``old`` may be missing."""
    return same(old, cast("tuple[object, ...]", new)) if are_tuples else old is new


def same_row(old: object | None, new: object | None) -> bool:
    """Compare any two rows, without knowing of what kind they are."""
    if isinstance(old, tuple) and isinstance(new, tuple):
        one, other = cast("tuple[object, ...]", old), cast("tuple[object, ...]", new)
        return len(one) == len(other) and same(one, other)
    return old is new


def _same_float(one: float, other: float) -> bool:
    if one != one:
        return other != other
    return one == other and math.copysign(1, one) == math.copysign(1, other)


def _same_decimal(one: Decimal, other: Decimal) -> bool:
    return not one.compare_total(other)  # 1.0 and 1.00 differ


def _same_moment(one: Any, other: Any) -> bool:
    return bool(one == other) and one.tzinfo == other.tzinfo


_PLAIN: Final[Mapping[type[Any], Callable[[Any, Any], bool]]] = {
    str: eq,
    int: eq,
    bool: eq,
    bytes: eq,
    float: _same_float,
    dt.datetime: _same_moment,
    dt.time: _same_moment,
    dt.date: eq,
    dt.timedelta: eq,
    Decimal: _same_decimal,
}
