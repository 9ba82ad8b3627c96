"""The types of fields are to type checkers what they are at run time."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.type_checkers import CHECKERS, Checker, check_marked


@pytest.mark.parametrize("checker", CHECKERS)
def test_planted_mistakes_are_reported_and_nothing_else(checker: Checker) -> None:
    check_marked(Path(__file__).parent / "typing_cases.py", checker)
