"""Waiting for items in blocking code."""

from __future__ import annotations

import threading
from typing import Any

from streamdb.collections.items import BlockingItems


class Restless:
    """Always has news, and none of it is an item."""

    def __init__(self, woken: threading.Event) -> None:
        self._woken = woken
        self.asked = 0

    def take(self) -> Any:
        self.asked += 1
        assert self.asked < 1000, "it waits on after the time is up"
        self._woken.set()

    def close(self) -> None: ...


def test_a_wait_ends_in_time_though_something_happens_all_the_time() -> None:
    woken = threading.Event()
    assert BlockingItems(Restless(woken), woken).wait(0) is None
