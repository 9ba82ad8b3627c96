"""The JSON Schema in `index.ts`: the spec's, in words that ajv takes as JSON Schema means them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.codegen.typescript.specs import row, spec_of

from streamdb_gen.ir import Spec
from streamdb_gen.loading import load_spec_text
from streamdb_gen.targets.typescript.schema_document import row_reference, schema_document


def rewritten(schema: Any) -> Any:
    document = schema_document(spec_of(row(), schema=schema))
    return document.value["collections"]["rows"]["schema"]


def test_a_schema_is_what_it_was() -> None:
    schema = {
        "$comment": "kept",
        "type": "object",
        "properties": {"pattern": {"type": "string"}, "nullable": True, "$ref": {"const": 1}},
        "allOf": [{"not": {"required": ["x"]}}, {"$ref": "#/collections/rows/schema"}],
        "x-own": {"pattern": r"\-"},
    }
    assert rewritten(schema) == schema


def test_patterns_are_written_for_the_flag_u_and_values_are_not() -> None:
    schema = {
        "pattern": r"\-",
        "patternProperties": {r"^\_a": {"pattern": r"\-"}, "pattern": {}},
        "items": [],
        "enum": [{"pattern": r"\-"}],
        "const": {"pattern": r"\-"},
        "default": {"pattern": r"\-"},
        "examples": [{"pattern": r"\-"}],
        "dependentSchemas": {"a": {"pattern": r"\-"}},
        "if": {"propertyNames": {"pattern": r"\-"}},
    }
    assert rewritten(schema) == {
        **schema,
        "pattern": "-",
        "patternProperties": {"^_a": {"pattern": "-"}, "pattern": {}},
        "dependentSchemas": {"a": {"pattern": "-"}},
        "if": {"propertyNames": {"pattern": "-"}},
    }


def test_patterns_that_would_come_out_alike_stay_apart() -> None:
    schema = {"patternProperties": {r"\-": {"type": "string"}, "-": {"minLength": 1}}}
    assert rewritten(schema) == schema


@pytest.mark.parametrize("word", ["nullable", "id", "dependencies", "$async", "$data", "$schema"])
def test_words_that_mean_something_to_ajv_alone_are_left_out(word: str) -> None:
    assert rewritten({"items": {word: True, "type": "string"}}) == {"items": {"type": "string"}}


def test_the_formats_that_are_named() -> None:
    schema = {
        "properties": {"format": {"format": "uuid"}, "x": {"enum": [{"format": "ipv4"}]}},
        "prefixItems": [{"format": "email"}, {"format": "uuid"}],
    }
    assert schema_document(spec_of(row(), schema=schema)).formats == ("email", "uuid")


BARE = {
    "not": {
        "type": "a",
        "primaryKey": "id",
        "schema": {
            "type": "object",
            "required": ["id"],
            "properties": {"id": {"type": "string"}, "next": {"$ref": "#/not/schema"}},
        },
    }
}


def compiled(document: Any) -> Spec:
    loaded = load_spec_text(json.dumps(document), "spec.json")
    assert loaded.spec is not None, loaded.findings
    return loaded.spec


def test_a_bare_map_of_collections_gets_a_frame_and_its_references_follow() -> None:
    spec = compiled(BARE)
    schema = schema_document(spec).value["collections"]["not"]["schema"]
    assert schema["properties"]["next"] == {"$ref": "#/collections/not/schema"}
    assert row_reference(spec.collections[0]) == "#/collections/not/schema"


def test_a_schema_below_a_word_of_another_tool_is_there_if_it_is_referred_to() -> None:
    schema: Any = {
        "items": {"$ref": "#/collections/rows/schema/components/A~1b%20c"},
        "components": {
            "A/b c": {"pattern": r"\-", "not": {"$ref": "#/collections/rows/schema/components/B"}},
            "B": {"format": "email", "nullable": True},
            "C": {},
        },
    }
    spec = spec_of(row(), schema=schema)
    document = schema_document(spec)
    assert document.value["collections"]["rows"]["schema"]["components"] == {
        "A/b c": {"pattern": "-", "not": schema["components"]["A/b c"]["not"]},
        "B": {"format": "email"},
    }
    assert document.formats == ("email",)


def test_what_ajv_gets_wrong_is_said_otherwise() -> None:
    schema = {
        "prefixItems": [True],
        "contains": {"const": 1},
        "maxContains": 2,
        "allOf": [True],
        "properties": {"a": {}, "__proto__": {"type": "string"}},
    }
    assert rewritten(schema) == {
        "prefixItems": [True],
        "allOf": [True, {"contains": {"const": 1}, "maxContains": 2}],
        "properties": {"a": {}},
        "patternProperties": {"^__proto__$": {"type": "string"}},
    }


def test_branches_evaluate_something_where_it_counts() -> None:
    nothing, patterns = {"$ref": "#/$defs/nothing"}, {"(?!)": True}
    schema = {"if": {"properties": {"a": {}}}, "else": {"patternProperties": {"^b": False}}}
    assert rewritten(schema) == schema
    closed = {**schema, "unevaluatedProperties": False}
    assert rewritten(closed) == {
        **nothing,
        **closed,
        "if": {**nothing, "anyOf": [schema["if"]]},
        "then": {"patternProperties": patterns},
        "else": {"patternProperties": {"^b": False, **patterns}},
    }


def test_choices_start_with_nothing_evaluated_where_it_counts() -> None:
    choices = [{"properties": {"a": {}}}, True]
    schema = {"$ref": "#/$defs/nothing", "patternProperties": {"^b": True}, "anyOf": choices}
    closed = {**schema, "unevaluatedProperties": False}
    own: Any = {"nothing": {"type": "object"}}
    row_schema: Any = {
        **BARE["not"]["schema"],
        "properties": {"id": {"type": "string"}, "closed": closed},
    }
    rows = {"type": "row", "primaryKey": "id", "schema": row_schema}
    spec = compiled({"collections": {"rows": rows}, "$defs": own})
    document = schema_document(spec).value
    assert document["collections"]["rows"]["schema"]["properties"]["closed"] == {
        "$ref": "#/$defs/nothing_",
        "anyOf": choices,
        "unevaluatedProperties": False,
        "allOf": [{"patternProperties": {"^b": True}}, {"$ref": "#/$defs/nothing"}],
    }
    assert document["$defs"] == {**own, "nothing_": {"patternProperties": {"(?!)": True}}}


def test_what_is_no_schema_is_left_out() -> None:
    collections = json.loads(json.dumps(BARE).replace("#/not/", "#/collections/not/"))
    spec = compiled({"name": "n", "collections": collections, "reserved": {"types": ["b"]}})
    document = schema_document(spec).value
    assert set(document) == {"$schema", "collections"}
    assert document["collections"] == {"not": {"schema": collections["not"]["schema"]}}
