"""The golden package with pydantic rows, used as the one with msgspec rows is."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from tests.type_checkers import CHECKERS, Checker, check_marked

PROJECT = Path(__file__).parent.parent.parent
GOLDEN = PROJECT / "tests" / "golden"


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_same_program_has_the_same_mistakes(tmp_path: Path, checker: Checker) -> None:
    shutil.copytree(GOLDEN / "everything_pydantic", tmp_path / "everything")
    program = shutil.copy(GOLDEN / "everything_usage.py", tmp_path)
    settings = tmp_path / "pyrightconfig.json"
    settings.write_text(
        json.dumps(
            {
                "typeCheckingMode": "strict",
                "pythonVersion": "3.11",
                "extraPaths": [str(PROJECT / "runtime")],
                "venvPath": str(Path(sys.prefix).parent),
                "venv": Path(sys.prefix).name,
            }
        )
    )
    check_marked(Path(program), checker, settings)
