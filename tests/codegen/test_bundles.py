"""A package's `schema.json` is a spec that compiles to the same package."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.codegen.hostile_schemas import documents

from streamdb import CollectionSchema, InvalidRow, StateSchema
from streamdb_gen import api
from streamdb_gen.ir import Spec
from streamdb_gen.loading import load_spec, load_spec_text

ROOT = Path(__file__).parents[1]
CORPUS = [
    *sorted(ROOT.glob("agreement/corpus/*.json")),
    *sorted(ROOT.glob("golden/*/*.json")),
    *sorted(ROOT.glob("codegen/rules/*/*.json")),
    *sorted(ROOT.parent.glob("generated_examples/*/*.json")),
]

DRAFT = "https://json-schema.org/draft/2020-12/schema"

Write = Callable[[str, Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def one(name: str, document: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return one


def compiled(path: Path) -> Spec:
    loaded = load_spec(path)
    assert loaded.spec is not None, api.render_text(loaded.findings, loaded.sources)
    return loaded.spec


def assert_compiles_to_the_same(spec: Spec, file: str) -> Any:
    """Compile the bundle under the same name; returns it."""
    again = load_spec_text(spec.canonical, file)
    assert again.spec is not None, api.render_text(again.findings, again.sources)
    assert again.spec.canonical == spec.canonical
    for target in api.TARGETS:
        assert api.generate(again.spec, target) == api.generate(spec, target)
    return json.loads(spec.canonical)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_bundle_of_a_spec_of_the_corpus(path: Path) -> None:
    spec = load_spec(path).spec
    if spec is not None:
        assert_compiles_to_the_same(spec, path.name)


def test_the_corpus_holds_specs() -> None:
    assert sum(load_spec(path).spec is not None for path in CORPUS) > 15


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(documents())
def test_the_bundle_of_any_spec(document: dict[str, Any]) -> None:
    spec = load_spec_text(json.dumps(document), "soup.json").spec
    if spec is not None:
        assert_compiles_to_the_same(spec, "soup.json")


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), documents(), st.sampled_from(["", "#/$defs/A", "#/x/B", "#/items"]))
def test_the_bundle_of_any_two_files(spec: Any, other: Any, fragment: str) -> None:
    definitions = other["$defs"]
    file = {"type": "array", "items": definitions["C"], "$defs": definitions, "x": definitions}
    spec["collections"]["rows"]["schema"]["properties"]["b"] = {"$ref": f"other.json{fragment}"}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "other.json").write_text(json.dumps(file), encoding="utf-8")
        path = Path(folder) / "soup.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        loaded = load_spec(path).spec
    if loaded is not None:
        assert_compiles_to_the_same(loaded, "soup.json")


PART = {"type": "object", "properties": {"text": {"type": "string"}}}


def row(**properties: Any) -> Any:
    return {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, **properties},
    }


def test_a_bare_map_of_collections_gets_a_frame_for_what_it_refers_to(write: Write) -> None:
    own = {"$ref": "#/notes/schema/properties/id"}
    schema = row(part={"$ref": "parts.json#/$defs/Part"}, own=own)
    path = write("spec.json", {"notes": {"primaryKey": "id", "schema": schema}})
    write("parts.json", {"$defs": {"Part": PART}})
    spec = compiled(path)
    document = assert_compiles_to_the_same(spec, "spec.json")
    assert set(document) == {"collections", "$defs"}
    properties = document["collections"]["notes"]["schema"]["properties"]
    assert properties["own"] == {"$ref": "#/collections/notes/schema/properties/id"}
    assert [one.pointer for one in spec.collections] == ["/collections/notes"]
    plain = StateSchema.from_file(write("schema.json", document))
    assert [one.name for one in plain.collections] == ["notes"]
    assert plain.collections[0].decode(b'{"id": "a", "part": {"text": "b"}}')


def test_a_bare_map_that_refers_to_nothing_else_stays_as_it_is(write: Write) -> None:
    written = {"notes": {"primaryKey": "id", "schema": row()}}
    assert (
        assert_compiles_to_the_same(compiled(write("spec.json", written)), "spec.json") == written
    )


@pytest.mark.parametrize(
    "references",
    [
        ["tree.json"],
        ["tree.json#/properties/leaf", "tree.json"],
        ["tree.json", "tree.json#/$defs/Deep/properties/x"],
        ["tree.json#/$defs/Deep/properties/x", "tree.json#/$defs/Deep"],
        ["tree.json#/components/schemas/Odd", "tree.json#/components/schemas/Odd/properties/y"],
        ["tree.json#named"],
        ["old.json", "old.json#/definitions/Pair/items/0", "old.json#/definitions/Tail"],
    ],
)
@pytest.mark.parametrize("bare", [False, True])
def test_the_bundle_of_several_files(write: Write, references: list[str], bare: bool) -> None:
    tree = {
        "x-streamdb-name": "Arbre",
        **PART,
        "properties": {
            "leaf": {**PART, "$anchor": "named"},
            "deep": {"$ref": "#/$defs/Deep"},
            "up": {"$ref": "#"},
        },
        "$defs": {"Deep": {"type": "object", "properties": {"x": {"enum": ["a", "b"]}}}},
        "components": {"schemas": {"Odd": {"type": "object", "properties": {"y": PART}}}},
    }
    old = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": "#/definitions/Pair",
        "properties": {"gone": PART},
        "definitions": {
            "Pair": {
                "type": "array",
                "items": [{"enum": ["x"]}, PART],
                "additionalItems": {"$ref": "#/definitions/Tail"},
            },
            "Tail": {"type": "object", "dependencies": {"a": {"required": ["b"]}, "c": ["d"]}},
        },
    }
    write("tree.json", tree)
    write("old.json", old)
    properties = {f"p{n}": {"$ref": reference} for n, reference in enumerate(references)}
    collections = {"notes": {"primaryKey": "id", "schema": row(**properties)}}
    document = collections if bare else {"name": "files", "collections": collections}
    spec = compiled(write("spec.json", document))
    assert_compiles_to_the_same(spec, "spec.json")
    plain = StateSchema.from_file(write("schema.json", json.loads(spec.canonical)))
    assert [one.name for one in plain.collections] == ["notes"]


@pytest.mark.parametrize(
    "key",
    [
        *("List<Int>", "a b", "é", "😀", "a[0]", "a|b", 'a"b', "a\\b", "a^b", "`", "{x}"),
        *("a%b", "a%20b", "a/b", "a~b", "a?b", "a#b", "$-._!&'()*+,;=:@", "plain"),
    ],
)
def test_references_are_uris(write: Write, key: str) -> None:
    """Of a text that is none, no validator can be made, in no language."""
    pointer = "/$defs/" + key.replace("~", "~0").replace("/", "~1")
    encoded = "#" + quote(pointer, safe="/~$-._!&'()*+,;=:@")
    for reference in {encoded} if set(key) & set("%#") else {encoded, f"#{pointer}"}:
        document = {
            "name": "example",
            "collections": {"notes": {"primaryKey": "id", "schema": row(v={"$ref": reference})}},
            "$defs": {key: {"x-streamdb-name": "Value", "minLength": 1, "not": {"const": "no"}}},
        }
        path = write("spec.json", document)
        bundle = assert_compiles_to_the_same(compiled(path), "spec.json")
        found = bundle["collections"]["notes"]["schema"]["properties"]["v"]["$ref"]
        assert re.fullmatch(r"#(?:[A-Za-z0-9/?:@!$&'()*+,;=._~-]|%[0-9A-F]{2})*", found)

        schema = {**bundle, "$schema": DRAFT, "$ref": "#/collections/notes/schema"}
        validators = [jsonschema_rs.validator_for(schema), Draft202012Validator(schema)]
        plain = [StateSchema.from_file(one) for one in (path, write("bundle.json", bundle))]
        for value, expected in (("yes", True), ("no", False), ("", False)):
            note = {"id": "1", "v": value}
            assert [one.is_valid(note) for one in validators] == [expected] * 2
            assert [accepts(one.collections[0], note) for one in plain] == [expected] * 2


def accepts(schema: CollectionSchema[Any, Any], note: Any) -> bool:
    try:
        schema.decode(json.dumps(note).encode(), strict=True)
    except InvalidRow:
        return False
    return True


def test_what_has_the_key_of_something_else_keeps_its_class_name(write: Write) -> None:
    write("parts.json", {"$defs": {"Part": PART}})
    definitions = {"Part": {"type": "string", "x-streamdb-name": "Other"}}
    schema = row(a={"$ref": "#/$defs/Part"}, b={"$ref": "parts.json#/$defs/Part"})
    collections = {"notes": {"primaryKey": "id", "schema": schema}}
    path = write("spec.json", {"name": "n", "collections": collections, "$defs": definitions})
    document = assert_compiles_to_the_same(compiled(path), "spec.json")
    assert document["$defs"]["Part2"] == {"x-streamdb-name": "Part", **PART}


def test_what_is_referred_to_under_a_word_of_another_tool_is_a_schema(write: Write) -> None:
    schema = row(
        a={
            "x-shared": {"Word": {"type": "array", "items": {"$ref": "#/$defs/B"}, "$anchor": "w"}},
            "$ref": "#/collections/notes/schema/properties/a/x-shared/Word",
        },
    )
    collections = {"notes": {"primaryKey": "id", "schema": schema}}
    definitions = {"B": {"$id": "urn:b", "$ref": "#/$defs/C", "$defs": {"C": {"type": "string"}}}}
    path = write("spec.json", {"name": "n", "collections": collections, "$defs": definitions})
    document = assert_compiles_to_the_same(compiled(path), "spec.json")
    properties = document["collections"]["notes"]["schema"]["properties"]
    assert properties["a"]["$ref"] == "#/$defs/NotesAXSharedWord"
    moved = document["$defs"]["NotesAXSharedWord"]
    assert moved == {
        "x-streamdb-name": "NotesAXSharedWord",
        "type": "array",
        "items": {"$ref": "#/$defs/B"},
    }


@pytest.mark.parametrize("keyword", ["const", "enum", "default", "examples", "properties"])
def test_the_value_of_a_keyword_is_no_schema(write: Write, keyword: str) -> None:
    value: Any = {"type": "string"}
    value = [value] if keyword in ("enum", "examples") else value
    step = "/0" if isinstance(value, list) else ""
    reference = {"$ref": f"#/$defs/A/{keyword}{step}"}
    collections = {"notes": {"primaryKey": "id", "schema": row(a=reference)}}
    path = write("spec.json", {"collections": collections, "$defs": {"A": {keyword: value}}})
    loaded = load_spec(path)
    assert loaded.spec is None
    (finding,) = (one for one in loaded.findings if one.rule == "REFERENCE_UNKNOWN")
    assert finding.pointer == "/collections/notes/schema/properties/a/$ref"
    assert f"`{keyword}`" in (finding.hint or "")


def test_values_that_look_like_schemas_stay_as_they_are(write: Write) -> None:
    value = {"$ref": "#/nowhere", "$id": "urn:x", "$anchor": "x", "not": {"$ref": "gone.json"}}
    schema = row(a={"const": value}, b={"enum": [value]}, c={"default": value, "x-other": value})
    spec = {
        "name": "n",
        "collections": {"notes": {"primaryKey": "id", "schema": schema}},
        "x-note": value,
        "$defs": {"A": {"$id": "urn:x", "$anchor": "x", "type": "string"}},
    }
    document = assert_compiles_to_the_same(compiled(write("spec.json", spec)), "spec.json")
    assert document["collections"] == spec["collections"]
    assert document["x-note"] == value
