"""The thread of a cache: in order, in one go, and never in the way."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import SCHEMA

from streamdb import Batch
from streamdb.cache.evidence import LastData
from streamdb.cache.saved import Base, Ledger, Read
from streamdb.cache.store import CacheStore
from streamdb.cache.writer import CacheWriter


class Noting(CacheStore):
    """Notes what it is asked for, and waits at each call until it may go on."""

    def __init__(self) -> None:
        super().__init__(Path("x.cache"), SCHEMA, "stream", strict=False)
        self.done: list[Any] = []
        self.is_called = threading.Event()
        self.may_go_on = threading.Event()

    def rewrite(self, base: Base, last: LastData | None) -> None:
        self._note(("rewrite", base.ledger.offset))

    def add(self, reads: Any) -> None:
        self._note(("add", [read.batch.offset for read in reads]))

    def close(self) -> None:
        self._note("close")

    def _note(self, call: Any) -> None:
        self.is_called.set()
        assert self.may_go_on.wait(20)
        self.done.append(call)


def read(offset: str) -> Read:
    return Read("0", Batch((b"[{}]",), offset, None, False, False, "application/json"))


def base(offset: str) -> Base:
    return Base(Ledger(offset, 0, [], 0, 0, [], {}, [], []), {})


def test_a_burst_is_one_transaction() -> None:
    """What comes while the thread is at work waits for it together, and keeps its order."""
    store = Noting()
    writer = CacheWriter(store)
    writer.add([read("1")], 4)
    assert store.is_called.wait(20)
    for offset in "23456":
        writer.add([read(offset)], 4)
    assert writer.waiting_bytes == 20
    closed = writer.close()
    store.may_go_on.set()
    closed.result(20)
    assert store.done == [("add", ["1"]), ("add", ["2", "3", "4", "5", "6"]), "close"]
    assert writer.waiting_bytes == 0


def test_a_whole_state_makes_what_waits_needless() -> None:
    store = Noting()
    writer = CacheWriter(store)
    writer.add([read("1")], 4)
    assert store.is_called.wait(20)
    writer.add([read("2")], 4)
    writer.rewrite(base("2"), None)
    assert writer.is_rewriting
    writer.add([read("3")], 4)
    closed = writer.close()
    store.may_go_on.set()
    closed.result(20)
    assert store.done == [("add", ["1"]), ("rewrite", "2"), ("add", ["3"]), "close"]
    assert not writer.is_rewriting


def test_after_a_fault_nothing_more_is_written(caplog: pytest.LogCaptureFixture) -> None:
    """Or the file would lack what could not be written."""

    class Full(Noting):
        def add(self, reads: Any) -> None:
            super().add(reads)
            raise OSError("disk full")

    store = Full()
    store.may_go_on.set()
    writer = CacheWriter(store)
    writer.add([read("1")], 4)
    writer.call(lambda: None).result(20)
    assert writer.has_failed
    writer.add([read("2")], 4)
    writer.rewrite(base("2"), None)
    writer.close().result(20)
    assert store.done == [("add", ["1"]), "close"]
    assert "the cache x.cache is not written any more" in caplog.text
