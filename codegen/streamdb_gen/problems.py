"""What stops a command that is no fault of the spec: a missing file, a bad configuration."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: For who lacks the extra `gen`.
HOW_TO_INSTALL: Final = "pip install 'streamdb[gen]', or, in a checkout, pip install '.[gen]'"

_REASONS: Final = {
    errno.ENOENT: "no such file or folder",
    errno.EISDIR: "is a folder",
    errno.ENOTDIR: "is not a folder",
    errno.EEXIST: "is not a folder",
    errno.ELOOP: "is a symbolic link",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "the disk is full",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What happened (with the place in it) and, where there is one, the way on."""

    message: str
    hint: str | None = None


def file_problem(doing: str, path: Path | str, error: OSError) -> Problem:
    """Say which file could not be read or written, and why.

    >>> file_problem("read", "spec.json", FileNotFoundError(2, "")).message
    'cannot read spec.json: no such file or folder'
    """
    reason = _REASONS.get(error.errno or 0) or os.strerror(error.errno or 0)
    return Problem(f"cannot {doing} {path}: {reason}")
