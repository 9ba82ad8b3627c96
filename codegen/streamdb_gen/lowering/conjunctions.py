"""Conjunctions: a value that satisfies several schemas (`allOf`, and what stands beside `$ref`)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from streamdb_gen.ir import Type
from streamdb_gen.json_equality import are_equal
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.context import Context
from streamdb_gen.lowering.definitions import BROKEN
from streamdb_gen.lowering.joints import JOINING, MAX_PARTS, joined_parts
from streamdb_gen.lowering.keywords import (
    ASSERTIONS,
    SCHEMA,
    SCHEMAS,
    SCHEMAS_BY_NAME,
    TYPES,
    Keywords,
)
from streamdb_gen.lowering.needs import Needs
from streamdb_gen.lowering.objects import ObjectLowering
from streamdb_gen.lowering.parts import SHAPING, Part, shapes
from streamdb_gen.lowering.references import or_null
from streamdb_gen.lowering.resources import key_of
from streamdb_gen.lowering.undeclared import UndeclaredProperties

_OBJECT: Final = frozenset({"object"})
# Keywords that see one another, if they stand in one schema: by the first of them.
_TOGETHER: Final = {
    keyword: first
    for first, *others in (
        ("items", "prefixItems", "additionalItems"),
        ("properties", "patternProperties", "additionalProperties"),
        ("contains", "minContains", "maxContains"),
        ("if", "then", "else"),
    )
    for keyword in (first, *others)
}
_OF_PROPERTIES: Final = frozenset(
    {"additionalProperties", "patternProperties", "properties", "unevaluatedProperties"}
)
# These see what the parts of their own schema say of a value, and no other parts.
_SEEING_PARTS: Final = frozenset({"unevaluatedItems", "unevaluatedProperties"})


class ConjunctionLowering:
    """Compiles schemas all of which a value has to satisfy, to the one type that says most."""

    def __init__(self, context: Context, objects: ObjectLowering) -> None:
        self._context = context
        self._objects = objects
        self._needs = Needs(context, UndeclaredProperties(context))

    def lower(
        self, schema: Place, keywords: Keywords, types: frozenset[str], name: str
    ) -> Type | dict[str, Place]:
        """The type; or the keywords of all parts as those of one schema."""
        types &= self._context.references.types(schema)
        if not types:
            message = "no value satisfies all of these schemas"
            hint = "they ask for different types"
            where = keywords.get("allOf") or keywords["$ref"]
            self._context.report.add("ALLOF_CONFLICT", where, message, hint, at_key=True)
            return BROKEN
        is_object = types - {"null"} == _OBJECT
        alone = self._only_reference(schema, keywords, is_object=is_object)
        if alone is not None and key_of(schema) not in self._context.spelt:
            self._leave_all_but(alone, schema, keywords)
            type_, target = self._context.references.meaning(alone)
            if target is not None:
                self._context.beyond.refer(target.key)
            return type_
        known = {key_of(schema): keywords}
        joined = joined_parts([schema], self._context, known=known)
        parts = list(islice(joined, MAX_PARTS + 1))
        if len(parts) > MAX_PARTS:
            message = f"more than {MAX_PARTS} schemas are joined here"
            hint = "write the properties that are meant into one schema"
            where = keywords.get("allOf") or keywords["$ref"]
            self._context.report.add("ALLOF_TOO_MANY", where, message, hint, at_key=True)
            return BROKEN
        if is_object and any(shapes(part.keywords) for part in parts):
            lowered = self._objects.lower_joined(schema, parts, name)
            return or_null(lowered) if "null" in types else lowered
        return self._merged(parts)

    def _only_reference(
        self, schema: Place, keywords: Keywords, *, is_object: bool
    ) -> Place | None:
        """The one reference among the parts, if no other part says what the value is."""
        rest = {key: place for key, place in keywords.items() if key not in JOINING}
        members = [] if "allOf" not in keywords else list(keywords["allOf"].items())
        if "$ref" in keywords:
            members.append(schema)
        references = [one for one in members if one.get("$ref") is not None]
        others = [one for one in members if one.get("$ref") is None]
        says_more = shapes(rest) or any(self._says_what(one) for one in others)
        if len(references) != 1 or says_more:
            return None
        only = references[0]
        if only is not schema and not self._context.references.is_reference(only):
            return None
        target = self._context.references.resolve(only)
        beside = [Part(schema, rest), *joined_parts(others, self._context, refers=False)]
        return None if is_object and self._sees_more(beside, target) else target

    def _sees_more(self, beside: Sequence[Part], target: Place | None) -> bool:
        """Whether what stands beside a reference may need properties that the target drops."""
        return target is not None and self._needs.are_seen_by(beside, target)

    def _says_what(self, schema: Place) -> bool:
        """Whether a schema narrows the type of a value, or gives it a shape."""
        if not isinstance(schema.value, dict):
            return False
        narrow = self._context.references.types(schema) != TYPES
        return narrow or self._context.declares_properties(schema) or _has_shape(schema)

    def _leave_all_but(self, reference: Place, schema: Place, keywords: Keywords) -> None:
        self._context.leave(keywords, "$ref", "allOf")
        members = keywords["allOf"].items() if "allOf" in keywords else ()
        for member in members:
            if isinstance(member.value, dict):
                self._context.leave(self._context.keywords(member), "$ref")

    def _merged(self, parts: list[Part]) -> dict[str, Place]:
        """The keywords of all parts; of a keyword that differs, the first is kept.

        Keywords that are read together are those of one part; others are left to a validator, as
        are those of properties where several parts have such.
        """
        merged: dict[str, Place] = {}
        holders: dict[str, Part] = {}  # by keyword; for keywords that go together, by the first
        # A class of some properties would drop those that the other parts declare.
        are_many = sum(bool(_OF_PROPERTIES & part.keywords.keys()) for part in parts) > 1
        for part in parts:
            for keyword, place in part.keywords.items():
                if keyword in JOINING:
                    continue
                sees_parts = keyword in _SEEING_PARTS and len(parts) > 1
                if sees_parts or (are_many and keyword in _OF_PROPERTIES):
                    self._context.beyond.leave(keyword, part.keywords)
                    continue
                holder = holders.setdefault(_TOGETHER.get(keyword, keyword), part)
                if holder is part:
                    merged[keyword] = place
                elif keyword in ASSERTIONS and not self._says_the_same(keyword, part, holder):
                    self._context.beyond.leave(keyword, part.keywords)
        return merged

    def _says_the_same(self, keyword: str, part: Part, other: Part) -> bool:
        """Whether a keyword that stands alone is the same in two parts."""
        if keyword in _TOGETHER or keyword not in other.keywords:
            return False
        resources = self._context.resources
        in_one = resources.of(part.schema) is resources.of(other.schema)
        is_plain = keyword not in SCHEMA | SCHEMAS | SCHEMAS_BY_NAME
        value, known = part.keywords[keyword].value, other.keywords[keyword].value
        return (in_one or is_plain) and are_equal(value, known)


def _has_shape(schema: Place) -> bool:
    return any(schema.get(keyword) is not None for keyword in SHAPING)
