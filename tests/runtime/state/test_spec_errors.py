"""Whatever a spec file holds, reading it gives a schema, or one error that says where and what."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamdb import InvalidRow, SpecError, StateSchema
from streamdb_gen.loading import load_spec

ROW = '{"required": ["id"], "properties": {"id": {"type": "string"}}}'
GOOD = f'{{"messages": {{"primaryKey": "id", "schema": {ROW}}}}}'


def fault(tmp_path: Path, content: bytes | str) -> SpecError:
    path = tmp_path / "spec.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SpecError) as caught:
        StateSchema.from_file(path)
    error = caught.value
    assert error.file == str(path)
    place = f"{path}:{error.line}:{error.column}: "
    assert str(error).startswith(place + (error.pointer or "/")[:20].partition("\x1b")[0])
    assert error.reason in str(error)
    assert error.hint
    assert error.hint in str(error)
    return error


def test_the_text_that_the_others_are_made_of_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(GOOD)
    assert [c.name for c in StateSchema.from_file(path).collections] == ["messages"]


@pytest.mark.parametrize(
    ("content", "line", "column", "pointer", "reason"),
    [
        ("", 1, 1, "", "the file is empty"),
        (" \n\t\r\n", 1, 1, "", "the file is empty"),
        (b"\xef\xbb\xbf" + GOOD.encode(), 1, 1, "", "starts with a byte order mark"),
        (GOOD.encode("utf-16"), 1, 1, "", "this is not UTF-8"),
        (b'{\n"\xc3\xa9": "\xff"}', 2, 7, "", "this is not UTF-8"),
        ("{\n  'a': 1}", 2, 3, "", "not JSON: expecting property name enclosed in double quotes"),
        ('{"a": 1}\n{}', 2, 1, "", "not JSON: extra data"),
        ('{"a": 1,\r\n "b": NaN}', 2, 7, "/b", "NaN is no value"),
        ('{"NaN": "NaN", "b": [1, -Infinity]}', 1, 25, "/b/1", "-Infinity is no value"),
        ('{"a": [' + "1" * 5000 + "]}", 1, 8, "/a/0", "a number of more than 1000 characters"),
        ('{"a": 1e999}', 1, 7, "/a", "floating point cannot hold"),
        ('{"a": {"b/c": 1,\n "b/c": 2}}', 2, 2, "/a/b~1c", "the member 'b/c' is there twice"),
        ('{"a":' * 200_000, 1, 501, "/a" * 100, "nested too deeply"),
        ("[" * 200_000, 1, 101, "/0" * 100, "nested too deeply"),
        ("[" * 101 + "]" * 101, 1, 101, "/0" * 100, "nested too deeply"),
        ("5", 1, 1, "", "a spec is an object"),
        ('{"collections":\n [1]}', 2, 2, "/collections", "a map of collections"),
        ('{"name": 5, "collections": ' + GOOD + "}", 1, 10, "/name", "`name` is text"),
        ('{"mane": "", "collections": ' + GOOD + "}", 1, 10, "/mane", "no such member"),
        (GOOD.replace('"id", ', '["id"], '), 1, 14, "/messages", "`primaryKey` names a property"),
        (GOOD.replace("{", '{"": {}, ', 1), 1, 6, "/", "a collection has a name"),
        (
            GOOD.replace('"string"', '["string", 5, ["a"], {}]'),
            1, 96, "/messages/schema/properties/id/type", "'5' is no type",
        ),
    ],
)  # fmt: skip
def test_each_fault_has_its_place(
    tmp_path: Path, content: bytes | str, line: int, column: int, pointer: str, reason: str
) -> None:
    error = fault(tmp_path, content)
    assert reason in error.reason
    assert (error.pointer, error.line, error.column) == (pointer, line, column)


@pytest.mark.parametrize(
    ("content", "pointer", "hint"),
    [
        ('{"name": "a", "colections": ' + GOOD + "}", "/colections", "mean `collections`?"),
        ('{"Collections": ' + GOOD + "}", "/Collections", "mean `collections`?"),
        ('{"nmae": "a", "collections": ' + GOOD + "}", "/nmae", "mean `name`?"),
        ('{"zzz": "a", "collections": ' + GOOD + "}", "/zzz", "known are $comment, $defs,"),
        (GOOD.replace("primaryKey", "primarykey"), "/messages/primarykey", "mean `primaryKey`?"),
        (GOOD.replace('"schema"', '"shcema"'), "/messages/shcema", "mean `schema`?"),
        (GOOD.replace('"id", ', '"idd", ', 1), "/messages/primaryKey", "mean 'id'?"),
        (GOOD.replace('"id", ', '"zzz", ', 1), "/messages/primaryKey", "it has id"),
        (
            GOOD.replace(ROW, '{"oneOf": [' + ROW + "]}"),
            "/messages/schema",
            "a collection of its own",
        ),
        (
            GOOD.replace(ROW, '{"anyOf": [' + ROW + "]}"),
            "/messages/schema",
            "union into a property",
        ),
    ],
)
def test_what_was_meant_is_named(tmp_path: Path, content: str, pointer: str, hint: str) -> None:
    error = fault(tmp_path, content)
    assert error.pointer == pointer
    assert hint in str(error.hint)


PASTED = {
    "$defs": {"Part": {"type": "object"}},
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "part": {"$ref": "#/$defs/Part"}},
}


def test_the_hint_for_a_pasted_schema_mends_it(tmp_path: Path) -> None:
    """As pydantic exports it: with definitions of its own, and no `$schema`."""
    pasted = {"primaryKey": "id", "schema": PASTED}
    error = fault(tmp_path, json.dumps({"collections": {"messages": pasted}}))
    assert error.pointer == "/collections/messages/schema/properties/part/$ref"
    assert "the schema at /collections/messages/schema" in str(error.hint)
    (line,) = re.findall(r'"\$schema": "[^"]+"', str(error.hint))
    pasted["schema"] = {**PASTED, **json.loads(f"{{{line}}}")}
    (tmp_path / "spec.json").write_text(json.dumps({"collections": {"messages": pasted}}))
    rows = StateSchema.from_file(tmp_path / "spec.json").by_name["messages"]
    with pytest.raises(InvalidRow):
        rows.encode({"id": "a", "part": 5})


def with_reference(reference: str) -> str:
    return GOOD.replace('{"type": "string"}', json.dumps({"$ref": reference}))


REFERENCE = "/messages/schema/properties/id/$ref"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("#/messages/schema/allOf/" + "9" * 5000, "leads to no schema"),
        ("#/messages/schema/properties/~2", "leads to no schema"),
        ("#%ff", "leads to no schema"),
        ("#/messages", "leads to no schema"),
        ("http://[half", "it is no URI"),
        ("https://example.com/a.json", "leads out of the spec's folder"),
        ("../a.json", "leads out of the spec's folder"),
        ("/etc/passwd", "leads out of the spec's folder"),
        ("file:///etc/passwd", "leads out of the spec's folder"),
        ("a%00.json", "the path is not possible"),
        ("nowhere.json", "no such file"),
        (".", "no regular file"),
        ("link.json", "outside the spec's folder"),
        ("circle.json", "cannot be referred to"),
    ],
)
def test_references_that_lead_nowhere(tmp_path: Path, reference: str, reason: str) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text('{"type": "string"}')
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "link.json").symlink_to(outside)
    (folder / "circle.json").symlink_to(folder / "circle.json")
    error = fault(folder, with_reference(reference))
    assert error.pointer == REFERENCE
    assert reason in error.reason
    assert len(str(error)) < 1000


@pytest.mark.parametrize(
    ("definition", "at"),
    [
        ({"$ref": "#/$defs/A"}, "/$ref"),
        ({"not": {"$ref": "#/$defs/A"}}, "/not/$ref"),
        ({"anyOf": [True, {"$ref": "#/$defs/A"}]}, "/anyOf/1/$ref"),
        ({"dependentSchemas": {"x": {"$ref": "#/$defs/A"}}}, "/dependentSchemas/x/$ref"),
        ({"if": {"allOf": [{"$ref": "#/$defs/B"}]}}, "/if/allOf/0/$ref"),
    ],
)
def test_checks_that_would_never_end(tmp_path: Path, definition: Any, at: str) -> None:
    """A validator of such a schema would use up the stack, and end the process."""
    spec = json.loads(f'{{"collections": {GOOD}}}')
    spec["$defs"] = {"A": definition, "B": {"oneOf": [{"$ref": "#/$defs/A"}]}}
    spec["collections"]["messages"]["schema"]["properties"]["x"] = {"$ref": "#/$defs/A"}
    error = fault(tmp_path, json.dumps(spec))
    assert "would never end" in error.reason
    assert error.pointer in (f"/$defs/A{at}", "/$defs/B/oneOf/0/$ref")


def test_circles_through_a_part_of_the_value_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    inner = {"items": {"$ref": "#/$defs/A"}, "properties": {"x": {"not": {"$ref": "#/$defs/A"}}}}
    path.write_text(json.dumps({"collections": json.loads(GOOD), "$defs": {"A": inner}}))
    StateSchema.from_file(path)


def with_levels(
    count: int, apply: Callable[[Any, Any], Any], last: Any, **definitions: Any
) -> dict[str, Any]:
    """A spec of definitions each of which applies the next one twice; the first one counts."""
    levels = {
        f"D{n}": apply({"$ref": f"#/$defs/D{n + 1}"}, {"$ref": f"#/$defs/D{n + 1}"})
        for n in range(count)
    }
    spec: dict[str, Any] = json.loads(f'{{"collections": {GOOD}}}')
    spec["$defs"] = {**levels, f"D{count}": last, **definitions}
    spec["collections"]["messages"]["schema"]["properties"]["x"] = {"$ref": "#/$defs/D0"}
    return spec


@pytest.mark.parametrize(
    "apply",
    [
        lambda one, other: {"allOf": [one, other]},
        lambda one, other: {"anyOf": [one, {"allOf": [other]}]},
        lambda one, other: {"oneOf": [one, other]},
        lambda one, other: {"if": one, "then": other},
        lambda one, other: {"if": one, "else": other},
        lambda one, other: {"not": one, "allOf": [other]},
        lambda one, other: {"dependentSchemas": {"a": one, "b": other}},
        lambda one, other: {**one, "not": {"not": other}},
        lambda one, other: {**one, "unevaluatedProperties": {}},
    ],
)
def test_checks_that_would_take_for_ever(tmp_path: Path, apply: Callable[[Any, Any], Any]) -> None:
    """Each level doubles the ways that a validator follows to the last one, for every value."""
    spec = with_levels(60, apply, {"type": "string", "minLength": 1})
    error = fault(tmp_path, json.dumps(spec))
    assert "more than 5000 schemas to one value" in error.reason
    found = {
        (finding.pointer, finding.message)
        for finding in load_spec(tmp_path / "spec.json").findings
        if finding.rule == "SCHEMA_NOT_CHECKABLE"
    }
    assert found == {(error.pointer, error.reason)}


@pytest.mark.parametrize(
    "apply",
    [
        lambda one, other: {"properties": {"a": one, "b": other}},
        lambda one, other: {"items": one, "additionalProperties": other},
        lambda one, other: {"allOf": [one], "items": other},
    ],
)
def test_parts_of_a_value_may_be_reached_by_many_ways(
    tmp_path: Path, apply: Callable[[Any, Any], Any]
) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(with_levels(60, apply, {"type": "string"})))
    StateSchema.from_file(path)


@pytest.mark.parametrize(("choices", "is_read"), [(4_997, True), (4_998, False)])
def test_the_bound_of_what_a_check_applies_is_that_of_the_compiler(
    tmp_path: Path, choices: int, is_read: bool
) -> None:
    row = {
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "x": {"$ref": "#/$defs/A"}},
    }
    union = {"anyOf": [True, {"anyOf": [{"const": n} for n in range(choices)]}]}
    spec = {"collections": {"rows": {"primaryKey": "id", "schema": row}}, "$defs": {"A": union}}
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec))
    assert (load_spec(path).spec is not None) is is_read
    if is_read:
        StateSchema.from_file(path)
    else:
        assert fault(tmp_path, json.dumps(spec)).pointer == "/collections/rows/schema/properties/x"


def test_some_thousand_schemas_may_be_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    choices = [{"properties": {f"p{n}": {}}} for n in range(2_000)]
    inner = {"anyOf": choices, "unevaluatedProperties": False}
    path.write_text(json.dumps({"collections": json.loads(GOOD), "$defs": {"A": inner}}))
    StateSchema.from_file(path)


ACTION: Any = {"input": {"type": "object"}}


def with_effect(effect: Any) -> dict[str, Any]:
    return {"actions": {"a": {**ACTION, "effects": [effect]}}}


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"actions": []}, "/actions"),
        ({"actions": {"a/b": 5}}, "/actions/a~1b"),
        ({"actions": {"a": {}}}, "/actions/a"),
        ({"actions": {"a": {**ACTION, "effect": []}}}, "/actions/a/effect"),
        ({"actions": {"a": {**ACTION, "effects": {}}}}, "/actions/a/effects"),
        (with_effect(5), "/actions/a/effects/0"),
        (with_effect({}), "/actions/a/effects/0"),
        (with_effect({"insert": "messages", "upsert": "messages"}), "/actions/a/effects/0"),
        (with_effect({"insert": ["messages"]}), "/actions/a/effects/0/insert"),
        (with_effect({"insert": "mesages"}), "/actions/a/effects/0/insert"),
        (with_effect({"insert": "messages", "key": "/id"}), "/actions/a/effects/0/key"),
        (with_effect({"insert": "messages", "set": {"x": "/x"}}), "/actions/a/effects/0/set"),
        (with_effect({"insert": "messages", "value": "row"}), "/actions/a/effects/0/value"),
        (with_effect({"delete": "messages"}), "/actions/a/effects/0"),
        (with_effect({"delete": "messages", "key": 5}), "/actions/a/effects/0/key"),
        (
            with_effect({"update": "messages", "key": "/a", "set": {}}),
            "/actions/a/effects/0/set",
        ),
        (
            with_effect({"update": "messages", "key": "/a", "set": {"id": "/b"}}),
            "/actions/a/effects/0/set/id",
        ),
        (
            with_effect({"update": "messages", "key": "/a", "set": {"b": 5}}),
            "/actions/a/effects/0/set/b",
        ),
        ({"reserved": ["id"]}, "/reserved"),
        ({"reserved": {"names": []}}, "/reserved/names"),
        ({"reserved": {"types": "gone"}}, "/reserved/types"),
        ({"reserved": {"types": ["messages"]}}, "/collections/messages"),
        ({"reserved": {"fields": []}}, "/reserved/fields"),
        ({"reserved": {"fields": {"messages": [5]}}}, "/reserved/fields/messages"),
        ({"reserved": {"fields": {"mesages": ["x"]}}}, "/reserved/fields/mesages"),
        ({"reserved": {"fields": {"messages": ["x", "id"]}}}, "/reserved/fields/messages/1"),
    ],
)
def test_actions_and_what_is_reserved(tmp_path: Path, members: Any, pointer: str) -> None:
    spec = {"collections": json.loads(GOOD), **members}
    assert fault(tmp_path, json.dumps(spec)).pointer == pointer
    assert load_spec(tmp_path / "spec.json").spec is None


def test_sound_actions_and_reserved_names(tmp_path: Path) -> None:
    effects = [
        {"insert": "messages"},
        {"update": "messages", "key": "/id", "set": {"n": {"const": 1}}, "x-note": 1},
        {"delete": "messages", "key": "/id"},
    ]
    spec = {
        "collections": json.loads(GOOD),
        "actions": {"a": {**ACTION, "effects": effects}, "b": ACTION},
        "reserved": {"types": ["gone"], "fields": {"messages": ["x"]}},
    }
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(spec))
    StateSchema.from_file(path)


@pytest.mark.parametrize(
    ("schema", "at"),
    [
        ({"type": ["string", "string"]}, "/type/1"),
        ({"required": ["a", "b", "a"]}, "/required/2"),
        ({"enum": [1, True, [1], 1.0]}, "/enum/3"),
        ({"enum": [{"a": [0]}, {"a": [0.0]}]}, "/enum/1"),
        ({"multipleOf": 0}, "/multipleOf"),
        ({"pattern": r"[\b]a\b"}, "/pattern"),
        ({"patternProperties": {"(?i)a": {}}}, "/patternProperties/(?i)a"),
    ],
)
@pytest.mark.parametrize("draft", ["2020-12", "07"])
def test_values_on_which_validators_differ(
    tmp_path: Path, schema: Any, at: str, draft: str
) -> None:
    version = {"$schema": "http://json-schema.org/draft-07/schema#"} if draft == "07" else {}
    spec = {"collections": json.loads(GOOD), "$defs": {"A": {**version, **schema}}}
    assert fault(tmp_path, json.dumps(spec)).pointer == f"/$defs/A{at}"
    assert load_spec(tmp_path / "spec.json").spec is None


def test_an_anchor_beside_a_reference_of_draft_07(tmp_path: Path) -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    beside = {"$schema": draft, "$ref": "#", "$anchor": "a"}
    spec = {"collections": json.loads(GOOD), "$defs": {"A": {"properties": {"x": beside}}}}
    spec["$defs"]["A"]["properties"]["x"]["$ref"] = "#/definitions/B"
    spec["$defs"]["A"]["properties"]["x"]["definitions"] = {"B": {}}
    error = fault(tmp_path, json.dumps(spec))
    assert error.pointer == "/$defs/A/properties/x/$anchor"
    assert load_spec(tmp_path / "spec.json").spec is None


@pytest.mark.parametrize(
    ("definitions", "pointer"),
    [
        ({"A": {"$anchor": "a"}, "B": {"$anchor": "a"}}, "/$defs/{}/$anchor"),
        ({"A": {"$id": "urn:a"}, "B": {"$id": "urn:a"}}, "/$defs/{}/$id"),
        ({"A": {"$id": "urn:a#b"}}, "/$defs/{}/$id"),
        ({"A": {"default": {}}, "B": {"$ref": "#/$defs/A/default"}}, "/$defs/{}/$ref"),
    ],
)
def test_identifiers_that_lead_to_two_schemas_or_none(
    tmp_path: Path, definitions: Any, pointer: str
) -> None:
    spec = {"collections": json.loads(GOOD), "$defs": definitions}
    error = fault(tmp_path, json.dumps(spec))
    assert error.pointer in (pointer.format("A"), pointer.format("B"))


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"items": [{}]}, "items"),
        ({"dependencies": {}}, "dependencies"),
        ({"$id": "#a"}, "$id"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "$anchor": "a"}, "$anchor"),
        ({"$schema": "http://json-schema.org/draft-06/schema#", "if": True}, "if"),
    ],
)
def test_keywords_of_another_version_of_json_schema(
    tmp_path: Path, schema: Any, keyword: str
) -> None:
    spec = {"collections": json.loads(GOOD), "$defs": {"A": schema}}
    error = fault(tmp_path, json.dumps(spec))
    assert error.pointer == f"/$defs/A/{keyword}"
    assert "knows no" in error.reason


def test_a_fault_in_another_file_has_its_place_there(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    part = tmp_path / "parts/text.json"
    for content, line, pointer, reason in (
        ('{"$defs":\n {"Id": {"type": "strin"}}}', 2, "/$defs/Id/type", "'strin' is no type"),
        ('{"$defs":\n {"Id": {"$ref": "#x"}}}', 2, "/$defs/Id/$ref", "leads to no schema"),
        ("{\n,", 2, "", "not JSON"),
        ("", 1, "", "the file is empty"),
    ):
        part.write_text(content)
        (tmp_path / "spec.json").write_text(with_reference("parts/text.json#/$defs/Id"))
        with pytest.raises(SpecError) as caught:
            StateSchema.from_file(tmp_path / "spec.json")
        error = caught.value
        assert (error.file, error.line, error.pointer) == (str(part), line, pointer)
        assert reason in error.reason


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere.json", "cannot be read: No such file"),
        ("folder", "cannot be read: Is a directory"),
        ("file/spec.json", "cannot be read: Not a directory"),
        ("a\0b", "cannot be read: embedded null byte"),
        ("a\ud800b", "cannot be read: "),
        ("a" * 5000, "cannot be read: File name too long"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError) as caught:
        StateSchema.from_file(tmp_path / path)
    error = caught.value
    assert (error.file, error.line, error.column) == (str(tmp_path / path), None, None)
    assert reason in error.reason
    assert str(error).isprintable()


def test_messages_are_short_and_printable_whatever_a_spec_says(tmp_path: Path) -> None:
    key = "k\x1b[31m\n\u202e" + "x" * 100_000
    error = fault(tmp_path, json.dumps({"collections": {key: 5}}))
    assert error.pointer == f"/collections/{key}"
    assert str(error).isprintable()
    assert len(str(error)) < 2_000


def test_a_stack_that_is_nearly_used_up(tmp_path: Path) -> None:
    """Either there is enough of it, or the error is the named one."""
    path = tmp_path / "spec.json"
    path.write_text(GOOD)
    said = set[str]()

    def deeper() -> None:
        try:
            StateSchema.from_file(path)
            said.add("read")
        except SpecError as error:
            said.add(error.reason)
            raise
        deeper()

    with pytest.raises((SpecError, RecursionError)):
        deeper()
    assert "read" in said


def test_what_the_validator_would_misjudge_is_refused(tmp_path: Path) -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "required": ["id"],
        "properties": {
            "id": {"type": "string"},
            "pair": {"allOf": [{"items": [{}, {}]}], "unevaluatedItems": False},
        },
    }
    spec = {"collections": {"messages": {"primaryKey": "id", "schema": schema}}}
    error = fault(tmp_path, json.dumps(spec))
    assert error.pointer.endswith("/schema/properties/pair/unevaluatedItems")
    assert "prefixItems" in error.hint
    of_today = json.dumps(spec).replace("2019-09", "2020-12").replace('"items"', '"prefixItems"')
    path = tmp_path / "today.json"
    path.write_text(of_today)
    [messages] = StateSchema.from_file(path).collections
    assert messages.decode(b'{"id": "a", "pair": [1, 2]}')
    with pytest.raises(InvalidRow):
        messages.decode(b'{"id": "a", "pair": [1, 2, 3]}')
