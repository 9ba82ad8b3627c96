"""What a reader in another thread sees of a database while it commits."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tests.runtime.chat_schema import AsyncChat, message, messages, sensor, sensors

from streamdb import Batch
from streamdb.protocol import json_text

View = TypeVar("View")


def torn_views(
    db: AsyncChat, view: Callable[[], View], is_torn: Callable[[View], bool], *, commits: int
) -> list[View]:
    """Look at a database all the time, while a message and a sensor come in every commit.

    Returns:
        The views that are torn; there must be none.
    """
    db._session.status.set("connecting")  # reads of one that was never connected raise
    torn: list[View] = []
    stop, looked = threading.Event(), threading.Event()
    db._session.status.set("catching_up")  # nothing is connected here, and reads would be refused

    def look() -> None:
        while not stop.is_set():
            seen = view()
            if is_torn(seen):
                torn.append(seen)
            looked.set()

    with _frantic_threads():
        reader = threading.Thread(target=look)
        reader.start()
        looked.wait(10)
        for number in range(commits):
            events = (messages.insert(message(number)), sensors.insert(sensor(number)))
            body = json_text.frame(event.to_json() for event in events)
            db._state.take(Batch((body,), f"{number:04d}", None, True, False, "application/json"))
        stop.set()
        reader.join(20)
    assert len(db.messages) == len(db.sensors) == commits
    return torn


@contextmanager
def _frantic_threads() -> Iterator[None]:
    """Threads take turns after every few instructions, so that a race is met and not missed."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)
