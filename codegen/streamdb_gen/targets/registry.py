"""The targets by name: which files each makes of a spec, and in which folder they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from streamdb_gen.ir import Spec
from streamdb_gen.problems import Problem
from streamdb_gen.targets.choices import Models, TargetName
from streamdb_gen.targets.python import package as python
from streamdb_gen.targets.python.folders import folder_problem
from streamdb_gen.targets.typescript import package as typescript


class FolderProblem(Protocol):
    """Says why a package cannot be in a folder, if it cannot."""

    def __call__(self, folder: Path, *, named_by_spec: bool) -> Problem | None:
        """``named_by_spec``: the folder is the one that follows from the spec's name."""
        ...


@dataclass(frozen=True, slots=True)
class TargetLanguage:
    """A language that packages are generated in."""

    files: Callable[[Spec, Models], Mapping[str, str]]
    """The text of every file by name, without marker lines; rows of Python are of that kind."""
    folder: Callable[[Spec], str]
    """The name of the package's folder; no two targets have the same for one spec."""
    folder_problem: FolderProblem


def _python_files(spec: Spec, models: Models) -> dict[str, str]:
    return {"schema.json": spec.canonical, "py.typed": "", **python.render_modules(spec, models)}


def _typescript_files(spec: Spec, _: Models) -> dict[str, str]:
    return typescript.render_modules(spec)


def _python_folder(spec: Spec) -> str:
    return spec.package


def _any_folder(folder: Path, *, named_by_spec: bool) -> Problem | None:
    return None  # TypeScript imports by path


TARGETS: Final[Mapping[TargetName, TargetLanguage]] = {
    "python": TargetLanguage(_python_files, _python_folder, folder_problem),
    "typescript": TargetLanguage(_typescript_files, typescript.folder_name, _any_folder),
}
