"""A total order over keys: what breaks ties between rows that are ordered alike.

It follows from the keys alone, so every client that holds the same rows has them in the same order.
"""

from __future__ import annotations

from typing import Any, TypeGuard


def key_order(key: object) -> tuple[Any, ...]:
    """Return something comparable for any key of a plan, of a mixture of types, too.

    Null comes first, then truth values and numbers, then text, then other values by their type,
    then tuples part by part. Text is ordered by code point.

    >>> sorted(["b", None, ("a", 2), 1.5, ("a", None), "a", 1], key=key_order)
    [None, 1, 1.5, 'a', 'b', ('a', None), ('a', 2)]
    """
    if _is_tuple(key):
        return (4, *map(key_order, key))
    match key:
        case None:
            return (0,)
        case bool() | int() | float():
            return (1, key != key, 0 if key != key else key)
        case str():
            return (2, key)
        case _:
            return (3, type(key).__name__, key)


def _is_tuple(key: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(key, tuple)
