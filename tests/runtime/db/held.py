"""Holds what a database does to the moment that a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from streamdb import AsyncStream
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


def overtake(db: Any, txid: Callable[[], str], stream: AsyncStream, event: Any) -> None:
    """Have somebody's event be stored, and read here, when a write is made and just before it goes.

    Args:
        db: who writes, in the async form.
        txid: gives that of the write, which is made later.
        stream: the stream of both.
        event: the event, with the txid "t".
    """
    sender = db._session.sender
    send = sender._send

    async def send_late(to: AsyncStream, drafts: list[Any]) -> None:
        if [draft.outcome.txid for draft in drafts] == [txid()]:
            await stream.append(event)
            await db.await_txid("t")
        await send(to, drafts)

    sender._send = send_late
