"""The whole way to a fault, where msgspec leaves out the names of properties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from streamdb.protocol.json_text import is_array, is_object
from streamdb.types.faults import pointer_to, steps_of

_UNNAMED: Final = "*"

#: The reason and the pointer of what is wrong with plain JSON, None if nothing is.
FaultOf = Callable[[Any], tuple[str, str] | None]


def exact_place(pointer: str, plain: Any, fault_of: FaultOf) -> str:
    """Put names in place of the ``*`` in a JSON Pointer to a fault.

    Which property it is shows when the others are taken away, half of them at a time, so that all
    this takes about as long as judging the value twice. A name that is not found remains ``*``.

    Args:
        pointer: where the fault of the value is.
        plain: the value; it is taken apart.
        fault_of: judges it.

    >>> def fault_of(plain):
    ...     wrong = [n for n in plain["counts"].values() if not isinstance(n, int)]
    ...     return ("no integer", "/counts/*") if wrong else None
    >>> exact_place("/counts/*", {"counts": {"a": 1, "b": "2", "c": 3}}, fault_of)
    '/counts/b'
    """
    steps = steps_of(pointer)
    if _UNNAMED not in steps:
        return pointer
    fault = fault_of(plain)
    for index, step in enumerate(steps):
        holder = _value_at(plain, steps[:index]) if step == _UNNAMED else None
        if is_object(holder):
            steps[index] = _keep_one(holder, lambda: fault_of(plain) == fault) or _UNNAMED
    return pointer_to(steps)


def _keep_one(holder: dict[str, Any], is_faulty: Callable[[], bool]) -> str | None:
    """Take away all properties but the one that is at fault, and return its name."""
    members = list(holder.items())
    while len(members) > 1:
        middle = len(members) // 2
        _refill(holder, members[:middle])
        members = members[:middle] if is_faulty() else members[middle:]
    _refill(holder, members)
    return members[0][0] if members and is_faulty() else None


def _refill(holder: dict[str, Any], members: Sequence[tuple[str, Any]]) -> None:
    holder.clear()
    holder.update(members)


def _value_at(plain: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if is_object(plain) and step in plain:
            plain = plain[step]
        elif is_array(plain) and step.isdecimal() and int(step) < len(plain):
            plain = plain[int(step)]
        else:
            return None
    return plain
