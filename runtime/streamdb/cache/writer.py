"""The thread of a cache: does what blocks, in order, and writes in one go what has queued up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from streamdb.cache.evidence import LastData
from streamdb.cache.reasons import reason_of
from streamdb.cache.saved import Base, Read
from streamdb.cache.store import CacheStore
from streamdb.errors import CacheError

log: Final = logging.getLogger("streamdb.cache")

T = TypeVar("T")


class CacheWriter:
    """Calls a store on a thread of its own. Its own methods do not block.

    Args:
        store: what is called.
        before: called before anything is written, and before the store is closed; it may block, and
            raise if nothing is to be written.
    """

    def __init__(self, store: CacheStore, before: Callable[[], None] | None = None) -> None:
        self._store: Final = store
        self._before: Final = before
        self._thread: Final = ThreadPoolExecutor(1, thread_name_prefix="streamdb-cache")
        self._lock: Final = threading.Lock()
        self._base: tuple[Base, LastData | None] | None = None
        self._reads: list[Read] = []
        self._waiting_bytes = 0
        self._is_rewriting = False
        #: Done when all that was asked for is written.
        self.writing: Future[None] | None = None
        #: Set once something could not be written; nothing is, from then on.
        self.has_failed = False

    @property
    def is_rewriting(self) -> bool:
        """True while a whole state waits or is being written."""
        return self._is_rewriting

    @property
    def waiting_bytes(self) -> int:
        """How much of what was read waits to be written."""
        return self._waiting_bytes

    def call(self, function: Callable[[], T]) -> Future[T]:
        """Call a function after all that was asked for before."""
        return self._thread.submit(function)

    def rewrite(self, base: Base, last: LastData | None) -> None:
        """Write a whole state; nothing that still waits is needed any more."""
        with self._lock:
            self._base = base, last
            self._reads = []
            self._waiting_bytes = 0
            self._is_rewriting = True
        self._begin()

    def add(self, reads: list[Read], size: int) -> None:
        """Write what was read, so many bytes."""
        with self._lock:
            self._reads += reads
            self._waiting_bytes += size
        self._begin()

    def close(self) -> Future[None]:
        """Write what waits, and close the store; after that, `end`."""
        closed: Future[None]
        try:
            closed = self._thread.submit(self._close)
        except RuntimeError:  # the interpreter is ending: it has waited for the thread
            if self._base is not None or self._reads:
                self._write()
            self._close()
            closed = Future()
            closed.set_result(None)
        self._thread.shutdown(wait=False)
        return closed

    def end(self) -> None:
        """Wait for the thread, which has nothing more to do."""
        self._thread.shutdown()

    def _close(self) -> None:
        try:
            self._wait()
        except CacheError as error:
            log.error("%s", error)
        finally:
            self._store.close()

    def _wait(self) -> None:
        if self._before is not None:
            self._before()

    def _begin(self) -> None:
        with suppress(RuntimeError):  # the interpreter is ending: `close` writes what waits
            self.writing = self._thread.submit(self._write)

    def _write(self) -> None:
        with self._lock:
            base, self._base = self._base, None
            reads, self._reads = self._reads, []
            self._waiting_bytes = 0
        if self.has_failed:
            return
        try:
            self._wait()
            if base is not None:
                self._store.rewrite(*base)
            if reads:
                self._store.add(reads)
        except Exception as error:  # noqa: BLE001 - the disk is full, the file is gone, ...
            self.has_failed = True
            log.warning(
                "the cache %s is not written any more, the database goes on without: %s",
                self._store.path,
                reason_of(error),
            )
        finally:
            with self._lock:
                self._is_rewriting = self._base is not None
