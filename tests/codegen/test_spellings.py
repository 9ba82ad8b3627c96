"""Instants, times and UUIDs are text where a schema judges how they are spelt, and nowhere else."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from streamdb_gen.ir import ObjectType, Scalar, Spec
from streamdb_gen.loading import load_spec_text

INSTANT = {"type": "string", "format": "date-time"}
MOMENT = {"$ref": "#/$defs/Moment"}
SHORT = {"maxLength": 20}
DEFINITIONS = {
    "Moment": INSTANT,
    "MaybeMoment": {"anyOf": [MOMENT, {"type": "null"}]},
    "Visit": {"type": "object", "properties": {"from": INSTANT, "until": MOMENT}},
}
NOON = "2026-01-02T12:00:00Z"
LISTED = {"type": "array", "items": MOMENT}
NAMED = {"type": "object", "additionalProperties": MOMENT}
EVENT = {"type": "object", "properties": {"at": INSTANT, "until": MOMENT}}
KIND = {"type": "object", "required": ["kind"]}
UUID = "ABCDEF00-0000-4000-8000-000000000000"


def compiled(row: Mapping[str, Any]) -> Spec:
    base: dict[str, Any] = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}},
    }
    text = json.dumps([row, MOMENT])
    properties = {**base["properties"], **row.get("properties", {})}
    spec: dict[str, Any] = {
        "collections": {
            "rows": {
                "type": "row",
                "primaryKey": "id",
                "schema": {**base, **row, "properties": properties},
            }
        },
        "$defs": {key: one for key, one in DEFINITIONS.items() if f'"#/$defs/{key}"' in text},
    }
    loaded = load_spec_text(json.dumps(spec), "schema.json")
    assert loaded.spec is not None, loaded.findings
    return loaded.spec


def kinds_of(value: Any) -> Iterator[str]:
    """What the instants, times and UUIDs in definitions are: their kind, or `text`."""
    if isinstance(value, Scalar):
        if value.kind in ("date-time", "time", "uuid"):
            yield value.kind
        elif value.format in ("date-time", "time", "uuid"):
            yield "text"
    elif isinstance(value, tuple):
        for item in cast("tuple[Any, ...]", value):
            yield from kinds_of(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from kinds_of(getattr(value, field.name))


def used(row: Mapping[str, Any]) -> set[str]:
    """The kinds in all that the row needs; `Moment` itself stays what it is."""
    return {
        kind
        for definition in compiled(row).types
        if definition.name != "Moment"
        for kind in kinds_of(definition)
    }


def declaring(**properties: Any) -> dict[str, Any]:
    return {"properties": properties}


@pytest.mark.parametrize(
    "row",
    [
        declaring(a={**INSTANT, **SHORT}),
        declaring(a={**INSTANT, "minLength": 21}),
        declaring(a={**INSTANT, "pattern": "Z$"}),
        declaring(a={"type": "string", "format": "time", "maxLength": 12}),
        declaring(a={"type": "string", "format": "uuid", "not": {"enum": [UUID]}}),
        declaring(a={**MOMENT, **SHORT}),
        declaring(a={"allOf": [MOMENT, {"allOf": [SHORT]}]}),
        declaring(a={"allOf": [INSTANT, {"not": {"const": NOON}}]}),
        declaring(a={"anyOf": [INSTANT, {"type": "integer"}], **SHORT}),
        declaring(a={"anyOf": [MOMENT, {"type": "integer"}], **SHORT}),
        declaring(a={"$ref": "#/$defs/MaybeMoment", **SHORT}),
        declaring(a={"anyOf": [MOMENT, {"type": "null"}], "if": {"pattern": "z"}, "else": SHORT}),
        declaring(a={"oneOf": [INSTANT, {"type": "string", "pattern": "^2026"}]}),
        {"allOf": [declaring(a=INSTANT), declaring(a=SHORT)]},
        {"allOf": [declaring(a=MOMENT), declaring(a=SHORT)]},
        {**declaring(a=INSTANT), "if": declaring(a={"pattern": "Z$"}), "then": {"required": ["a"]}},
        {**declaring(a=MOMENT), "not": {**declaring(a={"const": NOON}), "required": ["a"]}},
        {**declaring(a=MOMENT), "dependentSchemas": {"id": declaring(a=SHORT)}},
        {**declaring(a=MOMENT), "patternProperties": {"^a": SHORT}},
        {**declaring(a=MOMENT), "patternProperties": {"^ab?": SHORT}},
        {**declaring(a=MOMENT), "patternProperties": {"^b|a": SHORT}},
        {**declaring(a=MOMENT), "allOf": [{"additionalProperties": SHORT}]},
        {**declaring(a=MOMENT), "allOf": [{"unevaluatedProperties": SHORT}]},
        declaring(a={"type": "array", "items": MOMENT, "uniqueItems": True}),
        declaring(a={"type": "array", "items": LISTED, "uniqueItems": True}),
        declaring(a={"type": "array", "items": EVENT, "uniqueItems": True}),
        declaring(a={"type": "array", "items": INSTANT, "contains": {"pattern": "Z$"}}),
        declaring(a={"type": "array", "items": INSTANT, "not": {"const": [NOON]}}),
        declaring(a={"type": "array", "items": MOMENT, "allOf": [{"prefixItems": [SHORT]}]}),
        declaring(a={**NAMED, "not": {"enum": [{"b": NOON}]}}),
    ],
)
def test_it_is_text_where_its_spelling_counts(row: dict[str, Any]) -> None:
    assert used(row) == {"text"}


@pytest.mark.parametrize(
    "row",
    [
        declaring(a=INSTANT),
        declaring(a={**INSTANT, "maxLength": 40, "minLength": 1}),
        declaring(a={**MOMENT, "description": "an annotation", "examples": [NOON]}),
        declaring(a={"anyOf": [INSTANT, {"enum": ["now", "never"]}]}),
        declaring(a={"anyOf": [INSTANT, {"type": "string", "pattern": "^now"}]}),
        declaring(a={"anyOf": [MOMENT, {"type": "integer"}], "not": {"const": "now"}}),
        declaring(a={"allOf": [INSTANT, {"format": "date-time"}]}),
        declaring(a=MOMENT, b={"type": "string", "pattern": "Z$"}),
        declaring(a={"oneOf": [INSTANT, {"type": "array", "items": {"type": "string", **SHORT}}]}),
        {**declaring(a=INSTANT), "if": {"required": ["a"]}, "then": declaring(b=SHORT)},
        {**declaring(a=INSTANT), "patternProperties": {"^x-": SHORT}},
        {**declaring(a=INSTANT), "propertyNames": {"pattern": "^[a-z]+$"}},
        {**declaring(a=INSTANT), "additionalProperties": {"type": "string", **SHORT}},
        declaring(a={"type": "array", "items": MOMENT}, b={"type": "array", "uniqueItems": True}),
        declaring(
            a={
                "oneOf": [
                    {**KIND, **declaring(kind={"const": 1}, at=INSTANT)},
                    {**KIND, **declaring(kind={"const": 2}, at={"type": "string", **SHORT})},
                ]
            }
        ),
    ],
)
def test_it_is_typed_where_nothing_judges_its_spelling(row: dict[str, Any]) -> None:
    assert "date-time" in used({**row, "properties": {**row["properties"], "direct": INSTANT}})
    assert "text" not in used(row)


def test_other_uses_of_a_definition_stay_typed() -> None:
    row = {**declaring(a=MOMENT, b=MOMENT), "if": declaring(a={"pattern": "Z$"}), "then": True}
    row_type = next(one for one in compiled(row).types if one.name == "Row")
    assert isinstance(row_type, ObjectType)
    assert [list(kinds_of(field.type)) for field in row_type.fields] == [[], ["text"], []]


def test_a_class_that_is_shared_has_text_for_all() -> None:
    asking = {"$ref": "#/$defs/Visit", "not": declaring(until={"const": NOON})}
    visit = next(
        one
        for one in compiled(declaring(a=asking, b={"$ref": "#/$defs/Visit"})).types
        if one.name == "Visit"
    )
    assert list(kinds_of(visit)) == ["date-time", "text"]


def test_many_properties_and_choices() -> None:
    many = {f"p{number}": MOMENT for number in range(1500)}
    asking = [{"properties": {f"p{number}": SHORT}} for number in range(0, 1500, 10)]
    row_type = next(
        one for one in compiled({**declaring(**many), "anyOf": asking}).types if one.name == "Row"
    )
    assert list(kinds_of(row_type)) == ["text"] * 150
