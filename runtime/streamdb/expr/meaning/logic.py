"""Three-valued logic, and what chooses between values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def truth(value: object) -> bool | None:
    """Return a truth value as it is.

    Raises:
        TypeError: it is none. Taking "" or 0 for false would hide a forgotten comparison.
    """
    if value is None or value is True or value is False:
        return value
    raise TypeError(f"{value!r} is neither true nor false: compare it with something")


def and_(left: object, right: object) -> bool | None:
    """Return whether both are true."""
    known = truth(left), truth(right)
    if False in known:
        return False
    return None if None in known else True


def or_(left: object, right: object) -> bool | None:
    """Return whether one is true."""
    known = truth(left), truth(right)
    if True in known:
        return True
    return None if None in known else False


def not_(value: object) -> bool | None:
    """Return the opposite."""
    known = truth(value)
    return None if known is None else not known


def is_null(value: object) -> bool:
    """Return whether there is no value."""
    return value is None


def is_not_null(value: object) -> bool:
    """Return whether there is a value."""
    return value is not None


def in_(value: object, choices: tuple[object, ...]) -> bool | None:
    """Return ``value == a | value == b | ...``: false of no choice at all, even for null."""
    if not choices:
        return False
    if value is None:
        return None
    if value in choices:
        return True
    return None if None in choices else False


def not_in(value: object, choices: tuple[object, ...]) -> bool | None:
    """Return the opposite of ``in_``."""
    return not_(in_(value, choices))


def between(value: Any, low: Any, high: Any) -> bool | None:
    """Return ``(low <= value) & (value <= high)``: false if one limit is known to be broken."""
    if value is None:
        return None
    above = None if low is None else low <= value
    below = None if high is None else value <= high
    return and_(above, below)


def case(condition: Callable[[], Any], value: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """Evaluate ``value`` if the condition is true, else ``other``."""
    return value() if truth(condition()) is True else other()


def if_null(value: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """Evaluate ``other`` only if there is no value."""
    found = value()
    return other() if found is None else found
