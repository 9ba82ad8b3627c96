"""What became of transactions whose outcome nobody has asked for: the log says it.

A program that waits for a transaction learns of its failure there, and need not read of it. It may
begin to wait a moment after the failure, so the log waits, too. It tells nothing of what rows hold.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable, Sequence
from typing import Final

from streamdb.collections.transaction import Outcome
from streamdb.db.without_content import log_in_full, without_content

log: Final = logging.getLogger("streamdb.db")

#: Seconds in which a program may begin to ask.
PATIENCE: Final = 1.0

_untold: Final[dict[FailureLog, None]] = {}  # of programs that may end before they are told


class FailureLog:
    """Logs the failures of the transactions of one database.

    Args:
        url: the stream's address, as it may be shown.
    """

    def __init__(self, url: str) -> None:
        self._url: Final = url
        self._failed: Final[list[Sequence[Outcome]]] = []
        #: Calls a function in so many seconds, or at once if it cannot be later.
        self.later: Callable[[float, Callable[[], object]], object] = lambda _, call: call()

    def note(self, outcomes: Sequence[Outcome]) -> None:
        """Take note of transactions that have failed together: the first, and what stands on it.

        One that has come to another end in that very moment, on another thread, is not among them.
        """
        if not (failed := [outcome for outcome in outcomes if outcome.error is not None]):
            return
        self._failed.append(failed)
        if len(self._failed) == 1:
            _untold[self] = None
            self.later(PATIENCE, self.tell)

    def tell(self) -> None:
        """Log what was noted and not asked for, now."""
        failed = self._failed[:]
        self._failed.clear()
        _untold.pop(self, None)
        for outcomes in failed:
            unasked = next((outcome for outcome in outcomes if not outcome.is_asked), None)
            if unasked is not None:
                assert unasked.error is not None  # noqa: S101 - it has failed
                log.error("%s: %s", self._url, without_content(unasked.error))
                log_in_full(log, unasked.error)


def _tell_all() -> None:
    for failures in list(_untold):
        failures.tell()


atexit.register(_tell_all)
os.register_at_fork(after_in_child=_untold.clear)  # they are the parent's
