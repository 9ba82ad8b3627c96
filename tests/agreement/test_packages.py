"""The generated packages of the corpus, as type checkers and the interpreter see them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from tests.agreement.compiled import Refused, compiled, package_files
from tests.agreement.corpus import own_cases, public_cases
from tests.type_checkers import mypy_reports

from streamdb_gen import api
from streamdb_gen.ir import Spec

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two packages of each spec, for rows of either kind; checkers start once."""
    folder = tmp_path_factory.mktemp("corpus")
    specs: dict[str, Spec] = {}
    for case in [*own_cases(), *public_cases()]:
        spec = compiled(case.spec)
        if not isinstance(spec, Refused):
            specs["_".join(case.name.split("/")[:2])] = spec
    for name, spec in specs.items():
        for models in get_args(api.Models):
            api.write(package_files(spec, models), folder / f"{models}_{name}")
    return folder


def test_mypy_strict_finds_nothing(packages: Path) -> None:
    assert mypy_reports(packages, *sorted(packages.iterdir())) == []


def test_pyright_strict_finds_nothing(packages: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--project", "pyproject.toml", str(packages)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "No source files" not in done.stdout


def test_they_import_without_a_warning(packages: Path) -> None:
    names = ", ".join(sorted(path.name for path in packages.iterdir()))
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", f"import {names}"],
        cwd=packages,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
