"""The SQLite file: its tables, how it is opened, and how a foreign one is told apart."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from streamdb_server.errors import DataFileError

APPLICATION_ID: Final = 0x53_44_42_53  # "SDBS"
VERSION: Final = 1

# `id` is never reused (AUTOINCREMENT): a path created again is another stream with nothing of the
# old one (DEL-7). `incarnation` says the same to caches, across data files (ETAG-6).
# `deadline` is in Unix seconds; for a TTL it lies a little late, see expiry.py.
_TABLES: Final = """
CREATE TABLE streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE,
    incarnation TEXT NOT NULL,
    content_type TEXT NOT NULL,
    ttl INTEGER,
    expires_at TEXT,
    deadline REAL,
    tail INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    last_seq TEXT,
    closed_by_id TEXT,
    closed_by_epoch INTEGER,
    closed_by_seq INTEGER
);
CREATE INDEX streams_by_deadline ON streams (deadline) WHERE deadline IS NOT NULL;
CREATE TABLE appends (
    stream INTEGER NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    end_position INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (stream, end_position)
);
CREATE TABLE producers (
    stream INTEGER NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (stream, id)
) WITHOUT ROWID;
"""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open a data file, made if missing; a file that is not ours is left as it is.

    A new file may be read by its owner only; SQLite makes the files beside it alike. One that
    exists keeps its mode.

    Raises `DataFileError` for a file that cannot be opened, is no SQLite file, belongs to another
    program or was written by a newer version.
    """
    with suppress(OSError):  # it exists, or SQLite will say what is wrong
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise DataFileError(path, f"cannot be opened: {error}") from error
    try:
        _prepare(db, path)
    except sqlite3.DatabaseError as error:
        db.close()
        raise DataFileError(path, _problem(error)) from error
    except BaseException:
        db.close()
        raise
    return db


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a second, read-only connection to a file that `open_for_writing` prepared."""
    uri = f"file:{quote(str(path))}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    is_new = _check_is_ours(db, path)
    db.execute("PRAGMA journal_mode = WAL")
    # An append is acknowledged once it is on the disk, not just in the system's hands (SERVER-2).
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("BEGIN IMMEDIATE")  # also finds out now whether the file can be written
    if is_new:
        for statement in _TABLES.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


def _check_is_ours(db: sqlite3.Connection, path: Path) -> bool:
    """Tell whether the file is still empty; raise if it is somebody else's or newer."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and version == 0 and tables == 0:
        return True
    if application != APPLICATION_ID:
        raise DataFileError(path, "is a SQLite file of another program. Choose another file.")
    if version > VERSION:
        raise DataFileError(
            path,
            f"was written by a newer streamdb (format {version}, this one knows {VERSION}). "
            "Upgrade streamdb or choose another file.",
        )
    return False


def _problem(error: sqlite3.DatabaseError) -> str:
    if error.sqlite_errorname == "SQLITE_NOTADB":
        return "is not a SQLite file. Choose another file."
    return f"cannot be used: {error}"
