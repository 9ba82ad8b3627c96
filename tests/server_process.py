"""A server that can be killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class ServerProcess:
    """`streamdb serve` in a process of its own, which can be killed and started again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._process: subprocess.Popen[str] | None = None
        self.url = self._start(port=0)

    def kill(self) -> None:
        """End it with SIGKILL, and wait until it is dead."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def restart(self) -> None:
        """Start it again on the same file and port; returns once it takes connections."""
        port = urlsplit(self.url).port
        assert port is not None
        assert self._start(port) == self.url

    def _start(self, port: int) -> str:
        command = ["-m", "streamdb.cli", "serve", "--db", str(self._file), "--port", str(port)]
        self._process = subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        announced = self._process.stdout.readline()
        assert " at http" in announced, announced
        return announced.rpartition(" at ")[2].strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
