"""The file: a head that says what it stands for, and a chain of pieces, each with a digest.

All of it moves on in one transaction of SQLite, so that a process that dies at any moment leaves
either the state before or the one after. SQLite does not notice every damage. So each piece's
digest is taken over its bytes and the digest of the piece before, and the head names the last one:
what is read is all that was written, in that order, or the file is damaged.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from streamdb.cache.evidence import Evidence
from streamdb.cache.private_file import Damaged, application_of, make_private, translated
from streamdb.cache.setting_aside import set_aside
from streamdb.errors import CacheError

#: "cach"
APPLICATION_ID: Final = 0x63_61_63_68
#: Counted up whenever what is in the file changes its form or meaning, or a fold its outcome.
FORMAT: Final = 4

_TABLES: Final = """
CREATE TABLE head (id INTEGER PRIMARY KEY, content BLOB NOT NULL, digest BLOB NOT NULL);
CREATE TABLE pieces (number INTEGER PRIMARY KEY, content BLOB NOT NULL, digest BLOB NOT NULL);
"""
_LONGEST_WAL: Final = 1024 * 1024


class Head(msgspec.Struct, frozen=True):
    """What the pieces stand for.

    Attributes:
        stream: which stream they are of; holds no secret.
        contract: digest of what the database reads the stream by.
        offset: the position of the state that they make up.
        evidence: what tells the stream from others.
        base: how many pieces hold the state as it was at one moment; what was read after it is in
            the others.
        last: the digest of the last piece.
    """

    stream: str
    contract: str
    offset: str
    evidence: Evidence
    base: int = 0
    last: str = ""


class CacheFile:
    """An open cache file. Whoever opens it holds its lock.

    Attributes:
        head: what it stands for; None if it is empty.
        base_bytes: the size of the pieces of the base.
        later_bytes: the size of those after it.
    """

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self.path: Final = path
        self.head: Head | None = None
        self.base_bytes: int = 0
        self.later_bytes: int = 0
        self._db: Final = db
        self._count: int = 0
        _open.append(self)

    def pieces(self) -> Iterator[bytes]:
        """Yield the pieces in order; each is as it was written.

        Raises:
            Damaged: the next one is not, or is missing.
        """
        head = self.head
        assert head is not None  # noqa: S101 - asked for after a look at the head
        digest = b""
        count = size = 0
        for number, content, kept in self._db.execute(
            "SELECT number, content, digest FROM pieces ORDER BY number"
        ):
            count += 1
            digest = _digest(digest, content)
            if digest != kept or number != count:
                raise Damaged(f"piece {count} is not what was written")
            size += len(content)
            if count == head.base:
                self.base_bytes = size
            yield content
        if digest.hex() != head.last:
            raise Damaged("pieces are missing")
        self._count = count
        self.later_bytes = size - self.base_bytes

    def rewrite(self, head: Head, pieces: Iterable[bytes]) -> None:
        """Put a new base in the place of all pieces."""

        def write() -> None:
            self._db.execute("DELETE FROM pieces")
            count, size, last = self._insert(0, b"", pieces)
            self._write_head(msgspec.structs.replace(head, base=count, last=last.hex()))
            self._count, self.base_bytes, self.later_bytes = count, size, 0

        self._transact(write)

    def append(self, head: Head, pieces: Iterable[bytes]) -> None:
        """Add pieces behind the last one."""
        before = self.head
        assert before is not None  # noqa: S101 - nothing is appended to nothing

        def write() -> None:
            last = bytes.fromhex(before.last)
            count, size, last = self._insert(self._count, last, pieces)
            self._write_head(msgspec.structs.replace(head, base=before.base, last=last.hex()))
            self._count, self.later_bytes = count, self.later_bytes + size

        self._transact(write)

    def close(self) -> None:
        """Close it; SQLite puts everything into the one file."""
        _open.remove(self)
        with suppress(sqlite3.Error):  # a file that is damaged closes with complaints
            self._db.close()

    def read_head(self) -> None:
        """Look what the file stands for.

        Raises:
            Damaged: it is not what was written.
        """
        row = self._db.execute("SELECT content, digest FROM head").fetchone()
        if row is None:
            self.head = None
            return
        content, kept = row
        if _digest(b"", content) != kept:
            raise Damaged("its head is not what was written")
        self.head = msgspec.json.decode(content, type=Head)

    def _insert(self, count: int, last: bytes, pieces: Iterable[bytes]) -> tuple[int, int, bytes]:
        size = 0
        for content in pieces:
            count += 1
            last = _digest(last, content)
            size += len(content)
            self._db.execute("INSERT INTO pieces VALUES (?, ?, ?)", (count, content, last))
        return count, size, last

    def _write_head(self, head: Head) -> None:
        content = msgspec.json.encode(head)
        self._db.execute(
            "INSERT OR REPLACE INTO head VALUES (1, ?, ?)", (content, _digest(b"", content))
        )
        self.head = head

    def _transact(self, write: Callable[[], None]) -> None:
        before = self.head, self._count, self.base_bytes, self.later_bytes
        self._db.execute("BEGIN IMMEDIATE")
        try:
            write()
            self._db.execute("COMMIT")
        except BaseException:
            self.head, self._count, self.base_bytes, self.later_bytes = before
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def open_file(path: Path) -> tuple[CacheFile, str | None]:
    """Open a cache file, made if it is missing, and look at its head.

    A cache that is not sound, or of another format, is set aside. Then the second value says why,
    and where it is. Any other file stays as it is.

    Raises:
        CacheError: the file cannot be used, or is no cache.
    """
    _refuse_what_is_no_cache(path)
    try:
        return _open_existing(path), None
    except Damaged as damage:
        if application_of(path) != APPLICATION_ID and path.stat().st_size > 0:
            raise CacheError(
                f"{path} is no cache of streamdb, or nothing is left of one: name another file for "
                "the cache, or move this one away"
            ) from damage
        kept = set_aside(path)
        return _open_existing(path), f"{damage}; it is kept as {kept}"


def _open_existing(path: Path) -> CacheFile:
    """Open a file, made if it is missing. Raises Damaged if it is not a sound cache."""
    make_private(path, APPLICATION_ID)
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    file = CacheFile(path, db)
    try:
        _prepare(db)
        file.read_head()
    except Exception as error:  # what a damaged file makes a reader raise may be anything
        file.close()
        if isinstance(error, sqlite3.Error):
            raise translated(error, path) from error
        raise Damaged(str(error)) from error
    except BaseException:
        file.close()
        raise
    return file


def _prepare(db: sqlite3.Connection) -> None:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    is_new = application == 0 and version == 0 and tables == 0
    if not is_new and application != APPLICATION_ID:
        raise Damaged("it is no cache of streamdb")
    if not is_new and version != FORMAT:
        raise Damaged(f"it is of another version of streamdb (format {version}, here {FORMAT})")
    db.execute("PRAGMA journal_mode = WAL")
    # A commit that a power cut takes away is read again from the stream.
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(f"PRAGMA journal_size_limit = {_LONGEST_WAL}")
    db.execute("PRAGMA trusted_schema = OFF")
    if is_new:
        db.executescript(
            f"BEGIN; {_TABLES} PRAGMA application_id = {APPLICATION_ID}; "
            f"PRAGMA user_version = {FORMAT}; COMMIT"
        )


def _refuse_what_is_no_cache(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise CacheError(f"the cache {path} cannot be used: it is no file")
    if application_of(path) == _DATA_FILE:
        raise CacheError(f"{path} holds streams, and is no cache: name another file for the cache")


_DATA_FILE: Final = 0x53_44_42_53  # of streamdb_server, which need not be installed


def _digest(before: bytes, content: bytes) -> bytes:
    found = hashlib.sha256(before)
    found.update(content)
    return found.digest()


# A child that the process forks holds copies of open connections. It must not close them, not even
# by collecting them as garbage: that would act on the parent's files.
_open: Final[list[CacheFile]] = []
