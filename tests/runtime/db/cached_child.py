"""A process with a cached database, to be killed: it says what it shows, and what its cache holds.

python -m tests.runtime.db.cached_child FORM URL CACHE LEAST_TO_REWRITE
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from typing import Any

from tests.runtime.chat_schema import AsyncChat, Chat

from streamdb.cache import store


class Reporter(logging.Handler):
    """Writes a line for each state that is in the file now."""

    def emit(self, record: logging.LogRecord) -> None:
        """Report the offset that the log line ends with."""
        if record.levelno == logging.DEBUG:
            say("saved", record.getMessage().rpartition(" ")[2])


def say(what: str, offset: str) -> None:
    """Write a line at once, and whole: what was said before a kill was said."""
    os.write(1, f"{what} {offset}\n".encode())


def main(form: str, url: str, cache: str, least_to_rewrite: str) -> None:
    """Stay open until killed."""
    store._LEAST_TO_REWRITE = int(least_to_rewrite)
    logger = logging.getLogger("streamdb.cache")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(Reporter())
    if form == "async":
        asyncio.run(stay(url, cache))
    db = Chat(url, cache=cache)
    db.messages.subscribe(lambda _: say("shown", db.offset))
    with db:
        say("open", db.offset)
        threading.Event().wait()


async def stay(url: str, cache: str) -> None:
    """Do so on a loop of one's own."""
    db: Any = AsyncChat(url, cache=cache)
    db.messages.subscribe(lambda _: say("shown", db.offset))
    async with db:
        say("open", db.offset)
        await asyncio.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
