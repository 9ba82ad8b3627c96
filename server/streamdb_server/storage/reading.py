"""Reading a stream: pages of one consistent snapshot (SERVER-7), cut only between appends."""

import sqlite3
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamdb_server.errors import StoreClosed
from streamdb_server.storage import records
from streamdb_server.storage.records import StreamRecord
from streamdb_server.storage.schema import open_for_reading

_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Page:
    """What one read found between `start` and `end`, with the stream as it was at that moment."""

    stream: StreamRecord
    start: int
    end: int
    contents: tuple[bytes, ...]

    @property
    def up_to_date(self) -> bool:
        """Whether the page reaches the tail (READ-5)."""
        return self.end == self.stream.tail

    @property
    def final(self) -> bool:
        """Whether the page reaches the end of a closed stream (READ-6)."""
        return self.stream.closed and self.up_to_date


def read_page(db: sqlite3.Connection, stream: StreamRecord, start: int, limit: int) -> Page:
    """Read about ``limit`` bytes after a position, at least one append if there is one.

    A start beyond the tail reads nothing and ends at the tail (OFF-13).
    """
    end = min(start, stream.tail)
    size = 0
    contents: list[bytes] = []
    for append_end, content in records.contents_after(db, stream, start):
        if contents and size + len(content) > limit:
            break
        contents.append(content)
        size += len(content)
        end = append_end
    return Page(stream, start, end, tuple(contents))


def bytes_before(db: sqlite3.Connection, stream: StreamRecord, position: int, count: int) -> bytes:
    """Return up to ``count`` content bytes that lie just before a position."""
    found = b""
    for _, content in records.contents_before(db, stream, position):
        found = content[-(count - len(found)) :] + found
        if len(found) == count:
            break
    return found


class Readers:
    """Read-only connections for any thread, and a few threads that keep reads off event loops."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self.threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="streamdb-server-read")

    @contextmanager
    def snapshot(self) -> Generator[sqlite3.Connection]:
        """Lend a connection inside one read transaction. Raises `StoreClosed`."""
        with self._lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            db = self._idle.pop() if self._idle else None
        db = db or open_for_reading(self._path)
        try:
            db.execute("BEGIN")
            yield db
            db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        self._take_back(db)

    def close(self) -> None:
        """End the threads and close the connections; lent ones close when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        self.threads.shutdown()
        for db in idle:
            db.close()

    def _take_back(self, db: sqlite3.Connection) -> None:
        with self._lock:
            if self._closed:
                db.close()
            else:
                self._idle.append(db)
