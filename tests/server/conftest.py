"""One real server for all tests, on a socket; streams have names of their own."""

import itertools
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest

from streamdb_server import Options, Serving, serving

LONG_POLL_TIMEOUT = 0.3


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    path = tmp_path_factory.mktemp("server") / "streams.db"
    with serving(path, options=Options(long_poll_timeout=LONG_POLL_TIMEOUT)) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Serving) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


_NUMBERS = itertools.count()


@pytest.fixture
def path() -> str:
    """The path of a stream that does not exist yet."""
    return f"test/{next(_NUMBERS)}"


@pytest.fixture
def create(client: httpx.Client, path: str) -> Callable[..., str]:
    """Create the stream at `path`; headers are given as keywords, `_` for `-`."""

    def create_stream(
        content_type: str = "text/plain", content: bytes = b"", **headers: str
    ) -> str:
        answer = client.put(
            path,
            content=content,
            headers={"Content-Type": content_type}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )
        assert answer.status_code == 201, answer.text
        return path

    return create_stream


@pytest.fixture
def in_background() -> Iterator[Callable[[Callable[[], object]], threading.Thread]]:
    """Run a function in a thread that is joined at the end of the test."""
    threads: list[threading.Thread] = []

    def start(function: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=function)
        threads.append(thread)
        thread.start()
        return thread

    yield start
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, httpx.Client]]:
    """A server whose live reads never time out: they end by what the test does."""
    path = tmp_path_factory.mktemp("patient") / "streams.db"
    options = Options(long_poll_timeout=3600, sse_lifetime=3600)
    with (
        serving(path, options=options) as running,
        httpx.Client(base_url=running.url, timeout=20) as client,
    ):
        yield running, client
