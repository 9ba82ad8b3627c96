"""The schemas of a spec, with every reference in them made a pointer into one document.

A validator that is handed the document resolves nothing on its own: no ``$id`` and no anchor is
left in it, ``$schema`` only where the draft changes, and what is referred to in other files is part
of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from streamdb import formats
from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.schema_document import without_surrogates
from streamdb.state.schema_keywords import DRAFT_2020_12, TYPES
from streamdb.state.spec_endless_checks import refuse_endless_checks
from streamdb.state.spec_folder import SpecFolder
from streamdb.state.spec_misjudged import refuse_misjudged
from streamdb.state.spec_places import SPEC, Refuse, SchemaPlace, items_of, steps_of
from streamdb.state.spec_references import SpecReferences
from streamdb.types.faults import pointer_to

# What says where references lead, which is settled in the document.
_NAMING: Final = frozenset({"$schema", "$id", "$anchor"})
_STREAMDB_TYPES: Final[Mapping[str, str]] = {"Decimal": formats.DECIMAL, "bytes": formats.BASE64}
_HOLDER: Final = "x-streamdb-files"  # in the document; another name if the spec has this one


class SpecSchemas:
    """The schemas of a spec.

    Args:
        spec: plain JSON.
        name: the name of its file.
        schemas: pointers to the schemas that stand in no other one.
        folder: opens other files.
        refuse: raises for what is wrong.
    """

    def __init__(
        self, spec: Any, name: str, schemas: Iterable[str], folder: SpecFolder, refuse: Refuse
    ) -> None:
        places = [SchemaPlace(SPEC, pointer) for pointer in schemas]
        self._schemas = SpecReferences(spec, name, places, folder, refuse)
        refuse_endless_checks(places, self._schemas, refuse)
        refuse_misjudged(self._schemas, refuse)
        self._apart = {  # schemas of other files, with their keys in the document
            target: f"{target.file}#{target.pointer}"
            for target in self._schemas.targets.values()
            if target.file != SPEC
        }
        self._holder = _HOLDER
        while self._holder in spec:
            self._holder += "-"

    def document(self) -> dict[str, Any]:
        """Return the spec as one document; what is in other files is beside its own members."""
        whole: dict[str, Any] = self._written(SchemaPlace(SPEC, ""))
        if self._apart:
            whole[self._holder] = {key: self._written(place) for place, key in self._apart.items()}
        return whole

    def place_of(self, pointer: str) -> SchemaPlace:
        """Return where something in the document comes from."""
        steps = steps_of(pointer)
        if steps[:1] == [self._holder]:
            place = next((p for p, key in self._apart.items() if key == steps[1]), None)
            if place is not None:
                return place.inner(*steps[2:])
        return SchemaPlace(SPEC, pointer)

    def property_types(self, pointer: str, name: str) -> frozenset[str]:
        """Return the types that a required property of a schema may be of; none if it is not one.

        They are looked for through references and `allOf`.
        """
        types, is_required = TYPES, False
        for place, schema in self._parts(SchemaPlace(SPEC, pointer)):
            properties = schema.get("properties")
            is_required = is_required or name in items_of(schema.get("required"))
            if is_object(properties) and name in properties:
                types &= self._types(place.inner("properties", name))
        return types if is_required else frozenset()

    def may_be_object(self, pointer: str) -> bool:
        """Tell whether an object may satisfy a schema, as far as its `type` says."""
        return "object" in self._types(SchemaPlace(SPEC, pointer))

    def is_union(self, pointer: str) -> bool:
        """Tell whether a schema offers a choice and declares no properties beside it."""
        parts = [schema for _, schema in self._parts(SchemaPlace(SPEC, pointer))]
        is_choice = any("oneOf" in schema or "anyOf" in schema for schema in parts)
        return is_choice and not any("properties" in schema for schema in parts)

    def declares(self, pointer: str, name: str) -> bool:
        """Tell whether a schema, or one that it joins, declares a property."""
        declared = (
            schema.get("properties") for _, schema in self._parts(SchemaPlace(SPEC, pointer))
        )
        return any(is_object(properties) and name in properties for properties in declared)

    def _types(self, place: SchemaPlace) -> frozenset[str]:
        types = TYPES
        for _, schema in self._parts(place):
            named = schema.get("type")
            names = [named] if isinstance(named, str) else items_of(named)
            names = [name for name in names if isinstance(name, str)]
            if names:
                types &= {"integer", *names} if "number" in names else {*names}
            if "enum" in schema:
                types &= set(map(_type_of, items_of(schema["enum"])))
            if "const" in schema:
                types &= {_type_of(schema["const"])}
        return types

    def _parts(self, place: SchemaPlace) -> Iterator[tuple[SchemaPlace, dict[str, Any]]]:
        """Yield the schemas that all hold where one does, with their places."""
        pending, seen = [place], set[SchemaPlace]()
        while pending:
            place = pending.pop()
            schema = self._schemas.at(place)
            if place in seen or not is_object(schema):
                continue
            seen.add(place)
            if place in self._schemas.targets:
                pending.append(self._schemas.targets[place])
            members = self._schemas.members(place, schema)
            yield place, members
            pending += [
                place.inner("allOf", index)
                for index, _ in enumerate(items_of(members.get("allOf")))
            ]

    # --- the document ---------------------------------------------------------------------------

    def _written(self, place: SchemaPlace, around: str = DRAFT_2020_12) -> Any:
        """Return what stands at a place, as the document has it; ``around`` is the draft there."""
        value = self._schemas.at(place)
        if is_array(value):
            return [self._written(place.inner(index), around) for index in range(len(value))]
        if not is_object(value):
            return value
        if place not in self._schemas.used:
            return {name: self._written(place.inner(name), around) for name in value}
        draft = self._schemas.draft(place)
        written: dict[str, Any] = {
            name: self._written(place.inner(name), draft)
            for name in self._schemas.members(place, value)
            if name not in _NAMING
        }
        if draft != around or self._schemas.is_referred_to_from_other_drafts(place):
            written["$schema"] = draft
        if place in self._schemas.targets:
            written["$ref"] = self._reference_to(self._schemas.targets[place])
        pattern = _STREAMDB_TYPES.get(str(value.get("x-streamdb-type")))
        if pattern is not None:
            written["allOf"] = [*items_of(written.get("allOf")), {"pattern": pattern}]
        return written

    def _reference_to(self, target: SchemaPlace) -> str:
        pointer = target.pointer
        if target.file != SPEC:
            pointer = pointer_to([self._holder, self._apart[target]])
        return "#" + quote(without_surrogates(pointer), safe="/~")


def _type_of(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    is_whole = isinstance(value, float) and value.is_integer()
    return "integer" if type(value) is int or is_whole else "other"
