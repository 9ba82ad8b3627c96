"""Which transaction ids have come by, and who waits for one (TXID-*)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Final

_REMEMBERED: Final = 10_000  # TXID-6


class Txids:
    """The last ids seen, in order, and the waiters of those to come. Safe on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, None] = {}
        self._waiting: dict[str, list[Future[None]]] = {}
        self._end: BaseException | None = None

    def record(self, txids: Sequence[str]) -> None:
        """Note ids of a commit that is visible now, and let their waiters go on (TXID-2)."""
        ready: list[Future[None]] = []
        with self._lock:
            for txid in reversed(dict.fromkeys(reversed(txids))):  # it counts where it came last
                self._seen.pop(txid, None)
                self._seen[txid] = None
                ready += self._waiting.pop(txid, ())
            for txid in list(itertools.islice(self._seen, max(0, len(self._seen) - _REMEMBERED))):
                del self._seen[txid]
        for future in ready:
            _resolve(future, None)

    def wait(self, txid: str) -> Future[None]:
        """Return a future that is done once the id is visible; at once if it is."""
        future: Future[None] = Future()
        with self._lock:
            if txid in self._seen:
                future.set_result(None)
            elif self._end is not None:
                future.set_exception(self._end)
            else:
                self._waiting.setdefault(txid, []).append(future)
        return future

    def forget(self, txid: str, future: Future[None]) -> None:
        """Remove a waiter that gave up (TXID-3)."""
        with self._lock:
            waiting = self._waiting.get(txid, [])
            if future in waiting:
                waiting.remove(future)
            if not waiting:
                self._waiting.pop(txid, None)

    def end(self, error: BaseException) -> None:
        """Fail all waiters, now and from now on (TXID-4)."""
        with self._lock:
            self._end = self._end or error
            waiting, self._waiting = self._waiting, {}
        for future in itertools.chain.from_iterable(waiting.values()):
            _resolve(future, error)

    def is_awaited(self, txid: str) -> bool:
        """Tell whether somebody waits for the id."""
        with self._lock:
            return txid in self._waiting

    def remembered(self) -> list[str]:
        """Return all ids that are remembered, oldest first."""
        with self._lock:
            return list(self._seen)

    def last(self, count: int = 5) -> list[str]:
        """Return the ids seen last, newest first."""
        with self._lock:
            return list(itertools.islice(reversed(self._seen), count))


class LoadingTxids:
    """The ids met in a load, of which only as many are kept as are remembered, and awaited ones.

    Args:
        is_awaited: tells of an id whether somebody waits for it; the others may be forgotten.
    """

    def __init__(self, is_awaited: Callable[[str], bool]) -> None:
        self._is_awaited: Final = is_awaited
        self._met: list[str] = []
        self._enough = 2 * _REMEMBERED

    def add(self, txids: Iterable[str]) -> None:
        """Note ids in the order of the stream."""
        self._met += txids
        if len(self._met) > self._enough:
            self._forget_some()

    def take(self) -> list[str]:
        """Return the ids in the order of the stream, and begin anew."""
        met, self._met, self._enough = self._met, [], 2 * _REMEMBERED
        return met

    def _forget_some(self) -> None:
        newest = list(dict.fromkeys(reversed(self._met)))  # an id counts where it came last
        kept = [*newest[:_REMEMBERED], *filter(self._is_awaited, newest[_REMEMBERED:])]
        self._met = kept[::-1]
        self._enough = 2 * len(kept)  # so that all this takes a time that grows with the load


def _resolve(future: Future[None], error: BaseException | None) -> None:
    if not future.set_running_or_notify_cancel():
        return  # the waiter was cancelled
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
