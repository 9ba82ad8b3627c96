"""Good expressions pass both type checkers, and each planted mistake is reported by both."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.type_checkers import CHECKERS, Checker, check_marked, reported_errors

CASES = Path(__file__).parent / "typing_cases.py"
AGGREGATES = Path(__file__).parent / "fn_typing_cases.py"


@pytest.mark.parametrize("cases", [CASES, AGGREGATES], ids=lambda path: path.stem)
@pytest.mark.parametrize("checker", CHECKERS)
def test_planted_mistakes_are_reported_and_nothing_else(cases: Path, checker: Checker) -> None:
    check_marked(cases, checker)


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_report_of_a_misspelt_literal_says_what_is_wrong(checker: Checker) -> None:
    line = _line_of('where(lambda m: m.role == "assistent")')
    assert "operands_have_different_types" in reported_errors(CASES, checker)[line]


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_helper_notices_a_missing_and_a_superfluous_mark(
    checker: Checker, tmp_path: Path
) -> None:
    path = tmp_path / "marks.py"
    path.write_text('good: int = 1  # E\nbad: int = "x"\n', encoding="utf-8")
    with pytest.raises(AssertionError) as failure:
        check_marked(path, checker)
    assert "marks.py:1: not reported" in str(failure.value)
    assert "marks.py:2: " in str(failure.value)


def _line_of(code: str) -> int:
    lines = CASES.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if code in line)
