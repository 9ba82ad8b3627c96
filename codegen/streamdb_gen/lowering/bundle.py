"""The spec as one self-contained document of JSON Schema 2020-12, for validators and other readers.

References become pointers into it, other files entries of its `$defs`; `$id`, `$anchor` and
`$schema` inside it go, and what other versions of JSON Schema say otherwise is said as in 2020-12.
A spec that is such a document already, with references that are URIs, stays as it is. The document
is a spec again, which compiles to the same package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from streamdb_gen.formats import OVERRIDE_PATTERNS
from streamdb_gen.json_source import JsonValue, Place
from streamdb_gen.lowering.defaults import Default
from streamdb_gen.lowering.layout import Layout
from streamdb_gen.lowering.resources import Key, Resources, key_of
from streamdb_gen.naming import class_name
from streamdb_gen.schema_keywords import HOLDING_A_LIST, HOLDING_A_SCHEMA, HOLDING_BY_NAME

_SPEC_SCHEMA: Final = frozenset({"$id", "$schema", "$anchor"})


@dataclass(frozen=True, slots=True)
class Bundle:
    """The document, the defaults in it, and where the schemas of the spec stand in it."""

    document: JsonValue
    defaults: tuple[Default, ...]
    _layout: Layout
    _names: Mapping[Key, str]

    def pointer(self, schema: Place) -> str:
        """Where a schema of the spec stands."""
        return self._layout.pointer(schema, self._names)

    def pointer_in_frame(self, pointer: str) -> str:
        """Where something stands that is around the schemas."""
        return self._layout.prefix + pointer


def bundle(
    spec: Place, resources: Resources, layout: Layout, name_of: Callable[[Place], str]
) -> Bundle:
    """Make the document; ``name_of`` gives what is moved to `$defs` its class name."""
    names = _names(spec, layout, name_of)
    bundling = _Bundling(resources, layout, names)
    document = bundling.frame(spec)
    if layout.moved:
        whole = document if not layout.prefix else {"collections": document}
        assert isinstance(whole, dict)  # noqa: S101 - the frame was checked
        definitions = whole.get("$defs")
        if not isinstance(definitions, dict):  # something else is there in a spec that has errors
            definitions = whole["$defs"] = {}
        for place in layout.moved:
            name = names[key_of(place)]
            definitions[name] = _called(name_of(place), name, bundling.schema(place))
        document = whole
    return Bundle(document, tuple(bundling.defaults), layout, names)


def _names(spec: Place, layout: Layout, name_of: Callable[[Place], str]) -> dict[Key, str]:
    """Keys of `$defs`: the names of the classes, unless something else has that key."""
    definitions = spec.get("$defs") if not layout.prefix else None
    taken = {key for key, _ in definitions.members()} if definitions is not None else set[str]()
    names: dict[Key, str] = {}
    for place in layout.moved:
        key = name = name_of(place)
        count = 1
        while key in taken:
            count += 1
            key = f"{name}{count}"
        taken.add(key)
        names[key_of(place)] = key
    return names


def _called(name: str, key: str, schema: JsonValue) -> JsonValue:
    """The schema with its class name, if its key does not say it."""
    if class_name(key) == name or not isinstance(schema, dict):
        return schema
    return {"x-streamdb-name": name, **schema}


class _Bundling:
    def __init__(self, resources: Resources, layout: Layout, names: Mapping[Key, str]) -> None:
        self._resources = resources
        self._layout = layout
        self._names = names
        self.defaults: Final[list[Default]] = []

    def frame(self, place: Place) -> JsonValue:
        """What is around the schemas of the spec."""
        if key_of(place) in self._resources:
            return self.schema(place)
        if isinstance(place.value, dict):
            return {key: self.frame(inner) for key, inner in place.members()}
        return place.value

    def schema(self, schema: Place) -> JsonValue:
        """One schema, with all that is inside it."""
        if not isinstance(schema.value, dict) or key_of(schema) not in self._resources:
            return schema.value
        if self._resources.ignores_siblings(schema):
            kept = ("$ref", "definitions", "$defs")  # what can be referred to stays where it is
            members = [(key, place) for key, place in schema.members() if key in kept]
        else:
            members = list(schema.members())
        found: dict[str, JsonValue] = {}
        for keyword, place in members:
            found |= self._keyword(keyword, place, schema)
        override = schema.get("x-streamdb-type")
        pattern = OVERRIDE_PATTERNS.get(str(override.value)) if override is not None else None
        if pattern is not None:
            parts = found.get("allOf")
            others = parts if isinstance(parts, list) else []
            said: JsonValue = {"pattern": pattern}
            found["allOf"] = others if said in others else [*others, said]
        default = schema.get("default")
        if default is not None and "default" in found:
            self.defaults.append(Default(default, found))
        return found

    def _keyword(self, keyword: str, place: Place, schema: Place) -> dict[str, JsonValue]:
        if keyword in _SPEC_SCHEMA:
            return {}
        if keyword == "$ref":
            return {"$ref": self._reference(schema)}
        if keyword == "items" and isinstance(place.value, list):
            return {"prefixItems": [self.schema(item) for item in place.items()]}
        if keyword == "additionalItems":
            by_position = isinstance(schema.value, dict) and isinstance(
                schema.value.get("items"), list
            )
            return {"items": self.schema(place)} if by_position else {}
        if keyword == "dependencies":
            return self._dependencies(place)
        if keyword in HOLDING_A_SCHEMA:
            return {keyword: self.schema(place)}
        if keyword in HOLDING_A_LIST:
            return {keyword: [self.schema(item) for item in place.items()]}
        if keyword in HOLDING_BY_NAME:
            return {keyword: {key: self.schema(inner) for key, inner in place.members()}}
        return {keyword: place.value}

    def _dependencies(self, place: Place) -> dict[str, JsonValue]:
        required: dict[str, JsonValue] = {}
        schemas: dict[str, JsonValue] = {}
        for name, inner in place.members():
            if isinstance(inner.value, list):
                required[name] = inner.value
            else:
                schemas[name] = self.schema(inner)
        found: dict[str, JsonValue] = {}
        if required:
            found["dependentRequired"] = required
        if schemas:
            found["dependentSchemas"] = schemas
        return found

    def _reference(self, schema: Place) -> JsonValue:
        """The pointer of what a schema refers to, whatever the user wrote that leads there."""
        target = self._resources.resolve(schema)
        return None if target is None else _fragment(self._layout.pointer(target, self._names))


def _fragment(pointer: str) -> str:
    """A pointer as a reference: what a URI cannot hold is percent-encoded (RFC 3986, 3.5).

    Validators refuse it otherwise.
    """
    safe = "".join(
        c if c.isascii() and (c.isalnum() or c in "/~$-._!&'()*+,;=:@") else _percent(c)
        for c in pointer
    )
    return f"#{safe}"


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
