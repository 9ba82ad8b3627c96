"""Every Python block of the documentation runs, and prints what its comments say."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from streamdb_server import serving

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "generated_examples/agent_session"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
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


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_block(block: Block, tmp_path: Path) -> None:
    expected = re.findall(r"^\s*print\(.*\)  # (.*)$", block.code, re.MULTILINE)
    with serving(tmp_path / "served.db") as server:
        code = block.code.replace(SERVER_IN_DOCS, server.url)
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=tmp_path,
            env={"PYTHONPATH": str(EXAMPLE)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_block_is_a_clean_spec(block: Block, tmp_path: Path) -> None:
    spec = tmp_path / "schema.json"
    spec.write_text(block.code, "utf-8")
    command = [sys.executable, "-m", "streamdb_gen", "lint", str(spec)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
