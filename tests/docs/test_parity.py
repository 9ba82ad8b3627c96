"""The parity table claims nothing without a test, and names no test that is not there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/parity.md").read_text("utf-8").splitlines()
    if re.match(r"\| ([A-Z]|CLIENT-)[0-9]", line)
]


def test_there_are_rows_of_every_part() -> None:
    assert {row[0][0] for row in ROWS} == set("BSQCV")


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


def test_every_rule_that_binds_a_client_is_proven_by_tests_that_name_it() -> None:
    rules = [row for row in ROWS if row[0].startswith("CLIENT-")]
    assert [row[0] for row in rules] == [f"CLIENT-{number}" for number in range(1, 40)]
    for rule, _, _, proof in rules:
        for file, name in re.findall(r"`([^`:]+)::([^`]+)`", proof):
            assert int(rule.removeprefix("CLIENT-")) in rules_named_by(ROOT / file, name), (
                f"{rule} is not named by {name}"
            )


def rules_named_by(file: Path, name: str) -> set[int]:
    """The rules in the text of a test function, and in the comment right above it."""
    source = file.read_text("utf-8")
    function = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    )
    first = min([function.lineno, *(one.lineno for one in function.decorator_list)])
    text = "\n".join(source.splitlines()[max(first - 2, 0) : function.end_lineno])
    return {
        number
        for begin, end in re.findall(r"CLIENT-([0-9]+)(?: to ([0-9]+))?", text)
        for number in range(int(begin), int(end or begin) + 1)
    }
