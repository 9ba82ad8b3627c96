"""The schemas that an object has to satisfy all of, each with its own keywords."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from streamdb_gen.json_source import Place
from streamdb_gen.lowering.keywords import Keywords, strings

#: Keywords that say what a value is made of.
SHAPING: Final = frozenset(
    {
        "additionalProperties",
        "anyOf",
        "const",
        "enum",
        "items",
        "oneOf",
        "patternProperties",
        "prefixItems",
        "properties",
        "required",
        "unevaluatedProperties",
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the schemas."""

    schema: Place
    keywords: Keywords

    @property
    def properties(self) -> dict[str, Place]:
        """The schemas of its properties."""
        place = self.keywords.get("properties")
        return dict(place.members()) if place is not None else {}

    @property
    def required(self) -> list[tuple[str, Place]]:
        """The names in `required`."""
        return list(strings(self.keywords.get("required")))


def declared_properties(parts: Iterable[Part]) -> dict[str, list[Place]]:
    """The schemas of every property, in the order of the parts."""
    declared: dict[str, list[Place]] = {}
    for part in parts:
        for wire_name, place in part.properties.items():
            declared.setdefault(wire_name, []).append(place)
    return declared


def judging_others(keywords: Keywords) -> tuple[str, Place] | None:
    """The keyword that judges the properties which nothing else in a schema does, with its schema.

    `additionalProperties` leaves `unevaluatedProperties` beside it nothing to judge.
    """
    for keyword in ("additionalProperties", "unevaluatedProperties"):
        if keyword in keywords:
            return keyword, keywords[keyword]
    return None


def shapes(keywords: Keywords) -> bool:
    """Whether keywords say what a value is made of."""
    return bool(SHAPING & keywords.keys())
