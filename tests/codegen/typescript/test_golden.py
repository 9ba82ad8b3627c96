"""Committed TypeScript packages, byte for byte; `make golden` writes them anew."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Literal

import pytest
from tests.codegen.golden import ENVIRONMENTS, assert_committed, run_all
from tests.codegen.typescript.peer import TypeScript
from tests.interop.node import Node
from tests.interop.tsc import compile_strictly

from streamdb_gen import api

GOLDEN = Path(__file__).parent.parent.parent / "golden"
PACKAGES = GOLDEN / "typescript"
SPECS = sorted(GOLDEN.glob("*.json"))
NAMES = [path.stem for path in SPECS]


@pytest.mark.parametrize("path", SPECS, ids=NAMES)
def test_the_package_is_what_is_committed(path: Path, update_golden: bool) -> None:
    loaded = api.lint(path)
    assert not isinstance(loaded, api.Problem)
    assert loaded.spec is not None, api.render_text(loaded.findings, loaded.sources)
    files, folder = api.generate(loaded.spec, "typescript"), PACKAGES / path.stem
    assert_committed(files, folder, update=update_golden)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_hash_seed_locale_and_working_folder_change_nothing(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    targets = ["--target", "typescript"]
    run_all(tmp_path, environment, [[str(path), *targets, "-o", path.stem] for path in SPECS])
    for path in SPECS:
        for made in (tmp_path / path.stem).iterdir():
            assert made.read_bytes() == (PACKAGES / path.stem / made.name).read_bytes()


def test_prettier_would_change_nothing(typescript: TypeScript) -> None:
    files = sorted(PACKAGES.glob("*/*.ts"))
    assert len(files) == 2 * len(SPECS)
    sources = [file.read_text("utf-8") for file in files]
    for file, source, formatted in zip(files, sources, typescript.formatted(sources), strict=True):
        assert source == formatted, file


def test_the_strictest_compiler_finds_nothing(node: Node, tmp_path: Path) -> None:
    for name in NAMES:
        shutil.copytree(PACKAGES / name, tmp_path / name)
    assert compile_strictly(node, tmp_path) == []


LOADED = {
    "module": [
        "--input-type=module",
        "-e",
        "import {{ stateSchema }} from './out/{}/index.js'; {}",
    ],
    "commonjs": ["-e", "const {{ stateSchema }} = require('./out/{}/index.js'); {}"],
}
CHECKED = "console.log(JSON.stringify(stateSchema.notes.schema['~standard'].validate({})))"


@pytest.mark.parametrize("kind", ["module", "commonjs"])
def test_a_package_runs_as_a_module_of_either_kind(
    node: Node, tmp_path: Path, kind: Literal["module", "commonjs"]
) -> None:
    shutil.copytree(PACKAGES / "minimal", tmp_path / "minimal")
    assert compile_strictly(node, tmp_path, kind) == []
    *options, program = LOADED[kind]
    done = subprocess.run(
        [node.node, *options, program.format("minimal", CHECKED)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    (issue,) = json.loads(done.stdout)["issues"]
    assert issue == {"message": "must have required property 'id'", "path": []}
