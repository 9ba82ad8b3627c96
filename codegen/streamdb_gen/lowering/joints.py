"""The parts that a value has to satisfy all of, found by following `allOf` and references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from streamdb_gen.json_source import Place
from streamdb_gen.lowering.context import Context
from streamdb_gen.lowering.keywords import Keywords, constraining
from streamdb_gen.lowering.parts import Part
from streamdb_gen.lowering.resources import Key, key_of

#: Keywords by which a schema is joined with others.
JOINING: Final = ("$ref", "allOf")
#: More are not joined: all of their properties would go into one class.
MAX_PARTS: Final = 100
#: Classes that are made of several schemas for a property, in one another and in one spec: where
#: such schemas lead on and on to others, what is deeper accepts anything.
DEEPEST_JOINT: Final = 8
MAX_JOINTS: Final = 1000


def joined_parts(
    schemas: Iterable[Place],
    context: Context,
    *,
    known: Mapping[Key, Keywords] | None = None,
    refers: bool = True,
) -> Iterator[Part]:
    """Schemas and all that they are joined with, in the order of the text.

    ``known`` are the keywords to take for some of them. Unless it only looks (``refers``), what
    the parts leave unsaid is left unsaid by the type that is made of them, too.
    """
    passed: set[Key] = set()
    pending = list(schemas)[::-1]
    while pending:
        place = pending.pop()
        if not isinstance(place.value, dict):
            if place.value is False and refers:
                context.beyond.add("allOf")
            continue
        key = key_of(place)
        if key in passed:
            continue
        passed.add(key)
        words = known[key] if known is not None and key in known else context.keywords(place)
        if set(constraining(words)) - set(JOINING):
            yield Part(place, words)
        inner = list(words["allOf"].items()) if "allOf" in words else []
        target = context.references.resolve(place) if "$ref" in words else None
        if target is not None:
            inner.insert(0, target)
            if refers:
                context.beyond.refer(key_of(target))
        pending += reversed(inner)
