"""The keywords by which a schema applies others to the same value, not to a part of it.

JSON Schema 2020-12, core, section 10.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from streamdb_gen.json_source import Place

IN_PLACE: Final = (
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "else",
    "not",
    "dependentSchemas",
    "dependencies",
)
_IN_PLACE: Final = frozenset(IN_PLACE)
_BY_NAME: Final = ("dependentSchemas", "dependencies")
_LISTED: Final = ("allOf", "anyOf", "oneOf")


def applied_in_place(schema: Place) -> Iterator[Place]:
    """The schemas inside another one that it applies to its own value."""
    if not isinstance(schema.value, dict) or _IN_PLACE.isdisjoint(schema.value):
        return  # as most do
    for keyword in IN_PLACE:
        place = schema.get(keyword)
        if place is not None:
            yield from schemas_of(place)


def schemas_of(place: Place) -> Iterator[Place]:
    """The schemas of such a keyword's value: itself, a list, or by name."""
    keyword = place.pointer.rpartition("/")[2]
    if isinstance(place.value, list):
        yield from place.items()
    elif keyword in _BY_NAME:
        for _, inner in place.members():
            yield inner
    elif keyword not in _LISTED:  # where it is no list it is none, and reported elsewhere
        yield place
