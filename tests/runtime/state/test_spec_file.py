"""Spec files read at run time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streamdb import InvalidRow, SchemaError, StateSchema

MESSAGE = {
    "type": "object",
    "required": ["id", "role"],
    "properties": {"id": {"type": "string"}, "role": {"enum": ["user", "assistant"]}},
}


def spec(**collections: Any) -> dict[str, Any]:
    return {
        "$schema": "./streamdb-spec-v1.json",
        "name": "chat",
        "version": "1.2.3",
        "collections": collections,
        "$defs": {"Message": MESSAGE, "Key": {"type": "integer"}},
    }


def collection(schema: Any, **members: Any) -> dict[str, Any]:
    return {"type": "message", "primaryKey": "id", "schema": schema, **members}


def read(tmp_path: Path, content: Any) -> StateSchema:
    path = tmp_path / "chat.schema.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return StateSchema.from_file(path)


def test_collections_of_plain_rows(tmp_path: Path) -> None:
    content = spec(
        messages=collection({"$ref": "#/$defs/Message"}),
        tools=collection({"properties": {"id": {"$ref": "#/$defs/Key"}}}, type="tool"),
        profiles={"primaryKey": "id", "updates": "merge", "schema": {"allOf": [MESSAGE]}},
    )
    schema = read(tmp_path, content)
    assert (schema.name, schema.version) == ("chat", "1.2.3")
    messages, tools, profiles = schema.collections
    assert [(c.name, c.type, c.key, c.updates) for c in schema.collections] == [
        ("messages", "message", str, "replace"),
        ("tools", "tool", int, "replace"),
        ("profiles", "profiles", str, "merge"),
    ]
    row = {"id": "m1", "role": "user"}
    assert messages.decode(messages.encode(row)) == row
    assert tools.decode(b'{"id":5}') == {"id": 5}
    for wrong in ({"id": "m1"}, {"id": "m1", "role": "robot"}, {"id": 5, "role": "user"}):
        with pytest.raises(InvalidRow):
            messages.encode(wrong)
        with pytest.raises(InvalidRow):
            messages.decode(json.dumps(wrong).encode())
        with pytest.raises(InvalidRow):
            profiles.encode(wrong)


def test_the_bare_map_of_collections(tmp_path: Path) -> None:
    schema = read(tmp_path, {"type": collection(MESSAGE), "name": collection(MESSAGE, type="n")})
    assert (schema.name, list(schema.by_name)) == ("chat", ["type", "name"])
    schema.by_name["type"].encode({"id": "m1", "role": "user"})


@pytest.mark.parametrize(
    "own",
    [
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"$id": "https://example.com/row.json"},
    ],
)
def test_a_schema_that_is_a_document_of_its_own(tmp_path: Path, own: dict[str, str]) -> None:
    """`#` is the pasted schema then, in the draft that it names."""
    pasted = {
        **own,
        "definitions": {"Role": {"enum": ["user"]}},
        "properties": {
            "id": {"type": "string"},
            "role": {"$ref": own.get("$id", "") + "#/definitions/Role"},
            "pair": {"items": [{"type": "string"}, {"type": "integer"}]},
        },
    }
    if "$id" in own:
        del pasted["properties"]["pair"]  # type: ignore[attr-defined]  # of draft 07 alone
    (messages,) = read(tmp_path, spec(messages=collection(pasted))).collections
    messages.encode({"id": "m1", "role": "user", "pair": ["a", 1]})
    with pytest.raises(InvalidRow, match="at /role"):
        messages.encode({"id": "m1", "role": "robot"})
    if "$schema" in own:
        with pytest.raises(InvalidRow, match="at /pair/1"):
            messages.encode({"id": "m1", "pair": ["a", "b"]})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not JSON"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "/: a spec is an object"),
        ({}, "/: a spec has a map of collections"),
        ({"collections": {}}, "/collections: a spec has a map"),
        (spec(messages=5), "/collections/messages: a collection is an object"),
        (spec(messages={"schema": MESSAGE}), "/collections/messages: `primaryKey` names"),
        (spec(messages=collection(5)), "/collections/messages/schema: a collection has"),
        (spec(messages=collection(MESSAGE, updates="x")), "/collections/messages/updates: "),
        (spec(messages=collection(MESSAGE, type=5)), "/collections/messages/type: "),
        (spec(messages=collection(MESSAGE, primaryKey="key")), "the primary key 'key' is no"),
        (
            spec(messages=collection({"properties": {"id": {"type": "boolean"}}})),
            "the primary key 'id' is no property of type string or integer",
        ),
        (spec(messages=collection({"$ref": "#/$defs/Loop"})), "the primary key 'id' is no"),
        (spec(messages=collection({**MESSAGE, "minItems": "x"})), "/collections/messages/schema: "),
        (
            spec(messages=collection({**MESSAGE, "allOf": [{"$ref": "parts.json#/x"}]})),
            "/collections/messages/schema/allOf/0/$ref: the reference 'parts.json#/x' leads to "
            "another file: compile the spec with streamdb-gen",
        ),
        (spec(utils=collection(MESSAGE)), "'utils' is reserved"),
        (spec(a=collection(MESSAGE), b=collection(MESSAGE)), "share the event type 'message'"),
    ],
)  # fmt: skip
def test_what_is_no_spec(tmp_path: Path, content: Any, says: str) -> None:
    with pytest.raises(SchemaError) as caught:
        read(tmp_path, content)
    assert "chat.schema.json: " in str(caught.value)
    assert says in str(caught.value)


def test_references_in_circles_end(tmp_path: Path) -> None:
    content = spec(messages=collection({"$ref": "#/$defs/Loop"}))
    content["$defs"]["Loop"] = {"$ref": "#/$defs/Loop"}
    with pytest.raises(SchemaError):
        read(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        StateSchema.from_file(tmp_path / "nowhere.json")
