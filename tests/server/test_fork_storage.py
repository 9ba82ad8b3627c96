"""Forks in a data file: how long they and their sources are kept, and pages over their borders."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from streamdb_server import open_store
from streamdb_server.errors import SoftDeleted
from streamdb_server.storage.appending import Append, AppendOutcome
from streamdb_server.storage.creating import CreateOutcome, Creation, Instant
from streamdb_server.storage.deleting import DeleteOutcome
from streamdb_server.storage.expiry import SLACK
from streamdb_server.storage.forks import ForkPoint
from streamdb_server.storage.store import Store


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with open_store(tmp_path / "streams.db", clock=clock) as store:
        yield store


def creation(**given: object) -> Creation:
    return Creation(content_type="text/plain", **given)  # type: ignore[arg-type]  # the tests' own


def instant(text: str) -> Instant:
    return Instant(text, datetime.fromisoformat(text))


SOON, LATE = instant("2099-01-01T00:00:00+00:00"), instant("2199-01-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("source", "asked", "ttl", "expires_at"),
    [
        ({}, {}, None, None),
        ({}, {"ttl": 60}, 60, None),
        ({}, {"expires_at": SOON}, None, SOON.text),
        ({"ttl": 60}, {}, 60, None),
        ({"ttl": 60}, {"ttl": 90}, 90, None),
        ({"ttl": 60}, {"expires_at": SOON}, None, SOON.text),
        ({"expires_at": SOON}, {}, None, SOON.text),
        ({"expires_at": SOON}, {"ttl": 60}, 60, None),
        ({"expires_at": SOON}, {"expires_at": LATE}, None, LATE.text),
    ],
)
def test_expiry_of_a_fork_fork_14(
    store: Store,
    source: dict[str, object],
    asked: dict[str, object],
    ttl: int | None,
    expires_at: str | None,
) -> None:
    store.create("source", creation(**source)).result()
    asked = {"fork": ForkPoint("source"), **asked}
    assert store.create("fork", creation(**asked)).result().outcome is CreateOutcome.CREATED
    made = store.head("fork")
    assert made is not None
    assert (made.ttl, made.expires_at) == (ttl, expires_at)
    assert store.create("fork", creation(**asked)).result().outcome is CreateOutcome.EXISTS


def test_a_ttl_that_is_inherited_slides_by_itself_fork_14(store: Store, clock: Clock) -> None:
    store.create("source", creation(ttl=100)).result()
    store.create("fork", creation(fork=ForkPoint("source"))).result()
    clock.now += 60
    assert store.read("source", 0) is not None
    clock.now += 60
    assert store.head("fork") is None
    assert store.head("source") is not None


def test_an_expired_source_is_kept_for_its_forks_fork_26_amb_10(store: Store, clock: Clock) -> None:
    store.create("source", creation(ttl=100, content=b"shared")).result()
    store.create("fork", creation(fork=ForkPoint("source"), ttl=10_000)).result()
    clock.now += 101
    for _ in range(2):  # before it is swept, and afterwards
        with pytest.raises(SoftDeleted):
            store.head("source")
        with pytest.raises(SoftDeleted):
            store.read("source", 0)
        append = Append(content=b"x", content_type="text/plain")
        assert store.append("source", append).result().outcome is AppendOutcome.GONE
        assert store.create("source", creation()).result().outcome is CreateOutcome.DELETED
        asked = creation(fork=ForkPoint("source"))
        outcome = store.create("another", asked).result().outcome
        assert outcome is CreateOutcome.SOURCE_DELETED
        page = store.read("fork", 0)
        assert page is not None
        assert page.contents == (b"shared",)
        clock.now += SLACK + 1
    assert store.delete("source").result() is DeleteOutcome.GONE
    assert store.delete("fork").result() is DeleteOutcome.DELETED
    assert store.head("source") is None


def test_forks_and_sources_that_expire_together_vanish(store: Store, clock: Clock) -> None:
    store.create("source", creation(ttl=100)).result()
    store.create("middle", creation(fork=ForkPoint("source"))).result()
    store.create("end", creation(fork=ForkPoint("middle"))).result()
    clock.now += 200 + SLACK
    store.create("other", creation()).result()  # sweeps
    assert [store.head(name) for name in ("source", "middle", "end")] == [None] * 3
    db = sqlite3.connect(store.path)
    assert db.execute("SELECT path FROM streams").fetchall() == [("other",)]
    db.close()


def test_a_fork_that_has_expired_is_made_anew_fork_12(store: Store, clock: Clock) -> None:
    store.create("source", creation(content=b"old")).result()
    store.create("fork", creation(fork=ForkPoint("source"), ttl=10, content=b"x")).result()
    clock.now += 11
    made = store.create("fork", creation(fork=ForkPoint("source"))).result()
    assert made.outcome is CreateOutcome.CREATED
    page = store.read("fork", 0)
    assert page is not None
    assert page.contents == (b"old",)
    store.delete("fork").result()
    assert store.delete("source").result() is DeleteOutcome.DELETED
    assert store.head("source") is None


def test_chains_of_any_depth_fork_22_24(store: Store) -> None:
    depth = 1500  # more than Python nests calls
    store.create("0", creation(content=b"begin"))
    for number in range(1, depth):
        store.create(str(number), creation(fork=ForkPoint(str(number - 1)), content=b"+"))
    for number in range(depth - 1):
        store.delete(str(number))
    last = str(depth - 1)
    store.write(lambda _: None).result()  # behind all of those
    page = store.read(last, 0)
    assert page is not None
    assert b"".join(page.contents) == b"begin" + b"+" * (depth - 1)
    store.delete(last).result()
    assert store.head("0") is None


def test_pages_run_over_the_border_of_a_fork(store: Store) -> None:
    text = "text/plain"
    store.create("source", creation()).result()
    for content in (b"11", b"22", b"33"):
        store.append("source", Append(content=content, content_type=text)).result()
    store.create("fork", creation(fork=ForkPoint("source", position=4))).result()
    for content in (b"44", b"55"):
        store.append("fork", Append(content=content, content_type=text)).result()
    pages: list[bytes] = []
    position = 0
    while (page := store.read("fork", position, limit=4)) is not None and page.contents:
        pages.append(b"".join(page.contents))
        position = page.end
    assert pages == [b"1122", b"4455"]
    page = store.read("fork", 2, limit=4)
    assert page is not None
    assert page.contents == (b"22", b"44")
