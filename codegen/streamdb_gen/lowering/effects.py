"""Effects of actions, checked against the input and the rows that they write.

Whether the values fit the rows is judged by :mod:`streamdb_gen.lowering.fitting`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from streamdb_gen.canonical import canonical_value
from streamdb_gen.findings import shown
from streamdb_gen.ir import (
    ANYTHING,
    Collection,
    Constant,
    DeleteEffect,
    Effect,
    Field,
    InputPath,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    Source,
    Type,
    UpdateEffect,
    WriteEffect,
)
from streamdb_gen.json_equality import integral
from streamdb_gen.json_source import Place, split_pointer
from streamdb_gen.lowering.definitions import BROKEN, Definitions
from streamdb_gen.lowering.fitting import Fitting
from streamdb_gen.meta_schema import suggestion
from streamdb_gen.reporting import Report

OPERATIONS: Final = ("insert", "upsert", "update", "delete")
_MISPLACED: Final = {
    "insert": ("key",),
    "upsert": ("key",),
    "update": ("value",),
    "delete": ("value",),
}


@dataclass(frozen=True, slots=True)
class _Found:
    """A value of the input: how to get at it, and what it is."""

    path: InputPath
    type: Type


class EffectLowering:
    """Checks and compiles the effects of one action after another."""

    def __init__(
        self,
        collections: Mapping[str, Collection | None],
        definitions: Definitions,
        report: Report,
    ) -> None:
        self._collections = collections
        self._definitions = definitions
        self._fitting = Fitting(definitions)
        self._report = report

    def lower(self, effect: Place, action_input: Type) -> Effect | None:
        """One effect; None where something was found."""
        operations = [name for name in OPERATIONS if effect.get(name) is not None]
        if len(operations) != 1:
            return None  # reported with the shape of the spec
        operation = operations[0]
        for name in _MISPLACED[operation]:
            place = effect.get(name)
            if place is not None:
                message = f"{shown(name)} has no meaning beside {shown(operation)}"
                hint = "`value` goes with insert and upsert, `key` with update and delete"
                self._report.add("SPEC_MEMBER_UNKNOWN", place, message, hint, at_key=True)
        collection = self._collection(effect.get(operation))
        match operation:
            case "insert" | "upsert":
                return self._write(operation, collection, effect, action_input)
            case "update":
                return self._update(collection, effect, action_input)
            case _:
                key = self._key(collection, effect, action_input)
                return DeleteEffect(collection.name, key) if collection and key else None

    def _collection(self, place: Place | None) -> Collection | None:
        if place is None or not isinstance(place.value, str):
            return None
        if place.value not in self._collections:
            message = f"there is no collection {shown(place.value)}"
            hint = suggestion(place.value, self._collections)
            self._report.add("COLLECTION_UNKNOWN", place, message, hint)
        return self._collections.get(place.value)

    def _write(
        self,
        operation: Literal["insert", "upsert"],
        collection: Collection | None,
        effect: Place,
        action_input: Type,
    ) -> Effect | None:
        place = effect.get("value")
        source = self._source(place, action_input)
        if source is None or collection is None:
            return None
        where = place or effect.get(operation) or effect
        if source.path.optional:
            self._misfit(where, "the value may be absent", "make it required in the input")
            return None
        if source.type == collection.row:
            return WriteEffect(operation, collection.name, source.path)
        row = self._definitions.object_of(collection.row)
        given = self._definitions.object_of(source.type)
        if row is None:
            return None
        if given is None:
            what = f"a row of {shown(collection.wire_name)} is an object with other properties"
            self._misfit(where, what, "point `value` to an object that has the row's properties")
            return None
        convert = tuple(self._conversions(row, given, source.path, where))
        self._warn_of_dropped(row, given, where)
        return WriteEffect(operation, collection.name, source.path, convert)

    def _conversions(
        self, row: ObjectType, given: ObjectType, root: InputPath, where: Place
    ) -> Iterator[tuple[str, InputPath]]:
        """Each field of the row from the input's field of the same wire name."""
        fields = {field.wire_name: field for field in given.fields}
        for wanted in row.fields:
            field = fields.get(wanted.wire_name)
            if field is None and given.tag is not None and given.tag.wire_name == wanted.wire_name:
                if not self._fitting.accepts(wanted.type, given.tag.value):
                    what = f"{shown(wanted.wire_name)} does not accept the input's constant"
                    self._misfit(where, what, "give both the same constant")
                yield wanted.name, InputPath((*root.path, given.tag.name))
                continue
            if field is None:
                if wanted.required:
                    what = f"the row needs {shown(wanted.wire_name)}, which the input has not"
                    self._misfit(where, what, "add it to the input, as a required property")
                continue
            path = InputPath((*root.path, field.name), not field.required)
            if not field.required and wanted.required:
                what = f"{shown(wanted.wire_name)} may be absent in the input"
                self._misfit(where, what, "make it required in the input")
            elif not field.required and _is_nullable(field.type) != _is_nullable(wanted.type):
                what = f"{shown(wanted.wire_name)} may be null on one side only"
                self._misfit(where, what, "make both optional and nullable, or neither")
            else:
                self._judge(wanted, field.type, where)
            yield wanted.name, path

    def _warn_of_dropped(self, row: ObjectType, given: ObjectType, where: Place) -> None:
        known = {field.wire_name for field in row.fields}
        known |= {row.tag.wire_name} if row.tag is not None else set()
        dropped = [shown(f.wire_name) for f in given.fields if f.wire_name not in known]
        if dropped:
            message = f"the row has no {', '.join(dropped[:5])}, so the input's value is left out"
            self._report.add("EFFECT_VALUE_DROPPED", where, message, "add it to the row")

    def _update(
        self, collection: Collection | None, effect: Place, action_input: Type
    ) -> Effect | None:
        key = self._key(collection, effect, action_input)
        changes = effect.get("set")
        if changes is None:
            return None
        row = self._definitions.object_of(collection.row) if collection else None
        fields = {field.wire_name: field for field in row.fields} if row else {}
        settings: list[tuple[str, Source]] = []
        for wire_name, place in changes.members():
            field = fields.get(wire_name)
            if collection and row and field is None:
                message = f"a row of {shown(collection.wire_name)} has no {shown(wire_name)}"
                hint = suggestion(wire_name, fields)
                self._report.add("EFFECT_FIELD_UNKNOWN", place, message, hint, at_key=True)
            elif collection and field and wire_name == collection.primary_key.wire_name:
                message = f"the primary key {shown(wire_name)} of a row cannot change"
                hint = "delete the row and insert another"
                self._report.add("EFFECT_SETS_KEY", place, message, hint, at_key=True)
            source = self._setting(place, field, action_input)
            if source is not None and field is not None:
                settings.append((field.name, source))
        if collection is None or key is None:
            return None
        return UpdateEffect(collection.name, key, tuple(settings))

    def _setting(self, place: Place, field: Field | None, action_input: Type) -> Source | None:
        const = place.get("const")
        if const is not None:
            if field is not None and not self._fitting.accepts(field.type, integral(const.value)):
                what = f"{shown(field.wire_name)} does not accept this constant"
                self._misfit(const, what, "only literals, text, numbers, booleans and null can")
            return Constant(canonical_value(const.value))
        source = self._source(place, action_input)
        if source is not None and field is not None:
            self._judge(field, source.type, place)
        return source.path if source is not None else None

    def _key(
        self, collection: Collection | None, effect: Place, action_input: Type
    ) -> InputPath | None:
        place = effect.get("key")
        if place is None:
            return None
        source = self._source(place, action_input)
        if source is None or collection is None:
            return None
        if source.path.optional:
            self._misfit(place, "the key may be absent", "make it required in the input")
        elif self._fitting.fit(source.type, Scalar(collection.key)) == "misfit":
            what = f"the key of {shown(collection.wire_name)} is of type {collection.key}"
            self._misfit(place, what, "a key is plain text or an integer, never null or a format")
        return source.path

    def _source(self, place: Place | None, action_input: Type) -> _Found | None:
        """The value that a pointer leads to; without a pointer, the whole input."""
        if place is not None and not isinstance(place.value, str):
            return None
        tokens = split_pointer(str(place.value)) if place is not None else ()
        if tokens is None and place is not None:
            message = f"{shown(str(place.value))} is not a JSON Pointer"
            self._report.add("EFFECT_POINTER", place, message, 'begin with a slash: "/name"')
        found = _Found(InputPath(()), action_input)
        for token in tokens or ():
            step = self._step(found, token, place)
            if step is None:
                return None
            found = step
        return None if tokens is None or found.type == BROKEN else found

    def _step(self, found: _Found, token: str, place: Place | None) -> _Found | None:
        definition = self._definitions.object_of(found.type)
        if found.type == BROKEN or place is None:
            return None
        if definition is None:
            if self._is_known(found.type):
                message = f"{shown(token)} is looked for in something that is no plain object"
                hint = "pointers lead through required objects with properties only"
                self._report.add("EFFECT_POINTER", place, message, hint)
            return None
        field = next((f for f in definition.fields if f.wire_name == token), None)
        if field is None and definition.tag is not None and definition.tag.wire_name == token:
            kind: Literal["string", "integer"] = (
                "string" if isinstance(definition.tag.value, str) else "integer"
            )
            return _Found(InputPath((*found.path.path, definition.tag.name)), Scalar(kind))
        if field is None:
            message = f"the input has no {shown(token)} there"
            near = suggestion(token, [f.wire_name for f in definition.fields])
            self._report.add("EFFECT_POINTER", place, message, near)
            return None
        if found.path.optional:
            message = f"{shown(token)} is looked for in something that may be absent"
            self._report.add("EFFECT_POINTER", place, message, "make it required in the input")
            return None
        return _Found(InputPath((*found.path.path, field.name), not field.required), field.type)

    def _judge(self, wanted: Field, given: Type, where: Place) -> None:
        verdict = self._fitting.fit(given, wanted.type)
        if verdict == "misfit":
            what = f"the type differs from that of {shown(wanted.wire_name)} in the row"
            self._misfit(where, what, "refer to the same definition on both sides")
        elif verdict == "undecided":
            message = f"the row may refuse what the input gives for {shown(wanted.wire_name)}"
            hint = "give both the same constraints; the value is checked when it is written"
            self._report.add("EFFECT_UNDECIDED", where, message, hint)

    def _misfit(self, where: Place, what: str, hint: str) -> None:
        self._report.add("EFFECT_MISFIT", where, what, hint)

    def _is_known(self, type_: Type) -> bool:
        """Whether a type was compiled, so that something can be said about it."""
        return not isinstance(type_, Named) or self._definitions.get(type_.name) is not None


def _is_nullable(type_: Type) -> bool:
    return isinstance(type_, Nullable) or type_ in (ANYTHING, Scalar("null"))
