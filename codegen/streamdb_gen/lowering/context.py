"""What the parts of the lowering of schemas share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from streamdb_gen.ir import Type, TypeDefinition
from streamdb_gen.json_equality import are_equal
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.applicators import applied_in_place
from streamdb_gen.lowering.beyond import Beyond
from streamdb_gen.lowering.definitions import Definitions
from streamdb_gen.lowering.keywords import ASSERTIONS, TYPES, Keywords, read_keywords
from streamdb_gen.lowering.references import References
from streamdb_gen.lowering.resources import Key, Resources, key_of
from streamdb_gen.reporting import Report

# Keywords by which a schema becomes more than a scalar.
_NAMING: Final = frozenset(
    {
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "enum",
        "items",
        "oneOf",
        "patternProperties",
        "prefixItems",
        "properties",
        "unevaluatedProperties",
    }
)


class Lower(Protocol):
    """Compiles one schema; ``types`` are those that its values are known to be of."""

    def __call__(self, schema: Place, name: str, types: frozenset[str] = TYPES, /) -> Type:
        """Return its type; a class or alias that it needs is called ``name``."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The tables of one spec, and the way back to :class:`SchemaLowering`."""

    resources: Resources
    references: References
    definitions: Definitions
    beyond: Beyond
    report: Report
    lower: Lower
    owners: dict[str, Key] = field(default_factory=dict[str, Key])  # by name of a definition
    property_names: dict[Key, str] = field(default_factory=dict[Key, str])
    whole: set[Key] = field(default_factory=set[Key])  # objects whose undeclared properties count
    spelt: set[Key] = field(default_factory=set[Key])  # texts whose spelling counts
    _keywords: dict[Key, Keywords] = field(default_factory=dict[Key, Keywords])

    def keywords(self, schema: Place) -> Keywords:
        """The keywords of an object schema, read and reported once."""
        key = key_of(schema)
        if key not in self._keywords:
            dialect = self.resources.of(schema).dialect
            self._keywords[key] = read_keywords(schema, dialect, self.report)
        return self._keywords[key]

    def applied(self, schema: Place) -> Iterator[Place]:
        """A schema and all that it applies to the same value, by reference or in place."""
        seen = {key_of(schema)}
        pending = [schema]
        while pending:
            place = pending.pop()
            yield place
            if not isinstance(place.value, dict):
                continue
            target = self.references.resolve(place)
            for inner in [*applied_in_place(place), *([target] if target is not None else [])]:
                if key_of(inner) not in seen:
                    seen.add(key_of(inner))
                    pending.append(inner)

    def declares_properties(self, schema: Place) -> bool:
        """Whether a schema, or one that it applies to the same value, declares properties."""
        for place in self.applied(schema):
            additional = place.get("additionalProperties")
            if place.get("properties") is not None or place.get("patternProperties") is not None:
                return True
            if additional is not None and not isinstance(additional.value, bool):
                return True
        return False

    def are_alike(self, left: Place, right: Place) -> bool:
        """Whether two schemas certainly say the same: alike in the text, and in one resource."""
        if key_of(left) == key_of(right):
            return True
        in_one = self.resources.of(left) is self.resources.of(right)
        return in_one and are_equal(left.value, right.value)

    def lower_inside(
        self, owner: Place, schema: Place, name: str, types: frozenset[str] = TYPES
    ) -> Type:
        """The type of a schema inside another one; of one that was joined to it, by reference.

        What `allOf` brings along from elsewhere is compiled there, under its own name, and never
        copied: it may contain this very schema again.
        """
        prefix = f"{owner.pointer}/"
        is_inside = schema.file == owner.file and schema.pointer.startswith(prefix)
        is_own = is_inside or key_of(schema) in self.spelt
        if is_own or not isinstance(schema.value, dict) or not _NAMING & schema.value.keys():
            return self.lower(schema, name, types)
        if not self.references.types(schema) <= types:
            self.beyond.add("type")
        type_, target = self.references.meaning(schema)
        if target is not None:
            self.beyond.refer(target.key)
        return type_

    def add(self, definition: TypeDefinition, schema: Place) -> None:
        """Put a definition aside; `x-streamdb-name` of a property names the field."""
        field_name = self.property_names.get(key_of(schema))
        other = f"{definition.name}2" if field_name is None else f"{field_name}_2"
        self.definitions.add(definition, schema, other)
        self.owners[definition.name] = self.beyond.owner

    def leave(self, keywords: Keywords, *honoured: str) -> None:
        """Leave all that constrains, but what is honoured, to a validator."""
        for keyword in keywords:
            if keyword in ASSERTIONS and keyword not in honoured:
                self.beyond.leave(keyword, keywords)
