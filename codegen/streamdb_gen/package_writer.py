"""Writes a package into a folder: only over files that the compiler made, and never through links.

A folder cannot be replaced at once. Each file is replaced whole and the one that users import last,
so that a run that is broken off leaves a package that `check` calls stale or missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamdb_gen.folder import Folder
from streamdb_gen.package_state import FileState, package_state
from streamdb_gen.problems import Problem, file_problem

_LAST: Final = frozenset({"__init__.py", "index.ts"})


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What was done, by file name.

    ``overwritten`` are those of ``written`` that somebody had edited, ``kept`` orphaned files that
    somebody has edited.
    """

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    overwritten: tuple[str, ...] = ()


def write_package(path: Path, files: Mapping[str, str]) -> WriteReport | Problem:
    """Write ``files`` into the folder ``path``, which is made if it is missing."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with Folder(path) as folder:
            states = package_state(folder, files)
            if refused := [state for state in states if state.state == "foreign"]:
                return _refusal(path, refused)
            return _write(folder, files, states)
    except OSError as error:
        return file_problem("write", error.filename or path, error)


def _write(folder: Folder, files: Mapping[str, str], states: tuple[FileState, ...]) -> WriteReport:
    unchanged = tuple(state.name for state in states if state.state == "current")
    orphans = [state for state in states if state.state == "orphaned"]
    due = sorted(files.keys() - set(unchanged), key=lambda name: (name in _LAST, name))
    folder.replace((name, files[name]) for name in due)
    removed = tuple(orphan.name for orphan in orphans if not orphan.keep)
    for name in removed:
        folder.remove(name)
    kept = tuple(orphan.name for orphan in orphans if orphan.keep)
    edited = tuple(state.name for state in states if state.state == "edited")
    return WriteReport(tuple(due), unchanged, removed, kept, edited)


def _refusal(path: Path, states: list[FileState]) -> Problem:
    listed = "; ".join(f"{state.name}: {state.reason}" for state in states)
    return Problem(
        f"will not overwrite files in {path} ({listed})",
        "choose another folder by --out, or move these files away",
    )
