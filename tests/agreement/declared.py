"""Whether a row was written back with every property of which its schema says something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, unquote

import jsonschema_rs
from tests.agreement.cases import DRAFT_2020_12, Json, Original
from tests.agreement.oracles import RustOracle
from tests.agreement.wire import is_same

from streamdb.types.faults import pointer_to
from streamdb_gen.ir import Collection, Spec

_DOCUMENT: Final = "https://agreement.test/declared"
_JOINED: Final = ("allOf", "anyOf", "oneOf")


class Declared:
    """What the schema of a collection declares, by the `schema.json` of its package."""

    def __init__(self, spec: Spec, collection: Collection) -> None:
        self._whole: Final[dict[str, Json]] = {
            **json.loads(spec.canonical),
            "$schema": DRAFT_2020_12,
        }
        self._row: Final = f"{collection.pointer}/schema"
        self._oracles: Final[dict[str, RustOracle]] = {}

    def has_all(self, read: Json, written: Json) -> bool:
        """Whether what was written of a valid row lacks only what nothing in its schema declares.

        A property is declared by a schema that holds for the object, and gives the property a
        schema of its own: by its name, by a pattern, or as one of the others.
        """
        return self._has_all([self._row], read, written)

    def _has_all(self, schemas: list[str], read: Json, written: Json) -> bool:
        applied = [*self._applied(schemas, read)]
        if isinstance(read, dict) and isinstance(written, dict):
            inner = {name: [*self._properties(applied, name)] for name in read}
            return written.keys() <= read.keys() and all(
                self._has_all(inner[name], read[name], written[name])
                if name in written
                else not inner[name]
                for name in read
            )
        if isinstance(read, list) and isinstance(written, list):
            return len(read) == len(written) and all(
                self._has_all([*self._items(applied, number)], *pair)
                for number, pair in enumerate(zip(read, written, strict=True))
            )
        return is_same(read, written)

    def _properties(self, applied: list[str], name: str) -> Iterator[str]:
        """The schemas that are given for a property."""
        for pointer in applied:
            schema = self._at(pointer)
            named = name in schema.get("properties", {})
            if named:
                yield _inner(pointer, "properties", name)
            for pattern in schema.get("patternProperties", {}):
                if jsonschema_rs.is_valid({"pattern": pattern}, name):
                    named = True
                    yield _inner(pointer, "patternProperties", pattern)
            if not named and isinstance(schema.get("additionalProperties"), dict):
                yield _inner(pointer, "additionalProperties")

    def _items(self, applied: list[str], number: int) -> Iterator[str]:
        for pointer in applied:
            schema = self._at(pointer)
            prefix = schema.get("prefixItems", [])
            if number < len(prefix):
                yield _inner(pointer, "prefixItems", number)
            elif "items" in schema:
                yield _inner(pointer, "items")

    def _applied(self, schemas: list[str], value: Json) -> Iterator[str]:
        """The schemas that hold for a value, with those that they apply to it."""
        pending, passed = list(schemas), set[str]()
        while pending:
            pointer = pending.pop()
            schema = self._at(pointer)
            if pointer in passed or not isinstance(schema, dict) or not self._holds(pointer, value):
                continue
            passed.add(pointer)
            yield pointer
            if "$ref" in schema:
                pending.append(unquote(schema["$ref"].removeprefix("#")))
            for word in _JOINED:
                count = len(schema.get(word, []))
                pending += (_inner(pointer, word, number) for number in range(count))
            if "if" in schema:
                condition = _inner(pointer, "if")
                branch = "then" if self._holds(condition, value) else "else"
                pending += [condition, *([_inner(pointer, branch)] if branch in schema else [])]
            if isinstance(value, dict):
                names = schema.get("dependentSchemas", {}).keys() & value.keys()
                pending += (_inner(pointer, "dependentSchemas", name) for name in names)

    def _holds(self, pointer: str, value: Json) -> bool:
        if pointer not in self._oracles:
            original = Original(f"{_DOCUMENT}#{quote(pointer)}", {_DOCUMENT: self._whole})
            self._oracles[pointer] = RustOracle(original)
        return self._oracles[pointer].accepts(value)

    def _at(self, pointer: str) -> Json:
        found: Json = self._whole
        for step in pointer.split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            found = found[int(key)] if isinstance(found, list) else found[key]
        return found


def _inner(pointer: str, *steps: str | int) -> str:
    return pointer + pointer_to(steps)
