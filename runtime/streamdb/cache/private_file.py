"""A file of SQLite that nobody but its owner reads, and what SQLite's errors say of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from streamdb.errors import CacheError, CacheInUse

# What says more of the machine than of the file.
_UNUSABLE: Final = frozenset(
    {"SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_NOMEM", "SQLITE_PERM", "SQLITE_READONLY"}
)
_IN_USE: Final = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED"})


class Damaged(Exception):
    """What is in the file is not what was written."""


def make_private(path: Path, application: int) -> None:
    """Let nobody but the owner read the file, from its first moment on.

    SQLite gives the files beside it the same mode. A file of another application keeps its own.

    Raises:
        CacheError: there can be no such file.
    """
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        status = path.stat()
        is_ours = status.st_size == 0 or application_of(path) == application
        if status.st_mode & 0o077 and is_ours:
            for file in (path, Path(f"{path}-wal")):
                with suppress(FileNotFoundError):
                    file.chmod(0o600)
    except OSError as error:
        raise CacheError(f"the cache {path} cannot be used: {error.strerror}") from error


def application_of(path: Path) -> int | None:
    """Read the application's number from the header of a SQLite file; None if it is none."""
    try:
        with path.open("rb") as file:
            header = file.read(72)
    except OSError:
        return None
    is_sqlite = header.startswith(b"SQLite format 3\0") and len(header) == 72
    return int.from_bytes(header[68:], "big") if is_sqlite else None


def translated(error: sqlite3.Error, path: Path) -> CacheError | Damaged:
    """Return what an error of SQLite means for the file."""
    name = str(getattr(error, "sqlite_errorname", "")).split("_")
    code = "_".join(name[:2])  # SQLITE_READONLY_DIRECTORY and others are of one kind
    if code in _IN_USE:
        return CacheInUse(f"the cache {path} is in use by another program")
    if code in _UNUSABLE:
        return CacheError(f"the cache {path} cannot be used: {error}")
    return Damaged(str(error))
