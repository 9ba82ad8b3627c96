"""Run mypy and pyright on a file that has planted errors, and hold their reports to the marks.

A line that a checker has to report ends with ``# E``; ``# E[mypy]`` or ``# E[pyright]`` marks it
for one of them. An explanation may follow: ``# E: misspelt literal``. Every other line is good.

Tests write ``from tests.type_checkers import check_marked``: pytest's importlib mode makes the
folder a namespace package.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from tests.run_folder import locked, made_once, run_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

Checker: TypeAlias = Literal["mypy", "pyright"]
CHECKERS: tuple[Checker, ...] = ("mypy", "pyright")

_PROJECT = Path(__file__).parent.parent  # both checkers read its pyproject.toml: strict
_SETTINGS = _PROJECT / "pyproject.toml"
_GOLDEN = _PROJECT / "tests" / "golden"
_TOGETHER = (
    *sorted(_PROJECT.glob("tests/runtime/**/*typing_cases.py")),
    *sorted(path.parent for path in _GOLDEN.glob("*/__init__.py")),
    _GOLDEN / "everything_usage.py",
)
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


def reports_below(folder: Path, checker: Checker) -> list[str]:
    """Return all that ``checker`` has to say of the files of a golden package."""
    assert folder.resolve() in _TOGETHER, f"{folder} is not checked"
    return [
        f"{report.file}:{report.line}: {report.message}"
        for report in _reports_together(checker)
        if folder.resolve() in Path(report.file).parents
    ]


class _Report(NamedTuple):
    file: str
    line: int
    severity: str
    message: str


@cache
def _reported_errors(file: Path, checker: Checker, pyright_settings: Path) -> Mapping[int, str]:
    together = file in _TOGETHER and pyright_settings == _SETTINGS
    reports = (
        _reports_together(checker)
        if together
        else _run_mypy(file)
        if checker == "mypy"
        else _run_pyright(pyright_settings, file)
    )
    messages: dict[int, str] = {}
    for path, line, severity, message in reports:
        if severity == "error" and Path(path) == file:
            messages[line] = f"{messages[line]}\n{message}" if line in messages else message
    return messages


def _marked_lines(path: Path, checker: Checker) -> set[int]:
    marks = enumerate(map(_MARK.search, path.read_text("utf-8").splitlines()), start=1)
    return {line for line, mark in marks if mark and mark["checker"] in (None, checker)}


@cache
def _reports_together(checker: Checker) -> list[_Report]:
    """One run over all files of the repository that tests ask about.

    Most of what a checker does is to read what they import. The processes of a test run share it.
    """
    text = made_once(f"{checker}.json", lambda: json.dumps(_run_together(checker)).encode())
    return [_Report(*report) for report in json.loads(text)]


def _run_together(checker: Checker) -> list[_Report]:
    if checker == "pyright":
        return _run_pyright(_SETTINGS, *_TOGETHER)
    with locked("mypy-cache"):
        return _mypy(_GOLDEN, *_TOGETHER)


def _run_mypy(path: Path) -> list[_Report]:
    with locked("mypy-cache"):
        # For a file equal to an earlier one it would answer from its cache, with that one's path.
        for kept in _mypy_cache().rglob(f"{path.stem}.*"):
            kept.unlink()
        return _mypy(path.parent, path)


def _mypy(imported_from: Path, *paths: Path) -> list[_Report]:
    options = ("--output=json", "--no-sqlite-cache", f"--cache-dir={_mypy_cache()}")
    output = _output("-m", "mypy", *options, *map(str, paths), MYPYPATH=str(imported_from))
    lines = filter(None, output.splitlines())  # an empty one if all is good
    reports: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [
        _Report(
            str((_PROJECT / report["file"]).resolve()),
            report["line"],
            report["severity"],
            report["message"],
        )
        for report in reports
    ]


def _mypy_cache() -> Path:
    """Return the folder for what mypy finds out about the packages that all files import.

    Who uses it holds the lock: one may read half of what another writes.
    """
    return run_folder() / "mypy-cache"


def _run_pyright(settings: Path, *paths: Path) -> list[_Report]:
    # Named, for pyright takes a configuration from a parent folder before ours.
    project = ("--project", str(settings))
    output = _output("-m", "pyright", *project, "--outputjson", *map(str, paths))
    reports: list[dict[str, Any]] = json.loads(output)["generalDiagnostics"]
    return [
        _Report(
            str(Path(report["file"]).resolve()),
            report["range"]["start"]["line"] + 1,
            report["severity"],
            report["message"],
        )
        for report in reports
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
