"""JSON mode over HTTP (section 4); `test_messages` tests the splitting itself."""

from collections.abc import Callable

import httpx
import pytest

Create = Callable[..., str]

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b'{"n":1}', b'[{"n":1}]'),
        (b'[{"n":1},{"n":2}]', b'[{"n":1},{"n":2}]'),
        (b"[[1],[2]]", b"[[1],[2]]"),
        (b"[[[1,2]]]", b"[[[1,2]]]"),
        (b'"x"', b'["x"]'),
        (b"null", b"[null]"),
        (b' {"n" : 9007199254740993, "m": 1.0} ', b'[{"n" : 9007199254740993, "m": 1.0}]'),
        (b'"\\ud800"', b'["\\ud800"]'),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_one_level_is_removed_and_text_is_kept_json_1_3_5_6_10(
    client: httpx.Client, path: str, method: str, body: bytes, read: bytes
) -> None:
    if method == "POST":
        client.put(path, headers=JSON)
    answer = client.request(method, path, headers=JSON, content=body)
    assert answer.status_code in (201, 204)
    got = client.get(path)
    assert got.content == read
    assert got.headers["Content-Type"] == "application/json"


def test_an_empty_array_appends_nothing_but_creates_json_4(client: httpx.Client, path: str) -> None:
    assert client.put(path, headers=JSON, content=b"[]").status_code == 201
    assert client.post(path, headers=JSON, content=b" [ ] ").status_code == 400
    assert client.get(path).content == b"[]"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1,]",
        b"NaN",
        b"[Infinity]",
        b'"\xff"',
        b"\xff\xfe1\x00",
        b"\xef\xbb\xbf1",
        b"[" * 100_000 + b"]" * 100_000,
        b'[{"a":' * 50_000,
        b"1 2",
        b" ",
        b'{"a":01}',
    ],
)
def test_invalid_json_stores_nothing_json_2(
    client: httpx.Client, create: Create, body: bytes
) -> None:
    path = create("application/json")
    before = client.head(path).headers["Stream-Next-Offset"]
    assert client.post(path, headers=JSON, content=body).status_code == 400
    assert client.head(path).headers["Stream-Next-Offset"] == before


def test_large_bodies_are_checked_too_json_2(client: httpx.Client, create: Create) -> None:
    path = create("application/json")
    large = b'["' + b"x" * 1_000_000 + b'"'
    assert client.post(path, headers=JSON, content=large).status_code == 400
    assert client.post(path, headers=JSON, content=large + b"]").status_code == 204
    assert client.get(path).content == large + b"]"


@pytest.mark.parametrize("content_type", ["application/ndjson", "application/vnd.api+json"])
def test_related_types_are_bytes_json(
    client: httpx.Client, create: Create, content_type: str
) -> None:
    path = create(content_type)
    headers = {"Content-Type": content_type}
    assert client.post(path, headers=headers, content=b"[1,").status_code == 204
    assert client.post(path, headers=headers, content=b"2]").status_code == 204
    assert client.get(path).content == b"[1,2]"


def test_nothing_to_read_is_an_empty_array_json_6_read_3(
    client: httpx.Client, create: Create
) -> None:
    path = create("application/json", b"[1]")
    tail = client.head(path).headers["Stream-Next-Offset"]
    assert client.get(path, params={"offset": tail}).content == b"[]"
