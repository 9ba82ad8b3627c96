"""A whole spec to the IR: names of the database, collections, actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final, Literal

from streamdb_gen.canonical import canonical_text, digest
from streamdb_gen.findings import shown
from streamdb_gen.ir import (
    Action,
    AliasType,
    Collection,
    Field,
    KeyKind,
    LiteralType,
    Named,
    ObjectType,
    Scalar,
    Spec,
    Type,
)
from streamdb_gen.json_source import Place, descend
from streamdb_gen.lowering.definitions import BROKEN, Definitions, Names
from streamdb_gen.lowering.effects import EffectLowering
from streamdb_gen.lowering.references import Target
from streamdb_gen.lowering.scalars import FORMAT_PATTERNS, check_wire_text, constraints_or_none
from streamdb_gen.lowering.schemas import SchemaLowering, chosen_class_name, report_bad_name
from streamdb_gen.meta_schema import check_bare_collections, check_frame
from streamdb_gen.naming import (
    DATABASE_ATTRIBUTES,
    EVENTS_MODULE_NAMES,
    REFUSED_COLLECTIONS,
    action_name,
    class_name,
    collection_name,
    is_field_name,
    package_name,
)
from streamdb_gen.reporting import Report

_ASYNC: Final = "Async"
# Classes that are rendered beside the class of a row.
_ROW_COMPANIONS: Final = ("Columns", "Update")


@dataclass(frozen=True, slots=True)
class _Frame:
    """The parts of a spec, whichever way it is written."""

    root: Place
    collections: Mapping[str, Place]
    actions: Mapping[str, Place]
    definitions: Mapping[str, Place]


def lower_spec(root: Place, file: str, report: Report) -> Spec | None:
    """Compile a spec; None where the report has errors afterwards."""
    if _is_bare(root):
        check_bare_collections(root, report)
        frame = _Frame(root, dict(root.members()), {}, {})
    else:
        check_frame(root, report)
        frame = _Frame(root, *(_objects(root.get(k)) for k in ("collections", "actions", "$defs")))
    return _SpecLowering(frame, file, report).run()


class _SpecLowering:
    def __init__(self, frame: _Frame, file: str, report: Report) -> None:
        self._frame = frame
        self._file = file
        self._report = report
        self._definitions = Definitions(report)
        self._rows = {name: _row(name, p, report) for name, p in frame.collections.items()}
        self._inputs = {name: _input(name, p, report) for name, p in frame.actions.items()}
        self._named = {
            key: Target(place, chosen_class_name(place, class_name(key), report))
            for key, place in frame.definitions.items()
        }
        targets = [*self._rows.values(), *self._inputs.values(), *self._named.values()]
        by_pointer = {target.place.pointer: target for target in targets if target is not None}
        self._schemas = SchemaLowering(by_pointer, self._definitions, report)

    def run(self) -> Spec | None:
        wire_name = self._wire_name()
        name = chosen_class_name(self._frame.root, class_name(wire_name), self._report)
        for form in (name, _ASYNC + name):
            self._definitions.claim(form, self._frame.root, "the database class", f"{name}2")
        rows = {key: self._lower(target) for key, target in self._rows.items()}
        inputs = {key: self._lower(target) for key, target in self._inputs.items()}
        for target in self._named.values():
            self._schemas.lower_target(target)
            if self._definitions.get(target.name) is not None:
                self._definitions.keep(target.name)
        collections = dict(self._collections(rows))
        self._check_reserved(collections)
        actions = tuple(self._actions(inputs, collections))
        whole = tuple(c for c in collections.values() if c is not None)
        settled = self._definitions.settle([*(c.row for c in whole), *(a.input for a in actions)])
        whole = tuple(replace(c, row=settled.alone(c.row)) for c in whole)
        self._claim_companions(whole)
        if self._report.has_errors():
            return None
        canonical = canonical_text(self._frame.root.value)
        return Spec(
            name=wire_name,
            class_name=name,
            package=package_name(wire_name),
            description=_text(self._frame.root, "description"),
            version=_text(self._frame.root, "version"),
            collections=whole,
            actions=tuple(replace(a, input=settled.alone(a.input)) for a in actions),
            types=settled.types,
            canonical=canonical,
            digest=digest(canonical),
        )

    def _wire_name(self) -> str:
        """The name that the spec gives itself, or its file's name up to the first dot."""
        name = self._frame.root.get("name")
        if name is None or not isinstance(name.value, str):
            return PurePath(self._file).name.split(".")[0] or "spec"
        check_wire_text(name.value, name, self._report)
        return name.value

    def _lower(self, target: Target | None) -> Type:
        return BROKEN if target is None else self._schemas.lower_object(target)

    def _collections(self, rows: Mapping[str, Type]) -> Iterator[tuple[str, Collection | None]]:
        attributes = Names(self._report)
        types: dict[str, str] = {}
        for wire_name, place in self._frame.collections.items():
            check_wire_text(wire_name, place, self._report, at_key=True)
            if wire_name in REFUSED_COLLECTIONS:
                message = f"no collection can be called {shown(wire_name)}"
                listed = ", ".join(sorted(REFUSED_COLLECTIONS))
                hint = f"the database itself uses {listed}"
                self._report.add("COLLECTION_NAME_RESERVED", place, message, hint, at_key=True)
            name = self._attribute(place, collection_name(wire_name), _COLLECTION_RESERVED)
            what = f"the collection {shown(wire_name)}"
            is_free = attributes.claim(name, place, what, f"{name}_2")
            self._check_event_type(wire_name, place, types)
            yield wire_name, self._collection(wire_name, name, place, rows[wire_name], is_free)

    def _collection(
        self, wire_name: str, name: str, place: Place, row: Type, is_free: bool
    ) -> Collection | None:
        chosen = _text(place, "x-streamdb-name")
        collection_class = class_name(chosen or wire_name).rstrip("_") + "Collection"
        what = f"the class of the collection {shown(wire_name)}"
        for form in (collection_class, _ASYNC + collection_class) if is_free else ():
            if not self._definitions.claim(form, place, what, f"{name}_2"):
                break
        definition = self._row_definition(row, place)
        if definition is None or not isinstance(row, Named):
            return None
        found = self._primary_key(definition, place)
        if found is None:
            return None
        primary_key, key = found
        return Collection(
            wire_name=wire_name,
            name=name,
            class_name=collection_class,
            event_type=_text(place, "type") or wire_name,
            row=Named(definition.name),
            primary_key=primary_key,
            key=key,
            updates=_updates(place),
            description=_text(place, "description"),
            pointer=place.pointer,
        )

    def _row_definition(self, row: Type, place: Place) -> ObjectType | None:
        """The object that a row is; closed ones are warned of."""
        definition = self._object(row)
        schema = place.get("schema")
        if schema is None or row == BROKEN:
            return None
        if definition is None:
            if not isinstance(row, Named) or self._definitions.get(row.name) is not None:
                message = "a row is an object, never null and of one kind"
                hint = 'use "type": "object" with `properties`'
                self._report.add("ROW_NOT_OBJECT", schema, message, hint)
            return None
        if definition.closed:
            message = "the row is closed: readers of today will refuse every field added later"
            hint = 'leave out "additionalProperties": false'
            closing = descend(self._frame.root, f"{definition.pointer}/additionalProperties")
            self._report.add("ROW_CLOSED", closing or schema, message, hint, at_key=True)
        return definition

    def _primary_key(self, row: ObjectType, place: Place) -> tuple[Field, KeyKind] | None:
        primary_key = place.get("primaryKey")
        if primary_key is None or not isinstance(primary_key.value, str):
            return None
        field = next((f for f in row.fields if f.wire_name == primary_key.value), None)
        problem = "no property of the row"
        if field is not None:
            problem = "not required" if not field.required else "not of type string or integer"
            if field.type == BROKEN:
                return None
            keyed = self._as_key(field) if field.required else None
            if keyed is not None:
                self._keep_as_text(row, keyed[0])
                return keyed
        message = f"the primary key {shown(primary_key.value)} is {problem}"
        hint = "a primary key is a required property of type string or integer, never null"
        self._report.add("PRIMARY_KEY_UNFIT", primary_key, message, hint)
        return None

    def _as_key(self, field: Field) -> tuple[Field, KeyKind] | None:
        """The field as a key; a format becomes a pattern, for keys stay text (KEY-1)."""
        plain = field.type
        definition = self._definitions.get(plain.name) if isinstance(plain, Named) else None
        while isinstance(definition, AliasType):
            plain = definition.type
            definition = self._definitions.get(plain.name) if isinstance(plain, Named) else None
        if isinstance(definition, LiteralType):
            return _literal_key(field, definition)
        if not isinstance(plain, Scalar):
            return None
        if plain.kind in FORMAT_PATTERNS:
            pattern = constraints_or_none(pattern=FORMAT_PATTERNS[plain.kind])
            return replace(field, type=Scalar("string", pattern)), "string"
        if plain.kind == "string":
            return field, "string"
        return (field, "integer") if plain.kind == "integer" else None

    def _keep_as_text(self, row: ObjectType, key: Field) -> None:
        current = self._definitions.get(row.name)
        assert isinstance(current, ObjectType)  # noqa: S101 - it was found by that name
        fields = tuple(key if f.wire_name == key.wire_name else f for f in current.fields)
        self._definitions.replace(replace(current, fields=fields))

    def _check_event_type(self, wire_name: str, place: Place, types: dict[str, str]) -> None:
        given = place.get("type")
        event_type = _text(place, "type") or wire_name
        if given is not None and isinstance(given.value, str):
            check_wire_text(given.value, given, self._report)
        holder = types.setdefault(event_type, wire_name)
        if holder != wire_name:
            message = f"the event type {shown(event_type)} belongs to {shown(holder)} already"
            hint = "events are told apart by their type; give each collection its own"
            self._report.add("COLLECTION_TYPE_DUPLICATE", given or place, message, hint)

    def _check_reserved(self, collections: Mapping[str, Collection | None]) -> None:
        reserved = self._frame.root.get("reserved") if self._frame.collections else None
        if reserved is None or _is_bare(self._frame.root):
            return
        fields, types = reserved.get("fields"), reserved.get("types")
        gone = [item.value for item in types.items()] if types is not None else []
        for wire_name, place in self._frame.collections.items():
            event_type = _text(place, "type") or wire_name
            if event_type in gone:
                message = f"the event type {shown(event_type)} is reserved: it was deleted"
                hint = "old events of that type are on the streams; choose another type"
                where = place.get("type")
                report = self._report.add
                report("RESERVED_REUSED", where or place, message, hint, at_key=where is None)
        for wire_name, names in fields.members() if fields is not None else ():
            if wire_name not in self._frame.collections:
                message = f"there is no collection {shown(wire_name)}"
                hint = "the fields of a deleted collection need no entry; reserve its type"
                self._report.add("COLLECTION_UNKNOWN", names, message, hint, at_key=True)
                continue
            self._check_reserved_fields(collections.get(wire_name), names)

    def _check_reserved_fields(self, collection: Collection | None, names: Place) -> None:
        row = self._object(collection.row) if collection is not None else None
        present = {f.wire_name: f for f in row.fields} if row is not None else {}
        for place in names.items():
            if isinstance(place.value, str) and place.value in present:
                message = f"the field {shown(place.value)} is reserved: it was deleted"
                hint = "old rows hold another meaning there; choose another name for the new one"
                self._report.add("RESERVED_REUSED", place, message, hint)

    def _actions(
        self, inputs: Mapping[str, Type], collections: Mapping[str, Collection | None]
    ) -> Iterator[Action]:
        methods = Names(self._report)
        effects = EffectLowering(collections, self._definitions, self._report)
        for wire_name, place in self._frame.actions.items():
            name = self._attribute(place, action_name(wire_name), frozenset())
            methods.claim(name, place, f"the action {shown(wire_name)}", f"{name}_2")
            given = inputs[wire_name]
            definition = self._object(given)
            schema = place.get("input")
            known = not isinstance(given, Named) or self._definitions.get(given.name) is not None
            if definition is None and schema is not None and given != BROKEN and known:
                message = "the input of an action is an object, never null and of one kind"
                hint = 'use "type": "object" with `properties`'
                self._report.add("ACTION_INPUT_NOT_OBJECT", schema, message, hint)
            input_type = Named(definition.name) if definition is not None else BROKEN
            listed = place.get("effects")
            compiled = [effects.lower(e, input_type) for e in (listed.items() if listed else ())]
            yield Action(
                wire_name=wire_name,
                name=name,
                input=input_type,
                effects=tuple(effect for effect in compiled if effect is not None),
                description=_text(place, "description"),
                pointer=place.pointer,
            )

    def _attribute(self, place: Place, made: str, reserved: frozenset[str]) -> str:
        """The name as an attribute: chosen by the user, or made from the wire name."""
        chosen = place.get("x-streamdb-name")
        if chosen is None or not isinstance(chosen.value, str):
            return made
        if is_field_name(chosen.value, reserved):
            return chosen.value
        report_bad_name(chosen, made, self._report)
        return made

    def _claim_companions(self, collections: tuple[Collection, ...]) -> None:
        for row in dict.fromkeys(collection.row.name for collection in collections):
            for suffix in _ROW_COMPANIONS:
                what = f"the {suffix.lower()} of {shown(row)}"
                self._definitions.claim_companion(row + suffix, row, what)

    def _object(self, type_: Type) -> ObjectType | None:
        """The object that a type names, directly or by aliases."""
        seen: set[str] = set()
        while isinstance(type_, Named) and type_.name not in seen:
            seen.add(type_.name)
            definition = self._definitions.get(type_.name)
            if isinstance(definition, ObjectType):
                return definition
            if not isinstance(definition, AliasType):
                return None
            type_ = definition.type
        return None


