"""Every rule has examples of its fault, and the findings about them are exact.

`rules/RULE/CASE.json` is a spec that breaks the rule; `CASE.txt` is what is printed about it, with
all positions. `pytest --update-golden` writes the latter anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streamdb_gen.findings import Finding, render_text
from streamdb_gen.json_source import Source
from streamdb_gen.loading import load_spec_text
from streamdb_gen.rules import RULES

ROOT = Path(__file__).parent / "rules"
CASES = sorted(ROOT.glob("*/*.json"))


def _identifier(case: Path) -> str:
    return f"{case.parent.name}/{case.stem}"


@pytest.mark.parametrize("case", CASES, ids=_identifier)
def test_findings_of_a_fault_are_exact(case: Path, pytestconfig: pytest.Config) -> None:
    loaded = load_spec_text(case.read_bytes(), case.name)

    printed = render_text(loaded.findings, loaded.sources)
    expected = case.with_suffix(".txt")
    if pytestconfig.getoption("--update-golden", default=False):
        expected.write_text(printed, encoding="utf-8")
    assert printed == expected.read_text(encoding="utf-8")
    assert case.parent.name in {finding.rule for finding in loaded.findings}
    errors = [finding for finding in loaded.findings if finding.severity == "error"]
    assert (loaded.spec is None) == bool(errors)


@pytest.mark.parametrize("case", CASES, ids=_identifier)
def test_every_position_lies_in_the_text(case: Path) -> None:
    loaded = load_spec_text(case.read_bytes(), case.name)

    lines = Source(loaded.sources[case.name]).lines()
    for finding in loaded.findings:
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1


def test_every_rule_has_a_fixture_and_every_fixture_a_rule() -> None:
    assert {case.parent.name for case in CASES} == set(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_explains_itself(rule: object) -> None:
    assert isinstance(rule, type(next(iter(RULES.values()))))
    assert rule.title
    assert rule.explanation.endswith(".")
    assert rule.example
    assert rule.ways_out
    assert all(way.endswith(".") for way in rule.ways_out)


@pytest.mark.parametrize("kind", ["inline", "referred"])
def test_the_hint_of_a_union_row_can_be_pasted(kind: str) -> None:
    choices = [
        {"type": "object", "required": ["kind"], "properties": {"kind": {"const": name}}}
        for name in ("text", "image")
    ]
    schema = {"oneOf": choices} if kind == "inline" else {"$ref": "#/$defs/Part"}
    collection: dict[str, Any] = {"primaryKey": "id", "schema": schema}
    spec = {"collections": {"parts": collection}, "$defs": {"Part": {"oneOf": choices}}}
    (finding,) = load_spec_text(json.dumps(spec).encode(), "schema.json").findings
    assert (finding.rule, finding.pointer) == ("ROW_NOT_OBJECT", "/collections/parts/schema")
    assert finding.hint is not None
    collection["schema"] = json.loads(finding.hint.partition('"schema": ')[2])
    assert load_spec_text(json.dumps(spec).encode(), "schema.json").findings == ()


def test_the_way_out_of_a_union_row_is_a_spec() -> None:
    (way,) = (way for way in RULES["ROW_NOT_OBJECT"].ways_out if "{" in way)
    text = way.partition(": ")[2].removesuffix(".")
    assert load_spec_text(text.encode(), "schema.json").findings == ()


def test_findings_sort_by_place() -> None:
    later = Finding("SPEC_TYPE", "error", "a.json", 10, 1, "", "m")
    earlier = Finding("SPEC_TYPE", "error", "a.json", 9, 20, "", "m")
    assert sorted([later, earlier]) == [earlier, later]
