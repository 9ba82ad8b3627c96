"""The exit codes of `streamdb`, and which one an error has.

The first four and the last two are those of `streamdb-gen`, where 3 is a stale package.
"""

from __future__ import annotations

import enum
from typing import Final

from streamdb import errors


class Exit(enum.IntEnum):
    """The exit codes."""

    FINE = 0
    REFUSED = 1
    USAGE = 2
    DATA = 4
    MISSING = 5
    CONFLICT = 6
    ACCESS = 7
    NO_ANSWER = 8
    FAULT = 70
    INTERRUPTED = 130


#: For the end of each `--help`.
EXIT_CODES: Final = """\b
Exit codes:
  0    fine
  1    the server refuses or fails in a way not named below
  2    wrong usage, or a file that cannot be read or written
  4    data that is not what it must be, for instance broken JSON
  5    no such stream, or it is gone
  6    a conflict: exists otherwise, is closed, a sequence number too low, fenced
  7    the server wants other credentials
  8    no answer: not reached, or the outcome is unknown
  70   a fault of streamdb
  130  interrupted
"""

# The first that fits.
_CODES: Final[tuple[tuple[type[errors.StreamDBError], Exit], ...]] = (
    (errors.StreamNotFound, Exit.MISSING),
    (errors.StreamGone, Exit.MISSING),
    (errors.StreamExists, Exit.CONFLICT),
    (errors.ContentTypeConflict, Exit.CONFLICT),
    (errors.StreamClosed, Exit.CONFLICT),
    (errors.SequenceConflict, Exit.CONFLICT),
    (errors.ProducerFenced, Exit.CONFLICT),
    (errors.ProducerGap, Exit.CONFLICT),
    (errors.AccessDenied, Exit.ACCESS),
    (errors.ConnectionFailed, Exit.NO_ANSWER),
    (errors.StreamParseError, Exit.DATA),
    (errors.BadAddress, Exit.USAGE),
    (errors.BadHeader, Exit.USAGE),
    (errors.MissingExtra, Exit.USAGE),
)


def code_of(error: BaseException | None) -> Exit:
    """Return the exit code of an error of the runtime.

    >>> code_of(errors.StreamGone("read: gone")).name
    'MISSING'
    """
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.REFUSED)


class Failed(Exception):
    """What ends a command: its line, and its exit code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
