"""A value in a few words, for errors: what it is, and never all of it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_MOST_CHARACTERS: Final = 12
_MOST_DIGITS: Final = 24
_LONGEST_POINTER: Final = 200
_MAY_BE_SECRET: Final = re.compile(
    "auth|cookie|credential|key|pass|pin|secret|session|signature|token", re.IGNORECASE
)


def preview(value: Any, pointer: str) -> str:
    """Say what stands at a place.

    Of a text there is the beginning, a third at most, and nothing where the name of the place says
    that it may be a secret.

    >>> preview("a long piece of text", "/note"), preview([1, 2], ""), preview(17, "/age")
    ('text of 20 characters that begins with "a long"', 'an array of 2 items', '17')
    >>> preview("hunter2", "/password"), preview(1234, "/pin")
    ('text of 7 characters', 'a number')
    """
    is_secret = _MAY_BE_SECRET.search(pointer) is not None
    if isinstance(value, str):
        shown = value[: min(len(value) // 3, _MOST_CHARACTERS)]
        begins = f" that begins with {json.dumps(shown)}" if shown and not is_secret else ""
        return f"text of {_counted(value, 'character')}{begins}"
    if isinstance(value, dict):
        return f"an object of {_counted(value, 'property', 'properties')}"
    if isinstance(value, list):
        return f"an array of {_counted(value, 'item')}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    is_long = isinstance(value, int) and abs(value) >= 10**_MOST_DIGITS
    return "a number" if is_secret or is_long else json.dumps(value)


def shortened(pointer: str) -> str:
    """Cut a JSON Pointer for a message: a key may be of any length."""
    return pointer if len(pointer) <= _LONGEST_POINTER else pointer[:_LONGEST_POINTER] + "…"


def printable(text: str) -> str:
    r"""Make text of a stream fit for a line of a log: bounded, and without control characters.

    >>> printable("message"), printable("a\nERROR: b\x1b[2J")
    ('message', "'a\\nERROR: b\\x1b[2J'")
    """
    cut = shortened(text)
    return cut if cut.isprintable() else repr(cut)


def _counted(value: Any, one: str, more: str | None = None) -> str:
    return f"{len(value)} {one if len(value) == 1 else more or one + 's'}"
