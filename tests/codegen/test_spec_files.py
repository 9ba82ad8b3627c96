"""References into other files: below the spec's folder, and nowhere else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from streamdb_gen import api
from streamdb_gen.ir import Field, Named, Nullable, ObjectType, Scalar
from streamdb_gen.loading import LoadedSpec, load_spec


def write(path: Path, document: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def spec_with(reference: str) -> Any:
    properties = {"id": {"type": "string"}, "value": {"$ref": reference}}
    row = {"type": "object", "required": ["id"], "properties": properties}
    return {"name": "files", "collections": {"rows": {"primaryKey": "id", "schema": row}}}


def load(folder: Path, reference: str) -> LoadedSpec:
    return load_spec(write(folder / "spec" / "schema.json", spec_with(reference)))


def value_of(loaded: LoadedSpec) -> Field:
    assert loaded.spec is not None, api.render_text(loaded.findings, loaded.sources)
    (row,) = (t for t in loaded.spec.types if t.name == "Rows")
    assert isinstance(row, ObjectType)
    return next(field for field in row.fields if field.name == "value")


def errors(loaded: LoadedSpec) -> list[str]:
    return [finding.rule for finding in loaded.findings if finding.severity == "error"]


def test_definitions_of_another_file(tmp_path: Path) -> None:
    part = {"type": "object", "properties": {"text": {"type": "string"}}}
    write(tmp_path / "spec" / "parts" / "text.json", {"$defs": {"Part": part}})
    loaded = load(tmp_path, "parts/text.json#/$defs/Part")
    assert value_of(loaded).type == Named("Part")
    assert set(loaded.sources) == {
        str(tmp_path / "spec" / "schema.json"),
        str(tmp_path / "spec" / "parts" / "text.json"),
    }


def test_a_whole_file_is_called_by_its_name(tmp_path: Path) -> None:
    write(tmp_path / "spec" / "tool-call.json", {"type": "object", "properties": {}})
    assert value_of(load(tmp_path, "tool-call.json")).type == Named("ToolCall")


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("parts.json#/$defs/Prat", "did you mean `parts.json#/$defs/Part`?"),
        ("#/$defs/Onw", "did you mean `#/$defs/Own`?"),
        ("urn:own#/$defs/Inne", "did you mean `urn:own#/$defs/Inner`?"),
    ],
)
def test_a_misspelt_reference_is_compared_with_what_is_in_its_file(
    tmp_path: Path, reference: str, hint: str
) -> None:
    write(tmp_path / "spec" / "parts.json", {"$defs": {"Part": {"type": "string"}}})
    spec = spec_with(reference)
    inner = {"$defs": {"Inner": {"type": "string"}}}
    spec["$defs"] = {"Own": {"$id": "urn:own", "type": "string", **inner}}
    loaded = load_spec(write(tmp_path / "spec" / "schema.json", spec))
    (finding,) = (f for f in loaded.findings if f.severity == "error")
    assert (finding.rule, finding.hint) == ("REFERENCE_UNKNOWN", hint)


def test_a_default_in_another_file_is_checked(tmp_path: Path) -> None:
    state = {"enum": ["on", "off"]}
    part = {
        "type": "object",
        "properties": {"state": {"$ref": "#/$defs/State", "default": "of"}},
    }
    write(tmp_path / "spec" / "parts.json", {"$defs": {"Part": part, "State": state}})
    (finding,) = load(tmp_path, "parts.json#/$defs/Part").findings
    assert finding.rule == "DEFAULT_MISFIT"
    assert finding.file.endswith("parts.json")


def test_a_default_is_checked_in_what_is_no_spec_as_well(tmp_path: Path) -> None:
    flag = {"type": "boolean", "default": "yes"}
    schema = {"type": "object", "required": ["flag"], "collections": {}, "$defs": {"Flag": flag}}
    loaded = load_spec(write(tmp_path / "schema.json", schema))
    assert {"SPEC_MEMBER_UNKNOWN", "DEFAULT_MISFIT"} <= {one.rule for one in loaded.findings}


def test_a_fragment_that_is_no_text_leads_nowhere(tmp_path: Path) -> None:
    write(tmp_path / "spec" / "parts.json", {"$defs": {"Part": {"type": "string"}}})
    assert errors(load(tmp_path, "parts.json#%FF")) == ["REFERENCE_UNKNOWN"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.json#/$defs/T", "b.json#/$defs/T"),
        ("#/$defs/T", "b.json#/$defs/T"),
        ("u/item.json", "v/item.json"),
    ],
)
def test_one_name_in_two_files_is_a_collision(tmp_path: Path, first: str, second: str) -> None:
    def part(type_: str) -> Any:
        return {"type": "object", "properties": {"q": {"type": type_}}}

    folder = tmp_path / "spec"
    for file, type_ in (("a.json", "string"), ("b.json", "integer")):
        write(folder / file, {"$defs": {"T": part(type_)}})
    for file, type_ in (("u/item.json", "string"), ("v/item.json", "integer")):
        write(folder / file, part(type_))
    spec = spec_with(first)
    spec["collections"]["rows"]["schema"]["properties"]["other"] = {"$ref": second}
    spec["$defs"] = {"T": part("boolean")}
    loaded = load_spec(write(folder / "schema.json", spec))
    assert loaded.spec is None
    found = [finding for finding in loaded.findings if finding.rule == "NAME_COLLISION"]
    assert found
    file = str(folder / second.partition("#")[0])
    assert any(file in (finding.file, *finding.message.split('"')) for finding in found)


def test_recursion_over_files(tmp_path: Path) -> None:
    folder = tmp_path / "spec"
    tree = {"type": "object", "properties": {"leaf": {"$ref": "sub/leaf.json"}}}
    leaf = {"type": "object", "properties": {"up": {"$ref": "../tree.json"}}}
    write(folder / "tree.json", tree)
    write(folder / "sub" / "leaf.json", leaf)
    loaded = load(tmp_path, "tree.json")
    assert value_of(loaded).type == Named("Tree")
    assert loaded.spec is not None
    bundle = json.loads(loaded.spec.canonical)
    assert bundle["$defs"]["Tree"]["properties"]["leaf"] == {"$ref": "#/$defs/Leaf"}
    assert bundle["$defs"]["Leaf"]["properties"]["up"] == {"$ref": "#/$defs/Tree"}


def test_findings_name_the_file_that_they_are_in(tmp_path: Path) -> None:
    part = {"$defs": {"Part": {"type": "strin"}}}
    path = write(tmp_path / "spec" / "parts.json", part)
    loaded = load(tmp_path, "parts.json#/$defs/Part")
    (finding,) = loaded.findings
    assert (finding.rule, finding.file, finding.pointer) == (
        "SPEC_VALUE",
        str(path),
        "/$defs/Part/type",
    )
    assert "strin" in api.render_text(loaded.findings, loaded.sources)


@pytest.mark.parametrize(
    ("reference", "rule"),
    [
        ("../outside.json", "REFERENCE_OUTSIDE"),
        ("sub/../../outside.json", "REFERENCE_OUTSIDE"),
        ("%2e%2e/outside.json", "REFERENCE_OUTSIDE"),
        ("..%2foutside.json", "REFERENCE_OUTSIDE"),
        ("/etc/passwd", "REFERENCE_OUTSIDE"),
        ("file:///etc/passwd", "REFERENCE_OUTSIDE"),
        ("file:other.json", "REFERENCE_OUTSIDE"),
        ("//example.org/a.json", "REFERENCE_OUTSIDE"),
        ("http://127.0.0.1:9/a.json", "REFERENCE_OUTSIDE"),
        ("https://example.org/a.json#/$defs/A", "REFERENCE_OUTSIDE"),
        ("urn:example:a", "REFERENCE_OUTSIDE"),
        ("..", "REFERENCE_OUTSIDE"),
        ("missing.json", "REFERENCE_FILE"),
        ("link.json", "REFERENCE_FILE"),
        ("linked/outside.json", "REFERENCE_FILE"),
        ("loop.json", "REFERENCE_FILE"),
        ("pipe.json", "REFERENCE_FILE"),
        ("folder.json", "REFERENCE_FILE"),
        ("%00.json", "REFERENCE_FILE"),
        ("a" * 5000, "REFERENCE_FILE"),
        ("not-json.json", "REFERENCE_FILE"),
        (".", "REFERENCE_FILE"),
    ],
)
def test_nothing_outside_is_read(tmp_path: Path, reference: str, rule: str) -> None:
    secret = {"type": "object", "properties": {"secret": {"const": "outside"}}}
    write(tmp_path / "outside.json", secret)
    write(tmp_path / "elsewhere" / "outside.json", secret)
    folder = tmp_path / "spec"
    folder.mkdir()
    (folder / "link.json").symlink_to(tmp_path / "outside.json")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "loop.json").symlink_to(folder / "loop.json")
    (folder / "folder.json").mkdir()
    (folder / "not-json.json").write_text("{", encoding="utf-8")
    os.mkfifo(folder / "pipe.json")
    loaded = load(tmp_path, reference)
    assert loaded.spec is None
    assert rule in errors(loaded)
    assert not any("secret" in text for text in loaded.sources.values())


def test_a_link_that_stays_below_the_folder_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "spec" / "real.json", {"type": ["string", "null"]})
    (tmp_path / "spec" / "link.json").symlink_to("real.json")
    assert value_of(load(tmp_path, "link.json")).type == Nullable(Named("Link"))


def test_a_circle_of_files_that_are_nothing_but_references(tmp_path: Path) -> None:
    write(tmp_path / "spec" / "a.json", {"$ref": "b.json"})
    write(tmp_path / "spec" / "b.json", {"$ref": "a.json"})
    assert "REFERENCE_CIRCLE" in errors(load(tmp_path, "a.json"))


def test_a_resource_with_an_identifier_is_found_by_it_and_by_no_file(tmp_path: Path) -> None:
    spec = spec_with("https://example.org/text")
    spec["$defs"] = {
        "Text": {"$id": "https://example.org/text", "$ref": "#inner", "$defs": {
            "Inner": {"$anchor": "inner", "type": "string"}
        }}
    }  # fmt: skip
    loaded = load_spec(write(tmp_path / "schema.json", spec))
    assert value_of(loaded).type == Named("Inner")
    assert loaded.spec is not None
    bundle = json.loads(loaded.spec.canonical)
    assert bundle["$defs"]["Text"]["$ref"] == "#/$defs/Text/$defs/Inner"
    assert "$id" not in bundle["$defs"]["Text"]
    (alias,) = (t for t in loaded.spec.types if t.name == "Inner")
    assert getattr(alias, "type", None) == Scalar("string")


@pytest.mark.parametrize(
    ("file", "reference", "name"),
    [
        ({"$id": "https://example.org/p", "$anchor": "here"}, "parts.json#here", "Parts"),
        ({"$id": "https://example.org/p", "$anchor": "here"}, "parts.json#", "Parts"),
        ({"$id": "parts.json", "$defs": {"A": {"$anchor": "here"}}}, "parts.json#here", "A"),
        ({"$id": "sub/p.json", "$defs": {"A": {"$id": "q.json"}}}, "parts.json#/$defs/A", "A"),
        ({"$defs": {"a b/c~%": {}}}, "./parts.json#/$defs/a%20b~1c~0%25", "ABC"),
        ({"$defs": {"a": {"$defs": {"b": {}}}}}, "parts.json#/$defs%2Fa%2F$defs%2Fb", "B"),
    ],
)
def test_a_file_may_have_other_names(
    tmp_path: Path, file: dict[str, Any], reference: str, name: str
) -> None:
    whole = {"type": "object", "properties": {"x": {"type": "string"}}}
    text = json.dumps({**whole, **file}).replace("{}", json.dumps(whole))
    text = text.replace('"$anchor": "here"}}', f'"$anchor": "here", {json.dumps(whole)[1:]}}}')
    text = text.replace('"$id": "q.json"', f'"$id": "q.json", {json.dumps(whole)[1:-1]}')
    write(tmp_path / "spec" / "parts.json", json.loads(text))
    assert value_of(load(tmp_path, reference)).type == Named(name)


@pytest.mark.parametrize("reference", ["my%20spec.json#/$defs/A", "./my spec.json#/$defs/A"])
def test_a_spec_may_call_itself_by_the_name_of_its_file(tmp_path: Path, reference: str) -> None:
    spec = {**spec_with(reference), "$defs": {"A": {"type": "integer"}}}
    loaded = load_spec(write(tmp_path / "my spec.json", spec))
    assert value_of(loaded).type == Named("A")
    assert len(loaded.sources) == 1


def test_an_identifier_is_given_once_over_all_files(tmp_path: Path) -> None:
    folder = tmp_path / "spec"
    write(folder / "parts.json", {"$defs": {"Part": {"$id": "other.json", "type": "string"}}})
    other = write(folder / "other.json", {"type": "string"})
    spec = spec_with("other.json")
    spec["$defs"] = {"Part": {"$ref": "parts.json#/$defs/Part"}}
    (finding,) = load_spec(write(folder / "schema.json", spec)).findings
    assert (finding.rule, finding.pointer) == ("IDENTIFIER_DUPLICATE", "/$defs/Part/$id")
    assert f"at the beginning of the file `{str(other)[:20]}" in finding.message


def test_definitions_of_another_kind_beside_references_to_files_are_a_finding(
    tmp_path: Path,
) -> None:
    write(tmp_path / "spec" / "parts.json", {"type": "string"})
    spec = {**spec_with("parts.json"), "$defs": [{"Part": {}}]}
    loaded = load_spec(write(tmp_path / "spec" / "schema.json", spec))
    assert errors(loaded) == ["SPEC_TYPE"]
