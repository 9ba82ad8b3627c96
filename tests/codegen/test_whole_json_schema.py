"""What becomes of each part of JSON Schema: its type, and what is left to a validator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from streamdb_gen.ir import (
    ANYTHING,
    AliasType,
    ArrayOf,
    ChoiceType,
    Constraints,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    Spec,
    TupleOf,
    Type,
    TypeDefinition,
    UnionType,
)
from streamdb_gen.loading import load_spec_text

ANY, TEXT, INTEGER, NUMBER = Scalar("any"), Scalar("string"), Scalar("integer"), Scalar("number")


def compiled(value: Any, definitions: Mapping[str, Any] | None = None) -> Spec:
    row = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "value": value},
    }
    spec = {
        "collections": {"rows": {"type": "row", "primaryKey": "id", "schema": row}},
        "$defs": definitions or {},
    }
    loaded = load_spec_text(json.dumps(spec), "schema.json")
    assert loaded.spec is not None, loaded.findings
    return loaded.spec


def definition(spec: Spec, name: str) -> TypeDefinition:
    return next(found for found in spec.types if found.name == name)


def value_type(spec: Spec) -> Type:
    row = definition(spec, "Row")
    assert isinstance(row, ObjectType)
    return next(field.type for field in row.fields if field.name == "value")


def beyond(spec: Spec) -> tuple[str, ...]:
    return spec.collections[0].beyond_type


A = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}
B = {"type": "object", "required": ["y"], "properties": {"y": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "expected", "left"),
    [
        ({"type": ["string", "null"]}, Nullable(TEXT), ()),
        ({"minLength": 1}, ANY, ("minLength",)),
        ({"not": {}}, ANY, ("not",)),
        ({"not": False}, ANY, ()),
        ({"type": "array", "uniqueItems": True}, ArrayOf(ANY), ("uniqueItems",)),
        ({"type": "array", "uniqueItems": False}, ArrayOf(ANY), ()),
        ({"type": "array", "contains": True}, ArrayOf(ANY), ("contains",)),
        ({"type": "array", "minContains": 2}, ArrayOf(ANY), ()),
        ({"type": "string", "if": {"minLength": 1}}, TEXT, ()),
        ({"type": "string", "if": {}, "then": {"minLength": 1}}, TEXT, ("if", "then")),
        ({"type": "number", "multipleOf": 0.1}, NUMBER, ("multipleOf",)),
        (
            {"type": "integer", "multipleOf": 5},
            Scalar("integer", Constraints(multiple_of=5)),
            (),
        ),
        ({"type": "integer", "multipleOf": 0.5}, INTEGER, ("multipleOf",)),
        ({"type": "integer", "minimum": 2**63}, INTEGER, ("minimum",)),
        ({"type": "string", "pattern": "^\\w"}, TEXT, ("pattern",)),
        ({"type": "string", "format": "email"}, Scalar("string", format="email"), ()),
        ({"type": "string", "format": "time"}, Scalar("time"), ()),
        (
            {"type": "string", "format": "date-time", "minLength": 3},
            Scalar("date-time"),
            ("minLength",),
        ),
        (
            {"type": "string", "format": "date-time", "maxLength": 20},
            Scalar("string", Constraints(max_length=20), "date-time"),
            (),
        ),
        (
            {"type": "string", "format": "time", "maxLength": 21},
            Scalar("time"),
            ("maxLength",),
        ),
        (
            {"type": "string", "format": "uuid", "pattern": "^[A-F0-9-]+$"},
            Scalar("string", format="uuid"),
            ("pattern",),
        ),
        (
            {"allOf": [{"type": "string", "format": "time"}, {"minLength": 10}]},
            Scalar("string", Constraints(min_length=10), "time"),
            (),
        ),
        (
            {"type": "string", "format": "date", "pattern": "^2026"},
            Scalar("date"),
            ("pattern",),
        ),
        ({"type": "string", "x-streamdb-type": "Decimal"}, Scalar("decimal"), ()),
        ({"type": "string", "x-streamdb-type": "bytes"}, Scalar("bytes"), ()),
        (
            {"type": "string", "format": "date", "x-streamdb-type": "str"},
            Scalar("string", format="date"),
            (),
        ),
        ({"type": "object", "required": ["a"]}, MapOf(ANY), ("required",)),
        ({"type": "object", "propertyNames": {"maxLength": 3}}, MapOf(ANY), ("propertyNames",)),
        (
            {
                "type": "object",
                "patternProperties": {"^x": {"type": "integer"}},
                "additionalProperties": False,
            },
            MapOf(INTEGER),
            ("patternProperties",),
        ),
        (
            {"allOf": [{"type": "string"}, {"maxLength": 3}]},
            Scalar("string", Constraints(max_length=3)),
            (),
        ),
        (
            {"allOf": [{"minimum": 1}, {"type": ["integer", "string"]}, {"type": "integer"}]},
            Scalar("integer", Constraints(ge=1)),
            ("type",),
        ),
        (
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "items": False,
                "minItems": 2,
            },
            TupleOf((INTEGER, TEXT)),
            (),
        ),
        ({"type": "array", "prefixItems": [{"type": "integer"}]}, ArrayOf(ANY), ("prefixItems",)),
        ({"enum": [0.5, "a"]}, Named("RowValue"), ("enum",)),
        ({"const": [1]}, ArrayOf(ANY), ("const",)),
        ({"anyOf": [{"type": "string"}, {}]}, ANY, ()),
        (
            {"oneOf": [{"type": "string"}, {"type": "string", "minLength": 2}]},
            Named("RowValue"),
            ("oneOf",),
        ),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, Named("RowValue"), ()),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, Named("RowValue"), ("oneOf",)),
        ({"anyOf": [{"type": "string"}, {"const": None, "type": ["null"]}]}, Nullable(TEXT), ()),
        ({"anyOf": [{"type": "string"}, {"type": "null", "not": {}}]}, Nullable(TEXT), ("not",)),
        ({"type": "integer", "exclusiveMinimum": 2**63 - 1}, INTEGER, ("exclusiveMinimum",)),
        ({"type": "integer", "exclusiveMaximum": -(2**63)}, INTEGER, ("exclusiveMaximum",)),
        (
            {"type": "integer", "minimum": 1, "maximum": 2**63, "multipleOf": 5},
            Scalar("integer", Constraints(ge=1, multiple_of=5)),
            ("maximum",),
        ),
        ({"type": "number", "maximum": 2**53}, NUMBER, ("maximum",)),
        ({"type": "number", "minimum": -(2**53)}, NUMBER, ("minimum",)),
        (
            {"type": "number", "minimum": 0.5, "maximum": 2**53 - 1},
            Scalar("number", Constraints(ge=0.5, le=2**53 - 1)),
            (),
        ),
    ],
)
def test_a_type_and_what_it_leaves(schema: Any, expected: Type, left: tuple[str, ...]) -> None:
    spec = compiled(schema)
    assert value_type(spec) == expected
    assert beyond(spec) == left


def test_a_union_of_several_kinds() -> None:
    spec = compiled({"type": ["object", "string", "null"], "properties": {"a": {}}, "maxLength": 2})
    assert value_type(spec) == Nullable(Named("RowValue"))
    union = definition(spec, "RowValue")
    assert isinstance(union, ChoiceType)
    short = Scalar("string", Constraints(max_length=2))
    assert union.members == (Named("RowValueObject"), short)


def test_objects_without_a_common_tag_are_a_choice() -> None:
    spec = compiled({"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]}, {"A": A, "B": B})
    union = definition(spec, "RowValue")
    assert isinstance(union, ChoiceType)
    assert union.members == (Named("A"), Named("B"))
    assert beyond(spec) == ()


def test_a_constant_is_a_tag_whether_a_union_uses_it_or_not() -> None:
    tagged = {**A, "required": ["k"], "properties": {"k": {"const": "a"}, **A["properties"]}}
    spec = compiled({"$ref": "#/$defs/A"}, {"A": tagged})
    found = definition(spec, "A")
    assert isinstance(found, ObjectType)
    assert found.tag is not None
    assert (found.tag.wire_name, found.tag.value) == ("k", "a")
    assert spec.collections[0].lax


def test_a_constant_of_another_type_than_its_own_is_no_tag() -> None:
    def one(value: str, **more: Any) -> dict[str, Any]:
        properties = {"k": {"const": value, **more}}
        return {"type": "object", "required": ["k"], "properties": properties}

    row = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string"},
            "value": {"oneOf": [one("x", type="integer"), one("y")]},
        },
    }
    spec = {"collections": {"rows": {"primaryKey": "id", "schema": row}}}
    rules = {finding.rule for finding in load_spec_text(json.dumps(spec), "schema.json").findings}
    assert rules == {"ENUM_VALUE_TYPE", "SCHEMA_FALSE"}


@pytest.mark.parametrize(
    "nullable",
    [
        {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/X"}]},
        {"oneOf": [{"type": "null"}, {"type": "string"}, {"type": "null"}]},
    ],
)
def test_exactly_one_of_null_and_what_may_be_null_is_left_to_a_validator(nullable: Any) -> None:
    definitions = {"M": nullable, "X": {"type": ["string", "null"]}}
    assert beyond(compiled({"$ref": "#/$defs/M"}, definitions)) == ("oneOf",)


def test_what_a_definition_of_null_leaves_is_left_by_all_that_refer_to_it() -> None:
    spec = compiled({"$ref": "#/$defs/N"}, {"N": {"type": "null", "not": {"const": None}}})
    assert value_type(spec) == Scalar("null")
    assert beyond(spec) == ("not",)


def test_inheritance_over_many_steps_is_one_class() -> None:
    steps = 60
    chain: dict[str, Any] = {
        f"D{n}": {"allOf": [{"$ref": f"#/$defs/D{n + 1}"}, {"properties": {f"p{n}": {}}}]}
        for n in range(steps)
    }
    spec = compiled({"$ref": "#/$defs/D0"}, {**chain, f"D{steps}": A})
    found = definition(spec, "D0")
    assert isinstance(found, ObjectType)
    assert [field.name for field in found.fields] == [
        "x",
        *(f"p{n}" for n in reversed(range(steps))),
    ]


def test_all_of_objects_is_one_class() -> None:
    schema = {"allOf": [{"$ref": "#/$defs/A"}, B, {"required": ["z"]}], "properties": {"z": {}}}
    spec = compiled(schema, {"A": A})
    found = definition(spec, "RowValue")
    assert isinstance(found, ObjectType)
    assert [(field.name, field.required) for field in found.fields] == [
        ("z", True),
        ("x", True),
        ("y", True),
    ]
    assert beyond(spec) == ()


def test_a_property_declared_in_several_places_is_one_class_of_all() -> None:
    outer = {"type": "object", "properties": {"meta": A}}
    more = {"type": "object", "properties": {"meta": B}}
    spec = compiled({"allOf": [{"$ref": "#/$defs/Outer"}, more]}, {"Outer": outer})
    found = definition(spec, "RowValueMeta")
    assert isinstance(found, ObjectType)
    assert [field.name for field in found.fields] == ["x", "y"]


def test_what_stands_beside_a_reference_may_ask_for_undeclared_properties() -> None:
    spec = compiled({"$ref": "#/$defs/A", "minProperties": 2}, {"A": A})
    found = definition(spec, "RowValue")
    assert isinstance(found, ObjectType)
    assert found.extras == ANYTHING


def test_a_shared_class_keeps_what_something_around_it_asks_for() -> None:
    reference = {"$ref": "#/$defs/A"}
    items = {"type": "array", "items": reference}
    for schema, kept in ((items, False), ({**items, "uniqueItems": True}, True)):
        found = definition(compiled(schema, {"A": A}), "A")
        assert isinstance(found, ObjectType)
        assert (found.extras == ANYTHING) == kept


def test_choices_that_exclude_each_other_keep_nothing() -> None:
    spec = compiled({"oneOf": [A, {**B, "required": ["y"]}, {"type": "null"}]})
    for name in ("RowValueChoice1", "RowValueChoice2"):
        found = definition(spec, name)
        assert isinstance(found, ObjectType)
        assert found.extras is None


def test_all_of_with_one_reference_is_that_class() -> None:
    spec = compiled({"allOf": [{"$ref": "#/$defs/A"}], "not": {"required": ["q"]}}, {"A": A})
    assert value_type(spec) == Named("A")
    assert beyond(spec) == ("not",)


@pytest.mark.parametrize(
    "definitions",
    [
        {"A": {**A, "properties": {"a": {"$ref": "#/$defs/A", "unevaluatedProperties": False}}}},
        {
            "A": {**A, "properties": {"b": {"$ref": "#/$defs/B", "minProperties": 1}}},
            "B": {**B, "properties": {"a": {"$ref": "#/$defs/A", "minProperties": 1}}},
        },
    ],
)
def test_what_a_schema_joins_may_contain_it(definitions: Mapping[str, Any]) -> None:
    spec = compiled({"$ref": "#/$defs/A"}, definitions)
    assert {"A", *definitions} < {found.name for found in spec.types}


def test_inheritance_is_closed_by_unevaluated_properties() -> None:
    schema = {"$ref": "#/$defs/A", "properties": {"y": {}}, "unevaluatedProperties": False}
    spec = compiled(schema, {"A": A})
    found = definition(spec, "RowValue")
    assert isinstance(found, ObjectType)
    assert found.closed
    assert beyond(spec) == ()


def test_further_properties_of_one_type_are_extras() -> None:
    schema = {**A, "additionalProperties": {"type": "number"}}
    found = definition(compiled(schema), "RowValue")
    assert isinstance(found, ObjectType)
    assert found.extras == NUMBER
    assert not found.closed


def test_properties_of_alternatives_are_kept_as_extras() -> None:
    schema = {**A, "anyOf": [{"properties": {"q": {"type": "string"}}}, {"required": ["x"]}]}
    spec = compiled(schema)
    found = definition(spec, "RowValue")
    assert isinstance(found, ObjectType)
    assert found.extras == ANY
    assert beyond(spec) == ("anyOf",)


def test_what_a_definition_leaves_is_left_by_all_that_refer_to_it() -> None:
    odd = {"type": "object", "properties": {"s": {"type": "array", "uniqueItems": True}}}
    spec = compiled({"$ref": "#/$defs/Outer"}, {
        "Outer": {"type": "object", "properties": {"odd": {"$ref": "#/$defs/Odd"}}},
        "Odd": odd,
        "Unused": {"not": {}},
    })  # fmt: skip
    assert beyond(spec) == ("uniqueItems",)


def test_arrays_that_contain_themselves_hold_anything() -> None:
    tree = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/Tree"}}]}
    spec = compiled({"$ref": "#/$defs/Tree"}, {"Tree": tree})
    union = definition(spec, "Tree")
    assert isinstance(union, ChoiceType)
    assert union.members == (TEXT, ArrayOf(ANY))
    assert beyond(spec) == ("$ref",)


def test_a_required_property_of_which_nothing_is_said() -> None:
    found = definition(compiled({**A, "required": ["x", "q"]}), "RowValue")
    assert isinstance(found, ObjectType)
    assert [(field.name, field.type) for field in found.fields] == [("x", INTEGER), ("q", ANY)]


def test_a_property_that_may_never_be_there_has_no_field() -> None:
    spec = compiled({**A, "properties": {**A["properties"], "gone": False}})
    found = definition(spec, "RowValue")
    assert isinstance(found, ObjectType)
    assert [field.name for field in found.fields] == ["x"]
    assert beyond(spec) == ("properties",)


def test_references_to_anywhere_below_a_schema() -> None:
    schema = {"type": "object", "properties": {"a": A, "b": {"$ref": "#/$defs/Box/properties/in"}}}
    box = {"type": "object", "properties": {"in": {"type": "array", "items": A}}}
    spec = compiled(schema, {"Box": box})
    alias = definition(spec, "BoxIn")
    assert isinstance(alias, AliasType)
    assert alias.type == ArrayOf(Named("BoxInItem"))


def test_an_exported_schema_is_a_resource_of_its_own() -> None:
    exported = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {
            "Pair": {"type": "array", "items": [{"type": "integer"}], "additionalItems": False}
        },
        "type": "object",
        "properties": {
            "pair": {"$ref": "#/definitions/Pair", "minItems": 7},
            "other": {"type": "object", "dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
        },
    }
    spec = compiled(exported)
    bundle = json.loads(spec.canonical)
    schema = bundle["collections"]["rows"]["schema"]["properties"]["value"]
    pointer = "#/collections/rows/schema/properties/value/definitions/Pair"
    assert "$schema" not in schema
    assert schema["properties"]["pair"] == {"$ref": pointer}, "siblings have no meaning there"
    assert schema["definitions"]["Pair"] == {
        "type": "array",
        "prefixItems": [{"type": "integer"}],
        "items": False,
    }
    assert schema["properties"]["other"] == {
        "type": "object",
        "dependentRequired": {"a": ["b"]},
        "dependentSchemas": {"c": {"required": ["d"]}},
    }


def test_a_spec_that_is_a_document_of_2020_12_stays_as_it_is() -> None:
    text = json.dumps(
        {
            "collections": {"rows": {"primaryKey": "x", "schema": {"$ref": "#/$defs/A%20b"}}},
            "$defs": {"A b": {**A, "unknown": {"$ref": "#/nowhere"}}},
        }
    )
    loaded = load_spec_text(text, "schema.json")
    assert loaded.spec is not None
    assert json.loads(loaded.spec.canonical) == json.loads(text)


def test_discriminated_unions_by_the_first_constant_of_the_file() -> None:
    def message(kind: str) -> dict[str, Any]:
        properties = {"type": {"const": kind}, "kind": {"const": "x"}}
        return {"type": "object", "required": ["kind", "type"], "properties": properties}

    spec = compiled({"oneOf": [message("a"), message("b")]})
    union = definition(spec, "RowValue")
    assert isinstance(union, UnionType)
    member = definition(spec, union.members[0].name)
    assert isinstance(member, ObjectType)
    assert member.tag is not None
    assert member.tag.wire_name == "type"
    assert isinstance(definition(spec, "RowValueChoice1Kind"), LiteralType)


@pytest.mark.parametrize(
    "circle",
    [
        {"type": "integer", "$ref": "#/$defs/A"},
        {"anyOf": [{"$ref": "#/$defs/A"}], "minimum": 1},
        {"allOf": [{"$ref": "#/$defs/A"}], "not": {"const": 1}},
    ],
)
def test_a_definition_by_itself_and_other_keywords_is_refused(circle: Any) -> None:
    row = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    spec = {
        "collections": {"rows": {"primaryKey": "id", "schema": row}},
        "$defs": {"A": circle, "B": {"$ref": "#/$defs/A"}},
    }
    loaded = load_spec_text(json.dumps(spec), "schema.json")
    assert loaded.spec is None
    assert {finding.rule for finding in loaded.findings} == {"REFERENCE_CIRCLE"}


def test_a_spelling_that_is_asked_for_beside_a_reference() -> None:
    moments = {"Moment": {"type": "string", "format": "date-time"}}
    spec = compiled({"$ref": "#/$defs/Moment", "maxLength": 20}, moments)
    assert value_type(spec) == Scalar("string", Constraints(max_length=20), "date-time")
