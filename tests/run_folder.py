"""A folder that all processes of a test run share; the first of them deletes it at the end."""

from __future__ import annotations

import atexit
import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

_NAME: Final = "STREAMDB_TEST_RUN"


def make_run_folder() -> Callable[[], None]:
    """Make the folder, unless the process was started by one that did; return what deletes it."""
    if _NAME in os.environ:
        return lambda: None
    folder = tempfile.TemporaryDirectory(prefix="streamdb-test-run-")
    os.environ[_NAME] = folder.name  # the workers of pytest-xdist inherit it

    def delete() -> None:
        del os.environ[_NAME]
        folder.cleanup()

    return delete


def run_folder() -> Path:
    """The folder of this run; a program that is no test run has one for itself."""
    if _NAME not in os.environ:
        atexit.register(make_run_folder())
    return Path(os.environ[_NAME])


def made_once(name: str, make: Callable[[], bytes]) -> bytes:
    """What ``make`` returned to the process of the run that asked first; others wait for it."""
    kept = run_folder() / name
    with kept.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            made = make()
            kept.write_bytes(made)
    return kept.read_bytes()