_COLLECTION_RESERVED: Final = DATABASE_ATTRIBUTES | EVENTS_MODULE_NAMES


def _is_bare(root: Place) -> bool:
    """Whether a spec is nothing but the map of collections, as `createStateSchema` takes it."""
    looks_like_one = (
        value.get("schema") is not None or value.get("primaryKey") is not None
        for _, value in root.members()
    )
    return root.get("collections") is None and any(looks_like_one)


def _objects(place: Place | None) -> dict[str, Place]:
    """The members of an object that are objects or, for schemas, booleans."""
    return dict(place.members()) if place is not None else {}


def _row(wire_name: str, collection: Place, report: Report) -> Target | None:
    schema = collection.get("schema")
    default = class_name(_text(collection, "type") or wire_name)
    return Target(schema, chosen_class_name(schema, default, report)) if schema else None


def _input(wire_name: str, action: Place, report: Report) -> Target | None:
    schema = action.get("input")
    default = class_name(_text(action, "x-streamdb-name") or wire_name).rstrip("_") + "Input"
    return Target(schema, chosen_class_name(schema, default, report)) if schema else None


def _literal_key(field: Field, definition: LiteralType) -> tuple[Field, KeyKind] | None:
    kinds = {type(value) for value in definition.values}
    if kinds == {str}:
        return field, "string"
    return (field, "integer") if kinds == {int} else None


def _updates(collection: Place) -> Literal["replace", "merge"]:
    return "merge" if _text(collection, "updates") == "merge" else "replace"


def _text(place: Place, key: str) -> str | None:
    member = place.get(key)
    return member.value if member is not None and isinstance(member.value, str) else None
