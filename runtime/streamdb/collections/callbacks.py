"""Running what users registered: the fault of one callback stops nothing but itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import Context
from typing import Final, TypeVarTuple

log: Final = logging.getLogger("streamdb.collections")

Args = TypeVarTuple("Args")


def run_callback(callback: Callable[[*Args], object], *arguments: *Args) -> None:
    """Call it and log what it raises, all but an interrupt by the user.

    A SystemExit would end all callbacks of a database without a word, a CancelledError its reading.
    It is in no block of whoever happens to have brought the change, and sees nothing of theirs.
    """
    try:
        Context().run(callback, *arguments)
    except KeyboardInterrupt:
        raise
    except BaseException:
        log.exception("a callback raised; the others go on")
