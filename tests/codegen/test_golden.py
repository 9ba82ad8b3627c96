"""Committed packages: what the compiler makes of the specs in tests/golden, byte for byte.

`make golden` writes them anew; the difference is reviewed as code.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.codegen.golden import ENVIRONMENTS, assert_committed, run_all
from tests.type_checkers import CHECKERS, Checker, check_marked, reports_below

from streamdb_gen import api

PROJECT = Path(__file__).parent.parent.parent
GOLDEN = PROJECT / "tests" / "golden"
SPECS = sorted(GOLDEN.glob("*.json"))


class Package(NamedTuple):
    """A golden package, the spec that it is made of and the kind of its rows."""

    name: str
    spec: Path
    models: api.Models


PACKAGES = [
    *(Package(path.stem, path, "msgspec") for path in SPECS),
    Package("everything_pydantic", GOLDEN / "everything.json", "pydantic"),
]
NAMES = [package.name for package in PACKAGES]


def generated(package: Package) -> dict[str, str]:
    loaded = api.lint(package.spec)
    assert not isinstance(loaded, api.Problem)
    assert loaded.spec is not None, api.render_text(loaded.findings, loaded.sources)
    return api.generate(loaded.spec, models=package.models)


@pytest.mark.parametrize("package", PACKAGES, ids=NAMES)
def test_the_package_is_what_is_committed(package: Package, update_golden: bool) -> None:
    files, folder = generated(package), GOLDEN / package.name
    assert_committed(files, folder, update=update_golden)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_hash_seed_locale_and_working_folder_change_nothing(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    commands = [[str(spec), "-o", name, "--models", models] for name, spec, models in PACKAGES]
    run_all(tmp_path, environment, commands)
    for name in NAMES:
        for made in (tmp_path / name).iterdir():
            assert made.read_bytes() == (GOLDEN / name / made.name).read_bytes()


def test_ruff_would_change_nothing() -> None:
    command = [sys.executable, "-m", "ruff"]
    # For the users of a package, streamdb is a third party.
    options = ["--no-cache", "--config", "extend-exclude=[]", "--config", "src=['.']"]
    folders = [str(GOLDEN / name) for name in NAMES]
    for verb in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [*command, *verb, *options, *folders],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert "No Python files found" not in done.stderr


def test_the_spec_inside_the_package_is_the_spec() -> None:
    for name, spec, _ in PACKAGES:
        packed = json.loads((GOLDEN / name / "schema.json").read_text("utf-8"))
        assert packed == json.loads(spec.read_text("utf-8"))


def test_every_package_can_be_imported() -> None:
    program = "; ".join(f"import {name}" for name in NAMES)
    subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=GOLDEN, check=True)


@pytest.mark.parametrize("checker", CHECKERS)
def test_planted_mistakes_are_errors_and_the_rest_is_clean(checker: Checker) -> None:
    check_marked(GOLDEN / "everything_usage.py", checker)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("checker", CHECKERS)
def test_strict_checkers_find_nothing_in_a_package(checker: Checker, name: str) -> None:
    assert reports_below(GOLDEN / name, checker) == []
