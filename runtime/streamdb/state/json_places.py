"""Where the values of a JSON text stand: asked when something is wrong with one of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from streamdb.types.faults import pointer_to

_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_LINE_END: Final = re.compile(r"\r\n|\n|\r")


class JsonPlace(NamedTuple):
    """A value or the key of a member: its text, where that begins, and what leads to it."""

    text: str
    start: int
    pointer: str
    is_key: bool
    depth: int  # of the objects and arrays around it


@dataclass(slots=True)
class _Open:
    """An object or array whose end was not met yet."""

    pointer: str
    is_object: bool
    index: int = 0
    key: str | None = None  # None where a key comes next

    def inner(self, step: str | int) -> str:
        return self.pointer + pointer_to([step])


def json_places(text: str) -> Iterator[JsonPlace]:
    """Yield the keys and values of JSON text; an object or array is there by its bracket.

    Nothing is said of text that is not JSON, but that this ends.

    >>> [(place.pointer, place.start) for place in json_places('{"a": [1, 2]}') if not place.is_key]
    [('', 0), ('/a', 6), ('/a/0', 7), ('/a/1', 10)]
    """
    around: list[_Open] = []
    for token in _TOKEN.finditer(text):
        written, top = token[0], around[-1] if around else None
        if written in ("]", "}"):
            if around:
                around.pop()
        elif written == ",":
            if top is not None:
                top.index, top.key = top.index + 1, None
        elif written != ":":
            is_key = top is not None and top.is_object and top.key is None
            if top is not None and is_key:
                top.key = _unquoted(written)
            step = None if top is None else top.key if top.is_object else top.index
            pointer = "" if top is None else top.inner("" if step is None else step)
            yield JsonPlace(written, token.start(), pointer, is_key, len(around))
            if written in ("[", "{"):
                around.append(_Open(pointer, written == "{"))


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    r"""Return where a character stands; both count from 1.

    >>> line_and_column("ab\ncd", 4)
    (2, 2)
    """
    ends = [found.end() for found in _LINE_END.finditer(text, 0, offset)]
    return len(ends) + 1, offset - (ends[-1] if ends else 0) + 1


def _unquoted(written: str) -> str:
    try:
        return str(json.loads(written))
    except ValueError:
        return written
