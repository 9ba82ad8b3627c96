"""What the commands of `streamdb-gen` do, as functions: they return values and print nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamdb_gen.config import Config, Target, find_config, load_config
from streamdb_gen.findings import Finding, render_text
from streamdb_gen.fixes import apply
from streamdb_gen.folder import Folder, replace_file
from streamdb_gen.ir import Spec
from streamdb_gen.loading import LoadedSpec, load_spec
from streamdb_gen.marker import can_be_marked, digest, stamp
from streamdb_gen.meta_schema import meta_schema_text
from streamdb_gen.package_state import FileState, State, package_state
from streamdb_gen.package_writer import WriteReport, write_package
from streamdb_gen.problems import Problem, file_problem
from streamdb_gen.rules import RULES
from streamdb_gen.targets.choices import Models, TargetName
from streamdb_gen.targets.python.existing import MODELS_FILE, models_of
from streamdb_gen.targets.python.pydantic_rows.expansion import expansion_problem
from streamdb_gen.targets.python.pydantic_rows.spec import name_problem
from streamdb_gen.targets.python.pydantic_rows.tool import installation_problem
from streamdb_gen.targets.registry import TARGETS
from streamdb_gen.version import version

__all__ = [
    "RULES",
    "TARGETS",
    "Config",
    "FileState",
    "Finding",
    "Fixed",
    "LoadedSpec",
    "Models",
    "Problem",
    "Spec",
    "State",
    "Target",
    "TargetName",
    "WriteReport",
    "check",
    "existing_models",
    "find_config",
    "fix",
    "folder_problem",
    "generate",
    "lint",
    "load_config",
    "meta_schema_text",
    "models_problem",
    "package_folder",
    "render_text",
    "version",
    "write",
]


_MOST_ROUNDS: Final = 10


@dataclass(frozen=True, slots=True)
class Fixed:
    """The findings that were mended, and what the spec is now."""

    findings: tuple[Finding, ...]
    loaded: LoadedSpec


def lint(path: Path) -> LoadedSpec | Problem:
    """Read a spec and find every fault in it; the result holds the IR if there is no error."""
    try:
        return load_spec(path)
    except OSError as error:
        return file_problem("read", path, error)


def models_problem(spec: Spec, models: Models) -> Problem | None:
    """Say what stands in the way of generating a package with this kind of rows, if anything."""
    if models == "pydantic":
        return installation_problem() or name_problem(spec) or expansion_problem(spec)
    return None


def fix(path: Path) -> Fixed | Problem:
    """Write into a spec, and the files that it refers to, what certainly mends findings.

    Only what leaves the accepted values as they are is written: a comma too many, an item or
    keyword without effect, a name for one of two things that are called alike in Python.
    """
    fixed: list[Finding] = []
    loaded = lint(path)
    for _ in range(_MOST_ROUNDS):  # one edit may bring another finding to light
        if isinstance(loaded, Problem):
            return loaded
        fixable = [finding for finding in loaded.findings if finding.fix is not None]
        if not fixable or any(finding.rule == "JSON_ENCODING" for finding in loaded.findings):
            break
        for file in sorted({finding.file for finding in fixable}):
            edits = [f.fix for f in fixable if f.file == file and f.fix is not None]
            if problem := replace_file(Path(file), apply(loaded.sources[file], edits)):
                return problem
        fixed += fixable
        loaded = lint(path)
    return loaded if isinstance(loaded, Problem) else Fixed(tuple(fixed), loaded)


def generate(
    spec: Spec, target: TargetName = "python", models: Models = "msgspec"
) -> dict[str, str]:
    """Return the text of every file of the package, by file name; nothing is written.

    ``models`` is the kind of the rows of a Python package; :func:`models_problem` says beforehand
    whether it can be generated.
    """
    spec_digest = digest(spec.canonical)
    return {
        name: stamp(name, text, version(), spec_digest) if can_be_marked(name) else text
        for name, text in TARGETS[target].files(spec, models).items()
    }


def package_folder(spec_path: Path, spec: Spec, target: TargetName = "python") -> Path:
    """Where the package goes if nothing else is said: beside the spec, under the spec's name."""
    return spec_path.parent / TARGETS[target].folder(spec)


def folder_problem(folder: Path, target: TargetName, *, named_by_spec: bool) -> Problem | None:
    """Say why a package of this target cannot be in a folder, if it cannot.

    ``named_by_spec``: the folder is the one of :func:`package_folder`.
    """
    return TARGETS[target].folder_problem(folder, named_by_spec=named_by_spec)


def existing_models(folder: Path) -> Models | None:
    """The kind of the rows of the Python package in a folder; None if there is none of ours."""
    try:
        with Folder(folder) as opened:
            text = opened.read(MODELS_FILE)
    except OSError:
        return None
    return models_of(text) if isinstance(text, str) else None


def write(files: Mapping[str, str], folder: Path) -> WriteReport | Problem:
    """Write a generated package; only files that the compiler made are touched."""
    return write_package(folder, files)


def check(files: Mapping[str, str], folder: Path) -> tuple[FileState, ...] | Problem:
    """Compare a folder with a generated package."""
    try:
        with Folder(folder) as opened:
            return package_state(opened, files)
    except FileNotFoundError:
        return package_state(None, files)
    except OSError as error:
        return file_problem("read", error.filename or folder, error)
