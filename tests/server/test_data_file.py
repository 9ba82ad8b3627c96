"""What may go wrong with a data file: one sentence, and the file is left alone."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from streamdb_server import DataFileError, DataFileInUse, StoreClosed, open_store
from streamdb_server.storage.creating import Creation
from streamdb_server.storage.forks import ForkPoint
from streamdb_server.storage.schema import APPLICATION_ID, STEPS, VERSION


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


def test_a_file_of_the_first_format_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "first.db"
    db = sqlite3.connect(path)
    db.executescript(STEPS[0])
    db.execute(
        "INSERT INTO streams (path, incarnation, content_type, tail, closed)"
        " VALUES ('s', 'i', 'text/plain', 3, 0)"
    )
    db.execute("INSERT INTO appends VALUES (1, 3, x'6f6c64')")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()
    for _ in range(2):
        with open_store(path) as store:
            fork = Creation(content_type="text/plain", fork=ForkPoint("s"))
            store.create("fork", fork).result()
            for name in ("s", "fork"):
                page = store.read(name, 0)
                assert page is not None
                assert page.contents == (b"old",)


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


def forking(program: str, path: Path) -> str:
    """Run a program that forks, in a process of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_forked_child_does_not_keep_the_file(tmp_path: Path) -> None:
    told = forking(
        """
import os, signal, sys
from streamdb_server import open_store
store = open_store(sys.argv[1])
child = os.fork()
if child == 0:
    signal.pause()
store.close()
try:
    open_store(sys.argv[1]).close()
    print("opened again")
finally:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
""",
        tmp_path / "file.db",
    )
    assert told == "opened again\n"


def test_a_fork_while_a_store_is_opened_leaves_the_child_able_to_open_one(tmp_path: Path) -> None:
    told = forking(
        """
import os, signal, sqlite3, sys, threading
from streamdb_server import open_store
from streamdb_server.storage import schema, store

opening, forked = threading.Event(), threading.Event()
def open_slowly(path):
    opening.set()
    forked.wait()
    return schema.open_for_writing(path)
store.open_for_writing = open_slowly
opener = threading.Thread(target=lambda: open_store(sys.argv[1]).close())
opener.start()
opening.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    store.open_for_writing = schema.open_for_writing
    open_store(sys.argv[1] + "2").close()
    print("the child opened its own", flush=True)
    os._exit(0)
_, status = os.waitpid(child, 0)
forked.set()
opener.join()
assert status == 0, status
""",
        tmp_path / "file.db",
    )
    assert told == "the child opened its own\n"


def test_closing_once_too_often_does_nothing(tmp_path: Path) -> None:
    first = open_store(tmp_path / "file.db")
    first.close()
    first.close()
    with open_store(tmp_path / "file.db") as second:
        first.close()
        assert open_store(tmp_path / "file.db") is second  # still the one of this process
        second.close()
        second.create("s", Creation(content_type="text/plain")).result()


def modes(path: Path) -> list[int]:
    return [
        stat.S_IMODE(path.with_name(path.name + suffix).stat().st_mode)
        for suffix in ("", "-wal", "-shm", "-lock")
    ]


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    before = os.umask(0)
    try:
        with open_store(path) as store:
            store.create("s", Creation(content_type="text/plain")).result()
            assert modes(path) == [0o600] * 4
    finally:
        os.umask(before)


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    open_store(path).close()
    path.chmod(0o640)
    with open_store(path):
        assert modes(path)[:3] == [0o640] * 3
