"""Random edits of random specs, and the promise they are held to: nothing else is renamed.

An edit adds one property to an object, anywhere among the others, or one definition, a keyword
about properties, or a choice behind the others of a union. What there was before keeps its Python
name: classes, fields, collections and actions, found by where they stand in the spec.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from streamdb_gen.ir import ObjectType, Spec
from streamdb_gen.loading import load_spec_text

Json = dict[str, Any]

_NAMES = st.sampled_from(
    (
        *("id", "name", "Name", "kind", "type", "createdAt", "created_at", "value", "Item"),
        *("Text", "Note", "noteValue", "a b", "class", "str", "extras", "items", "2nd", "é", "Row"),
    )
)
_LEAVES = st.sampled_from(
    [
        {"type": "string"},
        {"type": ["integer", "null"]},
        {"type": ["string", "object"]},
        {"enum": ["on", "off"]},
        {"const": "text"},
        {"const": 1},
        {"format": "date-time", "type": "string"},
        {},
        {"not": {"type": "string"}},
    ]
)


def _objects(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    def build(properties: Json, required: list[str], further: Any) -> Json:
        schema: Json = {"type": "object", "properties": properties}
        schema["required"] = sorted(set(required) & properties.keys())
        return schema if further is None else {**schema, "additionalProperties": further}

    further = st.sampled_from([None, None, None, False, {"type": "number"}])
    members = st.dictionaries(_NAMES, inner, max_size=4)
    return st.builds(build, members, st.lists(_NAMES, max_size=4), further)


def _containers(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    several = st.lists(inner, min_size=2, max_size=3)
    null = st.sampled_from([[], [{"type": "null"}]])
    choices = several | st.tuples(null, inner, null).map(lambda one: [*one[0], one[1], *one[2]])
    return st.one_of(
        _objects(inner),
        inner.map(lambda item: {"type": "array", "items": item}),
        inner.map(lambda value: {"type": "object", "additionalProperties": value}),
        choices.map(lambda listed: {"anyOf": listed}),
        choices.map(lambda listed: {"oneOf": listed}),
        several.map(lambda listed: {"allOf": listed}),
        _NAMES.map(lambda name: {"$ref": f"#/$defs/{name.replace(' ', '%20')}"}),
    )


_SCHEMAS = st.recursive(_LEAVES, _containers, max_leaves=8)


@st.composite
def specs(draw: st.DrawFn) -> Json:
    """Specs of one collection and some definitions; many are refused."""
    row = draw(_objects(_SCHEMAS))
    row["properties"] = {"key": {"type": "string"}, **row["properties"]}
    row["required"] = ["key", *row["required"]]
    return {
        "collections": {"rows": {"type": "entry", "primaryKey": "key", "schema": row}},
        "$defs": draw(st.dictionaries(_NAMES, _SCHEMAS, max_size=4)),
    }


_KEYWORDS = st.sampled_from(
    [
        ("patternProperties", {"^x-": True}),
        ("dependentRequired", {"id": ["name"]}),
        ("minProperties", 1),
        ("description", "What it is."),
    ]
)


@st.composite
def edits(draw: st.DrawFn, spec: Json) -> Json:
    """The spec with one property, definition, keyword or choice more."""
    edited = copy.deepcopy(spec)
    unions = [*_unions_in(edited)]
    if unions and draw(st.integers(0, 2)) == 0:
        draw(st.sampled_from(unions)).append(draw(_SCHEMAS | st.just({"type": "null"})))
        return edited
    places = [*_objects_in(edited), None]
    # Choices are rare, and named by other rules than the rest.
    choices = [*_choices_in(edited)]
    place = draw(st.sampled_from(places) if not choices else st.sampled_from([*places, *choices]))
    if place is not None and draw(st.integers(0, 4)) == 0:
        keyword, value = draw(_KEYWORDS)
        place.setdefault(keyword, value)
        return edited
    name = draw(_NAMES.map(lambda known: f"new {known}") | _NAMES)
    added = draw(_SCHEMAS | st.sampled_from([{"const": "zed"}, {"const": 2}, {"const": True}]))
    if place is None:
        edited["$defs"].setdefault(name, added)
    elif name not in place["properties"]:
        members = list(place["properties"].items())
        members.insert(draw(st.integers(0, len(members))), (name, added))
        place["properties"] = dict(members)
        if draw(st.booleans()):
            required = place.setdefault("required", [])
            required.insert(draw(st.integers(0, len(required))), name)
    return edited


def compiled(spec: Json) -> Spec | None:
    """The meaning of a spec; None if it is refused."""
    return load_spec_text(json.dumps(spec), "schema.json").spec


def names(spec: Spec) -> Mapping[tuple[str, str], str]:
    """The Python names by what they are of, and where that stands in the spec."""
    found: dict[tuple[str, str], str] = {}
    for definition in spec.types:
        found[type(definition).__name__, definition.pointer] = definition.name
        if isinstance(definition, ObjectType):
            for field in definition.fields:
                found["field", f"{definition.pointer} {field.wire_name}"] = field.name
    for collection in spec.collections:
        found["collection", collection.pointer] = collection.name
        found["class", collection.pointer] = collection.class_name
        found["update", collection.pointer] = collection.update_class
    return found


def renamed(before: Spec, after: Spec) -> list[str]:
    """What an edit has renamed."""
    now = names(after)
    return [
        f"{what} at {place}: {name} became {now[what, place]}"
        for (what, place), name in names(before).items()
        if now.get((what, place), name) != name
    ]


def _objects_in(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        if isinstance(value.get("properties"), dict) and value.get("type") == "object":
            yield value
        for inner in value.values():
            yield from _objects_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects_in(inner)


def _choices_in(value: Any) -> Iterator[Json]:
    for union in _unions_in(value):
        for choice in union:
            yield from (one for one in _objects_in(choice) if one is choice)


def _unions_in(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, dict):
        for word in ("anyOf", "oneOf"):
            if isinstance(value.get(word), list):
                yield value[word]
        for inner in value.values():
            yield from _unions_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _unions_in(inner)
