"""The spec as one self-contained document of JSON Schema 2020-12, for validators and other readers.

References become pointers into it, other files entries of its `$defs`; `$id`, `$anchor` and
`$schema` inside it go, and what other versions of JSON Schema say otherwise is said as in 2020-12.
A spec that is such a document already stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from streamdb_gen.json_source import JsonValue, Place, escape_token, split_pointer
from streamdb_gen.lowering.defaults import Default
from streamdb_gen.lowering.resources import Key, Resources, key_of
from streamdb_gen.schema_keywords import HOLDING_A_LIST, HOLDING_A_SCHEMA, HOLDING_BY_NAME

_SPEC_SCHEMA: Final = frozenset({"$id", "$schema", "$anchor"})
# What `x-streamdb-type` asserts: the grammar of :mod:`streamdb.formats`.
OVERRIDE_PATTERNS: Final[Mapping[str, str]] = {
    "Decimal": "^-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?$",
    "bytes": (
        "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"
    ),
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """The document, and the defaults in it."""

    document: JsonValue
    defaults: tuple[Default, ...]


def bundle(spec: Place, resources: Resources, name_of: Callable[[Place], str]) -> Bundle:
    """Make the document; ``name_of`` gives a schema of another file a name in `$defs`."""
    bundling = _Bundling(spec, resources, name_of)
    document = bundling.run()
    return Bundle(document, tuple(bundling.defaults))


class _Bundling:
    def __init__(self, spec: Place, resources: Resources, name_of: Callable[[Place], str]) -> None:
        self._spec = spec
        self._resources = resources
        self._name_of = name_of
        self.defaults: Final[list[Default]] = []
        self._keys: dict[Key, str] = {}  # of schemas of other files, in `$defs`
        self._pending: list[tuple[str, Place]] = []
        definitions = spec.get("$defs")
        self._taken = {key for key, _ in definitions.members()} if definitions else set[str]()

    def run(self) -> JsonValue:
        whole = self._frame(self._spec)
        if self._pending and isinstance(whole, dict):
            definitions = whole.setdefault("$defs", {})
            assert isinstance(definitions, dict)  # noqa: S101 - the frame was checked
            while self._pending:
                key, place = self._pending.pop(0)
                definitions[key] = self._schema(place)
        return whole

    def _frame(self, place: Place) -> JsonValue:
        """What is around the schemas of the spec."""
        if key_of(place) in self._resources:
            return self._schema(place)
        if isinstance(place.value, dict):
            return {key: self._frame(inner) for key, inner in place.members()}
        return place.value

    def _schema(self, schema: Place) -> JsonValue:
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
            parts = found.setdefault("allOf", [])
            found["allOf"] = [*(parts if isinstance(parts, list) else []), {"pattern": pattern}]
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
            return {"prefixItems": [self._schema(item) for item in place.items()]}
        if keyword == "additionalItems":
            by_position = isinstance(schema.value, dict) and isinstance(
                schema.value.get("items"), list
            )
            return {"items": self._schema(place)} if by_position else {}
        if keyword == "dependencies":
            return self._dependencies(place)
        if keyword in HOLDING_A_SCHEMA:
            return {keyword: self._schema(place)}
        if keyword in HOLDING_A_LIST:
            return {keyword: [self._schema(item) for item in place.items()]}
        if keyword in HOLDING_BY_NAME:
            return {keyword: {key: self._schema(inner) for key, inner in place.members()}}
        return {keyword: place.value}

    def _dependencies(self, place: Place) -> dict[str, JsonValue]:
        required: dict[str, JsonValue] = {}
        schemas: dict[str, JsonValue] = {}
        for name, inner in place.members():
            if isinstance(inner.value, list):
                required[name] = inner.value
            else:
                schemas[name] = self._schema(inner)
        found: dict[str, JsonValue] = {}
        if required:
            found["dependentRequired"] = required
        if schemas:
            found["dependentSchemas"] = schemas
        return found

    def _reference(self, schema: Place) -> JsonValue:
        """The pointer of what a schema refers to, in the bundle."""
        reference = schema.get("$ref")
        target = self._resources.resolve(schema)
        if reference is None or target is None:
            return None
        if target.file == self._spec.file:
            pointer = self._pointer(target)
            is_same = isinstance(reference.value, str) and reference.value == f"#{target.pointer}"
            return reference.value if is_same else _fragment(pointer)
        key = key_of(target)
        if key not in self._keys:
            name = self._name_of(target)
            if name in self._taken:
                name = f"{target.file}#{target.pointer}"
            self._taken.add(name)
            self._keys[key] = name
            self._pending.append((name, target))
        return _fragment(f"/$defs/{escape_token(self._keys[key])}")

    def _pointer(self, target: Place) -> str:
        """Where a schema of the spec stands after keywords were renamed on the way to it."""
        place: Place | None = self._resources.file_root(target.file)
        pointer = ""
        tokens = split_pointer(target.pointer) or ()
        for position, token in enumerate(tokens):
            written = token
            if place is not None and key_of(place) in self._resources:
                written = _renamed(token, place, tokens[position + 1 : position + 2])
            pointer += f"/{escape_token(written)}"
            if place is not None:
                place = place.step(token)
        return pointer


def _renamed(keyword: str, schema: Place, following: tuple[str, ...]) -> str:
    items = schema.get("items")
    by_position = items is not None and isinstance(items.value, list)
    if keyword == "items" and by_position and following:
        return "prefixItems"
    if keyword == "additionalItems" and by_position:
        return "items"
    return "dependentSchemas" if keyword == "dependencies" else keyword


def _fragment(pointer: str) -> str:
    """A pointer as a reference: what a URI cannot hold is percent-encoded."""
    safe = "".join(
        c if c.isascii() and (c.isalnum() or c in "/~$-._!&'()*+,;=:@") else _percent(c)
        for c in pointer
    )
    return f"#{safe}"


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
