"""The thread of an outbox: writes in one go what has come together."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, TypeVar

from streamdb.cache.outbox_file import PRODUCER, OutboxFile
from streamdb.cache.outbox_records import ProducerRecord, TransactionRecord, written
from streamdb.errors import CacheError

log: Final = logging.getLogger("streamdb.cache")

T = TypeVar("T")


class OutboxWriter:
    """Keeps an outbox on disk as it is in memory. Only `wait` and `end` block."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._thread: Final = ThreadPoolExecutor(1, thread_name_prefix="streamdb-cache-outbox")
        self._lock: Final = threading.RLock()
        self._changes: dict[int, bytes | None] = {}  # by number, what is not on the disk yet
        self._file: OutboxFile | None = None
        self._process: Final = os.getpid()

    def open(self) -> Future[tuple[ProducerRecord | None, dict[int, TransactionRecord]]]:
        """Open the file, made if it is missing, and read it. The future raises CacheError."""
        return self._call(self._open)

    def put(self, number: int, record: TransactionRecord | None) -> None:
        """Have a transaction be another one, or none any more, with the next `flush`."""
        with self._lock:
            self._changes[number] = None if record is None else written(record)

    def put_producer(self, record: ProducerRecord) -> None:
        """Have the producer be another one, with the next `flush`."""
        with self._lock:
            self._changes[PRODUCER] = written(record)

    def together(self) -> AbstractContextManager[object]:
        """Have what is put in the block be on the disk together or not."""
        return self._lock

    def flush(self) -> Future[None]:
        """Write all changes up to now, in one transaction with others that wait.

        The future raises CacheError; then they wait for the next flush.
        """
        return self._call(self._write)

    def wait(self) -> None:
        """Block until all changes up to now are on the disk.

        Raises:
            CacheError: they cannot be written.
        """
        self.flush().result()

    def close(self) -> Future[None]:
        """Write what waits, and close the file; after that, `end`."""
        closed = self._call(self._close)
        self._thread.shutdown(wait=False)
        return closed

    def end(self) -> None:
        """Wait for the thread, which has nothing more to do."""
        self._thread.shutdown()

    def __del__(self) -> None:
        """Close what nobody closed. While the thread is at work, it is no garbage."""
        if os.getpid() == self._process and self._file is not None:
            self._file.close()

    def _call(self, function: Callable[[], T]) -> Future[T]:
        try:
            return self._thread.submit(function)
        except RuntimeError:  # it has ended, or the interpreter ends and has waited for it
            self._thread.shutdown()
            done: Future[T] = Future()
            try:
                done.set_result(function())
            except CacheError as error:
                done.set_exception(error)
            return done

    def _open(self) -> tuple[ProducerRecord | None, dict[int, TransactionRecord]]:
        file = OutboxFile(self.path)
        try:
            found = file.read()
        except BaseException:
            file.close()
            raise
        self._file = file
        return found

    def _write(self) -> None:
        with self._lock:
            changes, self._changes = self._changes, {}
        if not changes or self._file is None:
            return
        try:
            self._file.write(changes)
        except BaseException:
            with self._lock:
                self._changes = {**changes, **self._changes}
            raise

    def _close(self) -> None:
        try:
            self._write()
        except CacheError as error:
            log.error("%s", error)
        finally:
            file, self._file = self._file, None
            if file is not None:
                file.close()
