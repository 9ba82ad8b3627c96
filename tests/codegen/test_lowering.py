"""Specs become the IR: every supported construct, and the names it gets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    Constraints,
    Field,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    Spec,
    Tag,
    Type,
    TypeDefinition,
    UnionType,
)
from streamdb_gen.loading import load_spec_text

JsonObject = Mapping[str, Any]


def compiled(
    properties: JsonObject | None = None, definitions: JsonObject | None = None, **parts: Any
) -> Spec:
    """A spec with one collection, whose rows have these properties besides their key."""
    row = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, **(properties or {})},
    }
    spec = {
        "name": "example",
        "collections": {"items": {"type": "item", "primaryKey": "id", "schema": row}},
        "$defs": definitions or {},
        **parts,
    }
    loaded = load_spec_text(json.dumps(spec), "schema.json")
    assert loaded.spec is not None, loaded.findings
    return loaded.spec


def types_of(spec: Spec) -> dict[str, TypeDefinition]:
    return {definition.name: definition for definition in spec.types}


def field_of(spec: Spec, name: str = "value", owner: str = "Item") -> Field:
    definition = types_of(spec)[owner]
    assert isinstance(definition, ObjectType)
    return next(field for field in definition.fields if field.name == name)


def type_of(schema: Any, definitions: JsonObject | None = None) -> Type:
    return field_of(compiled({"value": schema}, definitions)).type


STRING = Scalar("string")


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (True, Scalar("any")),
        ({}, Scalar("any")),
        ({"description": "anything", "x-own": 1}, Scalar("any")),
        ({"type": "string"}, STRING),
        ({"type": ["string"]}, STRING),
        ({"type": "boolean"}, Scalar("boolean")),
        ({"type": "null"}, Scalar("null")),
        ({"const": None}, Scalar("null")),
        ({"enum": [None]}, Scalar("null")),
        ({"type": ["string", "null"]}, Nullable(STRING)),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, Nullable(STRING)),
        ({"oneOf": [{"const": None}, {"type": "string"}]}, Nullable(STRING)),
        ({"anyOf": [{"type": "string"}]}, STRING),
        ({"anyOf": [{}, {"type": "null"}]}, Scalar("any")),
        ({"type": "string", "format": "date-time"}, Scalar("date-time")),
        ({"type": "string", "format": "date"}, Scalar("date")),
        ({"type": ["string", "null"], "format": "uuid"}, Nullable(Scalar("uuid"))),
        ({"type": "array"}, ArrayOf(Scalar("any"))),
        ({"type": "array", "items": {"type": "string"}}, ArrayOf(STRING)),
        (
            {"type": "array", "items": {"type": ["integer", "null"]}, "minItems": 1},
            ArrayOf(Nullable(Scalar("integer")), Constraints(min_length=1)),
        ),
        ({"type": "object"}, MapOf(Scalar("any"))),
        ({"type": "object", "additionalProperties": {"type": "string"}}, MapOf(STRING)),
        (
            {"type": "object", "additionalProperties": True, "maxProperties": 3},
            MapOf(Scalar("any"), Constraints(max_length=3)),
        ),
        ({"type": "object", "properties": {}}, Named("ItemValue")),
        ({"type": "object", "additionalProperties": False}, Named("ItemValue")),
        ({"enum": ["a", "b"]}, Named("ItemValue")),
        ({"enum": ["a", None]}, Nullable(Named("ItemValue"))),
        ({"const": 1}, Named("ItemValue")),
    ],
)
def test_types(schema: Any, expected: Type) -> None:
    assert type_of(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 5}, {"min_length": 1, "max_length": 5}),
        ({"type": "string", "minLength": 0}, {}),
        ({"type": "string", "minLength": 2.0}, {"min_length": 2}),
        ({"type": "string", "pattern": r"^\d$"}, {"pattern": r"^[0-9]\Z"}),
        ({"type": "integer", "minimum": 1, "maximum": 5}, {"ge": 1, "le": 5}),
        ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 5}, {"ge": 2, "le": 4}),
        ({"type": "integer", "minimum": 0.5, "maximum": 1.5}, {"ge": 1, "le": 1}),
        ({"type": "integer", "exclusiveMinimum": 0.5}, {"ge": 1}),
        ({"type": "integer", "exclusiveMaximum": 0.5}, {"le": 0}),
        ({"type": "integer", "minimum": 3, "exclusiveMinimum": 3}, {"ge": 4}),
        ({"type": "integer", "multipleOf": 5.0}, {"multiple_of": 5}),
        ({"type": "number", "minimum": 0.5, "exclusiveMaximum": 1}, {"ge": 0.5, "lt": 1}),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": 1}, {"gt": 1}),
        ({"type": "number", "maximum": 1, "exclusiveMaximum": 2}, {"le": 1}),
    ],
)
def test_constraints(schema: JsonObject, expected: dict[str, Any]) -> None:
    scalar = type_of(schema)
    assert isinstance(scalar, Scalar)
    assert scalar.constraints == (Constraints(**expected) if expected else None)


def test_fields_keep_what_the_spec_says_of_them() -> None:
    spec = compiled(
        {"createdAt": {"type": "string", "description": "When.", "default": {"a": [1.0, "\ud83d"]}}}
    )
    assert field_of(spec, "created_at") == Field(
        wire_name="createdAt",
        name="created_at",
        type=STRING,
        required=False,
        description="When.",
        default='{"a": [1, "\\ud83d"]}',
        pointer="/collections/items/schema/properties/createdAt",
    )


def test_names_of_nested_types_come_from_parent_and_property() -> None:
    nested = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["a"]},
            "parts": {"type": "array", "items": {"type": "object", "properties": {}}},
            "scores": {"type": "object", "additionalProperties": {"enum": [1, 2]}},
        },
    }
    spec = compiled({"meta_data": nested})
    assert {"ItemMetaData", "ItemMetaDataKind", "ItemMetaDataPartsItem"} <= types_of(spec).keys()
    scores = types_of(spec)["ItemMetaDataScoresValue"]
    assert isinstance(scores, LiteralType)
    assert scores.values == (1, 2)


def test_chosen_names() -> None:
    part = {"type": "object", "properties": {}, "x-streamdb-name": "Piece"}
    spec = compiled(
        {
            "class": {"enum": ["a"], "x-streamdb-name": "grade"},
            "parts": {"type": "array", "items": part},
            "shape": {"$ref": "#/$defs/geo-shape"},
        },
        {"geo-shape": {"enum": ["a"], "x-streamdb-name": "Shape"}},
        **{"x-streamdb-name": "Database"},
    )
    assert spec.class_name == "Database"
    assert field_of(spec, "grade").wire_name == "class"
    assert {"ItemGrade", "Piece", "Shape"} <= types_of(spec).keys()


def test_references_stand_for_names_and_null() -> None:
    definitions = {
        "Id": {"type": "string", "minLength": 1},
        "Role": {"enum": ["a", None]},
        "Note": {"type": ["string", "null"]},
        "Same": {"$ref": "#/$defs/Role"},
        "Anything": True,
        "a/b c": {"type": "array", "items": {"$ref": "#/$defs/Id"}},
    }
    expected = {
        "#/$defs/Id": Named("Id"),
        "#/$defs/Role": Nullable(Named("Role")),
        "#/$defs/Note": Nullable(Named("Note")),
        "#/$defs/Same": Nullable(Named("Role")),
        "#/$defs/Anything": Scalar("any"),
        "#/$defs/a~1b%20c": Named("ABC"),
    }
    for reference, type_ in expected.items():
        assert type_of({"$ref": reference, "description": "x"}, definitions) == type_
    types = types_of(compiled({}, definitions))
    assert types["Role"] == LiteralType("Role", ("a",), None, "/$defs/Role")
    assert types["Note"] == AliasType("Note", STRING, None, "/$defs/Note")
    assert types["Same"] == AliasType("Same", Nullable(Named("Role")), None, "/$defs/Same")


def test_references_to_rows_and_inputs() -> None:
    spec = compiled(
        {"next": {"$ref": "#/collections/items/schema"}, "by": {"$ref": "#/actions/act/input"}},
        actions={"act": {"input": {"type": "object"}}},
    )
    assert field_of(spec, "next").type == Named("Item")
    assert field_of(spec, "by").type == Named("ActInput")


def test_recursion_refers_forward_and_aliases_follow_what_they_name() -> None:
    definitions = {
        "Trees": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
        "Tree": {"type": "object", "properties": {"children": {"$ref": "#/$defs/Trees"}}},
    }
    spec = compiled({"root": {"$ref": "#/$defs/Trees"}}, definitions)
    names = [definition.name for definition in spec.types]
    assert names.index("Tree") < names.index("Trees")
    assert field_of(spec, "children", "Tree").type == Named("Trees")


def _member(kind: Any, **properties: Any) -> JsonObject:
    return {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"const": kind, "description": "Which."}, **properties},
    }


PARTS = {
    "Text": _member("text", text={"type": "string"}),
    "Image": _member("image"),
    "Part": {"oneOf": [{"$ref": "#/$defs/Text"}, {"$ref": "#/$defs/Image"}, {"type": "null"}]},
}


def test_discriminated_unions() -> None:
    spec = compiled({"part": {"$ref": "#/$defs/Part"}}, PARTS)
    types = types_of(spec)
    assert field_of(spec, "part").type == Nullable(Named("Part"))
    assert types["Part"] == UnionType("Part", (Named("Text"), Named("Image")), None, "/$defs/Part")
    text = types["Text"]
    assert isinstance(text, ObjectType)
    assert text.tag is not None
    assert (text.tag.wire_name, text.tag.name, text.tag.value) == ("kind", "kind", "text")
    assert text.tag.description == "Which."
    assert [field.name for field in text.fields] == ["text"]
    # Nothing uses the literals of the tags any more, nor is there need of forms without tag.
    assert not {"TextKind", "TextUntagged", "ImageUntagged"} & types.keys()


def test_members_written_in_place_are_named_by_union_and_position() -> None:
    named = {"x-streamdb-name": "ImagePart", **_member("image")}
    spec = compiled({"part": {"anyOf": [_member("plain text"), {"type": "null"}, named]}})
    union = types_of(spec)["ItemPart"]
    assert isinstance(union, UnionType)
    assert union.members == (Named("ItemPartChoice1"), Named("ImagePart"))

    others = compiled({"part": {"anyOf": [{"type": "null"}, _member("a"), _member("b")]}})
    union = types_of(others)["ItemPart"]
    assert isinstance(union, UnionType)
    assert union.members == (Named("ItemPartChoice2"), Named("ItemPartChoice3"))


def test_integers_tell_members_apart_too() -> None:
    spec = compiled({"part": {"anyOf": [_member(1), _member(2.0)]}})
    union = types_of(spec)["ItemPart"]
    assert isinstance(union, UnionType)
    assert union.members == (Named("ItemPartChoice1"), Named("ItemPartChoice2"))


def test_a_member_used_alone_is_the_same_class() -> None:
    properties = {"part": {"$ref": "#/$defs/Part"}, "alone": {"$ref": "#/$defs/Text"}}
    spec = compiled(properties, PARTS)
    types = types_of(spec)
    assert field_of(spec, "alone").type == Named("Text")
    member = types["Text"]
    assert isinstance(member, ObjectType)
    assert [field.name for field in member.fields] == ["text"]
    assert member.tag == Tag("kind", "kind", "text", "Which.")


def test_a_row_may_be_a_member_of_a_union() -> None:
    text = {**PARTS["Text"], "required": ["kind", "text"]}
    loaded = load_spec_text(
        json.dumps(
            {
                "collections": {
                    "texts": {"primaryKey": "text", "schema": {"$ref": "#/$defs/Text"}},
                },
                "$defs": {**PARTS, "Text": text},
                "actions": {
                    "add": {
                        "input": {"$ref": "#/$defs/Text"},
                        "effects": [{"insert": "texts"}],
                    }
                },
            }
        ),
        "notes.schema.json",
    )
    assert loaded.spec is not None, loaded.findings
    assert loaded.spec.name == "notes"
    assert loaded.spec.collections[0].row == Named("Text")
    assert loaded.spec.collections[0].lax, "alone, msgspec reads it without its tag"
    assert loaded.spec.actions[0].input == Named("Text")


@pytest.mark.parametrize(
    ("schema", "key", "type_"),
    [
        ({"type": "string"}, "string", STRING),
        ({"type": "integer"}, "integer", Scalar("integer")),
        ({"enum": ["a", "b"]}, "string", Named("RowId")),
        ({"enum": [1, 2]}, "integer", Named("RowId")),
        ({"$ref": "#/$defs/Id"}, "string", Named("Id")),
    ],
)
def test_primary_keys(schema: JsonObject, key: str, type_: Type) -> None:
    collection = _keyed(schema).collections[0]
    assert (collection.key, collection.primary_key.type) == (key, type_)


@pytest.mark.parametrize("format_", ["uuid", "date", "time", "date-time", "email"])
def test_primary_keys_stay_text_and_keep_their_format(format_: str) -> None:
    spec = _keyed({"type": "string", "format": format_})
    kept = field_of(spec, "id", "Row").type
    assert spec.collections[0].primary_key.type == kept == Scalar("string", format=format_)
    assert not spec.collections[0].lax


def _keyed(schema: JsonObject) -> Spec:
    row = {"type": "object", "required": ["id"], "properties": {"id": schema}}
    spec = {
        "collections": {"rows": {"type": "row", "primaryKey": "id", "schema": row}},
        "$defs": {"Id": {"type": "string", "minLength": 1}},
    }
    loaded = load_spec_text(json.dumps(spec), "schema.json")
    assert loaded.spec is not None, loaded.findings
    return loaded.spec


def test_a_bare_map_of_collections() -> None:
    row = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    bare = {"toolCalls": {"type": "tool-call", "primaryKey": "id", "schema": row}}
    loaded = load_spec_text(json.dumps(bare), "folder/session.json")
    assert loaded.spec is not None, loaded.findings
    assert (loaded.spec.name, loaded.spec.class_name, loaded.spec.package) == (
        "session",
        "Session",
        "session",
    )
    (collection,) = loaded.spec.collections
    assert collection.name == "tool_calls"
    assert collection.class_name == "ToolCallsCollection"
    assert collection.event_type == "tool-call"
    assert collection.row == Named("ToolCall")
    assert collection.updates == "replace"


def test_a_collection_named_like_an_attribute_of_the_database() -> None:
    row = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    bare = {"status": {"primaryKey": "id", "schema": row, "updates": "merge"}}
    spec = load_spec_text(json.dumps(bare), "a.json").spec
    assert spec is not None
    assert spec.collections[0].name == "status_"
    assert spec.collections[0].wire_name == "status"
    assert spec.collections[0].updates == "merge"


def test_an_update_is_named_after_the_row_unless_the_primary_key_is_another() -> None:
    row = {
        "type": "object",
        "required": ["id", "code"],
        "properties": {"id": {"type": "string"}, "code": {"type": "string"}},
    }
    schema = {"$ref": "#/$defs/Row"}
    collections = {
        "first": {"primaryKey": "id", "schema": schema},
        "byCode": {"primaryKey": "code", "schema": schema},
        "again": {"primaryKey": "id", "schema": schema},
    }
    spec = compiled(definitions={"Row": row}, collections=collections)
    assert [collection.update_class for collection in spec.collections] == [
        "RowUpdate",
        "ByCodeCollectionUpdate",
        "RowUpdate",
    ]


def test_the_canonical_text_depends_on_the_meaning_alone() -> None:
    one = load_spec_text(json.dumps(_PLAIN), "a.json").spec
    other_text = json.dumps(_PLAIN, indent=3, ensure_ascii=False).replace("1.0", "1e0")
    other_text = other_text.replace("\ud83d", r"\ud83d")
    other = load_spec_text(other_text, "b.json").spec
    assert one is not None
    assert other is not None
    assert one.canonical == other.canonical
    assert one.digest == other.digest
    assert one.canonical.isascii()
    assert json.loads(one.canonical) == _PLAIN


_PLAIN: Any = {
    "name": "é",
    "collections": {
        "a": {
            "primaryKey": "id",
            "schema": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "default": "\ud83d"},
                    "n": {"type": "integer", "default": 12345678901234567890},
                    "m": {"type": "number", "minimum": 1.0},
                },
            },
        }
    },
}
