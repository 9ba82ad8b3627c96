"""`lint --fix`: what it writes, and what it leaves alone."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.codegen.command_line import run
from tests.codegen.hostile_schemas import documents

from streamdb_gen import api
from streamdb_gen.loading import LoadedSpec

BEFORE = """{
  "name": "notes",
  "collections": {
    "notes": {
      "type": "note",
      "primaryKey": "id",
      "schema": {
        "type": "object",
        "required": ["id", "text" , "id"],
        "properties": {
          "id": { "type": "string", "minimum": 1 },
          "text": { "pattern": "^a", "maxItems": 3, "type": "string" },
          "state": { "enum": ["on", "off",\t"on"], },
          "createdAt": { "type": "integer" },
          "created_at": { "type": "integer" },
          "created-at": {}
        },
      }
    }
  }
}
"""
AFTER = """{
  "name": "notes",
  "collections": {
    "notes": {
      "type": "note",
      "primaryKey": "id",
      "schema": {
        "type": "object",
        "required": ["id", "text" ],
        "properties": {
          "id": { "type": "string" },
          "text": { "pattern": "^a", "type": "string" },
          "state": { "enum": ["on", "off"] },
          "createdAt": { "x-streamdb-name": "created_at_2", "type": "integer" },
          "created_at": { "type": "integer" },
          "created-at": {}
        }
      }
    }
  }
}
"""


def test_what_has_no_effect_goes_and_names_are_given(tmp_path: Path) -> None:
    spec = tmp_path / "notes.json"
    spec.write_text(BEFORE, encoding="utf-8")
    spec.chmod(0o640)
    done = run(tmp_path, "lint", "notes.json", "--fix")
    assert (done.returncode, done.stdout) == (0, "")
    written = spec.read_text(encoding="utf-8")
    assert '"created-at": {"x-streamdb-name": "created_at_3"}' in written
    assert written.replace('{"x-streamdb-name": "created_at_3"}', "{}") == AFTER
    assert spec.stat().st_mode & 0o777 == 0o640
    assert done.stderr.count("fixed notes.json:") == 8
    assert [path.name for path in tmp_path.iterdir()] == ["notes.json"]


def test_fixing_changes_nothing_about_what_is_accepted(tmp_path: Path) -> None:
    spec = tmp_path / "notes.json"
    text = BEFORE.replace('"created-at": {}', '"other": {}')
    spec.write_text(text, encoding="utf-8")
    assert run(tmp_path, "lint", "notes.json", "--fix").returncode == 0
    again = run(tmp_path, "lint", "notes.json", "--fix")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    row = json.loads(spec.read_text("utf-8"))["collections"]["notes"]["schema"]
    assert row["required"] == ["id", "text"]
    assert row["properties"]["state"] == {"enum": ["on", "off"]}


@pytest.mark.parametrize("first", ["created_at", "createdAt"])
def test_what_is_called_so_already_keeps_its_name(tmp_path: Path, first: str) -> None:
    spec = tmp_path / "notes.json"
    other = {"created_at": "createdAt", "createdAt": "created_at"}[first]
    text = AFTER.replace('"x-streamdb-name": "created_at_2", ', "").replace('"createdAt"', '"1"')
    text = text.replace('"created_at"', f'"{other}"').replace('"1"', f'"{first}"')
    spec.write_text(text.replace('"created-at": {}', '"other": {}'), encoding="utf-8")
    assert run(tmp_path, "lint", "notes.json", "--fix").returncode == 0
    row = json.loads(spec.read_text("utf-8"))["collections"]["notes"]["schema"]
    assert row["properties"]["created_at"] == {"type": "integer"}
    assert row["properties"]["createdAt"]["x-streamdb-name"] == "created_at_2"


def test_of_two_with_the_same_right_to_a_name_none_is_renamed(tmp_path: Path) -> None:
    spec = tmp_path / "notes.json"
    text = AFTER.replace('"x-streamdb-name": "created_at_2", ', "")
    text = text.replace('"created_at"', '"CreatedAt"').replace('"created-at": {}', '"other": {}')
    spec.write_text(text, encoding="utf-8")
    done = run(tmp_path, "lint", "notes.json", "--fix")
    assert done.returncode == 4
    assert "NAME_COLLISION" in done.stdout
    assert spec.read_text("utf-8") == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"type": "string", "enum": ["a", 1, "b"]', '"type": "string", "enum": ["a", "b"]'),
        ('"type": "string", "enum": [1, null, "b"]', '"type": "string", "enum": ["b"]'),
        ('"enum": [ 1 ,"b"], "type": "string"', '"enum": [ "b"], "type": "string"'),
        # What another schema excludes may be meant elsewhere.
        ('"allOf": [{"type": "string"}, {"enum": ["a", 1]}]', None),
        # Nothing would be left.
        ('"type": "string", "enum": [1]', None),
        ('"type": "string", "const": 1', None),
    ],
)
def test_values_that_their_own_type_excludes_go(
    tmp_path: Path, before: str, after: str | None
) -> None:
    spec = tmp_path / "notes.json"
    text = AFTER.replace('"created-at": {}', f'"other": {{ {before} }}')
    spec.write_text(text, encoding="utf-8")
    found = run(tmp_path, "lint", "notes.json").stdout
    assert "ENUM_VALUE_TYPE" in found
    done = run(tmp_path, "lint", "notes.json", "--fix")
    assert spec.read_text("utf-8") == (text if after is None else text.replace(before, after))
    assert ("ENUM_VALUE_TYPE" in done.stdout) == (after is None)


def test_line_ends_and_other_text_are_kept(tmp_path: Path) -> None:
    spec = tmp_path / "notes.json"
    text = "\ufeff" + BEFORE.replace('"created-at": {}', '"é": {"description": "日本"}')
    spec.write_bytes(text.replace("\n", "\r\n").encode())
    assert run(tmp_path, "lint", "notes.json", "--fix").returncode == 0
    written = spec.read_bytes().decode()
    assert written == AFTER.replace('"created-at": {}', '"é": {"description": "日本"}').replace(
        "\n", "\r\n"
    )


@pytest.mark.parametrize("text", ['{"collections": {}}', "{", '{"a": 1 "b": 2}'])
def test_what_cannot_be_mended_for_certain_is_left(tmp_path: Path, text: str) -> None:
    spec = tmp_path / "notes.json"
    spec.write_text(text, encoding="utf-8")
    assert run(tmp_path, "lint", "notes.json", "--fix").returncode == 4
    assert spec.read_text("utf-8") == text


def test_a_file_that_is_no_text_is_left(tmp_path: Path) -> None:
    spec = tmp_path / "notes.json"
    content = BEFORE.encode("utf-16")
    spec.write_bytes(content)
    assert run(tmp_path, "lint", "notes.json", "--fix").returncode == 4
    assert spec.read_bytes() == content


def _row(**properties: Any) -> Any:
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, **properties},
    }
    return {"collections": {"rows": {"primaryKey": "id", "schema": schema}}}


PLACE = "#/collections/rows/schema/properties"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"type": "integer", "properties": {"x": {"type": "string"}}}, f"{PLACE}/a/properties/x"),
        ({"type": "integer", "additionalProperties": {}}, f"{PLACE}/a/additionalProperties"),
        ({"type": "string", "items": {"$anchor": "here"}}, "#here"),
        ({"type": "string", "items": {"not": {"$id": "urn:here"}}}, "urn:here"),
    ],
)
def test_what_is_referred_to_is_left(tmp_path: Path, a: Any, b: str) -> None:
    spec = tmp_path / "notes.json"
    text = json.dumps(_row(a=a, b={"$ref": b}))
    spec.write_text(text, encoding="utf-8")
    before = _linted(spec)
    assert "KEYWORD_INAPPLICABLE" in {finding.rule for finding in before.findings}
    assert api.fix(spec) == api.Fixed((), before)
    assert spec.read_text("utf-8") == text
    # Without the reference, it goes.
    spec.write_text(json.dumps(_row(a=a)), encoding="utf-8")
    api.fix(spec)
    assert set(json.loads(spec.read_text("utf-8"))["collections"]["rows"]["schema"]["properties"][
        "a"
    ]) == {"type"}  # fmt: skip


def test_what_has_an_effect_elsewhere_is_left(tmp_path: Path) -> None:
    spec = tmp_path / "notes.json"
    short = {"$ref": "#/$defs/Short"}
    number = {"allOf": [short, {"type": "integer"}]}
    document = _row(a=number, b={"allOf": [{"type": "string"}, short]})
    text = json.dumps({**document, "$defs": {"Short": {"minLength": 1}}})
    spec.write_text(text, encoding="utf-8")
    assert "KEYWORD_INAPPLICABLE" not in {finding.rule for finding in _linted(spec).findings}
    api.fix(spec)
    assert spec.read_text("utf-8") == text


def test_a_new_name_is_one_that_nothing_has(tmp_path: Path) -> None:
    spec = tmp_path / "notes.json"
    document = _row(userId={}, user_id={}, user_id_2={}, **{"user-id": {}})
    spec.write_text(json.dumps(document), encoding="utf-8")
    api.fix(spec)
    assert not _linted(spec).findings
    names = [f'"x-streamdb-name": "user_id_{n}"' for n in (3, 4)]
    assert all(name in spec.read_text("utf-8") for name in names)


_FAULTS = st.sampled_from(
    [
        ("userId", {"type": "string"}),
        ("user_id", {"enum": ["a", 1, "a"], "type": "string"}),
        ("User Id", {"type": "integer", "minLength": 1, "properties": {"a": {"enum": [1, 1]}}}),
        ("user_id_2", {"$ref": f"{PLACE}/User%20Id/properties/a"}),
        ("x", {"type": "object", "required": ["userId", "q", "q"], "items": {"default": 7}}),
        ("y", {"allOf": [{"type": "string"}, {"$ref": f"{PLACE}/x/items"}]}),
    ]
)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(documents(), st.lists(_FAULTS, max_size=6))
def test_fixing_leaves_fewer_findings_and_no_new_errors(
    document: Any, faults: list[tuple[str, Any]]
) -> None:
    document["collections"]["rows"]["schema"]["properties"].update(faults)
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.json"
        spec.write_text(json.dumps(document).replace("]", ",]", 1), encoding="utf-8")
        before = _linted(spec)
        fixed = api.fix(spec)
        after = _linted(spec)
    assert isinstance(fixed, api.Fixed)
    assert fixed.findings
    assert fixed.loaded == after
    assert len(after.findings) < len(before.findings)
    assert not _errors(after) - _errors(before)
    assert not [finding for finding in after.findings if finding.fix is not None]


def _linted(spec: Path) -> LoadedSpec:
    loaded = api.lint(spec)
    assert isinstance(loaded, LoadedSpec)
    return loaded


def _errors(loaded: LoadedSpec) -> Counter[str]:
    return Counter(finding.rule for finding in loaded.findings if finding.severity == "error")
