"""Spec files read at run time: collections of plain JSON, judged by the spec's own schemas."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

from streamdb.near_miss import near_miss
from streamdb.protocol.json_text import is_object
from streamdb.state.contract import Contract
from streamdb.state.schema_document import SchemaDocument, UnusableSchema
from streamdb.state.spec_actions import check_actions, check_reserved, reserved_fields
from streamdb.state.spec_folder import SpecFolder
from streamdb.state.spec_places import SchemaPlace
from streamdb.state.spec_schemas import SpecSchemas
from streamdb.state.spec_text import SpecText, read_spec_text
from streamdb.types.faults import pointer_to

KeyClass = type[str] | type[int]

_KEY_CLASSES: Final[Mapping[frozenset[str], KeyClass]] = {
    frozenset({"string"}): str,
    frozenset({"integer"}): int,
}
_FRAME: Final = frozenset(
    {"$comment", "$defs", "$id", "$schema", "actions", "collections", "description", "name"}
    | {"reserved", "version"}
)
_TEXTS: Final = ("name", "version")
_MEMBERS: Final = frozenset({"$comment", "description", "primaryKey", "schema", "type", "updates"})
_SHAPE: Final = '{"collections": {"messages": {"primaryKey": "id", "schema": {...}}}}'


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


def read_spec(path: str | PathLike[str], *, reserved: Container[str] = ()) -> SpecFile:
    """Read a spec file, and the files below its folder that it refers to.

    ``reserved`` names no collection.

    Raises:
        SpecError: something in one of them cannot be read or used.
        MissingExtra: the extra ``validate`` is not installed.
    """
    file = Path(path)
    text = read_spec_text(file)
    try:
        return _Reader(file, text, reserved).read()
    except RecursionError:  # the caller has used up the stack
        raise text.fault("", "there is too little of the stack left to read it") from None


class _Reader:
    def __init__(self, file: Path, text: SpecText, reserved: Container[str]) -> None:
        self._file = file
        self._text = text
        self._root = text.value
        self._reserved = reserved
        self._folder = SpecFolder(file)

    def read(self) -> SpecFile:
        root = self._root
        if not is_object(root):
            self._refuse("", "a spec is an object", _SHAPE)
        self._check_is_spec(root)
        at = "/collections" if "collections" in root else ""  # or it is the bare map of collections
        declared = root["collections"] if at else _without(root, "$schema", "$id")
        if not is_object(declared) or not declared:
            self._refuse(at, "a spec has a map of collections, and at least one", _SHAPE)
        if at:
            self._check_frame(root)
        places = {at + pointer_to([name]): name for name in declared}
        types: dict[str, str] = {}
        for place, name in places.items():
            self._check_members(name, declared[name], place)
            self._check_type(name, declared[name].get("type", name), place, types)
        reserved: dict[str, Any] = root.get("reserved", {}) if at else {}
        if at:
            check_actions(root.get("actions", {}), declared, self._refuse)
            check_reserved(reserved, declared, self._refuse)
            self._check_reserved_types(reserved.get("types", []), declared)
        rows = [f"{place}/schema" for place in places]
        beside = _schemas_beside(root) if at else ()
        schemas = SpecSchemas(
            root, self._file.name, [*rows, *beside], self._folder, self._refuse_in_file
        )
        for name, field, pointer in reserved_fields(reserved):
            if schemas.declares(f"/collections{pointer_to([name])}/schema", field):
                hint = "old rows hold another meaning there; choose another name for the new one"
                self._refuse(pointer, f"the field {field!r} is reserved: it was deleted", hint)
        whole = _without(schemas.document(), "$schema", "$id")  # those of the spec, no JSON Schema
        document = SchemaDocument(lambda: whole)
        return SpecFile(
            name=(root.get("name") if at else None) or self._file.name.split(".")[0] or "spec",
            version=root.get("version") if at else None,
            collections=tuple(
                self._collection(name, declared[name], place, schemas, document)
                for place, name in places.items()
            ),
        )

    def _check_is_spec(self, root: dict[str, Any]) -> None:
        """Refuse what has no collections, and is not the bare map of them either."""
        bare = (value for value in root.values() if is_object(value))
        if "collections" in root or any("schema" in m or "primaryKey" in m for m in bare):
            return
        near = near_miss("collections", root)
        if near is not None:
            hint = "did you mean `collections`?"
            self._refuse(pointer_to([near]), "a spec has no such member", hint)
        self._refuse("", "a spec has a map of collections, and at least one", _SHAPE)

    def _check_frame(self, root: dict[str, Any]) -> None:
        for name, value in root.items():
            if name in _TEXTS and not _is_name(value):
                self._refuse(pointer_to([name]), f"`{name}` is text, and not empty")
            if name not in _FRAME and not name.startswith("x-"):
                self._refuse(pointer_to([name]), "a spec has no such member", _meant(name, _FRAME))

    def _check_members(self, name: str, declared: Any, at: str) -> None:
        if not name:
            self._refuse(at, "a collection has a name")
        if name in self._reserved:
            self._refuse(at, f"{name!r} is reserved: rename the collection")
        if not is_object(declared):
            self._refuse(at, "a collection is an object", _SHAPE)
        for member in declared:
            if member not in _MEMBERS and not member.startswith("x-"):
                reason, hint = "a collection has no such member", _meant(member, _MEMBERS)
                self._refuse(at + pointer_to([member]), reason, hint)
        if not _is_name(declared.get("primaryKey")):
            self._refuse(at, "`primaryKey` names a property of the row", 'add "primaryKey": "id"')
        if declared.get("updates", "replace") not in ("replace", "merge"):
            self._refuse(f"{at}/updates", "`updates` is `replace` or `merge`")
        if not isinstance(declared.get("schema"), dict | bool):
            self._refuse(f"{at}/schema", "a collection has a `schema`, which is an object")

    def _check_type(self, name: str, event_type: Any, at: str, types: dict[str, str]) -> None:
        if not _is_name(event_type):
            self._refuse(f"{at}/type", "the event type is text, and not empty")
        holder = types.setdefault(event_type, name)
        if holder != name:
            self._refuse(
                f"{at}/type",
                f"collections {holder!r} and {name!r} share the event type {event_type!r}",
                "events are told apart by their type: give each collection its own",
            )

    def _check_reserved_types(self, gone: Iterable[str], declared: Mapping[str, Any]) -> None:
        for name, collection in declared.items():
            event_type = collection.get("type", name)
            if event_type in gone:
                at = f"/collections{pointer_to([name])}"
                at += "/type" if "type" in collection else ""
                hint = "old events of that type are on the streams; choose another type"
                reason = f"the event type {event_type!r} is reserved: it was deleted"
                self._refuse(at, reason, hint)

    def _collection(
        self,
        name: str,
        declared: dict[str, Any],
        at: str,
        schemas: SpecSchemas,
        document: SchemaDocument,
    ) -> SpecCollection:
        place, primary_key = f"{at}/schema", declared["primaryKey"]
        if not schemas.may_be_object(place):
            self._refuse(place, "a row is an object", 'use "type": "object" with `properties`')
        contract = Contract.within(document, place)
        try:
            contract.compile()
        except UnusableSchema as error:
            self._refuse_in_file(schemas.place_of(error.pointer), error.reason)
        key = _KEY_CLASSES.get(schemas.property_types(place, primary_key))
        if key is None:
            self._refuse_key(primary_key, at, contract, is_union=schemas.is_union(place))
        return SpecCollection(
            name=name,
            type=declared.get("type", name),
            primary_key=primary_key,
            key=key,
            updates=declared.get("updates", "replace"),
            contract=contract,
        )

    def _refuse_key(self, key: str, at: str, contract: Contract, *, is_union: bool) -> NoReturn:
        if is_union:
            hint = "give each kind of row a collection of its own, or put the union into a property"
            self._refuse(f"{at}/schema", "a row is an object of one kind, no union", hint)
        names, what = contract.properties.names, f"the primary key {key!r}"
        if key not in names:
            near = near_miss(key, names)
            hint = f"did you mean {near!r}?" if near else f"it has {', '.join(names)}"
            reason = f"{what} is no property of the row"
            self._refuse(f"{at}/primaryKey", reason, hint if names else None)
        reason = f"{what} is no required property of type string or integer"
        self._refuse(f"{at}/primaryKey", reason)

    def _refuse(self, pointer: str, reason: str, hint: str | None = None) -> NoReturn:
        raise self._text.fault(pointer, reason, hint)

    def _refuse_in_file(self, place: SchemaPlace, reason: str, hint: str | None = None) -> NoReturn:
        opened = self._folder.open(place.file) if place.file else self._text
        text = opened if isinstance(opened, SpecText) else self._text
        raise text.fault(place.pointer, reason, hint)


def _meant(word: str, known: Iterable[str]) -> str:
    near = near_miss(word, known)
    return f"did you mean `{near}`?" if near else f"known are {', '.join(sorted(known))}"


def _without(members: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in names}


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
