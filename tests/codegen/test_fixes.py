"""`lint --fix`: what it writes, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.codegen.command_line import run

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
    # Two properties are given the same new name, and a name that stands there is the user's.
    assert done.returncode == 4
    assert "NAME_COLLISION" in done.stdout
    written = spec.read_text(encoding="utf-8")
    assert '"created-at": {"x-streamdb-name": "created_at_2"}' in written
    assert written.replace('{"x-streamdb-name": "created_at_2"}', "{}") == AFTER
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
