"""Runs the callbacks of one blocking database, one after the other, on a thread of its own.

So a callback may block, and may wait for a write, without holding up the reading of any database.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

from streamdb.collections.callbacks import run_callback

log: Final = logging.getLogger("streamdb.collections")


class Dispatcher:
    """A thread that starts with the first callback."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, call: Callable[[], object]) -> None:
        """Run a callback after those submitted before."""
        with self._lock:
            if self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="streamdb-callbacks", daemon=True
                )
                self._thread.start()
            self._calls.put(call)

    def close(self, timeout: float) -> None:
        """Run what is submitted, then end the thread; leave it behind after so many seconds."""
        with self._lock:
            self._closed = True
            thread = self._thread
            self._calls.put(None)
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            if thread.is_alive():
                log.warning("a callback is still running after %.1f s; closing without it", timeout)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            run_callback(call)
