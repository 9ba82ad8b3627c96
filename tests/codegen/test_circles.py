"""Schemas that lead back to themselves: with the same value an error, with a part of it none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamdb_gen.loading import LoadedSpec, load_spec_text

_DRAFT_07 = "http://json-schema.org/draft-07/schema#"


def load(definitions: Mapping[str, Any]) -> LoadedSpec:
    row = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    collections = {"rows": {"primaryKey": "id", "schema": row}}
    return load_spec_text(
        json.dumps({"collections": collections, "$defs": definitions}), "spec.json"
    )


def circles(definitions: Mapping[str, Any]) -> list[str]:
    """The pointers of the references that close one."""
    found = load(definitions).findings
    return [finding.pointer for finding in found if finding.rule == "REFERENCE_CIRCLE"]


A = {"$ref": "#/$defs/A"}


@pytest.mark.parametrize(
    ("schema", "at"),
    [
        (A, ""),
        ({"not": A}, "/not"),
        ({"if": A, "then": {}}, "/if"),
        ({"if": {}, "then": A}, "/then"),
        ({"if": {}, "else": A}, "/else"),
        ({"allOf": [{}, A]}, "/allOf/1"),
        ({"anyOf": [{"type": "string"}, A]}, "/anyOf/1"),
        ({"oneOf": [A, {"type": "string"}]}, "/oneOf/0"),
        ({"dependentSchemas": {"a/b": A}}, "/dependentSchemas/a~1b"),
        ({"not": {"anyOf": [{"not": A}]}}, "/not/anyOf/0/not"),
        ({"x-other": {"B": A}, "not": {"$ref": "#/$defs/A/x-other/B"}}, "/x-other/B"),
        (
            {"$schema": _DRAFT_07, "dependencies": {"a": ["b"], "c": {"$ref": "#"}}},
            "/dependencies/c",
        ),
    ],
)
def test_a_check_that_comes_back_with_the_same_value(schema: Any, at: str) -> None:
    loaded = load({"A": schema})
    assert loaded.spec is None
    assert circles({"A": schema}) == [f"/$defs/A{at}/$ref"]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": A}},
        {"patternProperties": {"a": A}},
        {"additionalProperties": A},
        {"unevaluatedProperties": {"not": A}},
        {"propertyNames": {"anyOf": [A]}},
        {"items": A},
        {"prefixItems": [{"allOf": [A]}]},
        {"unevaluatedItems": A},
        {"contains": A},
        {"not": {"properties": {"a": {"not": A}}}},
        {"contentSchema": A},
        # Nothing refers to these.
        {"$defs": {"B": A}},
        {"const": A, "enum": [A], "default": A, "examples": [A], "x-other": A},
        # Beside a reference of draft-07, nothing has a meaning.
        {
            "$schema": _DRAFT_07,
            "$ref": "#/definitions/B",
            "not": {"$ref": "#"},
            "definitions": {"B": {}},
        },
    ],
)
def test_a_part_of_the_value_may_be_of_the_same_kind(schema: Any) -> None:
    assert circles({"A": schema}) == []


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(
        st.sampled_from("ABCD"),
        st.lists(
            st.tuples(
                st.sampled_from(["not", "$ref", "properties", "items"]), st.sampled_from("ABCD")
            ),
            max_size=2,
            unique_by=lambda step: step[0],
        ),
    )
)
def test_every_circle_is_found_and_nothing_else(steps: dict[str, list[tuple[str, str]]]) -> None:
    definitions = {name: {} for name in "ABCD"} | {
        name: {keyword: _leading_to(other, keyword) for keyword, other in onward}
        for name, onward in steps.items()
    }
    reached = {
        name: {other for keyword, other in steps.get(name, ()) if keyword in ("not", "$ref")}
        for name in "ABCD"
    }
    for _ in "ABCD":
        reached = {
            name: others.union(*(reached[other] for other in others))
            for name, others in reached.items()
        }
    assert bool(circles(definitions)) == any(name in reached[name] for name in "ABCD")


def _leading_to(name: str, keyword: str) -> Any:
    pointer = f"#/$defs/{name}"
    if keyword == "$ref":
        return pointer
    return {"a": {"$ref": pointer}} if keyword == "properties" else {"$ref": pointer}


def test_a_long_way_back_is_found() -> None:
    steps = 3000
    definitions = {f"D{n}": {"not": {"$ref": f"#/$defs/D{(n + 1) % steps}"}} for n in range(steps)}
    assert circles(definitions) == [f"/$defs/D{steps - 1}/not/$ref"]


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_what_is_no_list_of_schemas_is_reported_and_no_circle(keyword: str) -> None:
    found = load({"B": {keyword: {"$ref": None}}, "C": {keyword: {"$ref": "#/$defs/C"}}}).findings
    assert {finding.rule for finding in found} == {"SPEC_TYPE"}
