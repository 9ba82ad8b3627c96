"""What is no usable cache is kept under another name, and never written to."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path

from streamdb.errors import CacheError


def set_aside(path: Path, *, is_ours: bool) -> Path:
    """Rename a file, and what SQLite keeps beside it; return its new name.

    A cache takes the place of one that was set aside before, so that they do not pile up. What may
    be somebody else's file gets a name that is free.

    Raises:
        CacheError: it cannot be renamed.
    """
    kept = Path(f"{path}-set-aside")
    if not is_ours:
        numbered = (Path(f"{kept}-{number}") for number in itertools.count(1))
        kept = next(name for name in numbered if not name.exists())
    # First the log: beside another file than its own, SQLite would take it for that one's.
    try:
        for ending in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                Path(f"{kept}{ending}").unlink()
            with suppress(FileNotFoundError):
                Path(f"{path}{ending}").replace(f"{kept}{ending}")
    except OSError as error:
        raise CacheError(
            f"the cache {path} is of no use, and cannot be kept as {kept}: {error.strerror}: "
            "move it away, or name another file for the cache"
        ) from error
    return kept
