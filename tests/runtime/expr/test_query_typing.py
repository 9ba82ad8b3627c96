"""Good queries pass both type checkers, and each planted mistake is reported by both."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.type_checkers import CHECKERS, Checker, check_marked

CASES = Path(__file__).parent / "query_typing_cases.py"


@pytest.mark.parametrize("checker", CHECKERS)
def test_planted_mistakes_are_reported_and_nothing_else(checker: Checker) -> None:
    check_marked(CASES, checker)
