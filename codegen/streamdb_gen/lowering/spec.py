"""A whole spec to the IR: names of the database, collections, actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

from streamdb_gen.canonical import canonical_text, digest
from streamdb_gen.findings import shown
from streamdb_gen.ir import Action, Collection, Named, Spec, Type, TypeDefinition
from streamdb_gen.json_source import JsonValue, Place
from streamdb_gen.lowering.applications import are_applications_bounded
from streamdb_gen.lowering.beyond import Beyond
from streamdb_gen.lowering.bundle import Bundle, bundle
from streamdb_gen.lowering.circles import check_circles
from streamdb_gen.lowering.collections import CollectionLowering
from streamdb_gen.lowering.defaults import check_defaults
from streamdb_gen.lowering.definitions import BROKEN, Claim, Definitions, Names
from streamdb_gen.lowering.dialects import DIALECTS
from streamdb_gen.lowering.effects import EffectLowering
from streamdb_gen.lowering.laxity import Laxity
from streamdb_gen.lowering.layout import lay_out
from streamdb_gen.lowering.own_words import (
    check_has_words,
    chosen_attribute_name,
    chosen_class_name,
    description,
    text,
)
from streamdb_gen.lowering.patterns import check_patterns
from streamdb_gen.lowering.reach import reached
from streamdb_gen.lowering.references import Target
from streamdb_gen.lowering.resources import OpenFile, Resources
from streamdb_gen.lowering.schemas import SchemaLowering
from streamdb_gen.lowering.type_overrides import check_overrides
from streamdb_gen.lowering.wire_text import check_wire_text
from streamdb_gen.meta_schema import check_bare_collections, check_frame
from streamdb_gen.naming import ASYNC_PREFIX, action_name, class_name, has_words, package_name
from streamdb_gen.reporting import Report
from streamdb_gen.validator_fault import validator_faults


@dataclass(frozen=True, slots=True)
class _Frame:
    """The parts of a spec, whichever way it is written."""

    root: Place
    collections: Mapping[str, Place]
    actions: Mapping[str, Place]
    definitions: Mapping[str, Place]
    reserved: Place | None
    is_bare: bool = False


def lower_spec(root: Place, open_file: OpenFile, report: Report) -> Spec | None:
    """Compile a spec; None where the report has errors afterwards.

    ``open_file`` opens the files that it refers to.
    """
    _check_version(root, report)
    if _is_bare(root):
        check_bare_collections(root, report)
        frame = _Frame(root, dict(root.members()), {}, {}, None, is_bare=True)
    else:
        check_frame(root, report)
        frame = _Frame(
            root,
            collections=_members(root.get("collections")),
            actions=_members(root.get("actions")),
            definitions=_members(root.get("$defs")),
            reserved=root.get("reserved"),
        )
    return _SpecLowering(frame, open_file, report).run()


def _check_version(root: Place, report: Report) -> None:
    """Find a version of JSON Schema that is named where it would have no effect."""
    named = root.get("$schema")
    if named is None or not isinstance(named.value, str):
        return
    address = named.value.rstrip("#")
    for dialect in DIALECTS[1:]:
        if address in dialect.uris:
            message = (
                f"a spec is no schema: here this is not heeded, and schemas are {DIALECTS[0].name}"
            )
            hint = f"move it into each `schema` (or file) that is written in {dialect.name}"
            report.add("SPEC_VALUE", named, message, hint)


class _SpecLowering:
    def __init__(self, frame: _Frame, open_file: OpenFile, report: Report) -> None:
        self._frame = frame
        self._report = report
        self._definitions = Definitions(report)
        self._rows = {name: _row(name, p, report) for name, p in frame.collections.items()}
        self._inputs = {name: _input(name, p, report) for name, p in frame.actions.items()}
        self._named = {
            key: Target(place, chosen_class_name(place, class_name(key), report))
            for key, place in frame.definitions.items()
        }
        for key, target in self._named.items():
            check_has_words(key, target.place, target.name, report)
        candidates = [*self._rows.values(), *self._inputs.values(), *self._named.values()]
        targets = [target for target in candidates if target is not None]
        self._beyond = Beyond()
        self._resources = Resources(
            frame.root,
            PurePath(frame.root.file).name,
            [target.place for target in targets],
            open_file,
            report,
        )
        self._schemas = SchemaLowering(
            self._resources, targets, self._definitions, self._beyond, report
        )
        self._collections = CollectionLowering(
            frame.root, frame.collections, frame.reserved, self._definitions, report
        )

    def run(self) -> Spec | None:
        wire_name = self._wire_name()
        name = chosen_class_name(self._frame.root, class_name(wire_name), self._report)
        for form in (name, ASYNC_PREFIX + name):
            self._definitions.claim(form, self._frame.root, "the database class", f"{name}2")
        schemas = reached(self._resources)
        self._report.keep(self._resources.targets())
        self._schemas.read_all(schemas)
        check_circles(schemas, self._resources, self._report)
        is_bounded = are_applications_bounded(schemas, self._resources, self._report)
        check_patterns(schemas, self._resources, self._report)
        check_overrides(schemas, self._report)
        if not self._report.has_errors():
            self._schemas.keep_whole(schemas)
            self._schemas.keep_spellings(schemas)
        layout = lay_out(self._resources, is_bare=self._frame.is_bare)
        self._schemas.refer_to(layout.moved)
        rows = {key: self._lower(target) for key, target in self._rows.items()}
        inputs = {key: self._lower(target) for key, target in self._inputs.items()}
        for target in self._named.values():
            self._schemas.lower_target(target)
            if self._definitions.get(target.name) is not None:
                self._definitions.keep(target.name)
        self._schemas.lower_referred(layout.moved)
        collections = self._collections.lower(rows)
        actions = tuple(self._actions(inputs, collections))
        whole = tuple(c for c in collections.values() if c is not None)
        settled = self._definitions.settle([*(c.row for c in whole), *(a.input for a in actions)])
        for circular in settled.circular:
            self._beyond.add_to(self._schemas.context.owners[circular], "$ref")
        self._collections.claim_companions(whole)
        references = self._schemas.context.references
        bundled = bundle(self._frame.root, self._resources, layout, references.name_of)
        document = bundled.document
        if is_bounded:
            check_defaults(bundled.defaults, document, self._report)
        if self._report.has_errors():
            return None
        laxity = Laxity(settled.types)
        whole = tuple(self._judged(collection, laxity, bundled) for collection in whole)
        actions = tuple(map(self._judged_action, actions))
        self._check_validators(document, whole, actions)
        if self._report.has_errors():
            return None
        canonical = canonical_text(document)
        return Spec(
            name=wire_name,
            class_name=name,
            package=package_name(wire_name),
            description=description(self._frame.root),
            version=text(self._frame.root, "version"),
            collections=whole,
            actions=actions,
            types=tuple(self._settled(definition, bundled) for definition in settled.types),
            canonical=canonical,
            digest=digest(canonical),
        )

    def _wire_name(self) -> str:
        """The name that the spec gives itself, or its file's name up to the first dot."""
        name = self._frame.root.get("name")
        if name is None or not isinstance(name.value, str):
            return PurePath(self._frame.root.file).name.split(".")[0] or "spec"
        check_wire_text(name.value, name, self._report)
        if name.value and not has_words(name.value):
            message = f"{shown(name.value)} has no letter or digit, so names are made of a digest"
            hint = "give the database a name with letters"
            self._report.add("NAME_UNREADABLE", name, message, hint)
        return name.value

    def _settled(self, definition: TypeDefinition, bundled: Bundle) -> TypeDefinition:
        """The definition, with its place in the bundle."""
        place = self._definitions.place(definition.name)
        return replace(definition, pointer=bundled.pointer(place))

    def _judged(self, collection: Collection, laxity: Laxity, bundled: Bundle) -> Collection:
        """The collection, with its place in the bundle, and what the type of its rows omits."""
        row = self._rows[collection.wire_name]
        assert row is not None  # noqa: S101 - otherwise there were errors
        beyond_type = self._beyond.of(row.key)
        return replace(
            collection,
            pointer=bundled.pointer_in_frame(collection.pointer),
            beyond_type=beyond_type,
            lax=laxity.of(collection.row),
        )

    def _judged_action(self, action: Action) -> Action:
        """The action, with what the type of its input omits."""
        target = self._inputs[action.wire_name]
        assert target is not None  # noqa: S101 - otherwise there were errors
        return replace(action, beyond_type=self._beyond.of(target.key))

    def _check_validators(
        self,
        document: JsonValue,
        collections: Iterable[Collection],
        actions: Iterable[Action],
    ) -> None:
        """Report schemas that a type does not honour and no validator can be made of."""
        checked = {
            f"{c.pointer}/schema": ("rows", self._frame.collections[c.wire_name])
            for c in collections
            if c.beyond_type
        } | {
            f"{a.pointer}/input": ("input", self._frame.actions[a.wire_name])
            for a in actions
            if a.beyond_type
        }
        for pointer, fault in validator_faults(document, list(checked)).items():
            what, place = checked[pointer]
            message = f"no validator can be made of the schema of the {what}: {fault}"
            hint = "correct what it names, or delete the keyword: the type alone does not check it"
            self._report.add("SCHEMA_NOT_CHECKABLE", place, message, hint, at_key=True)

    def _lower(self, target: Target | None) -> Type:
        return BROKEN if target is None else self._schemas.lower_object(target)

    def _actions(
        self, inputs: Mapping[str, Type], collections: Mapping[str, Collection | None]
    ) -> Iterator[Action]:
        effects = EffectLowering(collections, self._definitions, self._report)
        names = {
            wire_name: chosen_attribute_name(
                place, action_name(wire_name), frozenset(), self._report
            )
            for wire_name, place in self._frame.actions.items()
        }
        for wire_name, place in self._frame.actions.items():
            check_has_words(wire_name, place, names[wire_name], self._report)
        named = Names(self._report).claim_all(
            Claim(names[wire_name], wire_name, place, f"the action {shown(wire_name)}")
            for wire_name, place in self._frame.actions.items()
        )
        for wire_name, place in self._frame.actions.items():
            given = inputs[wire_name]
            definition = self._definitions.object_of(given)
            schema = place.get("input")
            known = not isinstance(given, Named) or self._definitions.get(given.name) is not None
            if definition is None and schema is not None and given != BROKEN and known:
                message = "the input of an action is an object, never null and of one kind"
                hint = 'use "type": "object" with `properties`'
                self._report.add("ACTION_INPUT_NOT_OBJECT", schema, message, hint)
            input_type = Named(definition.name) if definition is not None else BROKEN
            listed = place.get("effects")
            compiled = [effects.lower(e, input_type) for e in (listed.items() if listed else ())]
            stub_class = None if compiled else _class_of(wire_name, place) + "Stub"
            if stub_class is not None and wire_name in named:
                self._claim_stub(stub_class, wire_name, place, names[wire_name])
            yield Action(
                wire_name=wire_name,
                name=names[wire_name],
                input=input_type,
                effects=tuple(effect for effect in compiled if effect is not None),
                description=description(place),
                pointer=place.pointer,
                stub_class=stub_class,
            )

    def _claim_stub(self, stub_class: str, wire_name: str, place: Place, name: str) -> None:
        """Take the names of the classes of an action that applications subclass."""
        what = f"the stub of the action {shown(wire_name)}"
        for form in (stub_class, ASYNC_PREFIX + stub_class):
            if not self._definitions.claim(form, place, what, f"{name}_2"):
                return


def _is_bare(root: Place) -> bool:
    """Whether a spec is nothing but the map of collections, as `createStateSchema` takes it."""
    looks_like_one = (
        value.get("schema") is not None or value.get("primaryKey") is not None
        for _, value in root.members()
    )
    return root.get("collections") is None and any(looks_like_one)


def _members(place: Place | None) -> dict[str, Place]:
    return dict(place.members()) if place is not None else {}


def _row(wire_name: str, collection: Place, report: Report) -> Target | None:
    schema = collection.get("schema")
    default = class_name(text(collection, "type") or wire_name)
    return Target(schema, chosen_class_name(schema, default, report)) if schema else None


def _input(wire_name: str, action: Place, report: Report) -> Target | None:
    schema = action.get("input")
    default = _class_of(wire_name, action) + "Input"
    return Target(schema, chosen_class_name(schema, default, report)) if schema else None


def _class_of(wire_name: str, action: Place) -> str:
    """What the names of the classes of an action begin with."""
    return class_name(text(action, "x-streamdb-name") or wire_name).rstrip("_")
