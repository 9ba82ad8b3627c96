"""Processes of Python that need not import again what every one of them imports.

To start Python and to import the library takes longer than what most programs of the tests do. They
are forked off a process that has done so, which has no threads and has run nothing of them. Each
has its own arguments, environment, folder, output and end, as if ``python`` had been called.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_FORKING: Final = Path(__file__).parent / "forking.py"


class ForkedPython:
    """Runs one program at a time."""

    def __init__(self, process: subprocess.Popen[str], scratch: Path) -> None:
        self._process: Final = process
        self._scratch: Final = scratch

    def run(
        self,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        limits: Mapping[str, int] | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python`` with arguments: a program's file in ``cwd``, ``-c`` or ``-m``.

        ``limits`` are for `resource.setrlimit`, by the name of the resource.
        """
        output = [self._scratch / "stdout", self._scratch / "stderr"]
        for file in output:
            file.write_bytes(b"")
        request = {
            "arguments": arguments,
            "folder": str(cwd),
            "environment": dict(os.environ if env is None else env),
            "output": [str(file) for file in output],
            "limits": limits or {},
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, timeout)
        code = int(self._process.stdout.readline())
        return subprocess.CompletedProcess(
            arguments, code, *(file.read_text("utf-8") for file in output)
        )


@contextmanager
def forked_python(imports: str, *options: str) -> Generator[ForkedPython]:
    """Python with these options of the interpreter that has executed ``imports``."""
    command = [sys.executable, *options, str(_FORKING), imports]
    with (
        tempfile.TemporaryDirectory() as scratch,
        # What Python makes of the environment at its start is not what a program is told.
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={},
            process_group=0,
        ) as process,
    ):
        yield ForkedPython(process, Path(scratch))


def imports_of(folder: Path, package: str) -> str:
    """Statements that import what a package in a folder does, and then forget the package."""
    return f"""
import sys
sys.path.insert(0, {str(folder)!r})
import {package}
for name in list(sys.modules):
    if name.partition(".")[0] == {package!r}:
        del sys.modules[name]
"""
