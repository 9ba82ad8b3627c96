"""The frozen list of modules that no package may hide."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from streamdb_gen.targets.python.folders import folder_problem

PROJECT = Path(__file__).parent.parent.parent
SOURCES = ("runtime", "server", "codegen", "tests/golden")


def imported_modules() -> set[str]:
    """The first names of all modules that our code and generated code import absolutely."""
    found: set[str] = set()
    for folder in SOURCES:
        for file in (PROJECT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                    found.add(node.module.split(".")[0])
    return found


def test_the_standard_library_is_in_the_list() -> None:
    public = {name for name in sys.stdlib_module_names if not name.startswith("_")}
    assert {n for n in public if folder_problem(Path(n), named_by_spec=True) is None} == set()


def test_what_is_imported_beside_a_package_is_in_the_list() -> None:
    modules = imported_modules() - {"__future__", "everything"}  # a golden package
    assert {"msgspec", "pydantic", "httpx"} <= modules
    free = {n for n in modules if folder_problem(Path(n), named_by_spec=True) is None}
    assert free == set()


@pytest.mark.parametrize("name", ["agent_session", "_generated", "Json", "match", "été"])
def test_other_names_are_fine(name: str) -> None:
    assert folder_problem(Path("src") / name, named_by_spec=False) is None


def test_the_name_of_the_current_folder_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, is_fine in (("my-pkg", False), ("my_pkg", True)):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert (folder_problem(Path(), named_by_spec=False) is None) == is_fine
