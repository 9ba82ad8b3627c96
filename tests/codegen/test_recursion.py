"""Schemas that are joined to what contains them: compiled where they stand, never copied."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamdb_gen import api
from streamdb_gen.loading import load_spec_text

ROW = {"$ref": "#/$defs/Row"}


def row(**more: Any) -> Any:
    properties = {"id": {"type": "string"}, "x": {"type": "string"}, **more.pop("properties", {})}
    return {"type": "object", "required": ["id"], "properties": properties, **more}


def prop(**schema: Any) -> Any:
    return row(properties={"a": schema})


@pytest.mark.parametrize(
    "schema",
    [
        prop(**ROW, unevaluatedProperties=False),
        prop(allOf=[ROW, {"properties": {"y": {"allOf": [ROW, {"minProperties": 1}]}}}]),
        prop(anyOf=[{**ROW, "minProperties": 1}, {"type": "null"}]),
        prop(oneOf=[{**ROW, "required": ["x"]}, {**ROW, "required": ["a"]}]),
        prop(**{"if": ROW, "then": {**ROW, "required": ["x"]}}),
        prop(type="array", items={**ROW, "unevaluatedProperties": False}),
        prop(type="array", items={"allOf": [ROW, {"required": ["x"]}]}),
        prop(type="array", prefixItems=[{**ROW, "minProperties": 1}], items=False, minItems=1),
        prop(type="object", additionalProperties={**ROW, "minProperties": 1}),
        prop(type=["object", "array"], properties={"b": {**ROW, "maxProperties": 3}}),
        row(patternProperties={"^p": {**ROW, "minProperties": 1}}),
        row(patternProperties={"^p": {"allOf": [ROW]}}, additionalProperties=False),
        row(additionalProperties={"allOf": [ROW], "minProperties": 1}),
        row(unevaluatedProperties={**ROW, "minProperties": 1}),
        row(
            properties={
                "a": {"$ref": "#/$defs/Row/properties/b", "minProperties": 1},
                "b": {
                    "type": "object",
                    "properties": {"c": {"$ref": "#/$defs/Row/properties/a", "minProperties": 1}},
                },
            }
        ),
    ],
)
@pytest.mark.parametrize("inline", [False, True])
def test_a_row_may_contain_what_is_joined_to_it(schema: Any, inline: bool) -> None:
    collection = {"primaryKey": "id", "schema": ROW}
    spec: dict[str, Any] = {"name": "n", "collections": {"rows": collection}}
    if inline:
        text = json.dumps({**collection, "schema": schema})
        collection = json.loads(text.replace("#/$defs/Row", "#/collections/rows/schema"))
        spec["collections"] = {"rows": collection}
    else:
        spec["$defs"] = {"Row": schema}
    loaded = load_spec_text(json.dumps(spec), "spec.json")
    assert loaded.spec is not None, loaded.findings
    for target in api.TARGETS:
        assert api.generate(loaded.spec, target)
