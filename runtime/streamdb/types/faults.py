"""Why a value does not fit a type: the reason, and the place as a JSON Pointer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

#: What reading a value may raise. Too deep a nesting is a RecursionError in every parser here.
UNREADABLE: Final = (msgspec.DecodeError, ValueError, RecursionError)

_AT_PATH: Final = re.compile(r" - at (?P<key>`key` in )?`\$(?P<path>.*)`\Z", re.DOTALL)
_STEP: Final = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[0-9]+)\]|(?P<unnamed>\[\.\.\.\])")
_QUOTED_VALUE: Final = re.compile(r"(?<=value) .*\Z", re.DOTALL)  # "invalid enum value 'x'"


class Misfit(ValueError):
    """A value does not fit a type of ours; ``pointer`` leads from that value to the fault.

    msgspec makes its own error of it and appends the way that leads to the value.
    """

    def __init__(self, reason: str, pointer: str = "") -> None:
        super().__init__(reason)
        self.pointer = pointer


def explain(error: BaseException) -> tuple[str, str]:
    """Split a validation error into its reason and the JSON Pointer of its place.

    >>> explain(msgspec.ValidationError("Expected `int`, got `str` - at `$.items[0].n`"))
    ('expected `int`, got `str`', '/items/0/n')
    """
    if isinstance(error, RecursionError):
        return "nested too deeply", ""
    if isinstance(error, Misfit):
        return str(error), error.pointer
    text = str(error)
    inner = error.__cause__
    if isinstance(inner, Misfit):
        return str(inner), _pointer(text.removeprefix(str(inner))) + inner.pointer
    match = _AT_PATH.search(text)
    reason = text[: match.start()] if match else text
    if match and match["key"]:
        reason += " as a key"
    return reason[:1].lower() + reason[1:], _pointer(text)


def without_values(reason: str) -> str:
    """Leave the content of rows out of a reason: reports go to logs, and it does not.

    >>> without_values("invalid enum value 'secret'")
    'invalid enum value'
    """
    return _QUOTED_VALUE.sub("", reason)


def pointer_to(steps: Iterable[str | int]) -> str:
    """Write a JSON Pointer.

    >>> pointer_to(["a/b", 0])
    '/a~1b/0'
    """
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def _pointer(text: str) -> str:
    match = _AT_PATH.search(text)
    path = match["path"] if match else ""
    return pointer_to(step["name"] or step["index"] or "*" for step in _STEP.finditer(path))
