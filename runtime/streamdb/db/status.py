"""How the reading of a database stands."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

Status = Literal[
    "idle",
    "connecting",
    "catching_up",
    "live",
    "reconnecting",
    "ended",
    "closed",
    "error",
]

#: With one of these, what was loaded is there, or will never be.
_SETTLED: Final[frozenset[Status]] = frozenset({"live", "ended", "closed", "error"})


class StatusBoard:
    """The status of one database: set on its loop, read on any thread."""

    def __init__(self) -> None:
        self.now: Status = "idle"
        #: What ended the reading, if a fault did.
        self.failure: BaseException | None = None
        #: Set once the first load is committed, or will never be.
        self.loaded: Final = asyncio.Event()

    def set(self, status: Status, failure: BaseException | None = None) -> None:
        """Move on. A failure stays what it is, also when the database is closed after it."""
        self.failure = self.failure or failure
        self.now = status
        if status in _SETTLED:
            self.loaded.set()
