"""The Standard Schemas of `index.ts`: verdicts of ajv, on rows as JSON.parse gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.codegen.typescript.peer import TypeScript, Verdict
from tests.codegen.typescript.specs import row, spec_of

from streamdb_gen import api
from streamdb_gen.loading import load_spec_text
from streamdb_gen.portable_pattern import portable_pattern, unicode_pattern
from streamdb_gen.targets.typescript.package import render_modules

EVERYTHING = Path(__file__).parent.parent.parent / "golden" / "everything.json"

MESSAGE: Mapping[str, Any] = {
    "id": "m-1",
    "role": "user",
    "content": "hi",
    "createdAt": "2026-03-01T08:00:00Z",
    "replyTo": None,
    "labels": [],
}

CLOSED: Mapping[str, Any] = {"unevaluatedProperties": False}
A_AND_B: Mapping[str, Any] = {"required": ["a"], "properties": {"a": {}, "b": {}}}


@pytest.fixture(scope="module")
def everything() -> str:
    """The `index.ts` of the spec with every feature."""
    loaded = api.lint(EVERYTHING)
    assert not isinstance(loaded, api.Problem)
    assert loaded.spec is not None
    return api.generate(loaded.spec, "typescript")["index.ts"]


def index_of(schema: Any) -> str:
    """The `index.ts` of a spec with one collection, `rows`, of this schema."""
    return render_modules(spec_of(row(), schema=schema))["index.ts"]


def judged(
    typescript: TypeScript, index: str, values: Sequence[Any], **schema: str
) -> list[Verdict]:
    return typescript.verdicts(index, [json.dumps(value) for value in values], **schema)


def test_what_is_valid_comes_back_itself_and_alone(typescript: TypeScript, everything: str) -> None:
    parts = [{"kind": "text", "text": "x"}, {"kind": "group", "parts": [], "caption": None}]
    values = [MESSAGE, {**MESSAGE, "editedAt": None, "parts": parts, "unknown": [1]}]
    assert judged(typescript, everything, values, collection="messages") == [{"same": True}] * 2


@pytest.mark.parametrize(
    ("change", "message", "path"),
    [
        ({"createdAt": "yesterday"}, '/createdAt must match format "date-time"', ["createdAt"]),
        ({"createdAt": "2026-02-30T08:00:00Z"}, '/createdAt must match format "date-time"', None),
        ({"createdAt": "2026-03-01T08:00:00"}, '/createdAt must match format "date-time"', None),
        ({"day": "2026-2-1"}, '/day must match format "date"', None),
        ({"session": "x"}, '/session must match format "uuid"', None),
        ({"id": ""}, "/id must NOT have fewer than 1 characters", ["id"]),
        ({"id": "m_1"}, '/id must match pattern "^[a-z0-9-]+$"', ["id"]),
        ({"role": "robot"}, "/role must be equal to one of the allowed values", None),
        ({"replyTo": 1}, "/replyTo must be string,null", None),
        ({"note": None}, "/note must be string", None),
        ({"scores": {"a/b~": 2}}, "/scores/a~1b~0 must be <= 1", ["scores", "a/b~"]),
        ({"labels": ["a", ""]}, "/labels/1 must NOT have fewer than 1 characters", ["labels", "1"]),
        ({"labels": ["a"] * 21}, "/labels must NOT have more than 20 items", None),
        ({"author": {}}, "/author must have required property 'name'", ["author"]),
    ],
)
def test_what_is_not_says_why_and_where(
    typescript: TypeScript,
    everything: str,
    change: Mapping[str, Any],
    message: str,
    path: list[str] | None,
) -> None:
    values = [{**MESSAGE, **change}]
    (verdict,) = judged(typescript, everything, values, collection="messages")
    assert [issue["message"] for issue in verdict["issues"]] == [message]
    if path is not None:
        assert [issue["path"] for issue in verdict["issues"]] == [path]


def test_a_value_that_is_no_object_at_all(typescript: TypeScript, everything: str) -> None:
    verdicts = judged(typescript, everything, [None, "x", []], collection="messages")
    issue = {"message": "must be object", "path": []}
    assert verdicts == [{"issues": [issue]}] * 3


def test_a_closed_row(typescript: TypeScript, everything: str) -> None:
    good = {"number": 1, "class": "low"}
    verdicts = judged(typescript, everything, [good, {**good, "x": 1}], collection="counters")
    issue = {"message": "must NOT have additional properties", "path": []}
    assert verdicts == [{"same": True}, {"issues": [issue]}]


def test_inputs_of_actions(typescript: TypeScript, everything: str) -> None:
    values = [{"since": "2026-01-01"}, {"since": "2026-13-01"}]
    good, bad = judged(typescript, everything, values, action="summarise")
    assert good == {"same": True}
    assert [issue["path"] for issue in bad["issues"]] == [["since"]]


def test_references_go_in_circles(typescript: TypeScript, everything: str) -> None:
    nested = {"path": "a", "parent": {"path": "b", "children": [{"path": "c"}]}}
    wrong = {"path": "a", "parent": {"path": "b", "children": [{"path": 1}]}}
    good, bad = judged(typescript, everything, [nested, wrong], collection="folders")
    assert good == {"same": True}
    assert ["parent", "children", "0", "path"] in [issue["path"] for issue in bad["issues"]]


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        # Only what JSON Schema 2020-12 means.
        ({"type": "string", "nullable": True}, ["x"], [None]),
        ({"id": 1, "nullable": True, "$async": True, "dependencies": {"a": ["b"]}}, [{"a": 1}], []),
        ({"format": "regex"}, ["("], []),
        ({"format": "email"}, ["a@b.cd", 1], ["x"]),
        # Names that every object of JavaScript has.
        ({"required": ["toString"]}, [{"toString": 1}], [{}]),
        ({"properties": {"constructor": {"type": "string"}}}, [{}], [{"constructor": 1}]),
        # Code points, as in Python, and not UTF-16.
        ({"maxLength": 1, "pattern": "^.$"}, ["x", "😀"], ["😀😀"]),
        ({"pattern": r"^\w+\-\_$"}, ["a-_"], ["a\\-_"]),
        ({"patternProperties": {r"\-": {"type": "number"}}}, [{"-": 1}], [{"-": "1"}]),
        (
            {"properties": {"__proto__": {"type": "string"}}},
            [{}, {"__proto__": ""}],
            [{"__proto__": 1}],
        ),
        # Where types end.
        ({"prefixItems": [{"const": 1}], "contains": {"const": 2}}, [[1, 2]], [[], [1]]),
        ({"uniqueItems": True, "contains": {"const": 1}}, [[1, 2]], [[1, 1], [2]]),
        (
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
            [{}, {"a": 1, "b": 1}],
            [{"a": 1}],
        ),
        ({"type": "integer"}, [1, 1.0, -0.0, 1e20], [1.5, "1", True]),
        ({"oneOf": [{"type": "number"}, {"minimum": 2}]}, [1, "x"], [3]),
        # Multiples of decimals, not of what floating point makes of them.
        ({"multipleOf": 0.01}, [19.99, 0.07, -1.15, 1e20, "x"], [0.005, 1e-7]),
        ({"multipleOf": 1e-7}, [3e-7, 0.1], [2.5e-7]),
        ({"multipleOf": 3}, [3, 3 * 2**60, 3e0], [2**64, 2**53, 0.5]),
        # What `if` has evaluated counts if it held, and only then.
        (
            {"if": {"properties": {"a": {"const": 1}}}, "unevaluatedProperties": False},
            [{"a": 1}, {}],
            [{"a": 2}, {"b": 1}],
        ),
        ({**CLOSED, "if": {"required": ["a"], **CLOSED}}, [{}], [{"a": 1}, {"b": 1}]),
        # So does what a choice has, for each item anew, and what stands beside.
        (
            {"items": {**CLOSED, "anyOf": [A_AND_B, {}]}},
            [[{"a": 1, "b": 1}, {}]],
            [[{"a": 1, "b": 1}, {"b": 1}], [{"b": 1}]],
        ),
        (
            {"items": {**CLOSED, "dependentSchemas": {"a": A_AND_B}}},
            [[{"a": 1, "b": 1}, {}]],
            [[{"a": 1, "b": 1}, {"b": 1}], [{"b": 1}]],
        ),
        (
            {**CLOSED, "anyOf": [CLOSED, {}], "patternProperties": {"^a": {}}},
            [{}, {"a": 1}],
            [{"b": 1}, {"a": 1, "b": 1}],
        ),
        (
            {**CLOSED, "anyOf": [{"additionalProperties": {"type": "string"}}, A_AND_B]},
            [{}, {"x": "y"}, {"a": 1, "b": 1}],
            [{"a": 1, "b": 1, "c": 1}],
        ),
        # What depends on a property is asked of objects alone, counted or not.
        (
            {
                "properties": {"a": {}},
                "dependentSchemas": {"a": {"type": "object", "properties": {"b": {}}}},
                "unevaluatedProperties": False,
            },
            [{}, {"a": 1, "b": 1}, "x", 1, None, [], ["a"]],
            [{"b": 1}, {"a": 1, "c": 1}],
        ),
        ({"prefixItems": [{"type": "string"}], "items": False}, [["x"], []], [[1], ["x", 1]]),
        (True, [1, None], []),
        (False, [], [1, None]),
    ],
)
def test_verdicts(
    typescript: TypeScript, schema: Any, valid: list[Any], invalid: list[Any]
) -> None:
    verdicts = judged(typescript, index_of(schema), [*valid, *invalid], collection="rows")
    found = ["issues" not in verdict for verdict in verdicts]
    assert found == [True] * len(valid) + [False] * len(invalid)


def test_the_check_of_multiples_is_well_formed(typescript: TypeScript) -> None:
    index = index_of({"multipleOf": 0.1})
    assert typescript.formatted([index]) == [index]
    assert "isMultiple" not in index_of({"minimum": 2})


@pytest.mark.parametrize(
    "name", ["a b", "%", "a/b", "~", "~1", "%2F", "#", "?", "é日😀", '"', "\\", "a&b=c", ".."]
)
def test_names_that_mean_something_in_references(typescript: TypeScript, name: str) -> None:
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "more": {"type": "number"}},
    }
    collection = {"type": "row", "primaryKey": "id", "schema": schema}
    loaded = load_spec_text(json.dumps({"name": "n", "collections": {name: collection}}), "s.json")
    assert loaded.spec is not None
    index = render_modules(loaded.spec)["index.ts"]
    values = [{"id": "1"}, {"id": 1}]
    good, bad = judged(typescript, index, values, collection=name)
    assert good == {"same": True}
    assert [issue["path"] for issue in bad["issues"]] == [["id"]]


PIECES = (
    *("a", "b", "-", r"\-", r"\d", r"\D", ".", "[ab]", r"[^a\-]", r"[\d_-]", "[a-c]", r"\_", r"\/"),
    *("é", "😀", r"\ud83d\ude00", r"\n", r"\x61", "(?:a|b)", "(?=a)", "(?!b)", "(", ")", "|", "^"),
    *("$", "*", "+?", "{2}", "{1,2}"),
)
PATTERNS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
SEARCHED = [
    "",
    "a",
    "aa",
    "ab",
    "ba-",
    "1",
    "٢",
    "-",
    "_",
    "é",
    "😀",
    "😀a",
    "a\n",
    "\n",
    "\u2028",
    "/",
]


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(patterns=st.lists(PATTERNS, min_size=40, max_size=40))
def test_portable_patterns_find_the_same_in_both_languages(
    typescript: TypeScript, patterns: list[str]
) -> None:
    portable = [(p, python) for p in patterns if isinstance(python := portable_pattern(p), str)]
    here = [[re.search(python, text) is not None for text in SEARCHED] for _, python in portable]
    there = typescript.searches([unicode_pattern(pattern) for pattern, _ in portable], SEARCHED)
    for (pattern, _), found, javascript in zip(portable, here, there, strict=True):
        assert found == javascript, pattern


def test_other_patterns_are_good_under_the_flag_u(typescript: TypeScript) -> None:
    patterns = [r"^\w+\-\_$", r"^a{,2}\@", "]", r"[\w-x]", r"\é", r"\p{L}\#", r"(?<n>a)\k<n>\:"]
    written = [unicode_pattern(pattern) for pattern in patterns]
    assert all(isinstance(found, list) for found in typescript.searches(written, [""]))
    assert all(isinstance(found, str) for found in typescript.searches(patterns, [""]))


@pytest.mark.parametrize("schema", [{"type": "number"}, {}, {"type": ["string", "number"]}])
@pytest.mark.parametrize("text", ["1e999", "-1e999"])
def test_numbers_that_json_cannot_write_are_invalid(
    typescript: TypeScript, schema: Any, text: str
) -> None:
    index = index_of({"type": "object", "properties": {"n": schema}})
    rows = [f'{{"n": {text}}}', '{"n": 1e99}']
    found = typescript.verdicts(index, rows, collection="rows")
    assert ["issues" in verdict for verdict in found] == [True, False]


def test_numbers_are_looked_for_in_all_that_is_unknown(typescript: TypeScript) -> None:
    index = index_of({"type": "object"})
    found = typescript.verdicts(index, ['{"a": [{"b": [1, 1e999]}]}'], collection="rows")
    assert "issues" in found[0]
