"""`streamdb-gen lint` as a user meets it: every finding of one run, each at the right place."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.codegen.command_line import run_process

# A faulty spec; the mark stands before each place that a finding has to name.
MARK = "§"
TEN_FAULTS = """\
{
  "name": "example",
  "collections": {
    "messages": {
      "type": "message",
      "primaryKey": §"key",
      "schema": {
        "type": "object",
        "required": ["id", §"text"],
        "properties": {
          "id": { "type": "string", §"minLenght": 1 },
          "userId": { "type": §"strin" },
          "createdAt": { "type": "string", "format": §"datetime" },
          "é日本🎉": { "items": { "$ref": §"#/$defs/Nope" }, "type": "array", §"nullable": true },
          "count": { "type": "integer", "minimum": 5, "maximum": §3 },
          "state": { "enum": ["on", "off", §"on"] }
        }
      }
    },
    §"typing": { "primaryKey": "id" }
  }
}
"""
RULES = [
    "PRIMARY_KEY_UNFIT",
    "REQUIRED_UNDECLARED",
    "KEYWORD_UNKNOWN",
    "SPEC_VALUE",
    "FORMAT_UNSUPPORTED",
    "REFERENCE_UNKNOWN",
    "KEYWORD_UNSUPPORTED",
    "BOUNDS_EXCLUDE_ALL",
    "ENUM_VALUE_DUPLICATE",
    "COLLECTION_SCHEMA_MISSING",
]
HEAD = re.compile(r"^faulty\.json:(?P<line>\d+):(?P<column>\d+): \w+: .* \[(?P<rule>\w+)\]$")


def findings(folder: Path, text: str) -> list[tuple[str, int, int]]:
    """What the command prints about a spec: rules, lines and columns."""
    (folder / "faulty.json").write_bytes(text.encode())
    done = run_process(folder, "lint", "faulty.json", PYTHONIOENCODING="utf-8")
    assert (done.returncode, done.stderr) == (4, "")
    heads = (HEAD.match(line) for line in done.stdout.splitlines())
    return [(h["rule"], int(h["line"]), int(h["column"])) for h in heads if h]


def marked(text: str) -> list[tuple[int, int]]:
    """Lines and columns of the marked places, counted in the text without marks."""
    return [
        (number, found.start() - index + 1)
        for number, line in enumerate(re.split("\r\n|\r|\n", text), start=1)
        for index, found in enumerate(re.finditer(MARK, line))
    ]


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text,
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("  ", "\t"),
        lambda text: text.replace("\n", "\n\n \t\n"),
        lambda text: re.sub("\n *", " ", text),
    ],
    ids=["as-it-is", "no-line-end", "crlf", "cr", "tabs", "empty-lines", "one-line"],
)
def test_each_fault_of_many_is_told_with_its_line_and_column(
    tmp_path: Path, changed: Callable[[str], str]
) -> None:
    text = changed(TEN_FAULTS)
    expected = [(rule, *place) for rule, place in zip(RULES, marked(text), strict=True)]
    assert len(expected) == len(set(RULES)) == 10
    assert findings(tmp_path, text.replace(MARK, "")) == expected


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"name": "x"', (1, 13)),
        ('{"name": "x"\n', (2, 1)),
        ('{\r\n\t"name": "x"\r\n', (3, 1)),
        ('{\r\n\t"name" "x"}', (2, 9)),
        ('{\n\t\t"name": "x\ty"}', (2, 13)),
        ('{\n  "name": "x\n}', (2, 11)),
        ("", (1, 1)),
        ("\n", (2, 1)),
    ],
)
def test_a_text_that_breaks_off_is_told_where(
    tmp_path: Path, text: str, place: tuple[int, int]
) -> None:
    about_text = [place for rule, *place in findings(tmp_path, text) if rule.startswith("JSON_")]
    assert about_text == [[*place]]


def test_the_excerpt_points_at_the_place_whatever_stands_before_it(tmp_path: Path) -> None:
    text = '{"collections": {}, "é日本": "\u202e",\r\n\t"name": 1}\r\n'
    (tmp_path / "faulty.json").write_bytes(text.encode())
    lines = run_process(
        tmp_path, "lint", "faulty.json", PYTHONIOENCODING="utf-8"
    ).stdout.splitlines()
    number = next(index for index, line in enumerate(lines) if line.startswith("faulty.json:2:10:"))
    assert lines[number + 1 : number + 3] == ['  2 |  "name": 1}', "    |          ^"]
