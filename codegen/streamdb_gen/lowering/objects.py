"""Objects: one class of the properties of a schema, and of those that `allOf` adds to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from streamdb_gen.canonical import canonical_value
from streamdb_gen.findings import shown
from streamdb_gen.ir import ANYTHING, Field, Named, ObjectType, Tag, Type
from streamdb_gen.json_equality import integral
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.context import Context
from streamdb_gen.lowering.definitions import BROKEN, Claim, Names
from streamdb_gen.lowering.joints import DEEPEST_JOINT, MAX_JOINTS, MAX_PARTS, joined_parts
from streamdb_gen.lowering.keywords import Keywords, constraining, declared_types
from streamdb_gen.lowering.needs import Needs
from streamdb_gen.lowering.own_words import check_has_words, description, report_bad_name
from streamdb_gen.lowering.parts import Part, declared_properties
from streamdb_gen.lowering.references import or_null
from streamdb_gen.lowering.resources import Key, key_of
from streamdb_gen.lowering.scalars import literal_places, types_of
from streamdb_gen.lowering.undeclared import UndeclaredProperties
from streamdb_gen.lowering.wire_text import check_field_name
from streamdb_gen.naming import field_name, is_field_name
from streamdb_gen.naming import nested_class_name as nested

# What an object's class is made of; the rest is left to a validator.
_MERGED: Final = frozenset(
    {
        "$ref",
        "additionalProperties",
        "allOf",
        "maxProperties",
        "minProperties",
        "patternProperties",
        "properties",
        "required",
        "type",
        "unevaluatedProperties",
    }
)


class ObjectLowering:
    """Compiles objects that have properties of their own, or say that they have none."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._others = UndeclaredProperties(context)
        self._needs = Needs(context, self._others)
        self._joints: dict[frozenset[Key], str] = {}  # that are being compiled, by their parts
        self._joint_count = 0

    def lower(self, schema: Place, parts: Sequence[Part], name: str) -> Type:
        """One class that has the properties of all parts."""
        extras = self._others.type_of(schema, parts, name)
        declared = declared_properties(parts)
        required = {wire_name for part in parts for wire_name, _ in part.required}
        tag = None if extras is not None else self._tag(parts, declared, required)
        undeclared = self._undeclared(parts, declared)
        self._claim_names(declared, undeclared)
        fields: list[Field] = []
        for wire_name, places in declared.items():
            if tag is None or wire_name != tag.wire_name:
                fields += self._field(schema, wire_name, places, wire_name in required, name)
        for place in undeclared:
            wire_name = str(place.value)
            fields.append(
                Field(wire_name, field_name(wire_name), ANYTHING, True, pointer=place.pointer)
            )
        for part in parts:
            self._leave_sizes(part.keywords)
        definition = ObjectType(
            name,
            tuple(fields),
            closed=self._others.are_refused(schema, parts),
            description=description(schema),
            tag=tag,
            extras=extras,
            pointer=schema.pointer,
        )
        self._context.add(definition, schema)
        return Named(name)

    def lower_joined(self, schema: Place, parts: Sequence[Part], name: str) -> Type:
        """The same for parts with keywords of any kind; what no class honours is left."""
        for part in parts:
            self._context.leave(part.keywords, *_MERGED)
        return self.lower(schema, parts, name)

    def tag_of(self, schema: Place) -> Tag | None:
        """The tag of the class that a schema or reference will be compiled to, if it has one."""
        seen: set[tuple[str, str]] = set()
        place: Place | None = schema
        while place is not None and self._context.references.is_reference(place):
            if (place.file, place.pointer) in seen:
                return None
            seen.add((place.file, place.pointer))
            place = self._context.references.resolve(place)
        if place is None or not isinstance(place.value, dict):
            return None
        keywords = self._context.keywords(place)
        if (
            declared_types(place.get("type")) != frozenset({"object"})
            or "properties" not in keywords
        ):
            return None
        parts = [Part(place, keywords)]
        plain = not {"$ref", "allOf", "const", "enum"} & keywords.keys()
        if not plain or self._others.are_kept(place, parts):
            return None
        required = {name for name, _ in parts[0].required}
        return self._tag(parts, declared_properties(parts), required)

    def _field(
        self,
        owner: Place,
        wire_name: str,
        places: list[Place],
        required: bool,
        parent: str,
    ) -> Iterator[Field]:
        context, place = self._context, places[0]
        if any(one.value is False for one in places):
            context.beyond.add("properties")  # it may not be there: no field
            return
        check_field_name(wire_name, place, context.report)
        python_name = self._python_name(wire_name, place)
        # A name that the user gave the field also names the types inside it.
        chosen = place.get("x-streamdb-name")
        inner_name = nested(parent, python_name if chosen is not None else wire_name)
        context.property_names[(place.file, place.pointer)] = python_name
        default = next((one for p in places if (one := p.get("default")) is not None), None)
        yield Field(
            wire_name=wire_name,
            name=python_name,
            type=self._property_type(owner, places, inner_name),
            required=required,
            description=next(filter(None, map(description, places)), None),
            default=canonical_value(default.value) if default is not None else None,
            pointer=place.pointer,
        )

    def _property_type(self, owner: Place, places: list[Place], name: str) -> Type:
        """The type by the schema that says most, where several parts declare the property."""
        others = [place for place in places if place.value is not True] or places[:1]
        different = [one for one in others if not self._context.are_alike(one, others[0])]
        if not different:
            return self._context.lower_inside(owner, others[0], name)
        types = [self._context.references.types(place) for place in others]
        common = types[0].intersection(*types)
        if not common:
            message = "no value satisfies all of the schemas that are given for this property"
            hint = "the others stand in `allOf` or are referred to"
            self._context.report.add("ALLOF_CONFLICT", different[-1], message, hint, at_key=True)
            return BROKEN
        self._context.beyond.add("allOf")
        best = others[min(range(len(others)), key=lambda index: len(types[index]))]
        rest = [place for place in others if not self._context.are_alike(place, best)]
        beside = list(joined_parts(rest, self._context, refers=False))
        if not self._needs.are_seen_by(beside, best):
            return self._context.lower_inside(owner, best, name, common)
        if common - {"null"} != frozenset({"object"}):
            return ANYTHING
        lowered = self._joint(owner, others, name)
        return or_null(lowered) if "null" in common else lowered

    def _joint(self, owner: Place, places: list[Place], name: str) -> Type:
        """One class of all schemas that are given for a property."""
        key = frozenset(map(key_of, places))
        if key in self._joints:
            return Named(self._joints[key])  # it contains itself
        if len(self._joints) >= DEEPEST_JOINT or self._joint_count >= MAX_JOINTS:
            return ANYTHING
        parts = list(islice(joined_parts(places, self._context), MAX_PARTS + 1))
        if len(parts) > MAX_PARTS:
            return ANYTHING
        self._joints[key] = name
        self._joint_count += 1
        lowered = self.lower_joined(_own(owner, places), parts, name)
        del self._joints[key]
        return lowered

    def _claim_names(self, declared: dict[str, list[Place]], undeclared: list[Place]) -> None:
        """Report properties that are called alike in Python."""
        names = {
            wire_name: (self._python_name(wire_name, places[0]), places[0])
            for wire_name, places in declared.items()
            if all(place.value is not False for place in places)
        }
        for wire_name, (name, place) in names.items():
            check_has_words(wire_name, place, name, self._context.report)
        for place in undeclared:
            names[str(place.value)] = field_name(str(place.value)), place
        Names(self._context.report).claim_all(
            Claim(name, wire_name, place, f"the property {shown(wire_name)}")
            for wire_name, (name, place) in names.items()
        )

    def _undeclared(self, parts: Sequence[Part], declared: dict[str, list[Place]]) -> list[Place]:
        """Required properties of which nothing else is said, by their places in `required`."""
        found: dict[str, Place] = {}
        for part in parts:
            for wire_name, place in part.required:
                if wire_name not in declared and wire_name not in found:
                    found[wire_name] = place
                    message = f"{shown(wire_name)} is required but not among `properties`"
                    hint = "declare it, or delete it here"
                    self._context.report.add("REQUIRED_UNDECLARED", place, message, hint)
                    check_field_name(wire_name, place, self._context.report)
        return list(found.values())

    def _tag(
        self, parts: Sequence[Part], declared: dict[str, list[Place]], required: set[str]
    ) -> Tag | None:
        """The first required property, in the order of the file, that has one value.

        Both are ASCII: msgspec 0.22 does not find others before somebody asked for their UTF-8.
        """
        for wire_name, places in declared.items():
            if wire_name not in required or len(places) > 1 or not wire_name.isascii():
                continue
            value = _only_value(places[0])
            if value is not None:
                name = self._python_name(wire_name, places[0], report=False)
                return Tag(wire_name, name, value, description(places[0]))
        return None

    def _python_name(self, wire_name: str, schema: Place, *, report: bool = True) -> str:
        """The property's name: chosen by the user, or made from the wire name."""
        chosen = schema.get("x-streamdb-name")
        if chosen is None or not isinstance(chosen.value, str):
            return field_name(wire_name)
        if is_field_name(chosen.value):
            return chosen.value
        if report:
            report_bad_name(chosen, field_name(chosen.value), self._context.report)
        return field_name(wire_name)

    def _leave_sizes(self, keywords: Keywords) -> None:
        for keyword in ("minProperties", "maxProperties"):
            if keyword in keywords:
                self._context.beyond.add(keyword)


def _own(owner: Place, places: Sequence[Place]) -> Place:
    """The first of the schemas that stands in another one, else the first of all."""
    prefix = f"{owner.pointer}/"
    inside = (p for p in places if p.file == owner.file and p.pointer.startswith(prefix))
    return next(inside, places[0])


def _only_value(schema: Place) -> str | int | None:
    """The one value of a `const`, or of an `enum` with one, that can be a tag."""
    if not isinstance(schema.value, dict):
        return None
    words = set(constraining(dict(schema.members()))) - {"type"}
    if words not in ({"const"}, {"enum"}):
        return None
    values = [integral(place.value) for place in literal_places(dict(schema.members()))]
    value = values[0] if len(values) == 1 else None
    if not types_of(value) & declared_types(schema.get("type")):
        return None  # nothing is allowed
    if isinstance(value, str):
        return value if value.isascii() else None
    is_tag = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return value if is_tag and isinstance(value, int) else None
