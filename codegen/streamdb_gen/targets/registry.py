"""The targets by name: which files each makes of a spec, and in which folder they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from streamdb_gen.ir import Spec
from streamdb_gen.targets.choices import Models, TargetName
from streamdb_gen.targets.python import package as python
from streamdb_gen.targets.typescript import package as typescript


@dataclass(frozen=True, slots=True)
class TargetLanguage:
    """A language that packages are generated in."""

    files: Callable[[Spec, Models], Mapping[str, str]]
    """The text of every file by name, without marker lines; rows of Python are of that kind."""
    folder: Callable[[Spec], str]
    """The name of the package's folder; no two targets have the same for one spec."""


def _python_files(spec: Spec, models: Models) -> dict[str, str]:
    return {"schema.json": spec.canonical, "py.typed": "", **python.render_modules(spec, models)}


def _typescript_files(spec: Spec, _: Models) -> dict[str, str]:
    return typescript.render_modules(spec)


def _python_folder(spec: Spec) -> str:
    return spec.package


TARGETS: Final[Mapping[TargetName, TargetLanguage]] = {
    "python": TargetLanguage(_python_files, _python_folder),
    "typescript": TargetLanguage(_typescript_files, typescript.folder_name),
}
