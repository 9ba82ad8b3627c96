"""`streamdb serve` in a process of its own, to be killed without warning and started again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self


class ServingProcess:
    """A server over one data file; restarted, it keeps its port.

    Attributes:
        url: the stream root.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Return once it takes connections."""
        program = "import sys; from streamdb.cli import main; sys.exit(main())"
        arguments = ["serve", "--db", str(self._file), "--port", str(self._port)]
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-c", program, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert " at http://" in line, f"the server did not start: {line!r}"
        self.url = line.rpartition(" at ")[2].strip()
        self._port = int(self.url.split(":")[2].partition("/")[0])

    def kill(self) -> None:
        """End it like a power cut does (SIGKILL)."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
