"""One data file, one process: an advisory lock on a file beside it."""

import fcntl
import os
from pathlib import Path

from streamdb_server.errors import DataFileError, DataFileInUse


class FileLock:
    """Holds ``FILE-lock`` until released. The system frees it when the process dies in any way."""

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(f"{path}-lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataFileError(path, f"cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise DataFileInUse(path) from error

    def release(self) -> None:
        """Free the lock. The lock file stays: removing it would let two processes hold it."""
        # Closing alone would not do: children forked meanwhile hold the same lock open.
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)
