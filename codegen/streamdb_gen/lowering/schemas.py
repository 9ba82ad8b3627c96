"""Schemas to types: one schema at a time, definitions put aside under their names.

A type accepts at least what its schema accepts. What it cannot say (`not`, `uniqueItems`, ...) is
noted (:mod:`streamdb_gen.lowering.beyond`) and checked by a validator when rows are written.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from streamdb_gen.findings import shown
from streamdb_gen.ir import (
    ANYTHING,
    AliasType,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    Tag,
    Type,
)
from streamdb_gen.json_source import Place, parent_pointer
from streamdb_gen.lowering.assertions import asserts
from streamdb_gen.lowering.beyond import Beyond
from streamdb_gen.lowering.conjunctions import ConjunctionLowering
from streamdb_gen.lowering.containers import ContainerLowering
from streamdb_gen.lowering.context import Context
from streamdb_gen.lowering.definitions import BROKEN, Definitions
from streamdb_gen.lowering.keywords import (
    APPLICABLE,
    TYPES,
    UNIVERSAL,
    Keywords,
    constraining,
    declared_types,
    is_understood,
    report_no_schema,
)
from streamdb_gen.lowering.needs import Needs
from streamdb_gen.lowering.objects import ObjectLowering
from streamdb_gen.lowering.own_words import description
from streamdb_gen.lowering.parts import Part, judging_others
from streamdb_gen.lowering.references import References, Target, or_null
from streamdb_gen.lowering.resources import Key, Resources, key_of
from streamdb_gen.lowering.scalars import (
    as_literals,
    literal_values,
    number_type,
    string_type,
    types_of,
)
from streamdb_gen.lowering.spellings import Spellings
from streamdb_gen.lowering.target_names import target_name
from streamdb_gen.lowering.undeclared import UndeclaredProperties
from streamdb_gen.lowering.unions import UnionLowering
from streamdb_gen.naming import nested_class_name as nested
from streamdb_gen.reporting import Report

_CHOICES: Final = ("anyOf", "oneOf")
# In the order in which a union of several names in `type` lists them.
_TYPE_ORDER: Final = ("object", "array", "string", "integer", "number", "boolean")
# Keywords that the types of objects, arrays and so on honour, or note by themselves.
_TYPED: Final = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "items",
        "maxProperties",
        "minProperties",
        "patternProperties",
        "prefixItems",
        "properties",
        "required",
        "type",
        "unevaluatedProperties",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "multipleOf",
        "pattern",
    }
)


class SchemaLowering:
    """Compiles the schemas of one spec.

    Named targets are compiled one after another; references between them are settled by name, so a
    chain of references of any length costs no recursion.
    """

    def __init__(
        self,
        resources: Resources,
        targets: Iterable[Target],
        definitions: Definitions,
        beyond: Beyond,
        report: Report,
    ) -> None:
        self._targets: dict[Key, Target] = {target.key: target for target in targets}
        self._referred: deque[Target] = deque()
        self._resources = resources
        self._beyond = beyond
        self._report = report
        spelt = set[Key]()
        references = References(resources, self._target_of, spelt, report)
        self.context: Final = Context(
            resources, references, definitions, beyond, report, self.lower, spelt=spelt
        )
        self._containers = ContainerLowering(self.context)
        self._objects = ObjectLowering(self.context)
        self._unions = UnionLowering(self.context, self._objects)
        self._conjunctions = ConjunctionLowering(self.context, self._objects)

    def read_all(self, schemas: Iterable[Place]) -> None:
        """Report what is wrong with the keywords of schemas, compiled or not."""
        for schema in schemas:
            if isinstance(schema.value, dict):
                self.context.keywords(schema)

    def lower_target(self, target: Target) -> Type:
        """Compile a named schema; what is no class by itself becomes an alias of that name."""
        self._beyond.enter(target.key)
        lowered = self.lower(target.place, target.name)
        inner = lowered.inner if isinstance(lowered, Nullable) else lowered
        if BROKEN not in (lowered, inner) and inner != Named(target.name):
            # The name of a nullable definition stands for what it is besides null.
            is_reference = self.context.references.is_reference(target.place)
            meaning = lowered if is_reference else inner
            text, pointer = description(target.place), target.place.pointer
            self.context.add(AliasType(target.name, meaning, text, pointer), target.place)
        return lowered

    def lower_object(self, target: Target) -> Type:
        """Compile a row or an input: an object without properties is a class and not a map."""
        self._beyond.enter(target.key)
        lowered = self.lower(target.place, target.name, frozenset({"object"}))
        if lowered not in (MapOf(ANYTHING), ANYTHING) or target.place.get("$ref") is not None:
            return lowered
        text, pointer = description(target.place), target.place.pointer
        empty = ObjectType(target.name, (), closed=False, description=text, pointer=pointer)
        self.context.add(empty, target.place)
        return Named(target.name)

    def keep_whole(self, schemas: Iterable[Place]) -> None:
        """Look through all schemas for objects whose undeclared properties count."""
        needs = Needs(self.context, UndeclaredProperties(self.context))
        tags: dict[Key, Tag | None] = {}
        needs.keep_whole(schemas, lambda one: self._unions.exclude_each_other(one, tags))

    def keep_spellings(self, schemas: Iterable[Place]) -> None:
        """Look through all schemas for texts whose spelling counts."""
        spellings = Spellings(self.context, schemas, self._unions.exclude_each_other)
        self.context.spelt.update(spellings.find())

    def refer_to(self, schemas: Iterable[Place]) -> None:
        """Give schemas their names, in this order, as a reference does."""
        for schema in schemas:
            self._target_of(schema)

    def lower_referred(self, public: Iterable[Place]) -> None:
        """Compile what was referred to and is no target given at the beginning.

        ``public`` are those that the package holds whether a type needs them or not.
        """
        while self._referred:
            self.lower_target(self._referred.popleft())
        for schema in public:
            name = self._target_of(schema).name
            if self.context.definitions.get(name) is not None:
                self.context.definitions.keep(name)

    def lower(self, schema: Place, name: str, types: frozenset[str] = TYPES, /) -> Type:
        """The type of a schema; a class or alias that it needs is called ``name``.

        ``types`` are those that its values are known to be of.
        """
        if schema.value is True:
            return ANYTHING if types == TYPES else self._bare(schema, types, name)
        if schema.value is False:
            message = "`false` accepts no value at all"
            self._report.add("SCHEMA_FALSE", schema, message, "delete what can never be there")
            return BROKEN
        if not isinstance(schema.value, dict):
            report_no_schema(schema, self._report)
            return BROKEN
        keywords = self.context.keywords(schema)
        lowered = self._lower_keywords(schema, keywords, name, types)
        return lowered if is_understood(schema, self._read_all(schema, keywords)) else BROKEN

    def _read_all(self, schema: Place, keywords: Keywords) -> Keywords:
        """What was read of a schema, with the siblings of a `$ref` that have no meaning."""
        if self._resources.ignores_siblings(schema):
            return dict(schema.members())
        return keywords

    def _lower_keywords(
        self, schema: Place, keywords: Keywords, name: str, types: frozenset[str]
    ) -> Type:
        if constraining(keywords) == ["$ref"] and key_of(schema) not in self.context.spelt:
            return self._reference(schema)
        if "$ref" in keywords or "allOf" in keywords:
            joined = self._conjunctions.lower(schema, keywords, types, name)
            if not isinstance(joined, dict):
                return joined
            types &= self.context.references.types(schema)
            return self._lower_keywords(schema, joined, name, types)
        types &= declared_types(keywords.get("type"))
        if "const" in keywords or "enum" in keywords:
            return self._literal(schema, keywords, name, types)
        choice = next((keyword for keyword in _CHOICES if keyword in keywords), None)
        if choice is not None and self._is_choice(keywords, choice, types):
            return self._unions.lower(schema, choice, keywords, types, name)
        return self._typed(schema, keywords, name, types)

    def _reference(self, schema: Place) -> Type:
        target = self.context.references.resolve(schema)
        if target is None:
            return BROKEN
        type_, named = self.context.references.meaning(target)
        if named is not None:
            self._beyond.refer(named.key)
        return type_

    def _target_of(self, place: Place) -> Target:
        """The target at a place; one that is new is compiled later."""
        key = (place.file, place.pointer)
        if key not in self._targets:
            name = target_name(place, self._resources, self._targets, self._report)
            self._targets[key] = Target(place, name)
            self._referred.append(self._targets[key])
        return self._targets[key]

    def _is_choice(self, keywords: Keywords, choice: str, types: frozenset[str]) -> bool:
        """Whether a value is what its choices say, and not what stands beside them."""
        beside = {word for type_ in types for word in APPLICABLE[type_]} & keywords.keys()
        if types - {"null"} == frozenset({"object"}):
            choices = keywords[choice].items()
            declare = any(self.context.declares_properties(place) for place in choices)
            return declare and not beside - {"required"}
        return not beside or (types == TYPES and "type" not in keywords)

    def _typed(self, schema: Place, keywords: Keywords, name: str, types: frozenset[str]) -> Type:
        """A schema by its `type`."""
        if types == TYPES:
            return self._untyped(schema, keywords)
        self._check_applicable(keywords)
        applicable = UNIVERSAL.union(*(APPLICABLE[type_] for type_ in types))
        for keyword in constraining(keywords):
            if keyword not in _TYPED and keyword in applicable and asserts(keyword, keywords):
                self._beyond.leave(keyword, keywords)
        others = [
            t for t in _TYPE_ORDER if t in types and not (t == "integer" and "number" in types)
        ]
        if not others:
            return Scalar("null")
        if len(others) == 1:
            lowered = self._of_type(others[0], schema, keywords, name)
        else:
            own_names = {"object": nested(name, "Object"), "array": nested(name, "Array")}
            members = [
                self._of_type(type_, schema, keywords, own_names.get(type_, name))
                for type_ in others
            ]
            lowered = self._unions.of_members(schema, members, [None] * len(members), name)
        return or_null(lowered) if "null" in types else lowered

    def _untyped(self, schema: Place, keywords: Keywords) -> Type:
        words = constraining(keywords)
        for word in words:
            if asserts(word, keywords):
                self._beyond.leave(word, keywords)
        typical = [word for word in words if word not in UNIVERSAL]
        if typical and is_understood(schema, keywords):
            fitting = [t for t, known in APPLICABLE.items() if known.issuperset(typical)]
            guess = f'add "type": "{fitting[0]}"' if fitting else "add the `type`"
            message = f"{shown(typical[0])} without `type` accepts values of every other type"
            self._report.add("TYPE_MISSING", schema, message, guess, at_key=True)
        return ANYTHING

    def _check_applicable(self, keywords: Keywords) -> None:
        """Report what has no effect beside its own `type`, whatever else may be joined to it."""
        if "type" not in keywords:
            return
        types = declared_types(keywords["type"])
        fitting = UNIVERSAL.union(*(APPLICABLE[type_] for type_ in types))
        for keyword in constraining(keywords):
            if keyword not in fitting and _are_beside(keywords[keyword], keywords["type"]):
                listed = " or ".join(shown(type_) for type_ in sorted(types))
                message = f"{shown(keyword)} has no effect on values of type {listed}"
                hint = "delete it, or correct the type"
                place = keywords[keyword]
                self._report.add("KEYWORD_INAPPLICABLE", place, message, hint, at_key=True)

    def _of_type(self, type_: str, schema: Place, keywords: Keywords, name: str) -> Type:
        match type_:
            case "object" if _is_object(keywords):
                return self._objects.lower(schema, [Part(schema, keywords)], name)
            case "object":
                return self._containers.lower_map(schema, keywords, name)
            case "array":
                return self._containers.lower_array(schema, keywords, name)
            case "string":
                is_spelt = key_of(schema) in self.context.spelt
                return string_type(keywords, self._beyond, self._report, is_spelt=is_spelt)
            case "integer" | "number":
                return number_type(type_, keywords, self._beyond, self._report)
            case _:
                return Scalar("boolean")

    def _literal(self, schema: Place, keywords: Keywords, name: str, types: frozenset[str]) -> Type:
        values = literal_values(keywords, types, self._report)
        if not values:
            message = "none of the values can ever occur"
            self._report.add("SCHEMA_FALSE", schema, message, "correct them, or what stands beside")
            return BROKEN
        both = "const" in keywords and "enum" in keywords
        applicable = UNIVERSAL.union(*(APPLICABLE[t] for value in values for t in types_of(value)))
        for keyword in constraining(keywords):
            if keyword in applicable and keyword not in {"const", "enum", "type"}:
                self._beyond.leave(keyword, keywords)
        literals = as_literals(values)
        if literals is None or both:
            self._beyond.add("enum" if "enum" in keywords else "const")
        if literals is None:
            kinds = frozenset[str]().union(*map(types_of, values))
            return self._bare(schema, kinds, name)
        others = tuple(value for value in literals if value is not None)
        if not others:
            return Scalar("null")
        self.context.add(LiteralType(name, others, description(schema), schema.pointer), schema)
        return Nullable(Named(name)) if None in literals else Named(name)

    def _bare(self, schema: Place, types: frozenset[str], name: str) -> Type:
        """Any values of these types."""
        wide = {"integer"} if "number" in types else set[str]()
        kinds = [type_ for type_ in _TYPE_ORDER if type_ in types - wide]
        members = [self._of_type(type_, schema, {}, name) for type_ in kinds]
        lowered = self._unions.of_members(schema, members, [None] * len(members), name)
        return or_null(lowered) if "null" in types else lowered


def _are_beside(one: Place, other: Place) -> bool:
    """Whether two keywords stand in the same schema."""
    return (one.file, parent_pointer(one)) == (other.file, parent_pointer(other))


def _is_object(keywords: Keywords) -> bool:
    """Whether an object has fields of its own, or says that it has none; else it is a map."""
    if "properties" in keywords:
        return True
    judging = judging_others(keywords)
    is_closed = judging is not None and judging[1].value is False
    return is_closed and "patternProperties" not in keywords
