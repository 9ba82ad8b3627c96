"""Telling of what is waited for long: answers to writes, and events in place of actions."""

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
    """The waits of one database.

    Args:
        url: the stream's address, for messages.
    """

    def __init__(self, url: str) -> None:
        self._url: Final = url
        #: What may be done about one that never ends.
        self.remedy = (
            "If it never passes, give up the one that the server does not take, and the others go "
            "on: db.give_up(txid); its outcome is unknown then (TransactionUnresolved)"
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

    @property
    def long(self) -> float:
        """After so many seconds a wait is long."""
        return _LONG

    def tell_of_action(self, name: str, txid: str) -> None:
        """Log that no event has come in place of what an action shows."""
        log.warning(
            "%s: persist of the action %r has returned %.0f s ago, and no event with its txid %s "
            "has come: what on_mutate wrote goes on to show, and is not on the stream; does your "
            "server write that txid into the headers of its events? If there are to be none, have "
            "persist call `tx.release()`",
            self._url,
            name,
            _LONG,
            txid,
        )


def named(txids: Sequence[str]) -> str:
    """Name transactions of one request.

    >>> named(["t1"]), named(["t1", "t2", "t3"])
    ('transaction t1', 'transaction t1 with 2 others')
    """
    more = len(txids) - 1
    others = f" with {more} other{'s' * (more > 1)}" if more > 0 else ""
    return f"transaction {txids[0]}{others}" if txids else "a request"
