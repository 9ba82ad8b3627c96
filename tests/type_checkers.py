"""Run mypy and pyright on a file that has planted errors, and hold their reports to the marks.

A line that a checker has to report ends with ``# E``; ``# E[mypy]`` or ``# E[pyright]`` marks it
for one of them. An explanation may follow: ``# E: misspelt literal``. Every other line is good.

Tests write ``from tests.type_checkers import check_marked``: pytest's importlib mode makes the
folder a namespace package.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Checker: TypeAlias = Literal["mypy", "pyright"]
CHECKERS: tuple[Checker, ...] = ("mypy", "pyright")

_PROJECT = Path(__file__).parent.parent  # both checkers read its pyproject.toml: strict
_SETTINGS = _PROJECT / "pyproject.toml"
_MARK = re.compile(r"#\s*E(?:\[(?P<checker>\w+)\])?(?:\s*:.*)?$")


def check_marked(path: Path, checker: Checker, pyright_settings: Path = _SETTINGS) -> None:
    """Assert that ``checker`` reports the marked lines of ``path`` and no other.

    Modules beside the file can be imported by it: outside the project, if ``pyright_settings`` is
    a file beside it, too. Errors in other files do not count here.
    """
    marked = _marked_lines(path, checker)
    reported = reported_errors(path, checker, pyright_settings)
    unexpected = [f"{path}:{line}: {reported[line]}" for line in sorted(reported.keys() - marked)]
    missed = [f"{path}:{line}: not reported" for line in sorted(marked - reported.keys())]
    assert not unexpected + missed, "\n".join([checker, *unexpected, *missed])


def reported_errors(
    path: Path, checker: Checker, pyright_settings: Path = _SETTINGS
) -> Mapping[int, str]:
    """Return the messages that ``checker`` has for each line of ``path``, from 1."""
    return _reported_errors(path.resolve(), checker, pyright_settings)


@cache
def _reported_errors(file: Path, checker: Checker, pyright_settings: Path) -> Mapping[int, str]:
    reports = _run_mypy(file) if checker == "mypy" else _run_pyright(file, pyright_settings)
    messages: dict[int, str] = {}
    for line, message in reports:
        messages[line] = f"{messages[line]}\n{message}" if line in messages else message
    return messages


def _marked_lines(path: Path, checker: Checker) -> set[int]:
    marks = enumerate(map(_MARK.search, path.read_text("utf-8").splitlines()), start=1)
    return {line for line, mark in marks if mark and mark["checker"] in (None, checker)}


def _run_mypy(path: Path) -> list[tuple[int, str]]:
    # For a file equal to an earlier one it would answer from its cache, with that one's path.
    for kept in _mypy_cache().rglob(f"{path.stem}.*"):
        kept.unlink()
    options = ("--output=json", "--no-sqlite-cache", f"--cache-dir={_mypy_cache()}")
    output = _output("-m", "mypy", *options, str(path), MYPYPATH=str(path.parent))
    lines = filter(None, output.splitlines())  # an empty one if all is good
    reports: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [
        (report["line"], report["message"])
        for report in reports
        if report["severity"] == "error" and (_PROJECT / report["file"]).resolve() == path
    ]


@cache
def _mypy_cache() -> Path:
    """Make a folder for what mypy finds out about the packages that all files import.

    It is this process's own: two that write to one may read half of what the other writes.
    """
    folder = tempfile.mkdtemp(prefix="mypy-cache-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _run_pyright(path: Path, settings: Path) -> list[tuple[int, str]]:
    # Named, for pyright takes a configuration from a parent folder before ours.
    project = ("--project", str(settings))
    output = _output("-m", "pyright", *project, "--outputjson", str(path))
    reports: list[dict[str, Any]] = json.loads(output)["generalDiagnostics"]
    return [
        (report["range"]["start"]["line"] + 1, report["message"])
        for report in reports
        if report["severity"] == "error" and Path(report["file"]).resolve() == path
    ]


def _output(*arguments: str, **environment: str) -> str:
    """Run a checker by its module; 0 and 1 mean that it did its work."""
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=_PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode not in (0, 1):
        raise RuntimeError(f"{arguments} failed:\n{finished.stdout}\n{finished.stderr}")
    return finished.stdout
