"""Every Python block of the documentation runs, prints what its comments say, and is well typed."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.codegen import command_line
from tests.forked_python import ForkedPython, forked_python, imports_of
from tests.type_checkers import mypy_reports

from streamdb_server import serving

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "generated_examples/agent_session"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
SOURCES = [ROOT / name for name in ("codegen", "runtime", "server", "templates")]
SERVER_IN_DOCS = "http://127.0.0.1:4437/v1/stream/"


class Block(NamedTuple):
    document: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def blocks(language: str) -> list[Block]:
    found: list[Block] = []
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(str(document.relative_to(ROOT)), line, match[1]))
    return found


def test_there_are_blocks() -> None:
    assert len(blocks("python")) >= 3


def is_of_the_spec(block: Block) -> bool:
    """Whether a block is for the spec in the README, and not for the one of the example."""
    return block.code.startswith("# session.py") or "schema.json" in block.code


def make_package(folder: Path) -> Path:
    """Do with the spec of the README what the README says."""
    folder.mkdir(exist_ok=True)
    (folder / "schema.json").write_text(blocks("json")[0].code, "utf-8")
    done = command_line.run(folder, "schema.json")
    assert done.returncode == 0, done.stderr
    assert (folder / "agent_session/__init__.py").exists()
    return folder


# All that a program which uses a package imports anyway: its session with a stream over HTTP or in
# the process. What a program has to import itself does not become known to it by that.
IMPORTS = (
    imports_of(EXAMPLE, "agent_session")
    + """
import asyncio, streamdb.cache.file, streamdb.db.session, streamdb.engine.live
import streamdb.streams.embedded_wire, streamdb.streams.httpx_wire, streamdb_server
"""
)


@pytest.fixture(scope="module")
def python() -> Iterator[ForkedPython]:
    with forked_python(IMPORTS, "-W", "error") as python:
        yield python


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_block(block: Block, tmp_path: Path, python: ForkedPython) -> None:
    expected = re.findall(r"^\s*print\(.*\)  # (.*)$", block.code, re.MULTILINE)
    packages = make_package(tmp_path) if is_of_the_spec(block) else EXAMPLE
    with serving(tmp_path / "served.db") as server:
        program = tmp_path / "session.py"
        program.write_text(block.code.replace(SERVER_IN_DOCS, server.url), "utf-8")
        done = python.run("session.py", cwd=tmp_path, env={"PYTHONPATH": str(packages)})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == expected


def test_the_first_steps_work_as_they_are_written(tmp_path: Path) -> None:
    """In a checkout whose set-up, `make demo`, is done already; and they leave nothing in it."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / ".venv").symlink_to(sys.prefix)
    (checkout / "generated_examples").symlink_to(ROOT / "generated_examples")
    spec, program = blocks("json")[0], blocks("python")[0]
    more = next(block for block in blocks("python") if "db.transaction()" in block.code)
    for name, block in {
        "my_session/schema.json": spec,
        "my_session/session.py": program,
        "more/more.py": more,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(block.code, "utf-8")
    steps = [block.code for block in blocks("sh") if block.document == "README.md"][1:4]
    for part, step in zip(("make demo", "session.py", "more.py"), steps, strict=True):
        assert part in step
    done = subprocess.run(
        ["bash", "-ec", "".join(steps).replace("make demo", "true")],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "hi there" in done.stdout
    assert {one.name for one in checkout.iterdir()} == {".venv", "generated_examples"}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path]]:
    """Two folders of programs, each with the folder of the packages that they use."""
    both = tmp_path_factory.mktemp("programs")
    found: list[tuple[Path, Path]] = []
    for of_the_spec in (True, False):
        folder = both / ("of_the_spec" if of_the_spec else "of_the_example")
        folder.mkdir()
        for number, block in enumerate(blocks("python")):
            if is_of_the_spec(block) is of_the_spec:
                (folder / f"block_{number}.py").write_text(block.code, "utf-8")
        found.append((folder, make_package(folder / "packages") if of_the_spec else EXAMPLE))
    return found


def test_mypy_strict_finds_nothing_in_the_python_blocks(
    programs: list[tuple[Path, Path]],
) -> None:
    for folder, packages in programs:
        files = sorted(folder.glob("*.py"))
        assert files
        assert mypy_reports(packages, *files) == []


def test_pyright_strict_finds_nothing_in_the_python_blocks(
    programs: list[tuple[Path, Path]],
) -> None:
    settings = {
        "typeCheckingMode": "strict",
        "include": [f"{folder.name}/*.py" for folder, _ in programs],
        "executionEnvironments": [
            {"root": folder.name, "extraPaths": [str(packages), *map(str, SOURCES)]}
            for folder, packages in programs
        ],
    }
    both = programs[0][0].parent
    (both / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson"],
        cwd=both,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    assert (found["generalDiagnostics"], done.returncode) == ([], 0)
    assert found["summary"]["filesAnalyzed"] == len(blocks("python"))


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_block_is_a_clean_spec(block: Block, tmp_path: Path) -> None:
    spec = tmp_path / "schema.json"
    spec.write_text(block.code, "utf-8")
    done = command_line.run(tmp_path, "lint", str(spec))
    assert done.returncode == 0, done.stdout + done.stderr
