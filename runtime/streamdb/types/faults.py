"""Why a value does not fit a type: the reason, and the place as a JSON Pointer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from streamdb import formats
from streamdb.errors import ContractBroken

#: Of a property that is not declared where no other ones may be.
NOT_ALLOWED: Final = "is no property that is allowed here"

#: What reading a value may raise. Too deep a nesting is a RecursionError in every parser here.
UNREADABLE: Final = (msgspec.DecodeError, ValueError, RecursionError)

_AT_PATH: Final = re.compile(r" - at (?P<key>`key` in )?`\$(?P<path>.*)`\Z", re.DOTALL)
_STEP: Final = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[0-9]+)\]|(?P<unnamed>\[\.\.\.\])")
_UNKNOWN_FIELD: Final = re.compile(r"object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING_FIELD: Final = "object missing required field "
_QUOTED_VALUE: Final = re.compile(r"(?<=value) .*\Z", re.DOTALL)  # "invalid enum value 'x'"


class Misfit(ValueError):
    """A value does not fit a type of ours; ``pointer`` leads from that value to the fault.

    msgspec makes its own error of it and appends the way that leads to the value. A ``private``
    reason, where the other one may quote the value, does not.
    """

    def __init__(self, reason: str, pointer: str = "", *, private: str | None = None) -> None:
        super().__init__(reason)
        self.pointer = pointer
        self.private = reason if private is None else private


def refused_by_its_class(error: Exception) -> Misfit:
    """Say that the code of a row's class raised, whatever it raised.

    >>> refused = refused_by_its_class(KeyError("secret"))
    >>> str(refused), explain(refused, private=True)
    ("refused by its class: KeyError: 'secret'", ('refused by its class (KeyError)', ''))
    """
    name = type(error).__name__
    return Misfit(f"refused by its class: {name}: {error}", private=_private_refusal(error))


def explain(error: BaseException, *, private: bool = False) -> tuple[str, str]:
    """Split a validation error into its reason and the JSON Pointer of its place.

    A ``private`` reason quotes nothing of the value, so that it may go to logs.

    >>> error = msgspec.ValidationError("Invalid enum value 'x' - at `$.items[0].n`")
    >>> explain(error), explain(error, private=True)
    (("invalid enum value 'x'", '/items/0/n'), ('invalid enum value', '/items/0/n'))
    """
    if isinstance(error, RecursionError):
        return "nested too deeply", ""
    if isinstance(error, UnicodeEncodeError):
        return "half a surrogate pair in the name of a property, which this class cannot hold", ""
    if isinstance(error, Misfit):
        return error.private if private else str(error), error.pointer
    if isinstance(error, ContractBroken):
        found = f"; found {error.found}" if error.found and not private else ""
        return error.reason + found, error.pointer
    text = str(error)
    inner = error.__cause__
    if inner is not None:  # msgspec appends its path to what a class or type of ours said
        reason, pointer = str(inner), _pointer(text.removeprefix(str(inner)))
        if isinstance(inner, Misfit):
            return (inner.private if private else reason), pointer + inner.pointer
        return (_private_refusal(inner) if private else reason), pointer
    match = _AT_PATH.search(text)
    reason = text[: match.start()] if match else text
    if match and match["key"]:
        reason += " as a key"
    if "matching regex" in reason:
        reason = formats.in_words(reason)
    if private:
        reason = _QUOTED_VALUE.sub("", reason)
    return _in_our_words(reason[:1].lower() + reason[1:], _pointer(text))


def pointer_to(steps: Iterable[str | int]) -> str:
    """Write a JSON Pointer.

    >>> pointer_to(["a/b", 0])
    '/a~1b/0'
    """
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def steps_of(pointer: str) -> list[str]:
    """Take a JSON Pointer apart.

    >>> steps_of("/a~1b/0")
    ['a/b', '0']
    """
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _in_our_words(reason: str, pointer: str) -> tuple[str, str]:
    """Say of properties that are missing or unknown what is said of them in every kind of row."""
    unknown = _UNKNOWN_FIELD.fullmatch(reason)
    if unknown:
        return NOT_ALLOWED, pointer + pointer_to([unknown["name"]])
    if reason.startswith(_MISSING_FIELD):
        return f"lacks the property {reason.removeprefix(_MISSING_FIELD)}", pointer
    return reason, pointer


def _private_refusal(error: BaseException) -> str:
    return f"refused by its class ({type(error).__name__})"


def _pointer(text: str) -> str:
    match = _AT_PATH.search(text)
    path = match["path"] if match else ""
    return pointer_to(step["name"] or step["index"] or "*" for step in _STEP.finditer(path))
