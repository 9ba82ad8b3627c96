"""The file of an outbox, and the thread that writes it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from streamdb import CacheError
from streamdb.cache.outbox_file import FORMAT, PRODUCER, OutboxFile
from streamdb.cache.outbox_records import (
    ProducerRecord,
    SentRecord,
    SentRow,
    TransactionRecord,
    WriteRecord,
    written,
)
from streamdb.cache.outbox_writer import OutboxWriter

SENT = SentRecord([b'{"a":1}'], [SentRow(b"{}", None)])
FIRST = TransactionRecord("t1", 1.5, [WriteRecord(b"message", "insert", b"\xed\xa0\xbd", b"{}")])
SECOND = TransactionRecord("t2", 2.5, [WriteRecord(b"m", "update", b"k", b"{}", ["a"])], SENT)
PRODUCED = ProducerRecord("here", "p", 0, 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.cache-outbox"


@pytest.fixture
def file(path: Path) -> Iterator[OutboxFile]:
    opened = OutboxFile(path)
    yield opened
    opened.close()


def read_again(path: Path) -> dict[int, TransactionRecord]:
    file = OutboxFile(path)
    try:
        return file.read()[1]
    finally:
        file.close()


def test_what_was_written_is_read(path: Path, file: OutboxFile) -> None:
    assert file.read() == (None, {})
    file.write({2: written(SECOND), 1: written(FIRST), PRODUCER: written(PRODUCED)})
    assert file.read() == (PRODUCED, {1: FIRST, 2: SECOND})
    file.write({1: None, 3: written(FIRST)})
    file.close()
    assert list(read_again(path).items()) == [(2, SECOND), (3, FIRST)]


def test_nobody_else_reads_it(path: Path, file: OutboxFile) -> None:
    file.write({1: written(FIRST)})
    for one in path.parent.iterdir():
        assert one.stat().st_mode & 0o777 == 0o600, one


def test_it_is_on_the_disk_when_it_is_written(path: Path, file: OutboxFile) -> None:
    """A commit is not left to the operating system: a power cut would take it away."""
    assert file._db.execute("PRAGMA synchronous").fetchone() == (2,)
    file.write({1: written(FIRST)})
    script = "import sys; from tests.runtime.cache.test_outbox_file import *; "
    script += "print(read_again(Path(sys.argv[1])))"
    seen = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True)
    assert "t1" in seen.stdout, seen.stderr


@pytest.mark.parametrize("damage", ["content", "version", "text", "database"])
def test_what_cannot_be_read_is_an_error_and_stays(path: Path, damage: str) -> None:
    if damage == "text":
        path.write_text("my notes " * 100)
    else:
        db = sqlite3.connect(path)
        if damage != "database":
            OutboxFile(path).write({1: written(FIRST)})
        db.execute(
            {
                "content": "UPDATE records SET content = x'00'",
                "version": "PRAGMA user_version = 9",
                "database": "CREATE TABLE own (x)",
            }[damage]
        )
        db.commit()
        db.close()
    before = path.read_bytes()
    with pytest.raises(CacheError, match=r"x\.cache-outbox cannot be read: .*move it away"):
        read_again(path)
    assert path.read_bytes()[100:] == before[100:]


def test_a_file_of_the_version_before_is_taken(path: Path) -> None:
    """Its records are read as they are, and with what is written now the file is of this one."""
    file = OutboxFile(path)
    file.write({1: msgspec.msgpack.encode(("t1", 1.5, [], None, None))})
    file._db.execute("PRAGMA user_version = 1")
    file.close()
    assert read_again(path) == {1: TransactionRecord("t1", 1.5, [])}
    again = OutboxFile(path)
    assert again._db.execute("PRAGMA user_version").fetchone() == (FORMAT,)
    again.close()


def test_a_file_that_was_just_begun_is_taken(path: Path) -> None:
    """The process that made it was killed at once."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    assert read_again(path) == {}


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="cannot be used: No such file or directory"):
        OutboxFile(tmp_path / "none" / "x")


class TestWriter:
    @pytest.fixture
    def writer(self, path: Path) -> Iterator[OutboxWriter]:
        writer = OutboxWriter(path)
        writer.open().result()
        yield writer
        writer.close().result()
        writer.end()

    def test_what_came_and_went_is_not_written(
        self, path: Path, writer: OutboxWriter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[Mapping[int, bytes | None]] = []
        monkeypatch.setattr(OutboxFile, "write", lambda _, changes: seen.append(dict(changes)))
        writer.put(1, FIRST)
        writer.put(2, SECOND)
        writer.put(1, None)
        writer.wait()
        writer.wait()
        assert seen == [{1: None, 2: written(SECOND)}]

    def test_what_could_not_be_written_waits(
        self, path: Path, writer: OutboxWriter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And what was put after it counts."""

        def fail(*_: object) -> None:
            raise CacheError("the disk is full")

        writer.put(1, FIRST)
        writer.put(2, FIRST)
        with monkeypatch.context() as patched:
            patched.setattr(OutboxFile, "write", fail)
            with pytest.raises(CacheError, match="full"):
                writer.wait()
            writer.put(2, SECOND)
        writer.wait()
        assert read_again(path) == {1: FIRST, 2: SECOND}

    def test_closing_writes_what_waits(self, path: Path) -> None:
        writer = OutboxWriter(path)
        writer.open().result()
        writer.put(1, FIRST)
        writer.close()
        writer.wait()  # as the cache does, which is closed after it
        writer.end()
        assert read_again(path) == {1: FIRST}

    def test_a_forked_child_leaves_it_alone(self, path: Path, writer: OutboxWriter) -> None:
        child = os.fork()
        if not child:
            writer.__del__()
            os._exit(0)
        os.waitpid(child, 0)
        writer.put(1, FIRST)
        writer.wait()
        assert read_again(path) == {1: FIRST}
