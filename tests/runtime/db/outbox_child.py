"""A process that writes with an outbox, to be killed: it says what it wrote, and what became of it.

python -m tests.runtime.db.outbox_child FORM URL CACHE ROUND SEED

Its lines are `wrote TXID EVENTS`, `stored TXID` once that is in the outbox on disk, `durable TXID`
once it is acknowledged, and `lost TXID ERROR`.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import threading
import time
from collections.abc import Awaitable
from typing import Any

from tests.runtime.chat_schema import AsyncChat, Chat, message

from streamdb import RetryPolicy, StreamDBError

COUNTER = "counter"
OPTIONS: dict[str, Any] = {
    "outbox": True,
    "live": "long-poll",
    "timeout": 2.0,
    "reconnect": RetryPolicy(initial=0.02, maximum=0.1, elapsed=1.0),
}


def say(what: str, *more: object) -> None:
    """Write a line at once, and whole: what was said before a kill was said."""
    os.write(1, (" ".join(map(str, (what, *more))) + "\n").encode())


class Writing:
    """Draws what is written, of rows that nobody else writes."""

    def __init__(self, db: Any, round_: str, seed: int) -> None:
        self._db = db
        self._round = round_
        self._chance = random.Random(seed)
        self._count = 0

    def pause(self) -> float:
        """Return how long to wait before the next transaction, in seconds."""
        return self._chance.choice([0, 0, 0.001, 0.005, 0.02, 0.1])

    def write(self) -> Any:
        """Write a transaction of one to four events."""
        db, chance = self._db, self._chance
        self._count += 1
        number = f"{self._round}.{self._count}"
        events = 1
        with db.transaction() as tx:
            db.messages.insert(message(number, "x" * chance.choice([0, 10, 3000])))
            if chance.random() < 0.6:
                events += 1
                if COUNTER in db.messages:
                    db.messages.update(COUNTER, content=number)
                else:
                    db.messages.upsert(message(COUNTER, number))
            if chance.random() < 0.3:
                events += 1
                db.sensors.upsert(db.sensors.get(1) or _sensor(number))
            old = f"{self._round}.{self._count - 3}"
            if chance.random() < 0.2 and old in db.messages:
                events += 1
                db.messages.delete(old)
        say("wrote", tx.txid, events)
        return tx


def _sensor(room: str) -> Any:
    from tests.runtime.chat_schema import sensor

    return sensor(1, room)


def main(form: str, url: str, cache: str, round_: str, seed: str) -> None:
    """Write until killed."""
    if form == "async":
        asyncio.run(write(url, cache, round_, int(seed)))
    with Chat(url, cache=cache, **OPTIONS) as db:
        say("open")
        writing = Writing(db, round_, int(seed))
        while True:
            tx = writing.write()
            for what, wait in (("stored", tx.stored), ("durable", tx.result)):
                threading.Thread(target=_tell, args=(what, tx.txid, wait), daemon=True).start()
            time.sleep(writing.pause())


def _tell(what: str, txid: str, wait: Any) -> None:
    try:
        wait()
    except StreamDBError as error:
        say("lost", txid, repr(error))
    else:
        say(what, txid)


async def write(url: str, cache: str, round_: str, seed: int) -> None:
    """Do so on a loop of one's own."""
    waiting: set[asyncio.Task[None]] = set()

    async def tell(what: str, txid: str, wait: Awaitable[None]) -> None:
        try:
            await wait
        except StreamDBError as error:
            say("lost", txid, repr(error))
        else:
            say(what, txid)

    async with AsyncChat(url, cache=cache, **OPTIONS) as db:
        say("open")
        writing = Writing(db, round_, seed)
        while True:
            tx = writing.write()
            for what, wait in (("stored", tx.stored()), ("durable", tx)):
                task = asyncio.create_task(tell(what, tx.txid, wait))
                waiting.add(task)
                task.add_done_callback(waiting.discard)
            await asyncio.sleep(writing.pause())


if __name__ == "__main__":
    main(*sys.argv[1:])
