"""Embedded mode: the data file, the process it belongs to, and what is not installed."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.runtime.streams.conftest import Opener

from streamdb import (
    AsyncStream,
    ConnectionFailed,
    HandleClosed,
    MissingExtra,
    RetryPolicy,
    Stream,
    StreamNotFound,
    WouldDeadlock,
)
from streamdb.streams.loop_thread import shared_loop_thread
from streamdb_server import open_store


def run_python(program: str, *arguments: str) -> str:
    """Run a program in a process of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


@contextmanager
def held_by_another_process(file: Path) -> Generator[None]:
    program = (
        "import sys, streamdb_server\n"
        "with streamdb_server.open_store(sys.argv[1]):\n"
        "    print('open', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        yield
        holder.communicate()


async def test_a_file_in_use_by_another_process(open_stream: Opener, tmp_path: Path) -> None:
    file = tmp_path / "data.db"
    address = f"embedded:{file}#s"
    with held_by_another_process(file):
        with pytest.raises(ConnectionFailed, match="in use by another process") as caught:
            await open_stream("create", address)
        assert f"streamdb serve --db {file}" in str(caught.value)
        assert caught.value.url == address
    await open_stream("create", address)


@pytest.mark.parametrize("file", ["missing/data.db", "folder", "text.db"])
async def test_a_file_that_cannot_be_used(open_stream: Opener, tmp_path: Path, file: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("certainly no database" * 100)
    with pytest.raises(ConnectionFailed, match=file.partition("/")[0]):
        await open_stream("create", f"embedded:{tmp_path / file}#s")


async def test_the_file_is_released_with_the_last_handle(
    open_stream: Opener, tmp_path: Path
) -> None:
    address = f"embedded:{tmp_path / 'data.db'}#s"
    first = await open_stream("create", address)
    second = await open_stream("connect", address)
    await first.aclose()
    await second.append(1)
    await second.aclose()
    with held_by_another_process(tmp_path / "data.db"):
        pass


def test_a_fault_of_the_server_is_no_missing_extra(tmp_path: Path) -> None:
    program = (
        "import sys, starlette.requests\n"
        "del starlette.requests.ClientDisconnect\n"  # as in an incompatible version
        "import streamdb\n"
        "try:\n"
        "    streamdb.Stream.create(sys.argv[1])\n"
        "except ImportError as error:\n"
        "    print(type(error).__name__, error.name)\n"
    )
    told = run_python(program, f"embedded:{tmp_path / 'a.db'}#s")
    assert told == "ImportError starlette.requests\n"


def test_without_the_extra_the_message_names_it(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['uvicorn'] = sys.modules['starlette'] = None\n"
        "import streamdb\n"
        "try:\n"
        "    streamdb.Stream.create(sys.argv[1])\n"
        "except streamdb.MissingExtra as error:\n"
        "    print(error)\n"
        "with streamdb.Stream('http://localhost/s'):\n"
        "    print('HTTP needs none')\n"
    )
    address = f"embedded:{tmp_path / 'a.db'}#s"
    told = run_python(program, address)
    assert told.startswith(f"{address}: embedded mode needs the extra `server`: pip install")
    assert "streamdb[server]" in told
    assert told.endswith("HTTP needs none\n")
    assert issubclass(MissingExtra, ImportError)


@pytest.mark.parametrize("wire", ["embedded", "http"])
def test_a_forked_child_is_told(tmp_path: Path, wire: str) -> None:
    program = """
import os, sys
import streamdb, streamdb_server

file, wire = sys.argv[1:]
with streamdb_server.serving(file) as server:
    address = f"embedded:{file}#s" if wire == "embedded" else server.url + "s"
    with streamdb.Stream.create(address) as stream:
        stream.append(1)
        child = os.fork()
        if child == 0:
            for use in (stream.head, lambda: stream.append(2), lambda: list(stream.read())):
                try:
                    use()
                    print("no error", flush=True)
                except streamdb.ForkedProcess as error:
                    print("ForkedProcess:", "anew in the child" in str(error), flush=True)
            stream.close()  # does nothing: the parent's connection is the parent's
            if wire == "http":
                with streamdb.Stream(address) as own:  # what is opened in the child works
                    own.append("child")
            print("done", flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        stream.append(3)
        print([item for batch in stream.read() for item in stream.items(batch)])
"""
    told = run_python(program, str(tmp_path / "data.db"), wire).splitlines()
    child = '"child", ' if wire == "http" else ""
    assert told == ["ForkedProcess: True"] * 3 + ["done", f"[1, {child}3]".replace('"', "'")]


def test_blocking_on_the_own_loop_is_refused(tmp_path: Path) -> None:
    with Stream.create(f"embedded:{tmp_path / 'data.db'}#s") as stream:

        async def block() -> None:
            with pytest.raises(WouldDeadlock, match="use the Async classes"):
                stream.append(1)

        shared_loop_thread().run(block())


def test_all_blocking_streams_share_one_thread(tmp_path: Path) -> None:
    streams = [Stream.create(f"embedded:{tmp_path / 'data.db'}#s{n}") for n in range(20)]
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("streamdb-loop") == 1
    for stream in streams:
        stream.close()


def test_a_blocking_read_can_be_left(tmp_path: Path) -> None:
    with (
        open_store(tmp_path / "data.db") as store,
        Stream.create(f"embedded:{tmp_path / 'data.db'}#s", body=[1]) as stream,
    ):
        with closing(stream.read(live="sse")) as batches:
            assert [next(batches).data, next(batches).data] == [b"[1]", b""]
        stream.append(2)
        with closing(stream.read(live="long-poll")) as batches:
            assert next(batches).data == b"[1,2]"
        stream.close()
        assert len(store.hub) == 0


def test_closing_from_another_thread_ends_a_blocking_read(tmp_path: Path) -> None:
    with open_store(tmp_path / "data.db") as store:
        stream = Stream.create(f"embedded:{tmp_path / 'data.db'}#s")
        ended: list[BaseException] = []

        def read() -> None:
            try:
                for _ in stream.read(live="long-poll"):
                    pass
            except HandleClosed as error:
                ended.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        deadline = threading.Event()
        while len(store.hub) == 0:
            assert not deadline.wait(0.002)
        stream.close()
        reader.join(10)
        assert len(ended) == 1


async def test_a_slow_reader_loses_nothing(tmp_path: Path) -> None:
    """Pieces wait for it in a bounded queue; then the application waits."""
    async with await AsyncStream.create(f"embedded:{tmp_path / 'data.db'}#s") as stream:
        batches = stream.read(live="sse")
        found = [await anext(batches), await anext(batches)]  # the connection is open
        for number in range(100):
            await stream.append(number)
        await stream.close_stream()
        found += [batch async for batch in batches]
        assert [item for batch in found for item in stream.items(batch)] == list(range(100))
        assert len(found) > 10  # it was fed while it did not read


@contextmanager
def locked(file: Path) -> Generator[None]:
    """Nobody can write to the file, though anybody may read it."""
    db = sqlite3.connect(file, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        yield
    finally:
        db.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A data file that exists."""
    open_store(tmp_path / "data.db").close()
    return tmp_path / "data.db"


async def test_a_loop_goes_on_while_a_file_is_opened(file: Path) -> None:
    with locked(file):
        opening = asyncio.create_task(AsyncStream.create(f"embedded:{file}#s"))
        await asyncio.sleep(0)
        await asyncio.sleep(0.05)  # would be over only with the opening, if that blocked the loop
        assert not opening.done()
    async with await opening:
        pass


async def test_requests_at_once_open_one_store(file: Path) -> None:
    async with AsyncStream(f"embedded:{file}#s") as stream:
        with locked(file):
            heads = [asyncio.create_task(stream.head()) for _ in range(4)]
            await asyncio.sleep(0.05)
        for head in heads:
            with pytest.raises(StreamNotFound):
                await head
        with open_store(file) as store:
            assert store.openings == 2
    with held_by_another_process(file):
        pass


@pytest.mark.parametrize("ending", ["cancelled", "closed", "both"])
async def test_a_store_that_is_just_being_opened_does_not_leak(file: Path, ending: str) -> None:
    stream = AsyncStream(f"embedded:{file}#s")
    with locked(file):
        opening = asyncio.create_task(stream.head())
        await asyncio.sleep(0.05)
        if ending != "closed":
            opening.cancel()
        closing = asyncio.create_task(stream.aclose())
        await asyncio.sleep(0.05)
        if ending == "both":
            closing.cancel()
    found = await asyncio.gather(opening, closing, return_exceptions=True)
    assert isinstance(found[0], HandleClosed | asyncio.CancelledError)
    with open_store(file) as store:
        while store.openings > 1:  # noqa: ASYNC110 - a thread closes it, which has no event
            await asyncio.sleep(0.002)


async def test_a_timeout_holds_and_the_write_is_carried_out_all_the_same(
    open_stream: Opener, file: Path
) -> None:
    once = RetryPolicy(attempts=1)
    address = f"embedded:{file}#s"
    stream = await open_stream("create", address)
    hasty = await open_stream("connect", address, timeout=0.05, retry=once)
    unknown = r"no answer within 0.05 s; whether the data was stored is unknown"
    with locked(file), pytest.raises(ConnectionFailed, match=unknown):
        await hasty.append("begun")
    await stream.append("later")
    found = [item async for batch in stream.read() for item in stream.items(batch)]
    assert found == ["begun", "later"]


async def test_a_timeout_holds_for_the_opening_too(open_stream: Opener, file: Path) -> None:
    once = RetryPolicy(attempts=1)
    with locked(file), pytest.raises(ConnectionFailed, match=r"no answer within 0.05 s; gave up"):
        await open_stream("connect", f"embedded:{file}#s", timeout=0.05, retry=once)


async def test_a_live_read_waits_longer_than_the_timeout(open_stream: Opener, file: Path) -> None:
    stream = await open_stream("create", f"embedded:{file}#s", timeout=0.5)
    for live in ("sse", "long-poll"):
        batches = stream.read(live=live)
        await anext(batches)
        if live == "sse":
            await anext(batches)
        waiting = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0.7)
        await stream.append(live)
        assert stream.items(await waiting)[-1] == live
        await batches.aclose()
