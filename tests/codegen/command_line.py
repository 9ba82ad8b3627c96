"""Running `streamdb-gen`: in this process, and as a user does, in a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

from streamdb_gen import commands

_NOBODY = 65534
# The modules are imported first, for they may lie where only root can read.
_AS_NOBODY = f"""\
import os
import streamdb_gen.commands
from streamdb_gen.cli import main
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({_NOBODY})
    os.setuid({_NOBODY})
main()
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, in this process, which has imported all that it needs."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = commands.run(arguments)
    out.seek(0)
    err.seek(0)
    return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


def run_process(
    folder: Path, *arguments: str, module: str = "streamdb_gen", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, in a process of its own."""
    return _run(folder, ["-m", module, *arguments], environment)


def run_without_privileges(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user whom permissions bind, which root is not."""
    return _run(folder, ["-c", _AS_NOBODY, *arguments], {})


def _run(
    folder: Path, arguments: list[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
