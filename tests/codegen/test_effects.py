"""Effects of actions are compiled to paths through the input."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from streamdb_gen.ir import Constant, DeleteEffect, Effect, InputPath, UpdateEffect, WriteEffect
from streamdb_gen.loading import load_spec_text

ROW = {
    "type": "object",
    "required": ["id", "size", "role"],
    "properties": {
        "id": {"type": "string"},
        "size": {"type": "number"},
        "role": {"enum": ["user", "agent", "system"]},
        "noteText": {"type": "string"},
        "parent": {"type": ["string", "null"]},
        "extra": True,
    },
}


def effects_of(effects: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> list[Effect]:
    spec = {
        "collections": {"toolCalls": {"primaryKey": "id", "schema": {"$ref": "#/$defs/Row"}}},
        "actions": {"act": {"input": given, "effects": effects}},
        "$defs": {"Row": ROW},
    }
    loaded = load_spec_text(json.dumps(spec), "schema.json")
    assert loaded.findings == ()
    assert loaded.spec is not None
    return list(loaded.spec.actions[0].effects)


@pytest.mark.parametrize("operation", ["insert", "upsert"])
def test_the_whole_input_is_the_row(operation: str) -> None:
    (effect,) = effects_of([{operation: "toolCalls"}], {"$ref": "#/$defs/Row"})
    assert isinstance(effect, WriteEffect)
    assert effect == WriteEffect(effect.operation, "tool_calls", InputPath(()))
    assert effect.operation == operation


def test_a_part_of_the_input_is_the_row() -> None:
    given = {
        "type": "object",
        "required": ["a/b"],
        "properties": {"a/b": {"$ref": "#/$defs/Row"}},
    }
    effects = effects_of([{"insert": "toolCalls", "value": "/a~1b"}], given)
    assert effects == [WriteEffect("insert", "tool_calls", InputPath(("a_b",)))]


def test_another_object_is_converted_field_by_field() -> None:
    given = {
        "type": "object",
        "required": ["id", "size", "role", "parent"],
        "properties": {
            "role": {"const": "agent"},
            "id": {"enum": ["a", "b"]},
            "size": {"type": "integer"},
            "noteText": {"type": "string", "x-streamdb-name": "note"},
            "parent": {"type": ["string", "null"]},
        },
    }
    effects = effects_of([{"insert": "toolCalls"}], given)
    assert effects == [
        WriteEffect(
            "insert",
            "tool_calls",
            InputPath(()),
            (
                ("id", InputPath(("id",))),
                ("size", InputPath(("size",))),
                ("role", InputPath(("role",))),
                ("note_text", InputPath(("note",), optional=True)),
                ("parent", InputPath(("parent",))),
            ),
        )
    ]


def test_updates_and_deletes_in_order() -> None:
    given = {
        "type": "object",
        "required": ["callId"],
        "properties": {"callId": {"type": "string"}, "note": {"type": "string"}},
    }
    effects = effects_of(
        [
            {
                "update": "toolCalls",
                "key": "/callId",
                "set": {
                    "noteText": "/note",
                    "size": {"const": 1.0},
                    "role": {"const": "agent"},
                    "parent": {"const": None},
                    "extra": "/callId",
                },
            },
            {"delete": "toolCalls", "key": "/callId"},
        ],
        given,
    )
    assert effects == [
        UpdateEffect(
            "tool_calls",
            InputPath(("call_id",)),
            (
                ("note_text", InputPath(("note",), optional=True)),
                ("size", Constant("1")),
                ("role", Constant('"agent"')),
                ("parent", Constant("null")),
                ("extra", InputPath(("call_id",))),
            ),
        ),
        DeleteEffect("tool_calls", InputPath(("call_id",))),
    ]
