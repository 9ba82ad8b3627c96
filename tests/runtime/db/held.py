"""Holds what a database does to the moment that a test wants."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from streamdb.db.metrics import Progress


@contextmanager
def held_writes(db: Any) -> Generator[None]:
    """Keep what is written from being sent for as long as the block takes, in either form."""
    import asyncio

    sender, going_on = db._session.sender, threading.Event()
    send = sender._send

    async def send_later(*arguments: Any) -> None:
        while not going_on.is_set():  # noqa: ASYNC110 - it is set on any thread
            await asyncio.sleep(0.001)
        await send(*arguments)

    sender._send = send_later
    try:
        yield
    finally:
        sender._send = send
        going_on.set()


@contextmanager
def unread(db: Any) -> Generator[None]:
    """Keep what comes from being taken in for as long as the block takes, in either form."""
    state, going_on = db._state, threading.Event()
    steps = state.steps

    def wait_for_it(batch: Any) -> Iterator[Any]:
        while not going_on.is_set():
            yield Progress(0, 0)
        yield from steps(batch)

    state.steps = wait_for_it
    try:
        yield
    finally:
        going_on.set()
