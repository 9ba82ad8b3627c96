"""The schema that datamodel-code-generator sees: the IR without a word of the spec.

Definitions are called ``Type0``, their properties ``field0``, texts ``text0``. Types that would
make the tool invent a name, because they stand inside another type and have bounds, are definitions
of their own, ``Part0``; they are put back where they belong when the output is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from streamdb_gen.formats import ALIASES
from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    Constraints,
    LiteralType,
    LiteralValue,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    ScalarKind,
    TupleOf,
    Type,
    TypeDefinition,
    UnionType,
)

Schema = dict[str, Any]

#: The module that generated rows build on, and from which special types are taken.
RUNTIME: Final = "streamdb.pydantic_rows"
#: The module with a type for text of each format.
FORMATS: Final = "streamdb.formats"

_SCALARS: Final[Mapping[ScalarKind, Schema]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "null": {"type": "null"},
    "any": {},
    "date-time": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "uuid": {"type": "string", "format": "uuid"},
    # What pydantic would read otherwise than JSON Schema has a type of ours.
    "time": {"type": "string", "customTypePath": f"{RUNTIME}.AwareTime"},
    "decimal": {"type": "string", "customTypePath": f"{RUNTIME}.DecimalText"},
    "bytes": {"type": "string", "customTypePath": f"{RUNTIME}.Base64Bytes"},
}
_NUMBERS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A schema made of placeholders, and what they stand for."""

    document: Schema
    names: Mapping[str, str]
    """The Python names of definitions, by placeholder."""
    parts: frozenset[str]
    """Placeholders of types that stand inside others."""
    texts: Mapping[str, str]
    """By placeholder."""

    def properties(self, placeholder: str) -> Set[str]:
        """The placeholders of an object's properties."""
        properties: Schema = self.document["$defs"][placeholder]["properties"]
        return properties.keys()


def blueprint(types: Iterable[TypeDefinition]) -> Blueprint:
    """Draw the blueprint of some definitions.

    >>> alias = AliasType("Names", ArrayOf(Scalar("string", Constraints(pattern="^a"))))
    >>> drawn = blueprint([alias])
    >>> drawn.document["$defs"]["Type0"]
    {'type': 'array', 'items': {'$ref': '#/$defs/Part0'}}
    >>> drawn.document["$defs"]["Part0"], drawn.texts
    ({'type': 'string', 'pattern': 'text0'}, {'text0': '^a'})
    """
    return _Drafting(tuple(types)).finished()


def field_placeholder(number: int) -> str:
    """The placeholder of an object's field."""
    return f"field{number}"


#: The placeholder of a property that has the type of an object's extras.
EXTRAS: Final = "extras"


class _Drafting:
    def __init__(self, types: tuple[TypeDefinition, ...]) -> None:
        self._types: Final = types
        self._placeholders: Final = {t.name: f"Type{number}" for number, t in enumerate(types)}
        self._tags: Final = {t.name: t.tag for t in types if isinstance(t, ObjectType)}
        self._parts: Final[dict[str, Schema]] = {}
        self._texts: Final[dict[str, str]] = {}

    def finished(self) -> Blueprint:
        definitions = {self._placeholders[t.name]: self._definition(t) for t in self._types}
        return Blueprint(
            document={
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$defs": definitions | self._parts,
            },
            names={placeholder: name for name, placeholder in self._placeholders.items()},
            parts=frozenset(self._parts),
            texts={placeholder: text for text, placeholder in self._texts.items()},
        )

    def _definition(self, definition: TypeDefinition) -> Schema:
        match definition:
            case ObjectType():
                return self._object(definition)
            case LiteralType(values=values):
                return {"enum": [self._value(value) for value in values]}
            case UnionType():
                return self._union(definition)
            case ChoiceType(members=members):
                return {"anyOf": [self._type(member) for member in members]}
            case AliasType(type=type_):
                return self._type(type_)

    def _object(self, definition: ObjectType) -> Schema:
        properties: Schema = {}
        if tag := definition.tag:
            properties[self._text(tag.name)] = {"const": self._value(tag.value)}
        for number, field in enumerate(definition.fields):
            properties[field_placeholder(number)] = self._type(field.type)
        if definition.extras is not None:
            properties[EXTRAS] = self._type(definition.extras)
        # Whether a field may be absent is no matter of its type: see `rows`.
        schema: Schema = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
        }
        return schema | {"additionalProperties": False} if definition.closed else schema

    def _union(self, definition: UnionType) -> Schema:
        members = [self._type(member) for member in definition.members]
        tags = [tag for m in definition.members if (tag := self._tags[m.name])]
        names = {tag.name for tag in tags}
        # A discriminator of pydantic has one Python name, and takes `true` for 1.
        if len(names) > 1 or len(members) == 1 or not all(isinstance(t.value, str) for t in tags):
            return {"anyOf": members}
        return {"oneOf": members, "discriminator": {"propertyName": self._text(*names)}}

    def _type(self, type_: Type) -> Schema:
        match type_:
            case Scalar(kind, constraints, format):
                schema = _format(format) if format else _SCALARS[kind]
                return self._bounded(schema, "Length", constraints)
            case Named(name):
                return _reference(self._placeholders[name])
            case ArrayOf(item, constraints):
                items = {"type": "array", "items": self._type(item)}
                return self._bounded(items, "Items", constraints)
            case TupleOf(items):
                return self._tuple(items)
            case MapOf(value, constraints):
                values = {"type": "object", "additionalProperties": self._type(value)}
                return self._bounded(values, "Properties", constraints)
            case Nullable(inner):
                return {"anyOf": [self._type(inner), {"type": "null"}]}

    def _tuple(self, items: tuple[Type, ...]) -> Schema:
        return self._part(
            {
                "type": "array",
                "prefixItems": [self._type(item) for item in items],
                "items": False,
                "minItems": len(items),
                "maxItems": len(items),
            }
        )

    def _bounded(self, schema: Schema, unit: str, constraints: Constraints | None) -> Schema:
        if constraints is None:
            return schema
        keywords = {**_NUMBERS, "min_length": f"min{unit}", "max_length": f"max{unit}"}
        bounds: Schema = {
            keyword: bound
            for name, keyword in keywords.items()
            if (bound := getattr(constraints, name)) is not None
        }
        if constraints.pattern is not None:
            bounds["pattern"] = self._text(constraints.pattern)
        return self._part(schema | bounds) if bounds else schema

    def _part(self, schema: Schema) -> Schema:
        placeholder = f"Part{len(self._parts)}"
        self._parts[placeholder] = schema
        return _reference(placeholder)

    def _value(self, value: LiteralValue) -> LiteralValue:
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        return self._texts.setdefault(text, f"text{len(self._texts)}")


def _format(name: str) -> Schema:
    return {"type": "string", "customTypePath": f"{FORMATS}.{ALIASES[name]}"}


def _reference(placeholder: str) -> Schema:
    return {"$ref": f"#/$defs/{placeholder}"}
