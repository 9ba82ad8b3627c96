"""When a stream ceases to exist (section 15).

``Stream-Expires-At`` is a fixed instant in the data file. ``Stream-TTL`` slides with every access,
and writing each access to disk would turn reads into writes; so the exact deadline of a TTL lives
in memory, and the file holds one that is `SLACK` seconds late, moved only when the exact one
catches up with it. After a crash a stream may live that much longer, never shorter. A clean close
writes the exact deadlines.
"""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

from streamdb_server.storage.records import StreamRecord

SLACK: Final = 60.0
"""Seconds the stored deadline of a TTL lies behind the exact one at most."""


class Expiry:
    """Exact deadlines of the streams accessed since the store was opened; thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._deadlines: dict[int, float] = {}
        self._readers: Counter[int] = Counter()

    def first_deadline(self, ttl: int | None, instant: float | None) -> float | None:
        """Return the deadline to store for a stream that is created now."""
        return instant if ttl is None else self._clock() + ttl + SLACK

    def alive(self, stream: StreamRecord) -> bool:
        """Tell whether a stream still exists (TTL-6)."""
        with self._lock:
            return self._alive(stream)

    def touch(self, stream: StreamRecord) -> float | None:
        """Note an access (TTL-2); return a new deadline if the file needs one, else None."""
        with self._lock:
            return self._touch(stream)

    def access(self, stream: StreamRecord) -> tuple[bool, float | None]:
        """Do `alive` and, if so, `touch` as one step: an expired stream never comes back."""
        with self._lock:
            alive = self._alive(stream)
            return alive, self._touch(stream) if alive else None

    def hold(self, stream: StreamRecord) -> None:
        """A live reader begins to wait: the stream does not expire meanwhile (TTL-3)."""
        with self._lock:
            self._readers[stream.id] += 1

    def release(self, stream: StreamRecord) -> float | None:
        """A live reader ends its wait, which counts as an access; returns as `touch` does."""
        with self._lock:
            self._readers[stream.id] -= 1
            if not self._readers[stream.id]:
                del self._readers[stream.id]
            return self._touch(stream) if stream.id in self._deadlines else None

    def forget(self, stream: int) -> None:
        """Drop what is kept of a removed stream."""
        with self._lock:
            self._deadlines.pop(stream, None)

    def exact(self) -> dict[int, float]:
        """Return the exact TTL deadlines by stream, to be written at a clean close."""
        with self._lock:
            return dict(self._deadlines)

    def _alive(self, stream: StreamRecord) -> bool:
        if stream.deadline is None:
            return True
        if stream.ttl is not None and self._readers[stream.id]:
            return True
        return self._clock() < self._deadlines.get(stream.id, stream.deadline)

    def _touch(self, stream: StreamRecord) -> float | None:
        if stream.ttl is None or stream.deadline is None:
            return None
        exact = self._clock() + stream.ttl
        self._deadlines[stream.id] = exact
        return exact + SLACK if exact > stream.deadline else None
