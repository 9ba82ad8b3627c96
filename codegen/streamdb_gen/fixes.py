"""What `lint --fix` writes: edits of a spec's text that change nothing about what it accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from streamdb_gen.json_source import Place

_SPACE: Final = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters ``start`` to ``end`` of a file's text become ``text``."""

    start: int
    end: int
    text: str = ""


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits; one that overlaps an earlier one waits for the next time.

    >>> apply("[1,1,]", [Edit(4, 5), Edit(2, 4)])
    '[1]'
    """
    parts: list[str] = []
    done = 0
    for edit in sorted(set(edits), key=lambda edit: (edit.start, edit.end)):
        if edit.start >= done:
            parts += [text[done : edit.start], edit.text]
            done = edit.end
    return "".join([*parts, text[done:]])


def character(offset: int) -> Edit:
    """Drop one character."""
    return Edit(offset, offset + 1)


def drop_item(text: str, place: Place) -> Edit | None:
    """Drop an item of an array that is not the only one, and a comma beside it."""
    before = len(text[: place.node.start].rstrip(" \t\r\n")) - 1
    if text[before : before + 1] == ",":
        return Edit(before, place.node.end)
    after = _end_of_space(text, place.node.end)
    if text[after : after + 1] != ",":
        return None
    return Edit(place.node.start, _end_of_space(text, after + 1))


def drop_member(text: str, place: Place) -> Edit | None:
    """Drop a member of an object, and one comma beside it."""
    if place.key_start is None:
        return None
    before = len(text[: place.key_start].rstrip(" \t\r\n")) - 1
    if text[before : before + 1] == ",":
        return Edit(before, place.node.end)
    after = _end_of_space(text, place.node.end)
    if text[after : after + 1] != ",":
        return Edit(place.key_start, place.node.end)
    return Edit(place.key_start, _end_of_space(text, after + 1))


def insert_member(member: str, text: str, place: Place) -> Edit | None:
    """Put a member, written as JSON, before the others of an object."""
    if not isinstance(place.value, dict) or not text.startswith("{", place.node.start):
        return None
    inside = place.node.start + 1
    first = _end_of_space(text, inside)
    if text.startswith("}", first):
        return Edit(inside, inside, member)
    return Edit(inside, inside, f"{text[inside:first]}{member},")


#: Mends the place of a finding in the text, if it can.
Fixer = Callable[[str, Place], Edit | None]

#: What takes the place itself away, with all that is in it.
DROPPING: Final = (drop_item, drop_member)

#: By rule: what mends the place that a finding is about.
FIXERS: Final[Mapping[str, Fixer]] = {
    "ENUM_VALUE_DUPLICATE": drop_item,
    "KEYWORD_INAPPLICABLE": drop_member,
    "REQUIRED_DUPLICATE": drop_item,
}

#: By rule: what mends the text itself at an offset.
TEXT_FIXERS: Final[Mapping[str, Callable[[int], Edit]]] = {
    "JSON_BOM": character,
    "JSON_TRAILING_COMMA": character,
}


def _end_of_space(text: str, start: int) -> int:
    found = _SPACE.match(text, start)
    return start if found is None else found.end()
