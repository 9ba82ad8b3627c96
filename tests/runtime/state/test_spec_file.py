"""Spec files read at run time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streamdb import Contract, InvalidRow, SpecError, StateSchema, UnknownColumn
from streamdb.expr import predicate
from streamdb.state.declared_properties import DeclaredProperties

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


def with_id(schema: Any, **more: Any) -> dict[str, Any]:
    """A row that has nothing but its primary key."""
    return {"required": ["id"], "properties": {"id": schema}, **more}


def read(tmp_path: Path, content: Any) -> StateSchema:
    path = tmp_path / "chat.schema.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return StateSchema.from_file(path)


def test_collections_of_plain_rows(tmp_path: Path) -> None:
    content = spec(
        messages=collection({"$ref": "#/$defs/Message"}),
        tools=collection(with_id({"$ref": "#/$defs/Key"}), type="tool"),
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
        "required": ["id"],
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
            "the primary key 'id' is no required property of type string or integer",
        ),
        (
            spec(messages=collection({"properties": {"id": {"type": "string"}}})),
            "the primary key 'id' is no required property",
        ),
        (spec(messages=collection(MESSAGE, update="merge")), "/messages/update: a collection"),
        (
            spec(messages=collection({"$ref": "#/$defs/Loop"})),
            "/collections/messages/schema/$ref: the reference '#/$defs/Loop' leads to no schema",
        ),
        (spec(messages=collection({**MESSAGE, "minItems": "x"})), "/messages/schema/minItems: "),
        (
            spec(messages=collection({**MESSAGE, "allOf": [{"$ref": "parts.json#/x"}]})),
            "/collections/messages/schema/allOf/0/$ref: the file 'parts.json' cannot be referred "
            "to: no such file",
        ),
        (spec(utils=collection(MESSAGE)), "'utils' is reserved"),
        (spec(a=collection(MESSAGE), b=collection(MESSAGE)), "share the event type 'message'"),
    ],
)  # fmt: skip
def test_what_is_no_spec(tmp_path: Path, content: Any, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, content)
    assert says in str(caught.value)


def test_references_in_circles_end(tmp_path: Path) -> None:
    content = spec(messages=collection({"$ref": "#/$defs/Loop"}))
    content["$defs"]["Loop"] = {"$ref": "#/$defs/Loop"}
    with pytest.raises(SpecError):
        read(tmp_path, content)


DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"

FOLLOWED: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"$ref": "#/$defs/My%20Text"}, ["a"], [5]),
    ({"$ref": "#text"}, ["a"], [5]),
    ({"$ref": "#/$defs/My%20Text", "type": "string", "minLength": 2}, ["aa"], ["a", 5]),
    ({"type": ["string"]}, ["a"], [5]),
    ({"type": "number", "enum": [1, 2.0]}, [1, 2], [3, "1"]),
    ({"allOf": [{"type": ["string", "integer"]}, {"type": ["number", "null"]}]}, [1], ["a", None]),
    ({"$ref": "chat.schema.json#/$defs/My%20Text"}, ["a"], [5]),
    ({"$ref": "urn:own:text"}, ["a"], [5]),
    ({"type": "string", "x-streamdb-type": "Decimal"}, ["1.50"], ["abc"]),
    ({"type": "string", "x-tool": {"$ref": "nowhere.json"}}, ["a"], [5]),
    ({"type": "string", "default": {"$ref": "nowhere.json"}}, ["a"], [5]),
]  # fmt: skip


@pytest.mark.parametrize(("key", "valid", "invalid"), FOLLOWED)
def test_primary_keys_wherever_their_type_stands(
    tmp_path: Path, key: dict[str, Any], valid: list[Any], invalid: list[Any]
) -> None:
    content = spec(messages=collection(with_id(key)))
    content["$defs"] |= {
        "My Text": {"type": "string", "$anchor": "text"},
        "Own": {"$id": "urn:own:text", "type": "string"},
    }
    (messages,) = read(tmp_path, content).collections
    for value in valid:
        assert messages.decode(messages.encode({"id": value})) == {"id": value}
    for value in invalid:
        with pytest.raises(InvalidRow):
            messages.encode({"id": value})


N = {"N": {"type": "integer"}}

TREE = {
    "$schema": DRAFT_2020_12,
    "type": "object",
    "properties": {
        "kids": {"type": "array", "items": {"$ref": "#"}},
        "n": {"type": "integer"},
        "half": {"$ref": "#/$defs/Half"},
    },
    "additionalProperties": False,
    "$defs": {"Half": {"type": "boolean"}},
}


@pytest.mark.parametrize("own", [{}, {"$id": "https://example.com/tree.json"}])
@pytest.mark.parametrize("is_inline", [True, False])
def test_a_resource_inside_a_schema_is_the_root_of_its_references(
    tmp_path: Path, own: dict[str, str], is_inline: bool
) -> None:
    tree = {**TREE, **own}
    row = with_id({"type": "string"})
    row["properties"]["tree"] = tree if is_inline else {"$ref": "#/$defs/Tree"}
    content = spec(messages=collection(row))
    if not is_inline:
        content["$defs"]["Tree"] = tree
    (messages,) = read(tmp_path, content).collections
    messages.encode({"id": "a", "tree": {"kids": [{"kids": [{"n": 1, "half": True}]}]}})
    for wrong in ({"n": "x"}, {"junk": 1}, {"half": 5}):
        with pytest.raises(InvalidRow, match="at /tree/kids/0/kids/0/"):
            messages.encode({"id": "a", "tree": {"kids": [{"kids": [wrong]}]}})


def test_a_property_that_is_named_like_a_keyword(tmp_path: Path) -> None:
    """What is below `properties` is a schema, whatever its name."""
    row = with_id({"type": "string"})
    row["properties"] |= {"default": {"$ref": "other.json"}}
    with pytest.raises(SpecError, match=r"/schema/properties/default/\$ref: the file"):
        read(tmp_path, spec(messages=collection(row)))
    row["properties"] = {"id": {"type": "string"}, "const": {"$ref": "#/$defs/Key"}}
    (messages,) = read(tmp_path, spec(messages=collection(row))).collections
    with pytest.raises(InvalidRow, match="at /const"):
        messages.encode({"id": "a", "const": "b"})


def test_constants_hold_no_references(tmp_path: Path) -> None:
    row = with_id({"type": "string"})
    constant = {"$ref": "other.json", "$id": "x", "minumum": 3}
    row["properties"] |= {"a": {"const": constant}, "b": {"enum": [constant]}}
    (messages,) = read(tmp_path, spec(messages=collection(row))).collections
    messages.encode({"id": "a", "a": constant, "b": constant})
    with pytest.raises(InvalidRow, match="at /a"):
        messages.encode({"id": "a", "a": {}})


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"minumum": 3}, "/minumum: JSON Schema knows no such keyword: did you mean `minimum`?"),
        ({"$dynamicRef": "#x"}, "/$dynamicRef: the keyword is not supported"),
        ({"nullable": True}, "/nullable: the keyword is not supported"),
        ({"$ref": "#"}, "/$ref: the reference '#' leads to no schema"),
        ({"$ref": "#/collections"}, "/$ref: the reference '#/collections' leads to no schema"),
        ({"$ref": "#/$defs/Nothing"}, "/$ref: the reference '#/$defs/Nothing' leads to no schema"),
        ({"$ref": "#nothing"}, "/$ref: the reference '#nothing' leads to no schema"),
        ({"$ref": "http://[x"}, "/$ref: the reference 'http://[x' leads to no schema"),
        ({"$schema": "urn:mine"}, "/$schema: the draft 'urn:mine' is not known"),
    ],
)  # fmt: skip
def test_what_has_to_be_compiled(tmp_path: Path, schema: Any, says: str) -> None:
    row = with_id({"type": "string"})
    row["properties"]["value"] = schema
    with pytest.raises(SpecError) as caught:
        read(tmp_path, spec(messages=collection(row)))
    assert f"/collections/messages/schema/properties/value{says}" in str(caught.value)


def test_a_pasted_document_of_an_older_draft(tmp_path: Path) -> None:
    """What stands beside its `$ref` has no meaning."""
    pasted = {
        "$schema": DRAFT_7.replace("http:", "https:"),
        "$ref": "#/definitions/Row",
        "minProperties": 5,
        "definitions": {
            "Row": with_id({"$ref": "#key", "type": "integer"}),
            "Key": {"$id": "#key", "type": "string"},
        },
    }
    (messages,) = read(tmp_path, spec(messages=collection(pasted))).collections
    assert messages.key is str
    messages.encode({"id": "a"})
    with pytest.raises(InvalidRow, match="at /id"):
        messages.encode({"id": 5})


def test_older_drafts_inside(tmp_path: Path) -> None:
    """Each schema is read in the draft of its own resource, from wherever it is referred to."""
    older = {
        "$schema": DRAFT_7,
        "items": [{"type": "string"}, {"$ref": "#/definitions/Pair"}],
        "definitions": {
            "Pair": {"items": [{"$ref": "#/definitions/Number"}]},
            "Number": {"$ref": "#/definitions/Integer", "maximum": 5},
            "Integer": {"type": "integer"},
            "Newer": {"$schema": DRAFT_2020_12, "$ref": "#/$defs/N", "minimum": 3, "$defs": N},
        },
    }
    row = with_id({"type": "string"})
    row["properties"] |= {
        "value": {"$ref": "#/$defs/Older"},
        "pair": {"$ref": "#/$defs/Older/definitions/Pair"},
        "newer": {"$ref": "#/$defs/Older/definitions/Newer"},
    }
    content = spec(messages=collection(row))
    content["$defs"]["Older"] = older
    (messages,) = read(tmp_path, content).collections
    messages.encode({"id": "a", "value": ["a", [7, "b"], 5], "pair": [7, "b"], "newer": 3})
    for wrong, at in (
        ({"value": [5]}, "/value/0"),
        ({"value": ["a", ["b"]]}, "/value/1/0"),
        ({"pair": ["b"]}, "/pair/0"),
        ({"newer": 2}, "/newer"),
        ({"newer": "a"}, "/newer"),
    ):
        with pytest.raises(InvalidRow) as caught:
            messages.encode({"id": "a", **wrong})
        assert caught.value.pointer == at


@pytest.mark.parametrize("closing", [{}, {"additionalProperties": False}])
def test_a_misspelt_column_is_an_error(tmp_path: Path, closing: dict[str, Any]) -> None:
    content = spec(messages=collection({"$ref": "#/$defs/Message"}))
    content["$defs"]["Message"] = {**MESSAGE, **closing}
    (messages,) = read(tmp_path, content).collections
    get = messages.rows.getter
    test = predicate(messages.columns, lambda m: m.role == "user", get)
    assert test({"id": "m1", "role": "user"})
    with pytest.raises(UnknownColumn, match="messagesColumns has no column 'rol'"):
        predicate(messages.columns, lambda m: m.rol == "user", get)


def test_a_property_that_is_not_declared_is_a_column_where_there_may_be_one(tmp_path: Path) -> None:
    closed = {**MESSAGE, "additionalProperties": False}
    content = spec(messages=collection(MESSAGE), others=collection(closed, type="other"))
    messages, others = read(tmp_path, content).collections
    get = messages.rows.getter
    test = predicate(messages.columns, lambda m: m["sent by"] == "ada", get)
    assert test({"id": "m1", "role": "user", "sent by": "ada"})
    with pytest.raises(UnknownColumn, match="othersColumns has no column 'sent by'"):
        predicate(others.columns, lambda m: m["sent by"] == "ada", get)


@pytest.mark.parametrize(
    ("schema", "names", "is_closed"),
    [
        ({"allOf": [{"properties": {"a": {}}}], "properties": {"b": {}}}, "ba", False),
        ({"oneOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, "a", True),
        ({"oneOf": [{"properties": {"a": {}}, "additionalProperties": False}]}, "a", False),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"a": {}}}}}, "a", False),
        (
            {"properties": {"a": {}}, "patternProperties": {}, "additionalProperties": False},
            "a",
            False,
        ),
        ({"properties": {"a": {"properties": {"b": {}}}}}, "a", False),
        ({"properties": {"a": {}}, "allOf": [{"$ref": "#here"}, {"$anchor": "here"}]}, "", False),
        ({"properties": {"a": {}}, "allOf": [{"$ref": "#"}]}, "a", False),
    ],
)
def test_the_properties_that_a_schema_declares(
    schema: dict[str, Any], names: str, is_closed: bool
) -> None:
    assert Contract.of(schema).properties == DeclaredProperties(tuple(names), is_closed)
