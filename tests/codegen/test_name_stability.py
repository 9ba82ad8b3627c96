"""Adding a property or a definition renames nothing; `name_campaign` is the long form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.codegen.name_stability import compiled, edits, names, renamed, specs

from streamdb_gen.ir import Spec


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_adding_renames_nothing(data: st.DataObject) -> None:
    spec = data.draw(specs())
    before = compiled(spec)
    assume(before is not None)
    after = compiled(data.draw(edits(spec)))
    assume(after is not None)
    assert before is not None
    assert after is not None
    assert renamed(before, after) == []


TEXT = {"type": "string"}


def choice(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


OTHER = choice(k={"const": "other"})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (choice(a=TEXT), choice(a=TEXT, k={"const": "zed"})),
        (choice(k={"const": "zed"}), choice(n={"const": 1}, k={"const": "zed"})),
        (choice(k={"const": "zed"}), choice(k={"const": "zed"}) | {"patternProperties": {"x": {}}}),
        (choice(k={"const": "zed"}), choice(k={"const": "zed"}) | {"dependentRequired": {}}),
    ],
)
@pytest.mark.parametrize("null_first", [False, True])
def test_what_is_added_inside_a_choice_renames_no_choice(
    before: Any, after: Any, null_first: bool
) -> None:
    def spec(one: Any) -> Spec:
        choices = [{"type": "null"}] * null_first + [one, OTHER]
        row = choice(key=TEXT, value={"anyOf": choices})
        found = compiled({"collections": {"rows": {"primaryKey": "key", "schema": row}}})
        assert found is not None
        return found

    assert renamed(spec(before), spec(after)) == []
    assert f"RowsValueChoice{1 + null_first}" in names(spec(after)).values()


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
@pytest.mark.parametrize("null_at", [None, 0, 1])
@pytest.mark.parametrize(
    "one",
    [
        choice(k={"const": "zed"}),
        {"enum": ["on", "off"]},
        {"type": "array", "items": choice(a=TEXT)},
        {"type": "object", "additionalProperties": choice(a=TEXT)},
    ],
)
@pytest.mark.parametrize("added", [OTHER, TEXT, {"type": "null"}])
def test_a_choice_beside_the_only_one_renames_nothing(
    union: str, null_at: int | None, one: Any, added: Any
) -> None:
    choices = [one]
    if null_at is not None:
        choices.insert(null_at, {"type": "null"})

    def spec(choices: list[Any]) -> Spec:
        row = choice(key=TEXT, value={union: choices}, same={"$ref": "#/$defs/Same"})
        collection = {"primaryKey": "key", "schema": row}
        definitions = {"Same": {union: choices}}
        found = compiled({"collections": {"rows": collection}, "$defs": definitions})
        assert found is not None
        return found

    before, after = spec(choices), spec([*choices, added])
    assert renamed(before, after) == []
    assert {t.name for t in before.types} <= {t.name for t in after.types}


def test_the_only_choice_can_be_used_by_the_name_of_its_union() -> None:
    row = choice(key=TEXT, value={"anyOf": [choice(a=TEXT), {"type": "null"}]})
    spec = compiled({"collections": {"rows": {"primaryKey": "key", "schema": row}}})
    assert spec is not None
    value = "/collections/rows/schema/properties/value"
    assert names(spec)["AliasType", value] == "RowsValue"
    assert names(spec)["ObjectType", f"{value}/anyOf/0"] == "RowsValueChoice1"


def test_a_reference_to_a_choice_renames_no_choice() -> None:
    row = choice(key=TEXT, value={"anyOf": [{"type": "null"}, choice(k={"const": "zed"}), OTHER]})
    before = compiled({"collections": {"rows": {"primaryKey": "key", "schema": row}}})
    at = "#/collections/rows/schema/properties/value/anyOf/1"
    referring = {**row, "properties": {**row["properties"], "same": {"$ref": at}}}
    after = compiled({"collections": {"rows": {"primaryKey": "key", "schema": referring}}})
    assert before is not None
    assert after is not None
    assert renamed(before, after) == []


def test_a_renamed_class_would_be_seen() -> None:
    row = {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}}
    collection = {"type": "entry", "primaryKey": "key", "schema": row}
    before = compiled({"collections": {"rows": collection}})
    after = compiled({"collections": {"rows": {**collection, "type": "other"}}})
    assert before is not None
    assert after is not None
    assert "Entry" in names(before).values()
    assert renamed(before, after) == [
        "ObjectType at /collections/rows/schema: Entry became Other",
        "update at /collections/rows: EntryUpdate became OtherUpdate",
    ]
