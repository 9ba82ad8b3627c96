"""All findings of a file come from one run; nothing in a file is an exception."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from streamdb_gen.findings import Finding, render_text
from streamdb_gen.json_scanner import MAX_NESTING
from streamdb_gen.loading import LoadedSpec, load_spec, load_spec_text
from streamdb_gen.lowering.keywords import ANNOTATIONS, ASSERTIONS
from streamdb_gen.meta_schema import meta_schema_text
from streamdb_gen.rules import RULES

TEN_FAULTS = """\
{
  "name": "session",
  "name": "sessions",
  "collections": {
    "messages": {
      "type": "message",
      "schema": { "$ref": "#/$defs/Nota" }
    },
    "close": {
      "type": "message",
      "primaryKey": "id",
      "schema": {
        "type": "object",
        "required": ["id"],
        "properties": {
          "id": { "type": "string", "format": "e-mail" },
          "tags": { "type": "array", "$dynamicRef": "#n" },
          "size": { "type": "intger" },
        }
      }
    }
  },
  "actions": {
    "remove": {
      "input": { "type": "object", "properties": { "id": { "type": "string" } } },
      "effects": [ { "delete": "mesages", "key": "/id" } ]
    }
  },
  "$defs": { "Note": { "type": "object", "properties": {} } }
}
"""


def test_ten_faults_are_ten_findings_at_their_places() -> None:
    loaded = load_spec_text(TEN_FAULTS, "schema.json")

    assert loaded.spec is None
    assert [(f.rule, f.line, f.column) for f in loaded.findings] == [
        ("JSON_DUPLICATE_KEY", 3, 3),
        ("COLLECTION_PRIMARY_KEY_MISSING", 5, 5),
        ("REFERENCE_UNKNOWN", 7, 27),
        ("COLLECTION_NAME_RESERVED", 9, 5),
        ("COLLECTION_TYPE_DUPLICATE", 10, 15),
        ("FORMAT_UNSUPPORTED", 16, 47),
        ("KEYWORD_UNSUPPORTED", 17, 38),
        ("SPEC_VALUE", 18, 29),
        ("JSON_TRAILING_COMMA", 18, 39),
        ("COLLECTION_UNKNOWN", 26, 32),
    ]


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(TEN_FAULTS, encoding="utf-8")
    loaded = load_spec(path)
    assert {finding.file for finding in loaded.findings} == {str(path)}
    assert loaded.sources == {str(path): TEN_FAULTS}


def _finding(**changes: Any) -> Finding:
    return Finding(
        **{
            "rule": "SPEC_TYPE",
            "severity": "error",
            "file": "a.json",
            "line": 1,
            "column": 1,
            "pointer": "/a",
            "message": "a message",
            **changes,
        }
    )


def test_the_excerpt_of_a_long_line_is_the_part_around_the_caret() -> None:
    line = "x" * 500 + "!" + "y" * 500
    printed = render_text([_finding(column=501)], {"a.json": line})
    excerpt, caret = printed.split("\n")[1:3]
    assert excerpt[caret.index("^")] == "!"
    assert len(excerpt) < 120


def test_the_caret_stands_below_wide_characters_and_tabs() -> None:
    printed = render_text([_finding(column=4)], {"a.json": "\t消息!"})
    excerpt, caret = printed.split("\n")[1:3]
    assert caret.index("^") == excerpt.index("!") + 2  # two characters take two cells each


@pytest.mark.parametrize("character", ["\u202e", "\x1b", "\u200b", "\ud83d", "\u2028", "\x00"])
def test_nothing_that_a_terminal_would_act_on_is_printed(character: str) -> None:
    finding = _finding(message=character, hint=character, pointer=character, file=character)
    printed = render_text([finding], {character: f"a{character}b"})
    assert character not in printed
    assert f"{ord(character):04x}" in printed


def test_a_finding_beyond_its_source_is_printed_without_excerpt() -> None:
    assert render_text([_finding(line=7)], {"a.json": "x"}).count("\n") == 2
    assert render_text([_finding()], {}).count("\n") == 2


def test_the_meta_schema_is_a_schema_and_accepts_what_compiles() -> None:
    meta_schema = json.loads(meta_schema_text())
    Draft202012Validator.check_schema(meta_schema)
    validator = Draft202012Validator(meta_schema)
    assert validator.is_valid(VALID)
    assert validator.is_valid(VALID["collections"])
    assert not validator.is_valid({"collections": {}})
    assert not validator.is_valid({"name": "a"})
    described = meta_schema["$defs"]["schema"]["properties"]
    assert all("description" in v or "$ref" in v for v in described.values())
    assert described.keys() == ASSERTIONS | ANNOTATIONS


VALID: Any = {
    "name": "session",
    "description": "A session.",
    "version": "1.0.0",
    "collections": {
        "messages": {
            "type": "message",
            "primaryKey": "id",
            "schema": {"$ref": "#/$defs/Message"},
        },
        "parts": {
            "primaryKey": "id",
            "schema": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "integer", "minimum": 0},
                    "part": {"oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]},
                    "tree": {"$ref": "#/$defs/Tree"},
                },
            },
        },
    },
    "actions": {
        "send": {"input": {"$ref": "#/$defs/Message"}, "effects": [{"insert": "messages"}]},
        "rename": {
            "input": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string"}, "text": {"$ref": "#/$defs/Text"}},
            },
            "effects": [
                {"update": "messages", "key": "/id", "set": {"text": "/text"}},
                {"delete": "messages", "key": "/id"},
            ],
        },
    },
    "reserved": {"types": ["typing"], "fields": {"messages": ["body"]}},
    "$defs": {
        "Message": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "pattern": "^[a-z]+$"},
                "text": {"anyOf": [{"$ref": "#/$defs/Text"}, {"type": "null"}], "default": "x"},
                "role": {"enum": ["a", "b", None]},
            },
        },
        "Text": {"type": "string", "maxLength": 9},
        "A": {"type": "object", "required": ["k"], "properties": {"k": {"const": "a"}}},
        "B": {"type": "object", "required": ["k"], "properties": {"k": {"const": "b"}}},
        "Tree": {
            "type": "object",
            "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
        },
    },
}
KEYS = sorted(
    ASSERTIONS | ANNOTATIONS | {"id", "k", "messages", "insert", "set", "key", "allOf", "x-a"}
)
HOSTILE: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["string", "object", "null", "#/$defs/A", "#", "", "/id", "\ud83d", *KEYS])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


def _paths(value: Any) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return [()]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [(), *((key, *path) for key, child in inner for path in _paths(child))]


PATHS = [path for path in _paths(VALID) if path]


def _assert_sound(loaded: LoadedSpec) -> None:
    errors = [finding for finding in loaded.findings if finding.severity == "error"]
    assert (loaded.spec is None) == bool(errors)
    assert list(loaded.findings) == sorted(loaded.findings)
    assert {finding.rule for finding in loaded.findings} <= RULES.keys()
    render_text(loaded.findings, loaded.sources).encode()


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PATHS), HOSTILE), min_size=1, max_size=3))
def test_no_spec_with_a_hostile_part_is_an_exception(changes: list[tuple[Any, Any]]) -> None:
    spec = copy.deepcopy(VALID)
    for path, hostile in changes:
        parent: Any = spec
        try:
            for key in path[:-1]:
                parent = parent[key]
            parent[path[-1]] = hostile
        except (KeyError, IndexError, TypeError):
            continue
    _assert_sound(load_spec_text(json.dumps(spec), "schema.json"))


@given(HOSTILE)
def test_no_hostile_document_is_an_exception(document: Any) -> None:
    _assert_sound(load_spec_text(json.dumps(document), "schema.json"))


@given(st.binary(max_size=60) | st.text(st.characters(), max_size=60))
def test_no_bytes_are_an_exception(text: bytes | str) -> None:
    _assert_sound(load_spec_text(text, "schema.json"))


@pytest.mark.parametrize(
    "reference",
    [
        "http://[::1",
        "//[",
        "http://a\uff0f/x",
        "#%FF",
        f"#/$defs/Text/anyOf/{'1' * 5000}",
        "#/$defs/Text/anyOf/\u0660",
        "#/$defs/Text/anyOf/00",
    ],
)
def test_a_reference_that_no_reader_of_uris_takes_leads_nowhere(reference: str) -> None:
    text = {"anyOf": [{"type": "string"}]}
    loaded = _with_definitions({"Text": text, "R": {"$ref": reference}})
    assert [finding.rule for finding in loaded.findings] == ["REFERENCE_UNKNOWN"]


def test_an_identifier_that_is_no_uri() -> None:
    loaded = _with_definitions({"R": {"$id": "http://[::1/x", "type": "string"}})
    (finding,) = loaded.findings
    assert (finding.rule, finding.pointer) == ("SPEC_VALUE", "/$defs/R/$id")
    assert finding.message == "`http://[::1/x` is no URI"


def _with_definitions(definitions: Any) -> LoadedSpec:
    return load_spec_text(json.dumps({**VALID, "$defs": {**VALID["$defs"], **definitions}}), "a")


def test_long_chains_of_references() -> None:
    chain: Any = {f"C{n}": {"$ref": f"#/$defs/C{n + 1}"} for n in range(3000)}
    loaded = _with_definitions({**chain, "C3000": {"type": "string"}})
    assert loaded.findings == ()
    circle = _with_definitions({**chain, "C3000": {"$ref": "#/$defs/C0"}})
    assert {finding.rule for finding in circle.findings} == {"REFERENCE_CIRCLE"}


def test_long_chains_of_objects_and_aliases() -> None:
    chain: Any = {
        f"C{n}": {"type": "array", "items": {"$ref": f"#/$defs/C{n + 1}"}}
        if n % 2
        else {"type": "object", "properties": {"next": {"$ref": f"#/$defs/C{n + 1}"}}}
        for n in range(3000)
    }
    loaded = _with_definitions({**chain, "C3000": {"type": "string"}})
    assert loaded.findings == ()
    assert loaded.spec is not None


def test_near_names_are_looked_for_a_limited_number_of_times() -> None:
    count = 200
    misspelt = {f"M{i}": {"$ref": f"#/$defs/Name{i}"} for i in range(count)}
    loaded = _with_definitions({"Name": {"type": "string"}, **misspelt})
    unknown = [finding for finding in loaded.findings if finding.rule == "REFERENCE_UNKNOWN"]
    assert len(unknown) == count
    assert unknown[0].hint == "did you mean `#/$defs/Name`?"
    assert unknown[-1].hint == "refer to an entry of `$defs`: `#/$defs/NAME`"


def test_a_long_circle_without_end_is_told_in_short() -> None:
    count = 500
    loaded = _with_definitions(
        {
            f"N{i}": {
                "type": "object",
                "required": ["next"],
                "properties": {"next": {"$ref": f"#/$defs/N{(i + 1) % count}"}},
            }
            for i in range(count)
        }
    )
    (endless,) = (f for f in loaded.findings if f.rule == "RECURSION_ENDLESS")
    assert endless.message == (
        "no value is ever finished: `N0` requires `N1`, which requires `N2`, which requires `N3`, "
        "which requires …, which requires `N0`"
    )


def test_large_enums_and_objects() -> None:
    loaded = _with_definitions(
        {
            "Large": {"enum": [f"v{n}" for n in range(20_000)]},
            "Wide": {
                "type": "object",
                "properties": {f"p{n}": {"type": "string"} for n in range(10_000)},
            },
        }
    )
    assert loaded.findings == ()


@pytest.mark.parametrize("keyword", ["items", "additionalProperties"])
def test_deep_nesting_up_to_the_limit(keyword: str) -> None:
    schema: Any = {"type": "string"}
    type_ = "array" if keyword == "items" else "object"
    for _ in range(MAX_NESTING - 10):
        schema = {"type": type_, keyword: schema}
    assert _with_definitions({"Deep": schema}).findings == ()
