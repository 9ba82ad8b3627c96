"""Every console block of the documentation runs, and prints what stands below each command."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.test_code_blocks import SERVER_IN_DOCS, Block, blocks

from streamdb_server import serving


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_console_block(block: Block, tmp_path: Path) -> None:
    with serving(tmp_path / "served.db") as server:
        env = os.environ | {
            "STREAM_URL": server.url,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }
        for command, expected in commands_of(block.code.replace(SERVER_IN_DOCS, server.url)):
            done = subprocess.run(
                ["bash", "-c", command], capture_output=True, text=True, env=env, timeout=60
            )
            said = done.stderr + done.stdout
            pattern = ".*".join(map(re.escape, expected.split("...")))
            assert re.fullmatch(pattern, said), f"{command}\n{said}"


def commands_of(code: str) -> list[tuple[str, str]]:
    """Each command with what it shall print, where ``...`` stands for anything in a line."""
    parts = re.split(r"^\$ (.*)\n", code, flags=re.M)
    assert parts[0] == ""
    return list(zip(parts[1::2], parts[2::2], strict=True))


def test_there_are_blocks() -> None:
    assert blocks("console")
