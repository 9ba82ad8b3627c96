"""A data file in use: streams by path, written by one thread and read by many."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from streamdb_server.errors import DataFileError, SoftDeleted, StoreClosed
from streamdb_server.live import Hub, Waiter
from streamdb_server.options import MIB
from streamdb_server.storage import appending, creating, deleting, records
from streamdb_server.storage.appending import Append, Appended
from streamdb_server.storage.creating import Created, Creation
from streamdb_server.storage.deleting import DeleteOutcome
from streamdb_server.storage.expiry import Expiry
from streamdb_server.storage.lock import FileLock
from streamdb_server.storage.reading import Page, Readers, bytes_before, read_page
from streamdb_server.storage.records import StreamRecord
from streamdb_server.storage.schema import open_for_writing
from streamdb_server.storage.transaction import Transaction
from streamdb_server.storage.writer import Command, Writer

T = TypeVar("T")

_SWEEP_INTERVAL: Final = 60.0


def open_store(path: str | os.PathLike[str], *, clock: Callable[[], float] = time.time) -> "Store":
    """Open a data file, made if missing; opened again in the same process, it is the same store.

    Each call is matched by one `Store.close`; the last one closes the file. ``clock`` gives Unix
    seconds for TTL and expiry. Raises `DataFileInUse` if another process has the file open, and
    `DataFileError` if it cannot be used.

    >>> import tempfile
    >>> from streamdb_server.storage.appending import Append
    >>> from streamdb_server.storage.creating import Creation
    >>> with tempfile.TemporaryDirectory() as folder, open_store(f"{folder}/a.db") as store:
    ...     _ = store.create("s", Creation(content_type="text/plain")).result()
    ...     _ = store.append("s", Append(content=b"hi", content_type="text/plain")).result()
    ...     store.read("s", 0).contents
    (b'hi',)
    """
    real = Path(os.path.realpath(path))
    with _registry_lock:
        store = _registry.get((os.getpid(), real))
        if store is None:
            store = _registry[os.getpid(), real] = Store(real, clock)
        store.openings += 1
        return store


class Store:
    """Streams in one data file. Every method may be called from any thread.

    Writes return a future that completes once they are on disk, and finish whatever becomes of the
    caller. Reads are plain blocking calls.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        if path.is_dir() or not path.parent.is_dir():
            problem = "is a folder" if path.is_dir() else f"there is no folder {path.parent}"
            raise DataFileError(path, f"{problem}. Name a file in an existing folder.")
        self.path = path
        self.clock = clock
        self.hub = Hub()
        self.openings = 0
        """How many `open_store` calls have not been closed yet; guarded by the registry."""
        self._process = os.getpid()
        self._expiry = Expiry(clock)
        self._swept_at = clock()
        self._lock = FileLock(path)
        try:
            db = open_for_writing(path)
        except BaseException:
            self._lock.release()
            raise
        self._writer = Writer(db, self.hub.wake, name=f"streamdb-server-write {path.name}")
        self._readers = Readers(path)
        self._sweep().result()

    def create(self, path: str, creation: Creation) -> Future[Created]:
        """Create a stream or confirm it (section 5)."""
        return self.write(lambda tx: creating.create(tx, self._expiry, path, creation))

    def append(self, path: str, request: Append) -> Future[Appended]:
        """Append to a stream and/or close it (sections 7 to 9)."""
        return self.write(lambda tx: appending.append(tx, self._expiry, path, request))

    def delete(self, path: str) -> Future[DeleteOutcome]:
        """Delete a stream (section 10)."""
        return self.write(lambda tx: deleting.delete(tx, self._expiry, path))

    def head(self, path: str) -> StreamRecord | None:
        """Return a stream as it stands, or None; does not count as an access (HEAD-6).

        Raises `SoftDeleted` if it is there for its forks alone.
        """
        with self._snapshot() as db:
            stream = records.find(db, path)
            if stream is None:
                return None
            alive = not stream.deleted and self._expiry.alive(stream)
            soft_deleted = not alive and _is_kept(db, stream)
        if soft_deleted:
            raise SoftDeleted(path)
        return stream if alive else None

    def read(
        self, path: str, start: int | None, *, limit: int = 4 * MIB, stream_id: int | None = None
    ) -> Page | None:
        """Read a page after position ``start``, or at the tail if that is None; an access (TTL-2).

        Returns None if there is no such stream, or it is not the one with ``stream_id``. Raises
        `SoftDeleted` if it is there for its forks alone.
        """
        page: Page | None = None
        with self._snapshot() as db:
            stream = records.find(db, path)
            if stream is None or stream_id not in (None, stream.id):
                return None
            alive, deadline = (False, None) if stream.deleted else self._expiry.access(stream)
            if alive:
                page = read_page(db, stream, stream.tail if start is None else start, limit)
            soft_deleted = not alive and _is_kept(db, stream)
        if soft_deleted:
            raise SoftDeleted(path)
        self._keep(stream, deadline)
        return page

    def bytes_before(self, stream: StreamRecord, position: int, count: int) -> bytes:
        """Return up to ``count`` content bytes that lie just before a position."""
        with self._snapshot() as db:
            return bytes_before(db, stream, position, count)

    @contextmanager
    def watch(self, stream: StreamRecord) -> Generator[Waiter]:
        """Register a waiter of the running event loop for a stream's changes.

        The stream does not expire meanwhile (TTL-3).
        """
        waiter = Waiter()
        self._expiry.hold(stream)
        self.hub.add(stream.id, waiter)
        try:
            yield waiter
        finally:
            self.hub.remove(stream.id, waiter)
            self._keep(stream, self._expiry.release(stream))

    def in_thread(self, function: Callable[[], T]) -> Future[T]:
        """Run a read in one of the store's threads."""
        self._check_process()
        try:
            return self._readers.threads.submit(function)
        except RuntimeError as error:
            raise StoreClosed("the store is closed") from error

    def close(self) -> None:
        """Undo one `open_store`; the last one commits what is queued and closes the file.

        Once that is done, closing again does nothing.
        """
        with _registry_lock:
            if self.openings == 0:
                return
            self.openings -= 1
            if self.openings > 0:
                return
            _registry.pop((self._process, self.path), None)
            if self._process == os.getpid():
                self._shut()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _shut(self) -> None:
        self._readers.close()
        self._writer.submit(self._write_deadlines)
        self._writer.close()
        self._lock.release()
        self.hub.wake_all()

    def write(self, command: Command[T]) -> Future[T]:
        """Run a command in the writer's next transaction; the future completes after its commit."""
        self._check_process()
        if self.clock() >= self._swept_at + _SWEEP_INTERVAL:
            self._sweep()
        return self._writer.submit(command)

    def _sweep(self) -> Future[None]:
        now = self._swept_at = self.clock()
        return self._writer.submit(lambda tx: deleting.sweep(tx, self._expiry, now))

    def _keep(self, stream: StreamRecord, deadline: float | None) -> None:
        if deadline is None:
            return
        with suppress(StoreClosed):  # closing writes all deadlines itself
            self._writer.submit(lambda tx: records.set_deadline(tx.db, stream.id, deadline))

    def _write_deadlines(self, tx: Transaction) -> None:
        for stream, deadline in self._expiry.exact().items():
            records.set_deadline(tx.db, stream, deadline)

    @contextmanager
    def _snapshot(self) -> Generator[sqlite3.Connection]:
        self._check_process()
        with self._readers.snapshot() as db:
            yield db

    def _check_process(self) -> None:
        if os.getpid() != self._process:
            raise StoreClosed(
                f"{self.path} was opened before os.fork(): the store belongs to the parent process"
            )


def _is_kept(db: sqlite3.Connection, stream: StreamRecord) -> bool:
    """Tell whether a stream that is not alive is there for its forks (FORK-26)."""
    return stream.deleted or records.has_forks(db, stream.id)


_registry_lock = threading.Lock()
_registry: dict[tuple[int, Path], Store] = {}


def _forget_lock_of_parent() -> None:
    # A fork while a store is opened or closed would leave the child a lock that nobody frees. The
    # registry stays: what it holds is told apart by process, and a child must not close the
    # parent's connections, not even by collecting them as garbage.
    global _registry_lock
    _registry_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock_of_parent)
