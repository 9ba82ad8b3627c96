"""When two JSON values are the same: by the rules of JSON Schema, which are not those of Python."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamdb_gen.ir import ObjectType
from streamdb_gen.json_equality import are_equal, identity
from streamdb_gen.loading import load_spec_text


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (0, -0.0, True),
        (1, True, False),
        (0, False, False),
        (0, None, False),
        ("1", 1, False),
        (2**53, float(2**53), True),
        (2**53 + 1, float(2**53), False),
        (1e300, int(1e300), True),
        ([1, {"a": 1}], [1.0, {"a": 1.0}], True),
        ([1], [True], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({}, [], False),
    ],
)
def test_values_are_equal_as_json(left: Any, right: Any, equal: bool) -> None:
    assert are_equal(left, right) is equal
    assert (identity(left) == identity(right)) is equal


def of_two_parts(first: Any, second: Any) -> tuple[str, ...]:
    parts = [{"type": "object", "properties": {"v": one}} for one in (first, second)]
    row = {"allOf": [*parts, {"required": ["id"], "properties": {"id": {"type": "string"}}}]}
    spec = {"collections": {"rows": {"type": "row", "primaryKey": "id", "schema": row}}}
    loaded = load_spec_text(json.dumps(spec), "schema.json")
    assert loaded.spec is not None, loaded.findings
    assert any(isinstance(one, ObjectType) for one in loaded.spec.types)
    return loaded.spec.collections[0].beyond_type


def test_a_property_of_two_parts_is_one_if_they_are_equal() -> None:
    assert of_two_parts({"enum": ["x", 1]}, {"enum": ["x", 1]}) == ()
    assert of_two_parts({"enum": ["x", 1]}, {"enum": ["x", True]}) == ("allOf",)


def test_equal_values_of_an_enum_are_reported() -> None:
    row = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string"},
            "v": {"enum": [{"a": 1, "b": 2}, {"b": 2.0, "a": 1}, {"a": True, "b": 2}]},
        },
    }
    spec = {"collections": {"rows": {"primaryKey": "id", "schema": row}}}
    findings = load_spec_text(json.dumps(spec), "schema.json").findings
    assert [f.pointer.rpartition("/")[2] for f in findings if f.rule == "ENUM_VALUE_DUPLICATE"] == [
        "1"
    ]
