"""Arithmetic of numbers, durations, dates, and of text that is put together."""

from __future__ import annotations

import datetime as dt
import reprlib
from decimal import Decimal
from typing import Any, Final

_NUMBERS: Final = (int, float, Decimal)
_ADDABLE: Final = (*_NUMBERS, str, dt.date, dt.timedelta)
_SUBTRACTABLE: Final = (*_NUMBERS, dt.date, dt.timedelta)
_SCALABLE: Final = (*_NUMBERS, dt.timedelta)


def plus(left: Any, right: Any) -> Any:
    """Add numbers or durations, move a date, or put text together."""
    return _known(left, _ADDABLE) + _known(right, _ADDABLE)


def minus(left: Any, right: Any) -> Any:
    """Subtract, move a date back, or tell what is between two."""
    return _known(left, _SUBTRACTABLE) - _known(right, _SUBTRACTABLE)


def times(left: Any, right: Any) -> Any:
    """Multiply numbers, or a duration and a number."""
    return _known(left, _SCALABLE) * _known(right, _SCALABLE)


def divided_by(left: Any, right: Any) -> Any:
    """Divide; null by zero."""
    left, right = _known(left, _SCALABLE), _known(right, _SCALABLE)
    return left / right if right else None


def floor_divided_by(left: Any, right: Any) -> Any:
    """Divide and round down, as Python does; null by zero."""
    left, right = _known(left, _NUMBERS), _known(right, _NUMBERS)
    return left // right if right else None


def modulo(left: Any, right: Any) -> Any:
    """Return what is left of such a division, with the sign of the divisor; null by zero."""
    left, right = _known(left, _NUMBERS), _known(right, _NUMBERS)
    return left % right if right else None


def negative(value: Any) -> Any:
    """Return it with the other sign."""
    return -_known(value, _SCALABLE)


def absolute(value: Any) -> Any:
    """Return it without its sign."""
    return abs(_known(value, _SCALABLE))


def rounded(value: Any, digits: int) -> Any:
    """Round to digits behind the point, half to even; the result is of the same type."""
    return round(_known(value, _NUMBERS), digits)


def _known(value: Any, types: tuple[type, ...]) -> Any:
    """Return a value as it is: Python would multiply text, or take ``%`` for formatting."""
    if isinstance(value, types):
        return value
    raise TypeError(f"{reprlib.repr(value)} is nothing to calculate with")
