"""Spec files read at run time: collections of plain JSON, judged by the spec's own schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path, PurePath
from typing import Any, Final, Literal, NoReturn

from streamdb.errors import SchemaError
from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.contract import Contract
from streamdb.state.schema_document import SchemaDocument
from streamdb.types.faults import pointer_to

KeyClass = type[str] | type[int]

_KEY_CLASSES: Final[Mapping[str, KeyClass]] = {"string": str, "integer": int}
_STEPS: Final = 100  # from reference to reference


@dataclass(frozen=True, slots=True)
class SpecCollection:
    """One collection as a spec declares it."""

    name: str
    type: str
    primary_key: str
    key: KeyClass
    updates: Literal["replace", "merge"]
    contract: Contract


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A spec file: its name and version, and the collections in their order."""

    name: str
    version: str | None
    collections: tuple[SpecCollection, ...]


def read_spec(path: str | PathLike[str]) -> SpecFile:
    """Read a spec file.

    Raises:
        SchemaError: it is no spec, or one that has to be compiled; names the file and the place.
        OSError: it cannot be read.
        MissingExtra: the extra ``validate`` is not installed.
    """
    file = Path(path)
    try:
        root = json.loads(file.read_bytes().decode(), object_pairs_hook=_without_duplicates)
        return _Reader(file, root).read()
    except RecursionError:
        raise SchemaError(f"{file}: nested too deeply") from None
    except ValueError as error:
        raise SchemaError(f"{file}: not JSON: {error}") from None


def _without_duplicates(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice!r} is there twice")
    return found


class _Reader:
    def __init__(self, file: PurePath, root: Any) -> None:
        self._file = file
        self._root = root
        self._document = SchemaDocument(lambda: root)

    def read(self) -> SpecFile:
        root = self._root
        if not is_object(root):
            self._refuse("", "a spec is an object")
        for keyword in ("$schema", "$id"):  # those of the spec, which is no JSON Schema
            root.pop(keyword, None)
        for pointer, reference in _references(root, ""):
            if not reference.startswith("#"):
                self._refuse(
                    pointer,
                    f"the reference {reference!r} leads to another file: "
                    "compile the spec with streamdb-gen, which follows it",
                )
        at = "/collections" if "collections" in root else ""  # or it is the bare map of collections
        declared = root["collections"] if at else root
        if not is_object(declared) or not declared:
            self._refuse(at, "a spec has a map of collections, and at least one")
        name = root.get("name") if at else None
        version = root.get("version") if at else None
        return SpecFile(
            name=name if isinstance(name, str) else self._file.name.split(".")[0],
            version=version if isinstance(version, str) else None,
            collections=tuple(
                self._collection(key, collection, at + pointer_to([key]))
                for key, collection in declared.items()
            ),
        )

    def _collection(self, name: str, declared: Any, at: str) -> SpecCollection:
        if not is_object(declared):
            self._refuse(at, "a collection is an object")
        type_, updates = declared.get("type", name), declared.get("updates", "replace")
        primary_key = declared.get("primaryKey")
        if not isinstance(type_, str):
            self._refuse(f"{at}/type", "the event type is text")
        if not isinstance(primary_key, str):
            self._refuse(at, "`primaryKey` names a property of the row")
        if updates not in ("replace", "merge"):
            self._refuse(f"{at}/updates", "`updates` is `replace` or `merge`")
        schema, place = declared.get("schema"), f"{at}/schema"
        if not is_object(schema):
            self._refuse(place, "a collection has a `schema`, which is an object")
        if _is_document(schema):
            key = self._key_class(schema, schema, primary_key, place)
            contract = Contract.of(schema)
        else:
            key = self._key_class(self._root, schema, primary_key, place)
            contract = Contract.within(self._document, place)
        try:
            contract.compile()
        except SchemaError as error:
            self._refuse(place, str(error))
        return SpecCollection(name, type_, primary_key, key, updates, contract)

    def _key_class(self, document: Any, schema: Any, primary_key: str, at: str) -> KeyClass:
        try:
            declared = _property(document, schema, primary_key)
        except (LookupError, ValueError):
            declared = None
        key = _KEY_CLASSES.get(_type_of(declared) or "")
        if key is None:
            reason = f"the primary key {primary_key!r} is no property of type string or integer"
            self._refuse(at, reason)
        return key

    def _refuse(self, pointer: str, reason: str) -> NoReturn:
        raise SchemaError(f"{self._file}: {pointer or '/'}: {reason}")


def _is_document(schema: Mapping[str, Any]) -> bool:
    """Tell whether a schema, pasted perhaps, is a document of its own: `#` is then its root."""
    return "$schema" in schema or "$id" in schema


def _references(schema: Any, at: str) -> Iterator[tuple[str, str]]:
    """Yield the references of a document with their places; constants are none."""
    if is_array(schema):
        for index, item in enumerate(schema):
            yield from _references(item, f"{at}/{index}")
    elif is_object(schema) and not _is_document(schema):
        for name, item in schema.items():
            pointer = at + pointer_to([name])
            if name in ("$ref", "$dynamicRef") and isinstance(item, str):
                yield pointer, item
            elif name not in ("const", "enum", "default", "examples"):
                yield from _references(item, pointer)


def _property(document: Any, schema: Any, name: str) -> Any:
    """Find the schema of a property, through references and `allOf`; None if it is not there."""
    schema = _followed(document, schema)
    if not is_object(schema):
        return None
    properties = schema.get("properties")
    if is_object(properties) and name in properties:
        return _followed(document, properties[name])
    parts = schema.get("allOf")
    found = (_property(document, part, name) for part in (parts if is_array(parts) else ()))
    return next((part for part in found if part is not None), None)


def _type_of(schema: Any) -> str | None:
    """Return the one type of a schema's values, as far as it says it itself."""
    if not is_object(schema):
        return None
    if "type" in schema:
        return schema["type"] if isinstance(schema["type"], str) else None
    values = schema["enum"] if is_array(schema.get("enum")) else [schema.get("const")]
    if all(isinstance(value, str) for value in values):
        return "string"
    return "integer" if all(type(value) is int for value in values) else None


def _followed(document: Any, schema: Any) -> Any:
    for _ in range(_STEPS):
        reference = schema.get("$ref") if is_object(schema) else None
        if not isinstance(reference, str) or "type" in schema or "properties" in schema:
            return schema
        schema = _at(document, reference.removeprefix("#"))
    raise LookupError("references without end")


def _at(document: Any, pointer: str) -> Any:
    """Return what a JSON Pointer points to. Raises LookupError or ValueError if there is nothing.

    >>> _at({"a/b": [5]}, "/a~1b/0")
    5
    """
    place = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if is_array(place):
            place = place[int(name)]
        elif is_object(place):
            place = place[name]
        else:
            raise LookupError(pointer)
    return place
