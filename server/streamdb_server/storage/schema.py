"""The SQLite file: its tables, how it is opened, and how a foreign one is told apart."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from streamdb_server.errors import DataFileError

APPLICATION_ID: Final = 0x53_44_42_53  # "SDBS"
# `id` is never reused (AUTOINCREMENT): a path created again is another stream with nothing of the
# old one (DEL-7). `incarnation` says the same to caches, across data files (ETAG-6).
# `deadline` is in Unix seconds; for a TTL it lies a little late, see expiry.py.
_STREAMS: Final = """
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

# A fork holds what is its own; what lies before `forked_at` is found at its `source`. That stays in
# the file as long as a fork needs it: `deleted` (MODEL-14). References are counted by looking for
# them, so that none can leak.
_FORKS: Final = """
ALTER TABLE streams ADD COLUMN source INTEGER REFERENCES streams (id);
ALTER TABLE streams ADD COLUMN forked_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE streams ADD COLUMN sub_offset INTEGER NOT NULL DEFAULT 0;
ALTER TABLE streams ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX streams_by_source ON streams (source) WHERE source IS NOT NULL;
"""

STEPS: Final = (_STREAMS, _FORKS)
"""What leads from one format of the file to the next; a new file takes them all."""
VERSION: Final = len(STEPS)


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
    version = _check_is_ours(db, path)
    db.execute("PRAGMA journal_mode = WAL")
    # An append is acknowledged once it is on the disk, not just in the system's hands (SERVER-2).
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("BEGIN IMMEDIATE")  # also finds out now whether the file can be written
    for step in STEPS[version:]:
        for statement in step.split(";"):
            db.execute(statement)
    if version < VERSION:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


def _check_is_ours(db: sqlite3.Connection, path: Path) -> int:
    """Return the format of the file, 0 if it is empty; raise if it is somebody else's or newer."""
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and version == 0 and tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise DataFileError(path, "is a SQLite file of another program. Choose another file.")
    if version > VERSION:
        raise DataFileError(
            path,
            f"was written by a newer streamdb (format {version}, this one knows {VERSION}). "
            "Upgrade streamdb or choose another file.",
        )
    return int(version)


def _problem(error: sqlite3.DatabaseError) -> str:
    if error.sqlite_errorname == "SQLITE_NOTADB":
        return "is not a SQLite file. Choose another file."
    return f"cannot be used: {error}"
