"""Spec files read at run time: collections of plain JSON, judged by the spec's own schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path, PurePath
from typing import Any, Final, Literal, NoReturn

from streamdb.errors import SchemaError
from streamdb.protocol.json_text import is_object
from streamdb.state.contract import Contract
from streamdb.state.schema_document import SchemaDocument
from streamdb.state.spec_schemas import SpecSchemas
from streamdb.types.faults import pointer_to

KeyClass = type[str] | type[int]

_KEY_CLASSES: Final[Mapping[frozenset[str], KeyClass]] = {
    frozenset({"string"}): str,
    frozenset({"integer"}): int,
}
_MEMBERS: Final = frozenset({"$comment", "description", "primaryKey", "schema", "type", "updates"})


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
        SchemaError: it cannot be read, is no spec, or one that has to be compiled; names the file
            and the place.
        MissingExtra: the extra ``validate`` is not installed.
    """
    file = Path(path)
    try:
        text = file.read_bytes()
    except OSError as error:
        raise SchemaError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        root = json.loads(text.decode(), object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise SchemaError(f"{file}: nested too deeply") from None
    except ValueError as error:
        raise SchemaError(f"{file}: not JSON: {error}") from None
    try:
        return _Reader(file, root).read()
    except RecursionError:
        raise SchemaError(f"{file}: nested too deeply") from None


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

    def read(self) -> SpecFile:
        root = self._root
        if not is_object(root):
            self._refuse("", "a spec is an object")
        for keyword in ("$schema", "$id"):  # those of the spec, which is no JSON Schema
            root.pop(keyword, None)
        at = "/collections" if "collections" in root else ""  # or it is the bare map of collections
        declared = root["collections"] if at else root
        if not is_object(declared) or not declared:
            self._refuse(at, "a spec has a map of collections, and at least one")
        places = {at + pointer_to([name]): name for name in declared}
        for place, name in places.items():
            self._check_members(declared[name], place)
        rows = [f"{place}/schema" for place in places]
        beside = _schemas_beside(root) if at else ()
        schemas = SpecSchemas(root, self._file.name, [*rows, *beside], self._refuse)
        document = SchemaDocument(lambda: root)
        chosen, version = (root.get("name"), root.get("version")) if at else (None, None)
        return SpecFile(
            name=chosen if isinstance(chosen, str) else self._file.name.split(".")[0],
            version=version if isinstance(version, str) else None,
            collections=tuple(
                self._collection(name, declared[name], place, schemas, document)
                for place, name in places.items()
            ),
        )

    def _check_members(self, declared: Any, at: str) -> None:
        if not is_object(declared):
            self._refuse(at, "a collection is an object")
        for name in declared:
            if name not in _MEMBERS and not name.startswith("x-"):
                self._refuse(at + pointer_to([name]), "a collection has no such member")
        if not _is_name(declared.get("type", "type")):
            self._refuse(f"{at}/type", "the event type is text, and not empty")
        if not _is_name(declared.get("primaryKey")):
            self._refuse(at, "`primaryKey` names a property of the row")
        if declared.get("updates", "replace") not in ("replace", "merge"):
            self._refuse(f"{at}/updates", "`updates` is `replace` or `merge`")
        if not is_object(declared.get("schema")):
            self._refuse(f"{at}/schema", "a collection has a `schema`, which is an object")

    def _collection(
        self,
        name: str,
        declared: dict[str, Any],
        at: str,
        schemas: SpecSchemas,
        document: SchemaDocument,
    ) -> SpecCollection:
        place, primary_key = f"{at}/schema", declared["primaryKey"]
        key = _KEY_CLASSES.get(schemas.property_types(place, primary_key))
        if key is None:
            reason = "is no required property of type string or integer"
            self._refuse(place, f"the primary key {primary_key!r} {reason}")
        contract = Contract.within(document, place)
        try:
            contract.compile()
        except SchemaError as error:
            self._refuse(place, str(error))
        return SpecCollection(
            name=name,
            type=declared.get("type", name),
            primary_key=primary_key,
            key=key,
            updates=declared.get("updates", "replace"),
            contract=contract,
        )

    def _refuse(self, pointer: str, reason: str) -> NoReturn:
        raise SchemaError(f"{self._file}: {pointer or '/'}: {reason}")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _schemas_beside(root: Mapping[str, Any]) -> Iterator[str]:
    """Yield the places of the schemas that are no collection's."""
    definitions, actions = root.get("$defs"), root.get("actions")
    if is_object(definitions):
        yield from ("/$defs" + pointer_to([name]) for name in definitions)
    if is_object(actions):
        for name, action in actions.items():
            if is_object(action) and "input" in action:
                yield f"/actions{pointer_to([name])}/input"
