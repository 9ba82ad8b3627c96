"""Child processes that talk in lines, each of them ended when the test that needs it is."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

#: Far longer than anything takes: it only keeps a fault from hanging the run.
PATIENCE: Final = 60.0
_LAST_WORDS: Final = 10.0


class Ended(RuntimeError):
    """A process ended, or answered that something failed."""


class LineProcess:
    """A process whose output is read line by line, with a time limit."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._name = " ".join(str(part) for part in command)
        self._process: subprocess.Popen[str] = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def receive(self) -> str:
        """Return the next line.

        Raises:
            Ended: there is none, for the process ended or was silent for too long.
        """
        try:
            line = self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            # Killed, so that a late answer is never taken for the answer to the next question.
            self._process.kill()
            raise Ended(f"{self._name}: no answer within {PATIENCE:g} s") from None
        if line is None:
            self._lines.put(None)
            raise Ended(f"{self._name}: ended with {self._process.wait()}; see its standard error")
        return line

    def send(self, line: str) -> None:
        stdin = _pipe(self._process.stdin)
        try:
            stdin.write(line + "\n")
            stdin.flush()
        except OSError as error:
            raise Ended(f"{self._name}: cannot be talked to: {error}") from None

    def stop(self) -> None:
        """End the process, by force if it does not listen, and wait until it has."""
        self._process.terminate()
        try:
            self._process.wait(_LAST_WORDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()

    def _read(self) -> None:
        for line in _pipe(self._process.stdout):
            self._lines.put(line)
        self._lines.put(None)


class Peer:
    """A program of the folder ``peers``: asked in JSON, it answers in JSON, in turn."""

    def __init__(self, process: LineProcess) -> None:
        self._process = process
        #: What the program said when it was ready.
        self.greeting: Final = self._answer()

    def ask(self, command: str, **arguments: Any) -> Any:
        """Let the program do something and return what it answers.

        Raises:
            Ended: it failed; the message holds the program's own.
        """
        # Pure ASCII: the other side takes U+2028 for the end of a line.
        self._process.send(json.dumps({"command": command, **arguments}))
        return self._answer()

    def _answer(self) -> Any:
        answer = json.loads(self._process.receive())
        if "error" in answer:
            raise Ended(answer["error"])
        return answer["result"]


@contextmanager
def running(command: Sequence[str | Path]) -> Generator[LineProcess]:
    """Run a process as long as the block lasts."""
    process = LineProcess(command)
    try:
        yield process
    finally:
        process.stop()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
