"""Lists, maps and objects inside of rows."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, cast

from msgspec import UNSET

from streamdb.expr.meaning.logic import truth


def length(value: Any) -> int:
    """Return how many characters a text has, or how many items a list, a set or a map."""
    return len(value)


def item(value: Any, key: str | int) -> Any:
    """Return what is under a key or at an index; null if nothing is, or if it is no place for one.

    A negative index counts from the end. An object has its attributes under their names.
    """
    match value:
        case str() | bytes():
            return None
        case Mapping():
            found = cast("Any", value).get(key)
        case Sequence():
            found = _at(cast("Any", value), key)
        case _:
            found = getattr(value, key, None) if isinstance(key, str) else None
    return None if found is UNSET else found


def contains(value: Any, part: Any) -> bool | None:
    """Return whether a text has another in it, or a list an item.

    As with ``in_``, it is unknown where only a null in the list could be the item.
    """
    if isinstance(value, str):
        return part in value
    items = _items(value)
    if part in items:
        return True
    return None if None in items else False


def exists(value: Any, condition: Callable[[Any], Any]) -> bool | None:
    """Return whether a condition is true of an item: the ``or`` of what it is of each."""
    found = {truth(condition(item)) for item in _items(value)}
    if True in found:
        return True
    return None if None in found else False


def for_all(value: Any, condition: Callable[[Any], Any]) -> bool | None:
    """Return whether a condition is true of every item: the ``and`` of what it is of each."""
    found = {truth(condition(item)) for item in _items(value)}
    if False in found:
        return False
    return None if None in found else True


def is_not_empty(value: Any) -> bool:
    """Return whether there is an item."""
    return len(_items(value)) > 0


def _at(items: Sequence[Any], index: object) -> Any:
    if isinstance(index, int) and -len(items) <= index < len(items):
        return items[index]
    return None


def _items(value: Any) -> Sequence[Any] | Set[Any]:
    if isinstance(value, Sequence | Set) and not isinstance(value, str | bytes):
        return value  # pyright: ignore[reportUnknownVariableType]  (of unknown items)
    raise TypeError(f"{reprlib.repr(cast('Iterable[Any]', value))} is no list")
