"""Warnings about invalid events: the first ones, and then how many there were."""

from __future__ import annotations

import logging
from typing import Final

from streamdb.db.options import InvalidEvent

log: Final = logging.getLogger("streamdb.state")

_MOST: Final = 10  # a stream may hold millions


class InvalidLog:
    """Tells of the invalid events of one database.

    Args:
        url: the stream's address, without secrets.
    """

    def __init__(self, url: str) -> None:
        self._url: Final = url
        self._count = 0

    def tell(self, event: InvalidEvent) -> None:
        """Log one of the first events; of the others, their number at 100, 1000 and so on."""
        self._count += 1
        if self._count <= _MOST:
            outcome = "it counts all the same" if event.is_applied else "it is skipped"
            log.warning("%s: %s; %s", self._url, event, outcome)
        if self._count == _MOST:
            log.warning("%s: further invalid events are counted, and not told", self._url)
        elif self._count > _MOST and str(self._count).rstrip("0") == "1":
            log.warning(
                "%s: %d invalid events so far; the last ones are in `invalid_events`",
                self._url,
                self._count,
            )
