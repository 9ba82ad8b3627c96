"""A folder that all processes of a test run share; the first of them deletes it at the end."""

from __future__ import annotations

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
    """The folder of this run."""
    return Path(os.environ[_NAME])
