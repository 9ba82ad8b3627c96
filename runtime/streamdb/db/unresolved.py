"""Writes that a program leaves behind when it ends without closing its database.

They may be lost, and nobody is left who could learn it from their transaction: so the log says it.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections import Counter
from typing import Final

from streamdb.collections.transaction import Outcome

log: Final = logging.getLogger("streamdb.db")

_on_their_way: Final[dict[str, str]] = {}  # the database's address by txid


def remember(outcome: Outcome, url: str) -> None:
    """Keep a transaction in mind until it is durable or has failed."""
    _on_their_way[outcome.txid] = url
    outcome.when_settled(_forget)


def _forget(outcome: Outcome) -> None:
    _on_their_way.pop(outcome.txid, None)


def tell_what_is_left() -> None:
    """Log how many transactions of which database have no outcome."""
    for url, count in Counter(_on_their_way.values()).items():
        log.error(
            "%s: the program ends with %d transactions that may not be on the stream: "
            "use the database as a context manager, or close it",
            url,
            count,
        )


atexit.register(tell_what_is_left)
os.register_at_fork(after_in_child=_on_their_way.clear)  # they are the parent's
