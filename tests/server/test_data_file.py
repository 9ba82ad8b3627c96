"""What may go wrong with a data file: one sentence, and the file is left alone."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from streamdb_server import DataFileError, DataFileInUse, StoreClosed, open_store
from streamdb_server.storage.commands import Creation
from streamdb_server.storage.schema import VERSION


def not_sqlite(path: Path) -> None:
    path.write_bytes(b"these are notes, not a database\n" * 100)


def of_another_program(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.close()


def newer(path: Path) -> None:
    open_store(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (not_sqlite, "not a SQLite file"),
        (of_another_program, "another program"),
        (newer, "newer streamdb"),
    ],
)
def test_a_file_that_is_not_ours(
    tmp_path: Path, make: Callable[[Path], None], problem: str
) -> None:
    path = tmp_path / "file.db"
    make(path)
    before = path.read_bytes()
    with pytest.raises(DataFileError, match=problem) as caught:
        open_store(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    with pytest.raises(DataFileError, match=problem):  # the lock was released
        open_store(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="is a folder"):
        open_store(tmp_path)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="there is no folder"):
        open_store(tmp_path / "missing" / "file.db")


HOLD = """
import sys
from streamdb_server import open_store
store = open_store(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
store.close()
"""


def test_a_second_process_is_told_to_use_serve(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(DataFileInUse, match="streamdb serve --db"):
            open_store(path)
        holder.stdin.close()
        assert holder.wait(20) == 0
    open_store(path).close()


def test_a_forked_child_is_told(tmp_path: Path) -> None:
    with open_store(tmp_path / "file.db") as store:
        store.create("s", Creation(content_type="text/plain")).result()
        before = os.getpid
        try:
            os.getpid = lambda: before() + 1  # a real fork would take pytest's threads along
            with pytest.raises(StoreClosed, match="fork"):
                store.head("s")
            with pytest.raises(StoreClosed, match="fork"):
                store.delete("s")
        finally:
            os.getpid = before
        assert store.head("s") is not None
