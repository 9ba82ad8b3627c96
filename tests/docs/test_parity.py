"""The parity table claims nothing without a test, and names no test that is not there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/parity.md").read_text("utf-8").splitlines()
    if re.match(r"\| ([A-Z]|[A-Z]+-)[0-9]", line)
]
# The rules that bind: of clients in the stream protocol, and of readers and writers of state.
RULES = {
    "CLIENT": 39,
    "UPDATE": 4,
    "UPSERT": 2,
    "KEY": 9,
    "INVALID": 9,
    "TYPE": 1,
    "HDR": 2,
    "ATOM": 7,
    "RESET": 12,
    "SNAP": 1,
    "TXID": 7,
    "END": 2,
    "WRITE": 11,
}


def test_there_are_rows_of_every_part() -> None:
    assert {row[0][0] for row in ROWS if re.match("[A-Z][0-9]", row[0])} == set("BSQCV")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_is_proven_or_not_yet_there(row: list[str]) -> None:
    _, _, state, proof = row
    tests = re.findall(r"`([^`]+)`", proof)
    assert state == "not yet" or state == "stands" or state.startswith("partly: ")
    assert bool(tests) == (state != "not yet")
    for test in tests:
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text("utf-8")
        assert not name or re.search(rf"def {name}\(", text), test


@pytest.mark.parametrize("family", RULES)
def test_every_rule_is_proven_by_tests_that_name_it(family: str) -> None:
    rows = [row for row in ROWS if row[0].startswith(f"{family}-")]
    assert [row[0] for row in rows] == [f"{family}-{n}" for n in range(1, RULES[family] + 1)]
    for rule, _, _, proof in rows:
        for file, name in re.findall(r"`([^`:]+)::([^`]+)`", proof):
            named = rules_named_by(ROOT / file, name, family)
            assert int(rule.removeprefix(f"{family}-")) in named, f"{rule} is not named by {name}"


def rules_named_by(file: Path, name: str, family: str) -> set[int]:
    """The rules in the text of a test function, and in the comment right above it."""
    source = file.read_text("utf-8")
    function = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    )
    first = min([function.lineno, *(one.lineno for one in function.decorator_list)])
    text = "\n".join(source.splitlines()[max(first - 2, 0) : function.end_lineno])
    rule = rf"\b{family}-([0-9]+)(?: to (?:{family}-)?([0-9]+))?"
    return {
        number
        for begin, end in re.findall(rule, text)
        for number in range(int(begin), int(end or begin) + 1)
    }
