"""The file of an outbox: each transaction and the producer as a record, with a digest.

Unlike a cache it holds what is nowhere else. So it is a file of its own, which stays when the cache
is set aside; what is written is on the disk, and survives a power cut, too; and one that cannot be
read is an error, and never begun anew.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from streamdb.cache.outbox_records import (
    ProducerRecord,
    TransactionRecord,
    read_producer,
    read_transaction,
)
from streamdb.cache.private_file import Damaged, make_private, translated
from streamdb.errors import CacheError

#: "outb"
APPLICATION_ID: Final = 0x6F_75_74_62
#: Counted up whenever what is in the file changes its form or meaning.
FORMAT: Final = 2
# Those of before that are read as they are: 1 did not say behind what a transaction has to be.
_ALSO_READ: Final = (1,)
#: The number of the producer's record; those of transactions are above.
PRODUCER: Final = 0

_TABLES: Final = """
CREATE TABLE records (number INTEGER PRIMARY KEY, content BLOB NOT NULL, digest BLOB NOT NULL);
"""


def outbox_path(cache: Path) -> Path:
    """Return where the outbox of a cache is.

    >>> outbox_path(Path("session.cache")).name
    'session.cache-outbox'
    """
    return Path(f"{cache}-outbox")


def is_to_be_sent(cache: Path) -> bool:
    """Tell whether the outbox of a cache holds anything that is not on the stream yet.

    Raises:
        CacheError: it cannot be read.
    """
    path = outbox_path(cache)
    if not path.exists():
        return False
    file = OutboxFile(path)
    try:
        _, transactions = file.read()
    finally:
        file.close()
    return any(record.refused is None for record in transactions.values())


class OutboxFile:
    """An open outbox, made if it is missing. Whoever opens it holds the lock of the cache.

    Raises:
        CacheError: it cannot be used, or read.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        make_private(path, APPLICATION_ID)
        try:
            self._db: Final = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._error(error) from error
        _open.append(self)
        try:
            self._prepare()
        except BaseException as error:
            self.close()
            if isinstance(error, (sqlite3.Error, Damaged)):
                raise self._error(error) from error
            raise

    def read(self) -> tuple[ProducerRecord | None, dict[int, TransactionRecord]]:
        """Return all that it holds: the producer, and transactions by number, in order.

        Raises:
            CacheError: it is not what was written.
        """
        producer: ProducerRecord | None = None
        transactions: dict[int, TransactionRecord] = {}
        try:
            for number, content, digest in self._db.execute(
                "SELECT number, content, digest FROM records ORDER BY number"
            ):
                if _digest(number, content) != digest:
                    raise Damaged(f"record {number} is not what was written")
                if number == PRODUCER:
                    producer = read_producer(content)
                else:
                    transactions[number] = read_transaction(content)
        except (sqlite3.Error, Damaged) as error:
            raise self._error(error) from error
        return producer, transactions

    def write(self, changes: Mapping[int, bytes | None]) -> None:
        """Put records in the place of others, or remove them (None): all or nothing.

        Raises:
            CacheError: nothing of it is on the disk.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for number, content in changes.items():
                    self._put(number, content)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise CacheError(f"the outbox {self.path} cannot be written: {error}") from error

    def close(self) -> None:
        """Close it; SQLite puts everything into the one file."""
        with suppress(ValueError):
            _open.remove(self)
        with suppress(sqlite3.Error):
            self._db.close()

    def _put(self, number: int, content: bytes | None) -> None:
        if content is None:
            self._db.execute("DELETE FROM records WHERE number = ?", (number,))
        else:
            self._db.execute(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?)",
                (number, content, _digest(number, content)),
            )

    def _prepare(self) -> None:
        db = self._db
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        is_new = application == 0 and version == 0 and tables == 0
        if not is_new and application != APPLICATION_ID:
            raise Damaged("it is no outbox of streamdb")
        if not is_new and version not in (FORMAT, *_ALSO_READ):
            raise Damaged(f"it is of another version of streamdb (format {version}, here {FORMAT})")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA trusted_schema = OFF")
        if is_new:
            db.executescript(
                f"BEGIN; {_TABLES} PRAGMA application_id = {APPLICATION_ID}; "
                f"PRAGMA user_version = {FORMAT}; COMMIT"
            )
        elif version != FORMAT:
            db.execute(f"PRAGMA user_version = {FORMAT}")

    def _error(self, error: sqlite3.Error | Damaged) -> CacheError:
        meant = translated(error, self.path) if isinstance(error, sqlite3.Error) else error
        return meant if isinstance(meant, CacheError) else _unreadable(self.path, str(meant))


def _unreadable(path: Path, reason: str) -> CacheError:
    return CacheError(
        f"the outbox {path} cannot be read: {reason}: it may hold writes that are not on the "
        "stream yet; move it away to go on without them"
    )


def _digest(number: int, content: bytes) -> bytes:
    return hashlib.sha256(b"%d:%b" % (number, content)).digest()


# As in `file`: a forked child must not close what is its parent's, not even as garbage.
_open: Final[list[OutboxFile]] = []
