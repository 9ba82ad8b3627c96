"""Schemas to types: one schema at a time, definitions put aside under their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from streamdb_gen.canonical import canonical_value
from streamdb_gen.findings import shown
from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    Field,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    Tag,
    Type,
    TypeDefinition,
    UnionType,
)
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.definitions import BROKEN, Definitions, Names
from streamdb_gen.lowering.keywords import (
    ANNOTATIONS,
    APPLICABLE,
    Keywords,
    is_understood,
    read_keywords,
    refuse_beside,
    refuse_inapplicable,
    strings,
)
from streamdb_gen.lowering.own_words import chosen_class_name, description, report_bad_name
from streamdb_gen.lowering.references import (
    References,
    Target,
    is_null,
    local_pointer,
    or_null,
    without_null,
)
from streamdb_gen.lowering.scalars import (
    constraints_or_none,
    literal_places,
    literal_values,
    number_type,
    sizes,
    string_type,
)
from streamdb_gen.lowering.unions import find_discriminator
from streamdb_gen.lowering.wire_text import check_wire_text
from streamdb_gen.meta_schema import kind_of
from streamdb_gen.naming import field_name, is_field_name
from streamdb_gen.naming import nested_class_name as nested
from streamdb_gen.reporting import Report

_ANYTHING: Final = Scalar("any")


class SchemaLowering:
    """Compiles the schemas of one spec.

    Named targets are compiled one after another by :meth:`lower_target`; references between them
    are settled by name, so a chain of references of any length costs no recursion.
    """

    def __init__(
        self, targets: Mapping[str, Target], definitions: Definitions, report: Report
    ) -> None:
        self.references = References(targets, report)
        self._definitions = definitions
        self._report = report
        self.references.report_circles()
        self._property_names: dict[str, str] = {}  # by pointer

    def lower_target(self, target: Target) -> Type:
        """Compile a definition; what is no class by itself becomes an alias of that name."""
        schema = target.place
        lowered = self.lower(schema, target.name)
        inner = lowered.inner if isinstance(lowered, Nullable) else lowered
        if BROKEN not in (lowered, inner) and inner != Named(target.name):
            # The name of a nullable definition stands for what it is besides null.
            besides_null, _ = without_null(schema)
            is_reference = besides_null is not None and besides_null.get("$ref") is not None
            meaning = lowered if is_reference else inner
            alias = AliasType(target.name, meaning, description(schema), schema.pointer)
            self._add(alias, schema)
        return lowered

    def lower_object(self, target: Target) -> Type:
        """Compile a row or an input: an object without properties is a class and not a map."""
        lowered = self.lower(target.place, target.name)
        if lowered != MapOf(_ANYTHING) or target.place.get("$ref") is not None:
            return lowered
        text, pointer = description(target.place), target.place.pointer
        empty = ObjectType(target.name, (), closed=False, description=text, pointer=pointer)
        self._add(empty, target.place)
        return Named(target.name)

    def lower(self, schema: Place, name: str) -> Type:
        """The type of a schema; a class or alias that it needs is called ``name``."""
        if schema.value is True:
            return _ANYTHING
        if schema.value is False:
            message = "`false` accepts no value at all"
            self._report.add("SCHEMA_FALSE", schema, message, "delete what can never be there")
            return BROKEN
        keywords = self._keywords(schema)
        if keywords is None:
            return BROKEN
        lowered = self._lower_keywords(schema, keywords, name)
        return lowered if is_understood(schema, keywords) else BROKEN

    def _lower_keywords(self, schema: Place, keywords: Keywords, name: str) -> Type:
        if "$ref" in keywords:
            hint = "put the constraint into the definition, or describe it in `description`"
            refuse_beside("$ref", keywords, frozenset(), self._report, hint)
            return self.references.resolve(keywords["$ref"])
        for keyword in ("anyOf", "oneOf"):
            if keyword in keywords:
                return self._choice(schema, keyword, keywords, name)
        if "const" in keywords or "enum" in keywords:
            return self._literal(schema, keywords, name)
        return self._typed(schema, keywords, name)

    def _keywords(self, schema: Place) -> Keywords | None:
        if not isinstance(schema.value, dict):
            if not isinstance(schema.value, bool):
                message = f"expected a schema (an object, or true), found {kind_of(schema)}"
                self._report.add("SPEC_TYPE", schema, message)
            return None
        return read_keywords(schema, self._report)

    def _typed(self, schema: Place, keywords: Keywords, name: str) -> Type:
        """A schema by its `type`."""
        types = [type_ for type_, _ in strings(keywords.get("type"))]
        others = [type_ for type_ in dict.fromkeys(types) if type_ != "null"]
        if not types:
            return self._untyped(schema, keywords)
        if not others:
            refuse_inapplicable("null", keywords, self._report)
            return Scalar("null")
        if len(others) > 1:
            listed = " or ".join(map(shown, others))
            message = f"a value that may be {listed} cannot be compiled"
            hint = 'one type, and "null" beside it if the value may be null'
            self._report.add("UNION_UNSUPPORTED", keywords["type"], message, hint)
            return BROKEN
        refuse_inapplicable(others[0], keywords, self._report)
        lowered = self._of_type(others[0], schema, keywords, name)
        return or_null(lowered) if "null" in types else lowered

    def _untyped(self, schema: Place, keywords: Keywords) -> Type:
        if not is_understood(schema, keywords):
            return BROKEN
        constraining = [keyword for keyword in keywords if keyword not in ANNOTATIONS]
        if not constraining:
            return _ANYTHING
        fitting = [t for t, known in APPLICABLE.items() if known.issuperset(constraining)]
        guess = f'add "type": "{fitting[0]}"' if fitting else "add the `type`"
        message = f"{shown(constraining[0])} without `type` accepts values of every other type"
        self._report.add("TYPE_MISSING", schema, message, guess, at_key=True)
        return BROKEN

    def _of_type(self, type_: str, schema: Place, keywords: Keywords, name: str) -> Type:
        match type_:
            case "object" if _is_object(keywords):
                return self._object(schema, keywords, name)
            case "object":
                return self._map(schema, keywords, name)
            case "array":
                return self._array(keywords, name)
            case "string":
                return string_type(keywords, self._report)
            case "integer" | "number":
                return number_type(type_, keywords, self._report)
            case _:
                return Scalar("boolean")

    def _object(self, schema: Place, keywords: Keywords, name: str) -> Type:
        required = self._required(schema, keywords)
        names = Names(self._report)
        fields: list[Field] = []
        properties = keywords.get("properties")
        for wire_name, place in properties.members() if properties else ():
            check_wire_text(wire_name, place, self._report, at_key=True)
            python_name = self._field_name(wire_name, place)
            names.claim(python_name, place, f"the property {shown(wire_name)}", f"{python_name}_2")
            fields.append(self._field(wire_name, python_name, place, wire_name in required, name))
        for keyword in ("minProperties", "maxProperties"):
            if keyword in keywords:
                message = f"{shown(keyword)} of an object with properties cannot be compiled"
                hint = "use `required`"
                place = keywords[keyword]
                self._report.add("KEYWORD_COMBINATION", place, message, hint, at_key=True)
        closed = self._is_closed(keywords)
        definition = ObjectType(
            name, tuple(fields), closed, description(schema), pointer=schema.pointer
        )
        self._add(definition, schema)
        return Named(name)

    def _field(
        self, wire_name: str, python_name: str, place: Place, required: bool, parent: str
    ) -> Field:
        # A name that the user gave the field also names the types inside it.
        chosen = place.get("x-streamdb-name")
        inner_name = nested(parent, python_name if chosen is not None else wire_name)
        self._property_names[place.pointer] = python_name
        type_ = self.lower(place, inner_name)
        default = place.get("default")
        return Field(
            wire_name=wire_name,
            name=python_name,
            type=type_,
            required=required,
            description=description(place),
            default=canonical_value(default.value) if default is not None else None,
            pointer=place.pointer,
        )

    def _required(self, schema: Place, keywords: Keywords) -> frozenset[str]:
        properties = keywords.get("properties")
        declared = {key for key, _ in properties.members()} if properties else set[str]()
        seen: set[str] = set()
        for name, place in strings(keywords.get("required")):
            if name not in declared and is_understood(schema, keywords):
                message = f"{shown(name)} is required but not among `properties`"
                hint = "declare it, or delete it here"
                self._report.add("REQUIRED_UNDECLARED", place, message, hint)
            elif name in seen:
                message = f"{shown(name)} is listed twice"
                self._report.add("REQUIRED_DUPLICATE", place, message, "delete one of them")
            seen.add(name)
        return frozenset(seen)

    def _is_closed(self, keywords: Keywords) -> bool:
        additional = keywords.get("additionalProperties")
        if additional is None or additional.value in (True, {}):
            return False
        if additional.value is False:
            return True
        message = "declared properties together with a schema for all others cannot be compiled"
        hint = "put the others into a property of their own that is a map"
        self._report.add("KEYWORD_COMBINATION", additional, message, hint, at_key=True)
        return False

    def _map(self, schema: Place, keywords: Keywords, name: str) -> Type:
        if "required" in keywords:
            self._required(schema, keywords)
        additional = keywords.get("additionalProperties")
        value = self._element(additional, nested(name, "Value"))
        low, high = sizes("Properties", keywords, self._report)
        bounds = constraints_or_none(min_length=low, max_length=high)
        return BROKEN if value == BROKEN else MapOf(value, bounds)

    def _array(self, keywords: Keywords, name: str) -> Type:
        item = self._element(keywords.get("items"), nested(name, "Item"))
        low, high = sizes("Items", keywords, self._report)
        bounds = constraints_or_none(min_length=low, max_length=high)
        return BROKEN if item == BROKEN else ArrayOf(item, bounds)

    def _element(self, schema: Place | None, name: str) -> Type:
        """The items of an array or the values of a map."""
        if schema is None:
            return _ANYTHING
        return self.lower(schema, self._own_name(schema, name))

    def _literal(self, schema: Place, keywords: Keywords, name: str) -> Type:
        main = "const" if "const" in keywords else "enum"
        hint = "list exactly the values that are meant, nothing else is needed"
        refuse_beside(main, keywords, frozenset({"type"}), self._report, hint)
        types = frozenset(type_ for type_, _ in strings(keywords.get("type"))) or None
        values = literal_values(keywords, types, self._report)
        if not values:
            return BROKEN
        others = tuple(value for value in values if value is not None)
        if not others:
            return Scalar("null")
        self._add(LiteralType(name, others, description(schema), schema.pointer), schema)
        return Nullable(Named(name)) if None in values else Named(name)

    def _choice(self, schema: Place, keyword: str, keywords: Keywords, name: str) -> Type:
        hint = "put it into each of the choices"
        refuse_beside(keyword, keywords, frozenset(), self._report, hint)
        choices = list(keywords[keyword].items())
        rest = [choice for choice in choices if not is_null(choice)]
        if not rest:
            return Scalar("null")
        if len(rest) == 1:
            lowered = self.lower(rest[0], self._own_name(rest[0], name))
        else:
            lowered = self._union(schema, keywords[keyword], rest, name, description(schema))
        return or_null(lowered) if len(rest) < len(choices) else lowered

    def _union(
        self, schema: Place, choices: Place, rest: Sequence[Place], name: str, text: str | None
    ) -> Type:
        members = [self._member_schema(choice) for choice in rest]
        whole = [member for member in members if member is not None]
        found = "not all of them are objects with properties"
        discriminator = found if len(whole) < len(members) else find_discriminator(whole)
        if isinstance(discriminator, str):
            message = f"these choices cannot be told apart: {discriminator}"
            hint = "objects with a required property that is a different `const` in each"
            self._report.add("UNION_UNSUPPORTED", choices, message, hint, at_key=True)
            for index, choice in enumerate(rest):  # their own faults are told all the same
                self.lower(choice, self._own_name(choice, nested(name, f"Choice{index + 1}")))
            return BROKEN
        tag_name = discriminator.wire_name
        named: list[Named] = []
        for choice, member, value in zip(rest, whole, discriminator.values, strict=True):
            lowered = self.lower(choice, self._own_name(choice, nested(name, str(value))))
            if not isinstance(lowered, Named) or lowered == BROKEN:
                return BROKEN
            tag = self._tag(member, tag_name, value)
            self._definitions.use_as_member(lowered.name, tag, choices)
            named.append(lowered)
        union = UnionType(name, tuple(named), tag_name, text, schema.pointer)
        self._add(union, schema)
        return Named(name)

    def _add(self, definition: TypeDefinition, schema: Place) -> None:
        """Put a definition aside; `x-streamdb-name` of a property names the field."""
        field = self._property_names.get(schema.pointer)
        other = f"{definition.name}2" if field is None else f"{field}_2"
        self._definitions.add(definition, schema, other)

    def _member_schema(self, choice: Place) -> Place | None:
        """The object schema that a choice is or refers to."""
        reference = choice.get("$ref")
        if reference is not None:
            target = self.references.final_target(local_pointer(reference.value) or "")
            choice = target.place if target is not None else choice
        types = [type_ for type_, _ in strings(choice.get("type"))]
        return choice if types == ["object"] and choice.get("properties") is not None else None

    def _tag(self, member: Place, wire_name: str, value: str | int) -> Tag:
        properties = member.get("properties")
        place = properties.get(wire_name) if properties is not None else None
        assert place is not None  # noqa: S101 - the discriminator was found there
        if isinstance(value, str):
            constant = next(literal_places(dict(place.members())))
            check_wire_text(value, constant, self._report)
        name = self._field_name(wire_name, place, report=False)
        return Tag(wire_name, name, value, description(place))

    def _field_name(self, wire_name: str, schema: Place, *, report: bool = True) -> str:
        """The property's name: chosen by the user, or made from the wire name."""
        chosen = schema.get("x-streamdb-name")
        if chosen is None or not isinstance(chosen.value, str):
            return field_name(wire_name)
        if is_field_name(chosen.value):
            return chosen.value
        if report:
            report_bad_name(chosen, field_name(chosen.value), self._report)
        return field_name(wire_name)

    def _own_name(self, schema: Place, name: str) -> str:
        return chosen_class_name(schema, name, self._report)


def _is_object(keywords: Keywords) -> bool:
    """Whether an object has fields of its own, or says that it has none; else it is a map."""
    additional = keywords.get("additionalProperties")
    return "properties" in keywords or (additional is not None and additional.value is False)
