"""Whether a database is connected, has found its stream and is not closed; and what it says if not.

All may be called on any thread.
"""

from __future__ import annotations

from typing import Final

from streamdb.db.state import DatabaseState
from streamdb.db.status import StatusBoard
from streamdb.errors import DatabaseClosed, NotConnected


class OpenChecks:
    """Raises for one database where it is too early or too late.

    Args:
        url: the stream's address, for messages.
        state: tells whether anything was loaded.
        status: how reading stands.
    """

    def __init__(self, url: str, state: DatabaseState, status: StatusBoard) -> None:
        self._url: Final = url
        self._state: Final = state
        self._status: Final = status
        #: True once there is a stream to read from and to write to.
        self.is_found = False

    def check_started(self) -> None:
        """Raise if nothing has connected the database yet.

        Raises:
            NotConnected: it holds nothing, and waiting for its changes would never end.
        """
        if not self._state.has_loaded and self._status.now == "idle":
            raise NotConnected(
                f"{self._url}: the database is not connected: use it as a context manager, "
                "or call preload() first"
            )

    def check_not_closed(self) -> None:
        """Raise if the database is closed.

        Raises:
            DatabaseClosed: it is.
        """
        if self._status.now == "closed":
            raise self.closed()

    def check_open(self) -> None:
        """Raise if there is no stream to write to.

        Raises:
            DatabaseClosed: the database is closed, or never found its stream; the cause says why.
        """
        status = self._status
        if status.now == "closed":
            raise self.closed()
        if status.failure is not None and not self.is_found:
            raise DatabaseClosed(f"{self._url}: the stream could not be opened") from status.failure

    def closed(self) -> DatabaseClosed:
        """Return what is told to those who come too late."""
        return DatabaseClosed(f"{self._url}: the database is closed")
