"""Mistaken options and calls of databases are told at once, with what is taken instead."""

from __future__ import annotations

import gc
import subprocess
import sys
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message

from streamdb import (
    ConditionTimeout,
    Stream,
    StreamDBError,
    TxidTimeout,
    WaitTimeout,
)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"retry": 3}, "retry takes a RetryPolicy, such as RetryPolicy(attempts=3), not int"),
        ({"reconnect": True}, "reconnect takes a RetryPolicy"),
        ({"headers": ["A: b"]}, "headers takes a dict of texts"),
        ({"params": 3}, "params takes a dict of texts"),
        ({"upcast": [print]}, "upcast takes a dict of functions by event type, not list"),
        ({"start_offset": 3}, "start_offset takes an offset, which is a text, or 'now'"),
        ({"close_timeout": "x"}, "close_timeout takes a number of seconds, not str"),
        ({"timeout": "x"}, "timeout takes a number of seconds"),
        ({"idle_timeout": True}, "idle_timeout takes a number of seconds, not bool"),
        ({"create": "no"}, "create takes True or False, not str"),
        ({"cache": 3}, "cache takes the path of a file, not int"),
    ],
)
def test_options_of_a_wrong_kind(options: dict[str, Any], words: str) -> None:
    for kind in (Chat, AsyncChat):
        with pytest.raises(TypeError) as caught:
            kind("http://127.0.0.1:1/v1/stream/x", **options)
        assert words in str(caught.value)


def test_an_address_is_a_text() -> None:
    wrong: Any = None
    with pytest.raises(TypeError, match="Chat: the address of a stream is a text"):
        Chat(wrong)


def test_what_is_waited_for_is_a_function_a_collection_or_a_text(embedded_url: str) -> None:
    wrong: Any = 3
    with Chat(embedded_url, create=True) as db:
        with pytest.raises(
            TypeError, match="until takes a function, a collection or a live query, not int"
        ):
            db.until(wrong)
        with pytest.raises(TypeError, match="await_txid takes a txid, a text, not int"):
            db.await_txid(wrong)


async def test_each_form_has_its_own_statements(embedded_url: str) -> None:
    blocking: Any = Chat(embedded_url, create=True)
    with pytest.raises(TypeError, match="is a blocking database: use `with`"):
        async with blocking:
            pass
    db: Any = AsyncChat(embedded_url, create=True)
    with pytest.raises(TypeError, match="is an async database: use `async with`"), db:
        pass
    async with db:
        with pytest.raises(TypeError, match=r"use `with db\.transaction"):
            async with db.transaction():
                pass
        with pytest.raises(TypeError, match="by `async for`"):
            iter(db.messages.changes())
    with pytest.raises(TypeError, match="are iterated by `for`"):
        aiter(blocking.messages.changes())


def test_all_timeouts_are_of_one_class(http_url: str) -> None:
    for kind in (TxidTimeout, ConditionTimeout):
        assert issubclass(kind, WaitTimeout)
    assert issubclass(WaitTimeout, StreamDBError)
    assert issubclass(WaitTimeout, TimeoutError)
    with Chat(http_url, create=True) as db:
        transaction = db.messages.upsert(message(1))
        with pytest.raises(WaitTimeout, match="it goes on"):
            transaction.result(timeout=0)
        transaction.synced(10)
    other = Chat(http_url)
    with pytest.raises(WaitTimeout, match="the first load took longer"):
        other.preload(timeout=0)
    other.close()


def test_many_invalid_events_are_some_warnings(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Stream.create(embedded_url) as stream:
        stream.append_many([{"type": "message", "n": n} for n in range(1500)])
    with Chat(embedded_url) as db:
        assert db.metrics.invalid == 1500
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 13
    assert "1000 invalid events so far" in told[-1]


def test_a_database_that_fails_to_open_leaves_no_task(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Stream.create(embedded_url) as stream:
        stream.append({"n": 1})
    for _ in range(3):
        with pytest.raises(StreamDBError):
            Chat(embedded_url, on_invalid="raise").preload()
    gc.collect()
    assert not [record for record in caplog.records if record.name == "asyncio"]


PROGRAMS = {
    "child": """
        import os, sys
        from tests.runtime.chat_schema import Chat
        with Chat(sys.argv[1], create=True) as db:
            pid = os.fork()
            if pid == 0:
                sys.exit(7)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), db.status)
        """,
    "lost": """
        import sys
        from tests.runtime.chat_schema import Chat, message
        Chat(sys.argv[1], create=True).messages.upsert(message(1))
        """,
}


def run(program: str, url: str) -> subprocess.CompletedProcess[str]:
    source = "\n".join(line[8:] for line in PROGRAMS[program].splitlines())
    return subprocess.run(
        [sys.executable, "-c", source, url], capture_output=True, text=True, check=False
    )


def test_a_forked_child_leaves_the_database_to_its_parent(http_url: str) -> None:
    done = run("child", http_url)
    assert (done.stdout, done.stderr) == ("7 live\n", "")


def test_a_write_that_the_end_of_the_program_cut_off(embedded_url: str) -> None:
    done = run("lost", embedded_url)
    assert "cancelled from outside" not in done.stderr
    with Stream.create(embedded_url) as stream:
        written = [item for batch in stream.read() for item in stream.items(batch)]
    assert written or "use it as a context manager" in done.stderr
