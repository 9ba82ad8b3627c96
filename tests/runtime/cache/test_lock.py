"""One cache, one database: the lock is of the process, and goes with it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.runtime.chat_schema import SCHEMA

from streamdb import CacheError, CacheInUse
from streamdb.cache.lock import CacheLock
from streamdb.cache.store import CacheStore

HOLDER = """
import sys
from pathlib import Path
from streamdb.cache.lock import CacheLock
lock = CacheLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(cache: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(cache)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_another_process_has_it(tmp_path: Path) -> None:
    cache = tmp_path / "x.cache"
    with holder(cache) as process:
        with pytest.raises(CacheInUse, match=f"the cache {cache} is in use by another database"):
            CacheLock(cache)
        process.kill()
        process.wait()
        CacheLock(cache).release()  # no file needs to be removed


def test_a_child_holds_no_part_of_it(tmp_path: Path) -> None:
    """Or it would be held for as long as any child of a parent that is gone."""
    cache = tmp_path / "x.cache"
    lock = CacheLock(cache)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write)
        lock.release()  # does nothing to the parent's
        os.read(read, 1)  # until the parent is done
        os._exit(0)
    os.close(read)
    try:
        with pytest.raises(CacheInUse):
            CacheLock(cache)
        lock.release()
        again = CacheLock(cache)  # while the child lives
        again.release()
        again.release()
    finally:
        os.close(write)
        os.waitpid(child, 0)


def test_a_store_that_nobody_closed(tmp_path: Path) -> None:
    """As of a database whose loop was given up; SQLite has put everything into the one file."""
    cache = tmp_path / "x.cache"
    store = CacheStore(cache, SCHEMA, "stream", strict=False)
    store.open()
    del store
    gc.collect()
    assert {file.name for file in tmp_path.iterdir()} == {"x.cache", "x.cache-lock"}
    CacheLock(cache).release()


def test_where_no_file_can_be(tmp_path: Path) -> None:
    with pytest.raises(CacheError, match="No such file or directory"):
        CacheLock(tmp_path / "missing" / "x.cache")
