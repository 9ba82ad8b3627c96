"""What people forget: to enter `with`, to close, to look at a log. None of it may pass mutely."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat

from streamdb import AsyncStream, NotConnected, StreamNotFound

ROOT = Path(__file__).parents[3]
WRITE_AND_END = {
    "blocking": "Chat(url, create=True).messages.insert(message('a'))",
    "async": "asyncio.run(write())",
}
PROGRAM = """
import asyncio, sys
from tests.runtime.chat_schema import AsyncChat, Chat, message
url = sys.argv[1]
async def write():
    AsyncChat(url, create=True).messages.insert(message('a'))
"""


def run(code: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + code, url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("form", WRITE_AND_END)
def test_a_program_that_ends_with_writes_on_their_way_says_so(form: str, embedded_url: str) -> None:
    done = run(WRITE_AND_END[form], embedded_url)
    assert done.returncode == 0
    # By the moment: it was sent perhaps, or its database was ended before it could be.
    lost = (
        rf"{re.escape(embedded_url)}: (the program ends with 1 transactions|transaction .* is not)"
    )
    assert re.search(lost, done.stderr), done.stderr


@pytest.mark.parametrize("form", ["Chat(url).preload()", "asyncio.run(AsyncChat(url).preload())"])
async def test_a_program_that_wrote_nothing_may_forget_to_close(
    form: str, embedded_url: str
) -> None:
    async with await AsyncStream.create(embedded_url):
        pass
    done = await asyncio.to_thread(run, form, embedded_url)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_that_closes_its_database_says_nothing(embedded_url: str) -> None:
    done = run("with Chat(url, create=True) as db: db.messages.insert(message('a'))", embedded_url)
    assert (done.returncode, done.stderr) == (0, "")


def test_faults_are_seen_where_nobody_configured_logging(embedded_url: str) -> None:
    """Warnings and errors reach standard error by Python's last resort."""
    code = """
def fail(changes): raise ZeroDivisionError('my own mistake')
with Chat(url, create=True) as db:
    db.messages.subscribe(fail)
    db.messages.insert(message('a')).synced(10)
"""
    done = run(code, embedded_url)
    assert "my own mistake" in done.stderr


async def test_waiting_for_changes_of_what_was_never_connected(embedded_url: str) -> None:
    db = AsyncChat(embedded_url)
    with pytest.raises(NotConnected, match=r"context manager, or call preload\(\)"):
        await anext(db.messages.changes())
    blocking = Chat(embedded_url)
    with pytest.raises(NotConnected):
        await asyncio.to_thread(next, blocking.messages.changes(initial=True))
    blocking.close()
    await db.aclose()


def test_asking_for_a_stream_in_a_file_that_is_not_there_makes_no_file(tmp_path: Path) -> None:
    db = Chat(f"embedded:{tmp_path / 'misspelt.db'}#demo")
    with pytest.raises(StreamNotFound):
        db.preload()
    db.close()
    assert list(tmp_path.iterdir()) == []
