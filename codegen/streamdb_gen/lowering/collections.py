"""Collections: their names, the type of their rows, and the primary key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from streamdb_gen.findings import shown
from streamdb_gen.formats import TYPED
from streamdb_gen.ir import (
    Collection,
    Field,
    KeyKind,
    LiteralType,
    Named,
    ObjectType,
    Scalar,
    Type,
)
from streamdb_gen.json_source import Place, descend
from streamdb_gen.lowering.definitions import BROKEN, Claim, Definitions, Names
from streamdb_gen.lowering.own_words import (
    check_has_words,
    chosen_attribute_name,
    description,
    text,
)
from streamdb_gen.lowering.row_shapes import shape_hint
from streamdb_gen.lowering.wire_text import check_wire_text
from streamdb_gen.naming import (
    ASYNC_PREFIX,
    DATABASE_ATTRIBUTES,
    EVENTS_MODULE_NAMES,
    REFUSED_COLLECTIONS,
    class_name,
    collection_name,
)
from streamdb_gen.reporting import Report

_RESERVED: Final = DATABASE_ATTRIBUTES | EVENTS_MODULE_NAMES
_UPDATE: Final = "Update"


class CollectionLowering:
    """Compiles the collections of one spec; ``reserved`` is what must not come back."""

    def __init__(
        self,
        root: Place,
        places: Mapping[str, Place],
        reserved: Place | None,
        definitions: Definitions,
        report: Report,
    ) -> None:
        self._root = root
        self._places = places
        self._reserved = reserved
        self._definitions = definitions
        self._report = report
        self._first_keys: dict[str, str] = {}  # by row

    def lower(self, rows: Mapping[str, Type]) -> dict[str, Collection | None]:
        """The collections by wire name, of rows of these types; None where one has a fault."""
        lowered = dict(self._collections(rows))
        self._check_reserved(lowered)
        return lowered

    def _collections(self, rows: Mapping[str, Type]) -> Iterator[tuple[str, Collection | None]]:
        names = {
            wire_name: chosen_attribute_name(
                place, collection_name(wire_name), _RESERVED, self._report
            )
            for wire_name, place in self._places.items()
        }
        for wire_name, place in self._places.items():
            check_has_words(wire_name, place, names[wire_name], self._report)
        free = Names(self._report).claim_all(
            Claim(names[wire_name], wire_name, place, f"the collection {shown(wire_name)}")
            for wire_name, place in self._places.items()
        )
        types: dict[str, str] = {}
        for wire_name, place in self._places.items():
            check_wire_text(wire_name, place, self._report, at_key=True)
            if wire_name in REFUSED_COLLECTIONS:
                message = f"no collection can be called {shown(wire_name)}"
                listed = ", ".join(sorted(REFUSED_COLLECTIONS))
                hint = f"the database itself uses {listed}"
                self._report.add("COLLECTION_NAME_RESERVED", place, message, hint, at_key=True)
            self._check_event_type(wire_name, place, types)
            name, is_free = names[wire_name], wire_name in free
            yield wire_name, self._collection(wire_name, name, place, rows[wire_name], is_free)

    def _collection(
        self, wire_name: str, name: str, place: Place, row: Type, is_free: bool
    ) -> Collection | None:
        chosen = text(place, "x-streamdb-name")
        collection_class = class_name(chosen or wire_name).rstrip("_") + "Collection"
        what = f"the class of the collection {shown(wire_name)}"
        for form in (collection_class, ASYNC_PREFIX + collection_class) if is_free else ():
            if not self._definitions.claim(form, place, what, f"{name}_2"):
                break
        definition = self._row_definition(row, place)
        if definition is None or not isinstance(row, Named):
            return None
        found = self._primary_key(definition, place)
        if found is None or self._definitions.get(definition.name) is not definition:
            return None
        primary_key, key = found
        self._keep_as_text(definition, primary_key)
        return Collection(
            wire_name=wire_name,
            name=name,
            class_name=collection_class,
            update_class=self._update_class(definition.name, primary_key, collection_class),
            event_type=text(place, "type") or wire_name,
            row=Named(definition.name),
            primary_key=primary_key,
            key=key,
            updates=_updates(place),
            description=description(place),
            pointer=place.pointer,
        )

    def _update_class(self, row: str, primary_key: Field, collection_class: str) -> str:
        """Named after the row, unless the row's first collection has another primary key."""
        first = self._first_keys.setdefault(row, primary_key.name)
        return (row if first == primary_key.name else collection_class) + _UPDATE

    def _row_definition(self, row: Type, place: Place) -> ObjectType | None:
        """The object that a row is; closed ones are warned of."""
        definition = self._definitions.object_of(row)
        schema = place.get("schema")
        if schema is None or row == BROKEN:
            return None
        if definition is None:
            if not isinstance(row, Named) or self._definitions.get(row.name) is not None:
                message = "a row is an object, never null and of one kind"
                plain = self._definitions.plain(row)
                meaning = self._definitions.get(plain.name) if isinstance(plain, Named) else None
                hint = shape_hint(schema, place.get("primaryKey"), meaning)
                self._report.add("ROW_NOT_OBJECT", schema, message, hint)
            return None
        is_inline = schema.get("$ref") is None and schema.get("allOf") is None
        if is_inline and definition.pointer != schema.pointer:
            definition = self._definitions.nameless(schema)
            if definition is None:
                return None
        if definition.closed:
            message = "the row is closed: readers of today will refuse every field added later"
            hint = 'leave out "additionalProperties": false'
            closing = descend(self._root, f"{definition.pointer}/additionalProperties")
            closing = closing or descend(self._root, f"{definition.pointer}/unevaluatedProperties")
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
            if field.type == BROKEN or self._definitions.is_contested(field.type):
                return None
            keyed = self._as_key(field) if field.required else None
            if keyed is not None:
                return keyed
        message = f"the primary key {shown(primary_key.value)} is {problem}"
        hint = "a primary key is a required property of type string or integer, never null"
        self._report.add("PRIMARY_KEY_UNFIT", primary_key, message, hint)
        return None

    def _as_key(self, field: Field) -> tuple[Field, KeyKind] | None:
        """The field as a key; a format becomes a pattern, for keys stay text (KEY-1)."""
        plain = self._definitions.plain(field.type)
        definition = self._definitions.get(plain.name) if isinstance(plain, Named) else None
        if isinstance(definition, LiteralType):
            return _literal_key(field, definition)
        if not isinstance(plain, Scalar):
            return None
        if plain.kind in TYPED.values():
            return replace(field, type=Scalar("string", format=plain.kind)), "string"
        if plain.kind == "string":
            return field, "string"
        return (field, "integer") if plain.kind == "integer" else None

    def _keep_as_text(self, row: ObjectType, key: Field) -> None:
        fields = tuple(key if f.wire_name == key.wire_name else f for f in row.fields)
        self._definitions.replace(replace(row, fields=fields))

    def _check_event_type(self, wire_name: str, place: Place, types: dict[str, str]) -> None:
        given = place.get("type")
        event_type = text(place, "type") or wire_name
        if given is not None and isinstance(given.value, str):
            check_wire_text(given.value, given, self._report)
        holder = types.setdefault(event_type, wire_name)
        if holder != wire_name:
            message = f"the event type {shown(event_type)} belongs to {shown(holder)} already"
            hint = "events are told apart by their type; give each collection its own"
            self._report.add("COLLECTION_TYPE_DUPLICATE", given or place, message, hint)

    def _check_reserved(self, collections: Mapping[str, Collection | None]) -> None:
        reserved = self._reserved if self._places else None
        if reserved is None:
            return
        fields, types = reserved.get("fields"), reserved.get("types")
        gone = [item.value for item in types.items()] if types is not None else []
        for wire_name, place in self._places.items():
            event_type = text(place, "type") or wire_name
            if event_type in gone:
                message = f"the event type {shown(event_type)} is reserved: it was deleted"
                hint = "old events of that type are on the streams; choose another type"
                where = place.get("type")
                report = self._report.add
                report("RESERVED_REUSED", where or place, message, hint, at_key=where is None)
        for wire_name, names in fields.members() if fields is not None else ():
            if wire_name not in self._places:
                message = f"there is no collection {shown(wire_name)}"
                hint = "the fields of a deleted collection need no entry; reserve its type"
                self._report.add("COLLECTION_UNKNOWN", names, message, hint, at_key=True)
                continue
            self._check_reserved_fields(collections.get(wire_name), names)

    def _check_reserved_fields(self, collection: Collection | None, names: Place) -> None:
        row = self._definitions.object_of(collection.row) if collection is not None else None
        present = {f.wire_name: f for f in row.fields} if row is not None else {}
        for place in names.items():
            if isinstance(place.value, str) and place.value in present:
                message = f"the field {shown(place.value)} is reserved: it was deleted"
                hint = "old rows hold another meaning there; choose another name for the new one"
                self._report.add("RESERVED_REUSED", place, message, hint)

    def claim_companions(self, collections: Sequence[Collection]) -> None:
        """Take the names of the classes that are rendered beside rows and collections."""
        for collection in collections:
            row, update = collection.row.name, collection.update_class
            self._definitions.claim_companion(row + "Columns", row, f"the columns of {shown(row)}")
            if update == row + _UPDATE:
                self._definitions.claim_companion(update, row, f"the update of {shown(row)}")
            else:
                place = self._places[collection.wire_name]
                what = f"the update of the collection {shown(collection.wire_name)}"
                self._definitions.claim(update, place, what, f"{collection.name}_2")


def _literal_key(field: Field, definition: LiteralType) -> tuple[Field, KeyKind] | None:
    kinds = {type(value) for value in definition.values}
    if kinds == {str}:
        return field, "string"
    return (field, "integer") if kinds == {int} else None


def _updates(collection: Place) -> Literal["replace", "merge"]:
    return "merge" if text(collection, "updates") == "merge" else "replace"
