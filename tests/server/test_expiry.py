"""TTL and expiry (section 15), on a clock that the test moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from streamdb_server import Serving, Store, open_store, serving
from streamdb_server.storage.appending import Append
from streamdb_server.storage.creating import Creation, Instant
from streamdb_server.storage.expiry import SLACK

TEXT = {"Content-Type": "text/plain"}


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def instant(self, seconds: float) -> str:
        return (datetime.fromtimestamp(self.now, UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(tmp_path: Path, clock: Clock) -> Iterator[Serving]:
    # Opened first, with our clock: the server then shares this store.
    with open_store(tmp_path / "streams.db", clock=clock), serving(tmp_path / "streams.db") as it:
        yield it


@pytest.fixture
def http(timed: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=timed.url) as client:
        yield client


@pytest.mark.parametrize("method", ["HEAD", "GET", "POST", "DELETE"])
@pytest.mark.parametrize("header", ["Stream-TTL", "Stream-Expires-At"])
def test_an_expired_stream_is_gone_ttl_6(
    http: httpx.Client, clock: Clock, method: str, header: str
) -> None:
    value = "10" if header == "Stream-TTL" else clock.instant(10)
    http.put("s", headers=TEXT | {header: value}, content=b"abc")
    clock.advance(9.9)
    assert http.head("s").status_code == 200
    clock.advance(0.1)
    content = b"x" if method == "POST" else None
    assert http.request(method, "s", headers=TEXT, content=content).status_code == 404


def test_put_on_an_expired_path_creates_anew_create_15(http: httpx.Client, clock: Clock) -> None:
    producer = {"Producer-Id": "p", "Producer-Epoch": "4", "Producer-Seq": "0", "Stream-Seq": "9"}
    http.put("s", headers=TEXT | {"Stream-TTL": "10"}, content=b"abc")
    http.post("s", headers=TEXT | producer, content=b"def")
    clock.advance(10)
    assert http.put("s", headers=TEXT).status_code == 201
    assert http.get("s").content == b""
    again = producer | {"Producer-Epoch": "0", "Stream-Seq": "1"}
    assert http.post("s", headers=TEXT | again, content=b"new").status_code == 200


@pytest.mark.parametrize(
    ("method", "query", "slides"),
    [
        ("GET", "", True),
        ("GET", "?offset=now", True),  # AMB-11
        ("POST", "", True),
        ("HEAD", "", False),  # HEAD-6
        ("PUT", "", False),
    ],
)
def test_reads_and_writes_slide_the_window_ttl_1_2(
    http: httpx.Client, clock: Clock, method: str, query: str, slides: bool
) -> None:
    ttl = TEXT | {"Stream-TTL": "10"}
    http.put("s", headers=ttl, content=b"abc")
    clock.advance(9)
    content = b"x" if method == "POST" else None
    assert http.request(method, f"s{query}", headers=ttl, content=content).is_success
    clock.advance(9)
    assert http.head("s").status_code == (200 if slides else 404)


def test_the_deadline_stands_whatever_is_read_ttl_5(http: httpx.Client, clock: Clock) -> None:
    http.put("s", headers=TEXT | {"Stream-Expires-At": clock.instant(10)}, content=b"abc")
    for _ in range(3):
        clock.advance(3)
        assert http.get("s").status_code == 200
    clock.advance(1)
    assert http.get("s").status_code == 404


def test_ttl_0_expires_at_once_ttl_7(http: httpx.Client) -> None:
    assert http.put("s", headers=TEXT | {"Stream-TTL": "0"}).status_code == 201
    assert http.head("s").status_code == 404
    assert http.put("s", headers=TEXT | {"Stream-TTL": "0"}).status_code == 201


def test_head_shows_the_window_not_the_rest_head_2(http: httpx.Client, clock: Clock) -> None:
    http.put("s", headers=TEXT | {"Stream-TTL": "10"})
    clock.advance(4)
    assert http.head("s").headers["Stream-TTL"] == "10"


def creation(ttl: int) -> Creation:
    return Creation(content_type="text/plain", ttl=ttl)


async def test_a_live_reader_keeps_a_stream_ttl_3(tmp_path: Path, clock: Clock) -> None:
    with open_store(tmp_path / "streams.db", clock=clock) as store:
        stream = store.create("s", creation(10)).result().stream
        assert stream is not None
        with store.watch(stream):
            clock.advance(100)
            assert store.head("s") is not None
        clock.advance(9)  # the end of the wait is an access
        assert store.head("s") is not None
        clock.advance(1)
        assert store.head("s") is None


async def test_readers_of_an_expired_stream_learn_of_the_new_one_create_15(
    tmp_path: Path, clock: Clock
) -> None:
    with open_store(tmp_path / "streams.db", clock=clock) as store:
        at = datetime.fromtimestamp(clock.now + 10, UTC)
        expiring = Creation(content_type="text/plain", expires_at=Instant(at.isoformat(), at))
        stream = store.create("s", expiring).result().stream
        assert stream is not None
        with store.watch(stream) as waiter:
            await waiter.changed(20)  # the first look
            clock.advance(10)
            store.create("s", creation(10)).result()
            assert await waiter.changed(20)
            assert store.read("s", 0, stream_id=stream.id) is None


def test_the_window_survives_a_restart_server_4(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "streams.db"
    with open_store(path, clock=clock) as store:
        store.create("s", creation(10)).result()
        clock.advance(5)
        store.read("s", 0)
    clock.advance(9)
    with open_store(path, clock=clock) as store:
        assert store.head("s") is not None
        clock.advance(1)
        assert store.head("s") is None


def stored_deadline(store: Store) -> float:
    stream = store.head("s")
    assert stream is not None
    assert stream.deadline is not None
    return stream.deadline


def test_the_stored_deadline_is_never_early(tmp_path: Path, clock: Clock) -> None:
    """So that a crash shortens no stream's life, and most reads need no write."""
    with open_store(tmp_path / "streams.db", clock=clock) as store:
        store.create("s", creation(10)).result()
        seen: set[float] = set()
        for _ in range(100):
            clock.advance(5)
            store.read("s", 0)
            store.create("barrier", creation(10_000)).result()  # earlier commands are committed
            assert clock.now + 10 <= stored_deadline(store) <= clock.now + 10 + SLACK
            seen.add(stored_deadline(store))
        assert len(seen) < 20


def test_expired_streams_are_swept_server_14(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "streams.db"
    with open_store(path, clock=clock) as store:
        for number in range(3):
            store.create(f"old/{number}", creation(10)).result()
            store.append(
                f"old/{number}", Append(content=b"x" * 1000, content_type="text/plain")
            ).result()
        store.create("kept", creation(10_000)).result()
        clock.advance(10 + 2 * SLACK)
        store.create("new", creation(10)).result()  # any write may sweep
        store.create("barrier", creation(10)).result()
        assert stored(store) == {"kept", "new", "barrier"}
    clock.advance(10)
    with open_store(path, clock=clock) as store:
        assert stored(store) == {"kept"}


def stored(store: Store) -> set[str]:
    rows = store.write(lambda tx: tx.db.execute("SELECT path FROM streams").fetchall()).result()
    return {path for (path,) in rows}
