"""What golden packages of every target are held to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from streamdb_gen import api

# What must not change a byte of the output.
ENVIRONMENTS: Final = [
    pytest.param({"PYTHONHASHSEED": "0", "LC_ALL": "C", "PYTHONUTF8": "0"}, id="seed-0-locale-C"),
    pytest.param(
        {"PYTHONHASHSEED": "4242", "LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Tokyo"},
        id="seed-4242-locale-UTF-8",
    ),
]

_RUN_ALL: Final = """
import json, sys
from streamdb_gen import commands

for arguments in json.loads(sys.argv[1]):
    assert commands.run(arguments) == 0, arguments
"""


def run_all(folder: Path, environment: Mapping[str, str], commands: Sequence[list[str]]) -> None:
    """Run some `streamdb-gen` in a folder and in one process, which starts in the environment."""
    subprocess.run(
        [sys.executable, "-c", _RUN_ALL, json.dumps(commands)],
        cwd=folder,
        env=os.environ | environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def assert_committed(files: Mapping[str, str], folder: Path, *, update: bool) -> None:
    """The files are those of the folder, byte for byte; with ``update`` they are written first."""
    if update:
        assert isinstance(api.write(files, folder), api.WriteReport)
    for name, text in files.items():
        assert (folder / name).read_bytes().decode() == text, "run `make golden`, review the diff"
    states = api.check(files, folder)
    assert not isinstance(states, api.Problem)
    assert {state.state for state in states} == {"current"}
