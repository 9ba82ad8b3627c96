"""GET without `live`: pages, offsets, caching (sections 3, 12 and 16)."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from streamdb_server import Options, serving

Create = Callable[..., str]

TEXT = {"Content-Type": "text/plain"}
JSON = {"Content-Type": "application/json"}
CLOSE = {"Stream-Closed": "true"}

PAGE = 10


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server with tiny pages."""
    path = tmp_path_factory.mktemp("paged") / "streams.db"
    with (
        serving(path, options=Options(page_bytes=PAGE)) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        yield client


def read_all(client: httpx.Client, path: str) -> list[httpx.Response]:
    answers = [client.get(path, params={"offset": "-1"})]
    while "Stream-Up-To-Date" not in answers[-1].headers:
        offset = answers[-1].headers["Stream-Next-Offset"]
        answers.append(client.get(path, params={"offset": offset}))
    return answers


def test_no_offset_equals_the_beginning_off_7_read_1_2(
    client: httpx.Client, create: Create
) -> None:
    path = create(content=b"abc")
    for params in ({}, {"offset": "-1"}, {"unknown": "1"}):  # QUERY-1
        answer = client.get(path, params=params)
        assert (answer.status_code, answer.content) == (200, b"abc")
        assert answer.headers["Content-Type"] == "text/plain"
        assert answer.headers["Stream-Up-To-Date"] == "true"


def test_reading_on_from_every_offset_off_10_11_read_4(
    client: httpx.Client, create: Create
) -> None:
    path = create(content=b"a")
    offsets = [client.head(path).headers["Stream-Next-Offset"]]
    for text in (b"bc", b"def"):
        answer = client.post(path, headers=TEXT, content=text)
        offsets.append(answer.headers["Stream-Next-Offset"])
    rests = [client.get(path, params={"offset": offset}).content for offset in offsets]
    assert rests == [b"bcdef", b"def", b""]


def test_the_tail_has_nothing_read_3(client: httpx.Client, create: Create) -> None:
    path = create(content=b"abc")
    tail = client.head(path).headers["Stream-Next-Offset"]
    answer = client.get(path, params={"offset": tail})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Stream-Next-Offset"] == tail
    assert answer.headers["Stream-Up-To-Date"] == "true"
    assert answer.headers["Cache-Control"] == "no-store"  # CACHE-3


def test_an_offset_beyond_the_tail_off_13(client: httpx.Client, create: Create) -> None:
    path = create(content=b"abc")
    beyond = client.post(path, headers=TEXT, content=b"d" * 100).headers["Stream-Next-Offset"]
    client.delete(path)
    create(content=b"abc")
    tail = client.head(path).headers["Stream-Next-Offset"]
    for live in ({}, {"live": "long-poll"}):
        answer = client.get(path, params={"offset": beyond} | live)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Stream-Next-Offset"] == tail
        assert answer.headers["Stream-Up-To-Date"] == "true"


@pytest.mark.parametrize(
    "query",
    [
        "offset=",
        "offset=0",
        "offset=nonsense",
        "offset=-2",
        "offset=NOW",
        "offset=0_0",
        "offset=" + "0" * 16 + "_" + "0" * 15 + "%0A",
        "offset=" + "0" * 16 + "_" + "0" * 16 + "%0A",
        "offset=" + "%D9%A0" * 16 + "_" + "%D9%A0" * 16,
        "offset=-1&offset=-1",
        "live=long-poll",  # POLL-1
        "live=sse",  # SSE-1
        "live=other&offset=-1",  # QUERY-3
        "live=&offset=-1",
    ],
)
def test_malformed_parameters_off_12_read_10(
    client: httpx.Client, create: Create, path: str, query: str
) -> None:
    assert client.get(f"{path}?{query}").status_code == 404  # 18.4: existence comes first
    create()
    assert client.get(f"{path}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("content_type", "empty"), [("text/plain", b""), ("application/json", b"[]")]
)
@pytest.mark.parametrize("closed", [False, True])
def test_now_is_the_tail_now_1_4(
    client: httpx.Client, create: Create, content_type: str, empty: bytes, closed: bool
) -> None:
    path = create(content_type, b"1")
    if closed:
        client.post(path, headers=CLOSE)
    answer = client.get(path, params={"offset": "now"})
    assert (answer.status_code, answer.content) == (200, empty)
    assert answer.headers["Stream-Next-Offset"] == client.head(path).headers["Stream-Next-Offset"]
    assert answer.headers["Stream-Up-To-Date"] == "true"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get("Stream-Closed") == ("true" if closed else None)
    assert "ETag" not in answer.headers


@pytest.mark.parametrize("live", [{}, {"live": "long-poll"}, {"live": "sse"}])
@pytest.mark.parametrize("offset", ["now", "-1"])
def test_a_missing_stream_now_5_read_10_poll_9_sse_1(
    client: httpx.Client, path: str, live: dict[str, str], offset: str
) -> None:
    assert client.get(path, params={"offset": offset} | live).status_code == 404


def test_pages_join_to_the_whole_off_11_read_5(paged: httpx.Client, path: str) -> None:
    paged.put(path, headers=TEXT)
    parts = [b"abcd", b"efgh", b"ij", b"k", b"0123456789ABCDEF", b"z"]
    for part in parts:
        paged.post(path, headers=TEXT, content=part)
    answers = read_all(paged, path)
    assert [answer.content for answer in answers] == [
        b"abcdefghij",  # as much as fits
        b"k",
        b"0123456789ABCDEF",  # one append is never cut
        b"z",
    ]
    assert ["Stream-Up-To-Date" in answer.headers for answer in answers] == [False] * 3 + [True]


def test_messages_of_one_post_stay_together_json_8(paged: httpx.Client, path: str) -> None:
    paged.put(path, headers=JSON)
    batches = [[1, 2, 3], ["a long message of its own", 4], [5], [6]]
    for batch in batches:
        paged.post(path, headers=JSON, json=batch)
    assert [answer.json() for answer in read_all(paged, path)] == [
        [1, 2, 3],
        ["a long message of its own", 4],
        [5, 6],
    ]


def test_only_the_last_page_is_closed_read_6(paged: httpx.Client, path: str) -> None:
    paged.put(path, headers=TEXT, content=b"0123456789")
    paged.post(path, headers=TEXT | CLOSE, content=b"abc")
    assert [answer.headers.get("Stream-Closed") for answer in read_all(paged, path)] == [
        None,
        "true",
    ]


def test_closing_shows_at_the_tail_read_7(client: httpx.Client, create: Create) -> None:
    path = create(content=b"abc")
    offset = client.get(path).headers["Stream-Next-Offset"]
    client.post(path, headers=CLOSE)
    answer = client.get(path, params={"offset": offset})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Stream-Closed"] == answer.headers["Stream-Up-To-Date"] == "true"


def test_etag_follows_data_and_closure_etag_1_2_3_4(client: httpx.Client, create: Create) -> None:
    path = create(content=b"abc")

    def read(etag: str | None = None) -> httpx.Response:
        return client.get(path, headers={} if etag is None else {"If-None-Match": etag})

    first = read()
    etag = first.headers["ETag"]
    same = read(etag)
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["ETag"] == etag
    assert same.headers["Stream-Next-Offset"] == first.headers["Stream-Next-Offset"]

    client.post(path, headers=TEXT, content=b"d")
    appended = read(etag)
    assert (appended.status_code, appended.content) == (200, b"abcd")

    client.post(path, headers=CLOSE)
    closed = read(appended.headers["ETag"])
    assert (closed.status_code, closed.headers["Stream-Closed"]) == (200, "true")
    assert read(closed.headers["ETag"]).status_code == 304


@pytest.mark.parametrize(
    ("pattern", "status"),
    [("{0}", 304), ("W/{0}", 304), ('"x", {0}', 304), ("*", 304), ('"x"', 200), ("", 200)],
)
def test_forms_of_if_none_match_etag_5(
    client: httpx.Client, create: Create, pattern: str, status: int
) -> None:
    path = create(content=b"abc")
    condition = pattern.format(client.get(path).headers["ETag"])
    assert client.get(path, headers={"If-None-Match": condition}).status_code == status


def test_a_re_created_stream_has_other_etags_etag_6(client: httpx.Client, create: Create) -> None:
    path = create(content=b"abc")
    etag = client.get(path).headers["ETag"]
    client.delete(path)
    create(content=b"xyz")
    assert client.get(path, headers={"If-None-Match": etag}).content == b"xyz"


def test_answers_with_data_may_be_cached_cache_1_3(client: httpx.Client, create: Create) -> None:
    answer = client.get(create(content=b"abc"))
    assert answer.headers["Cache-Control"] == "public, max-age=60, stale-while-revalidate=300"
