"""What is no usable cache is kept under another name, and never written to."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from streamdb.errors import CacheError


def set_aside(path: Path) -> Path:
    """Rename a cache, and what SQLite keeps beside it; return its new name.

    It takes the place of one that was set aside before, so that they do not pile up.

    Raises:
        CacheError: it cannot be renamed.
    """
    kept = Path(f"{path}-set-aside")
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
