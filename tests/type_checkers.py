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
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from tests.run_folder import made_once

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

Checker: TypeAlias = Literal["mypy", "pyright"]
CHECKERS: tuple[Checker, ...] = ("mypy", "pyright")

_PROJECT = Path(__file__).parent.parent  # both checkers read its pyproject.toml: strict
_SETTINGS = _PROJECT / "pyproject.toml"
_MYPY_CACHE = _PROJECT / ".mypy_cache"
_GOLDEN = _PROJECT / "tests" / "golden"
_TOGETHER = (
    *sorted(_PROJECT.glob("tests/runtime/**/*typing_cases.py")),
    *sorted(path.parent for path in _GOLDEN.glob("*/__init__.py")),
    _GOLDEN / "everything_usage.py",
)
_MARK = re.compile(r"#\s*E(?:\[(?P<checker>\w+)\])?(?:\s*:.*)?$")


class Report(NamedTuple):
    file: str
    line: int
    severity: str
    message: str


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


def mypy_reports(imported_from: Path, *paths: Path) -> list[Report]:
    """Return all that mypy has to say of files and packages, by the settings of the project.

    Modules in the folder can be imported by them, before those of the project.
    """
    with _mypy_cache(*paths) as cache:
        options = ("--output=json", f"--cache-dir={cache}")
        output = _output("-m", "mypy", *options, *map(str, paths), MYPYPATH=str(imported_from))
    lines = filter(None, output.splitlines())  # an empty one if all is good
    reports: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [
        Report(
            str((_PROJECT / report["file"]).resolve()),
            report["line"],
            report["severity"],
            report["message"],
        )
        for report in reports
    ]


def reports_below(folder: Path, checker: Checker) -> list[str]:
    """Return all that ``checker`` has to say of the files of a golden package."""
    assert folder.resolve() in _TOGETHER, f"{folder} is not checked"
    return [
        f"{report.file}:{report.line}: {report.message}"
        for report in _reports_together(checker)
        if folder.resolve() in Path(report.file).parents
    ]


@cache
def _reported_errors(file: Path, checker: Checker, pyright_settings: Path) -> Mapping[int, str]:
    together = file in _TOGETHER and pyright_settings == _SETTINGS
    reports = (
        _reports_together(checker)
        if together
        else mypy_reports(file.parent, file)
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
def _reports_together(checker: Checker) -> list[Report]:
    """One run over all files of the repository that tests ask about.

    Most of what a checker does is to read what they import. The processes of a test run share it.
    """
    text = made_once(f"{checker}.json", lambda: json.dumps(_run_together(checker)).encode())
    return [Report(*report) for report in json.loads(text)]


def _run_together(checker: Checker) -> list[Report]:
    if checker == "pyright":
        return _run_pyright(_SETTINGS, *_TOGETHER)
    return mypy_reports(_GOLDEN, *_TOGETHER)


@contextmanager
def _mypy_cache(*paths: Path) -> Generator[Path]:
    """A folder with what mypy keeps of the project, if `make types` ran; what it adds is dropped.

    Nothing of modules that are called like the files is in it: for a file equal to an earlier one
    mypy would answer from there, with that one's path.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        if _MYPY_CACHE.exists():
            shutil.copytree(_MYPY_CACHE, folder, dirs_exist_ok=True)
        for file in folder.rglob("*.db"):
            with closing(sqlite3.connect(file)) as opened, opened:
                for path in paths:
                    opened.execute("DELETE FROM files2 WHERE path GLOB ?", [f"{path.stem}.*"])
        yield folder


def _run_pyright(settings: Path, *paths: Path) -> list[Report]:
    # Named, for pyright takes a configuration from a parent folder before ours.
    project = ("--project", str(settings))
    output = _output("-m", "pyright", *project, "--outputjson", *map(str, paths))
    reports: list[dict[str, Any]] = json.loads(output)["generalDiagnostics"]
    return [
        Report(
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
