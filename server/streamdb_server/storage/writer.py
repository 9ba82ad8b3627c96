"""The one writer of a data file: a thread that commits queued commands in groups.

All commands that are waiting when a transaction begins go into it together, so that concurrent
appends share one sync of the disk. A caller learns of its command only after the commit, and a
caller that goes away does not take its command along.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from streamdb_server.errors import StoreClosed
from streamdb_server.storage.transaction import Transaction

T = TypeVar("T")

Command: TypeAlias = Callable[[Transaction], T]

_MOST_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class _Job:
    command: Command[Any]
    future: Future[Any]


class Writer:
    """Owns the writing connection from a thread of its own, until closed."""

    def __init__(
        self, db: sqlite3.Connection, on_commit: Callable[[set[int]], None], name: str
    ) -> None:
        self._db = db
        self._on_commit = on_commit
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        # A daemon, so that a forgotten store does not keep the process: commits are atomic.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, command: Command[T]) -> Future[T]:
        """Queue a command; the future completes after its commit. Raises `StoreClosed`."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # from here on it cannot be cancelled
        with self._lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            self._jobs.put(_Job(command, future))
        return future

    def close(self) -> None:
        """Commit what is queued, then stop the thread and close the connection."""
        with self._lock:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()
        self._db.close()

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            batch: list[_Job] = []
            while job is not None:
                batch.append(job)
                if len(batch) == _MOST_AT_ONCE:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            if batch:
                self._commit(batch)
            if job is None:
                return

    def _commit(self, batch: list[_Job]) -> None:
        try:
            results, changed = self._execute(batch)
        except Exception as error:  # noqa: BLE001 - handed to the caller it belongs to
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for job in batch:  # one command that fails does not take the others along
                self._commit([job])
            return
        self._on_commit(changed)
        for job, result in zip(batch, results, strict=True):
            job.future.set_result(result)

    def _execute(self, batch: list[_Job]) -> tuple[list[Any], set[int]]:
        transaction = Transaction(self._db)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            results = [job.command(transaction) for job in batch]
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return results, transaction.changed
