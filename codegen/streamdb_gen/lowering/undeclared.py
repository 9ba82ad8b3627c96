"""Properties that an object does not declare: whether they are refused, and whether they are kept.

`additionalProperties` sees the `properties` and `patternProperties` of its own schema and no
others; `unevaluatedProperties` also sees those of the schemas that its own one applies to the same
value, but not those of the schemas that stand beside it in an `allOf`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Final

from streamdb_gen.ir import ANYTHING, Type
from streamdb_gen.json_equality import integral
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.applicators import IN_PLACE, schemas_of
from streamdb_gen.lowering.context import Context
from streamdb_gen.lowering.keywords import Keywords, strings
from streamdb_gen.lowering.parts import Part, declared_properties, judging_others
from streamdb_gen.lowering.resources import key_of
from streamdb_gen.naming import nested_class_name as nested

# What an `unevaluatedProperties` around it takes into account.
_EVALUATING: Final = (
    "additionalProperties",
    "patternProperties",
    "properties",
    "unevaluatedProperties",
)
# Keywords whose verdict may depend on any property at all.
_COUNTING: Final = (
    "additionalProperties",
    "const",
    "enum",
    "maxProperties",
    "minProperties",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
)


class UndeclaredProperties:
    """Judges the parts of one object after another; ``schema`` is the one that joins them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def are_refused(self, schema: Place, parts: Sequence[Part]) -> bool:
        """Whether the class refuses other properties; what it cannot refuse is noted."""
        kept = self.are_kept(schema, parts)
        names = names_of(parts)
        refused = False
        for part, keyword, place in _judging(parts):
            if place.value is not False:
                continue
            known = self._known_to(part, keyword, schema, parts)
            if kept or known is None or not names <= known:
                self._context.beyond.add(keyword)
            refused |= not kept and known is not None
        return refused

    def are_kept(self, schema: Place, parts: Sequence[Part]) -> bool:
        """Whether they are kept, because the schema says something about them."""
        if any(_is_schema(place) for _, _, place in _judging(parts)):
            return True
        if any("patternProperties" in part.keywords for part in parts):
            return True
        if any(self._context.declares_properties(inner) for inner in applied_by(parts)):
            return True
        if self._are_forbidden(schema, parts):
            return False
        is_whole = any(key_of(part.schema) in self._context.whole for part in parts)
        return is_whole or self._are_counted(parts)

    def type_of(self, schema: Place, parts: Sequence[Part], name: str) -> Type | None:
        """Their type; None if they are not kept."""
        if not self.are_kept(schema, parts):
            return None
        beyond = self._context.beyond
        if any("patternProperties" in part.keywords for part in parts):
            beyond.add("patternProperties")
        judging = [one for one in _judging(parts) if _is_schema(one[2])]
        if len(parts) == len(judging) == 1 and not any(
            self._context.declares_properties(inner) for inner in applied_by(parts)
        ):
            part, keyword, place = judging[0]
            known = self._known_to(part, keyword, schema, parts)
            if keyword == "unevaluatedProperties" or known is None or not names_of(parts) <= known:
                beyond.add(keyword)
            if known is not None and "patternProperties" not in part.keywords:
                return self._context.lower_inside(schema, place, nested(name, "Value"))
        for _, keyword, _ in judging:
            beyond.add(keyword)
        return ANYTHING

    def _known_to(
        self, part: Part, keyword: str, schema: Place, parts: Sequence[Part]
    ) -> Set[str] | None:
        """The properties that a keyword does not judge; None if they may be others, too."""
        own = part.properties.keys()
        if keyword == "additionalProperties":
            return own
        if key_of(part.schema) != key_of(schema):
            sees_more = any(word in part.keywords for word in (*IN_PLACE, "$ref"))
            return None if sees_more or "patternProperties" in part.keywords else own
        others = (word for one in parts if one is not part for word in one.keywords)
        if "patternProperties" in part.keywords or any(
            word in _EVALUATING and word != "properties" for word in others
        ):
            return None
        if any(map(self._evaluates, applied_by(parts))):
            return None
        return declared_properties(parts).keys()

    def _are_forbidden(self, schema: Place, parts: Sequence[Part]) -> bool:
        return any(
            place.value is False and self._known_to(part, keyword, schema, parts) is not None
            for part, keyword, place in _judging(parts)
        )

    def _evaluates(self, schema: Place) -> bool:
        return any(
            place.get(word) is not None
            for place in self._context.applied(schema)
            for word in _EVALUATING
        )

    def _are_counted(self, parts: Sequence[Part]) -> bool:
        """Whether the schema may refuse a value because some of them were left out."""
        names = names_of(parts)
        least = max((_least(part) for part in parts), default=0)
        required = {name for part in parts for name, _ in part.required}
        if least > len(required):
            return True
        for part in parts:
            if {"const", "enum"} & part.keywords.keys() or not mentioned(part.keywords) <= names:
                return True
        applied = (one for inner in applied_by(parts) for one in self._context.applied(inner))
        return any(may_ask_for_others(dict(place.members()), names) for place in applied)


def may_ask_for_others(keywords: Keywords, names: Set[str]) -> bool:
    """Whether the verdict of keywords may depend on properties that are none of these."""
    required = {name for name, _ in strings(keywords.get("required"))}
    counts = any(word in keywords for word in _COUNTING)
    return counts or not mentioned(keywords) | required <= names


def _judging(parts: Sequence[Part]) -> Iterator[tuple[Part, str, Place]]:
    """The keywords that judge the properties which a schema knows nothing of."""
    for part in parts:
        judging = judging_others(part.keywords)
        if judging is not None:
            yield part, *judging


def _is_schema(place: Place) -> bool:
    """Whether it says more than yes or no."""
    return isinstance(place.value, dict) and bool(place.value)


def applied_by(parts: Sequence[Part]) -> Iterator[Place]:
    """The schemas that the parts apply to the same value, but for those that are parts, too."""
    for part in parts:
        for keyword in IN_PLACE:
            if keyword in part.keywords and keyword != "allOf":
                yield from schemas_of(part.keywords[keyword])


def names_of(parts: Sequence[Part]) -> Set[str]:
    """The properties that the class has fields for, or refuses."""
    required = {name for part in parts for name, _ in part.required}
    return declared_properties(parts).keys() | required


def _least(part: Part) -> int | float:
    place = part.keywords.get("minProperties")
    value = integral(place.value) if place is not None else 0
    return value if isinstance(value, int | float) else 0


def mentioned(keywords: Keywords) -> set[str]:
    """The properties on which others depend, and those that depend on others."""
    found: set[str] = set()
    for keyword in ("dependentRequired", "dependentSchemas", "dependencies"):
        place = keywords.get(keyword)
        for name, needed in place.members() if place is not None else ():
            found |= {name, *(other for other, _ in strings(needed))}
    return found
