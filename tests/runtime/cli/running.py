"""Running the commands: in this process, and as processes that can be interrupted."""

import io
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from streamdb.cli.commands import run
from streamdb.cli.exits import Exit


class Done(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Commands:
    """Runs `streamdb` in this process, with an environment and standard input of its own."""

    def __init__(
        self, capture: pytest.CaptureFixture[bytes], patch: pytest.MonkeyPatch, root: str = ""
    ) -> None:
        self._capture = capture
        self._patch = patch
        patch.delenv("STREAM_AUTH", raising=False)
        patch.setenv("STREAM_URL", root)

    def run(self, *arguments: str, stdin: bytes = b"") -> Done:
        """Run a command to its end."""
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._capture.readouterr()
        code = run(arguments)
        out, err = self._capture.readouterr()
        return Done(code, out.decode("utf-8", "surrogateescape"), err.decode())

    def succeed(self, *arguments: str, stdin: bytes = b"") -> list[str]:
        """Run a command that must succeed and complain of nothing; return its lines."""
        done = self.run(*arguments, stdin=stdin)
        assert (done.code, done.err) == (Exit.FINE, ""), done
        return done.lines

    def fail(self, code: Exit, *arguments: str, stdin: bytes = b"") -> str:
        """Run a command that must fail with this code; return the one line that it says."""
        done = self.run(*arguments, stdin=stdin)
        assert (done.code, done.out) == (code, ""), done
        assert done.err.startswith("streamdb: ")
        assert done.err.count("\n") == 1, done.err
        return done.err


@contextmanager
def process(*arguments: str, **env: str) -> Generator[subprocess.Popen[str]]:
    """Run `streamdb` as a process of its own, which ends with the block at the latest."""
    with subprocess.Popen(
        [sys.executable, "-m", "streamdb.cli", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | env,
    ) as running:
        try:
            yield running
        finally:
            running.kill()
