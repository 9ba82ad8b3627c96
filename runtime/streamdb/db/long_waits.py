"""Telling of writes that are not answered for long: all later ones wait behind them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

from streamdb.collections.transaction import Outcome
from streamdb.streams.async_stream import AsyncStream

log: Final = logging.getLogger("streamdb.db")

# Seconds: servers that are made anew are there again by then, and who looks at a log is not.
_LONG: Final = 60.0


class LongWaits:
    """The waits for answers of one database.

    Args:
        url: the stream's address, for messages.
    """

    def __init__(self, url: str) -> None:
        self._url: Final = url
        #: What may be done about one that never ends.
        self.remedy = (
            "To give it up, close the database: its outcome is unknown then (TransactionUnresolved)"
        )

    @contextmanager
    def told(self, stream: AsyncStream, outcomes: Sequence[Outcome]) -> Generator[None]:
        """Log it once if the block, in which transactions are sent, takes long."""
        stream.trouble = None

        def tell() -> None:
            log.warning(
                "%s: %s has waited %.0f s for its answer, and all later writes wait behind it "
                "(%s). It is tried again and again. %s",
                self._url,
                named([outcome.txid for outcome in outcomes if not outcome.is_settled]),
                _LONG,
                stream.trouble or "the server has not answered",
                self.remedy,
            )

        timer = asyncio.get_running_loop().call_later(_LONG, tell)
        try:
            yield
        finally:
            timer.cancel()


def named(txids: Sequence[str]) -> str:
    """Name transactions of one request.

    >>> named(["t1"]), named(["t1", "t2", "t3"])
    ('transaction t1', 'transaction t1 with 2 others')
    """
    more = len(txids) - 1
    others = f" with {more} other{'s' * (more > 1)}" if more > 0 else ""
    return f"transaction {txids[0]}{others}" if txids else "a request"
