"""POST without a producer: appending and closing (sections 7, 9 and 18.1)."""

from collections.abc import Callable

import httpx
import pytest

Create = Callable[..., str]

TEXT = {"Content-Type": "text/plain"}
CLOSE = {"Stream-Closed": "true"}


def tail(client: httpx.Client, path: str) -> str:
    return client.head(path).headers["Stream-Next-Offset"]


def test_append_moves_the_tail_and_is_visible_append_1_2_3_5(
    client: httpx.Client, create: Create
) -> None:
    path = create()
    before = tail(client, path)
    answer = client.post(path, headers=TEXT, content=b"abc")
    assert answer.status_code == 204
    assert answer.headers["Stream-Next-Offset"] == tail(client, path) > before
    assert "Stream-Closed" not in answer.headers
    assert client.get(path).content == b"abc"


def test_offsets_grow_with_every_append_off_2_3_5_9(client: httpx.Client, create: Create) -> None:
    path = create()
    offsets = [tail(client, path)] + [
        client.post(path, headers=TEXT, content=b"x" * 10**n).headers["Stream-Next-Offset"]
        for n in range(6)
    ]
    assert offsets == sorted(set(offsets))
    assert not any(set(offset) & set(",&=?/") or len(offset) > 255 for offset in offsets)
    assert not {"-1", "now"} & set(offsets)


def test_one_chunked_request_is_one_append_append_6(client: httpx.Client, create: Create) -> None:
    path = create("application/json")
    parts = iter([b'[{"a', b'":1},', b"2]"])
    headers = {"Content-Type": "application/json"}
    assert client.post(path, headers=headers, content=parts).status_code == 204
    assert client.get(path).json() == [{"a": 1}, 2]


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        (TEXT, b"", 400),  # APPEND-7
        (TEXT | {"Stream-Closed": "false"}, b"", 400),  # HDR-2
        ({}, b"abc", 400),  # APPEND-8, CT-5
        (CLOSE, b"abc", 400),
        ({"Content-Type": "text/html"}, b"abc", 409),  # APPEND-9, CT-3
        ({"Content-Type": "TEXT/plain;charset=utf-8"}, b"abc", 204),  # CT-4
        (CLOSE, b"", 204),  # CLOSE-1
        ({"Content-Type": "text/html"} | CLOSE, b"", 204),  # CLOSE-3
        (TEXT | {"Stream-Closed": "True"}, b"abc", 204),  # APPEND-15
    ],
)
def test_what_a_post_needs(
    client: httpx.Client, create: Create, headers: dict[str, str], content: bytes, status: int
) -> None:
    path = create()
    before = tail(client, path)
    answer = client.post(path, headers=headers, content=content)
    assert answer.status_code == status
    if status >= 400:
        assert tail(client, path) == before
        assert "Stream-Closed" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        (TEXT, b"abc", 404),
        (CLOSE, b"", 404),
        # 18.1: what is wrong with the request itself comes first
        (TEXT, b"", 400),
        ({}, b"abc", 400),
        (TEXT | {"Producer-Id": "p"}, b"abc", 400),
    ],
)
def test_missing_stream_append_10_close_4(
    client: httpx.Client, path: str, headers: dict[str, str], content: bytes, status: int
) -> None:
    assert client.post(path, headers=headers, content=content).status_code == status


def test_close_close_1_2_model_7(client: httpx.Client, create: Create) -> None:
    path = create(content=b"abc")
    before = tail(client, path)
    for _ in range(2):
        answer = client.post(path, headers=CLOSE)
        assert answer.status_code == 204
        assert answer.headers["Stream-Closed"] == "true"
        assert answer.headers["Stream-Next-Offset"] == before


def test_append_and_close_in_one_step_append_4_15_16(client: httpx.Client, create: Create) -> None:
    path = create(content=b"abc")
    answer = client.post(path, headers=TEXT | CLOSE, content=b"def")
    assert (answer.status_code, answer.headers["Stream-Closed"]) == (204, "true")
    read = client.get(path)
    assert (read.content, read.headers["Stream-Closed"]) == (b"abcdef", "true")
    again = client.post(path, headers=TEXT | CLOSE, content=b"def")
    assert (again.status_code, again.headers["Stream-Closed"]) == (409, "true")


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        (TEXT, b"x"),
        (TEXT | CLOSE, b"x"),
        ({"Content-Type": "text/html"}, b"x"),  # APPEND-12: closed comes before the type
        (TEXT | {"Stream-Seq": "0"}, b"x"),  # and before the sequence
        ({"Content-Type": "application/json"}, b"{"),
    ],
)
def test_closed_is_the_first_conflict_append_11_12(
    client: httpx.Client, create: Create, headers: dict[str, str], content: bytes
) -> None:
    path = create(content=b"abc")
    client.post(path, headers=TEXT | {"Stream-Seq": "5"}, content=b"d")
    client.post(path, headers=CLOSE)
    answer = client.post(path, headers=headers, content=content)
    assert answer.status_code == 409
    assert answer.headers["Stream-Closed"] == "true"
    assert answer.headers["Stream-Next-Offset"] == tail(client, path)


def test_nothing_reopens_a_stream_close_6(client: httpx.Client, create: Create) -> None:
    path = create(Stream_Closed="true")
    assert client.put(path, headers=TEXT).status_code == 409
    assert client.head(path).headers["Stream-Closed"] == "true"


@pytest.mark.parametrize(
    ("sequence", "statuses"),
    [
        (["1", "2"], [204, 204]),
        (["2", "10"], [204, 409]),  # text, not numbers
        (["09", "10"], [204, 204]),
        (["a", "a"], [204, 409]),
        (["B", "a"], [204, 204]),  # case counts
        (["a", "B"], [204, 409]),
        (["5", None, "5", "6"], [204, 204, 409, 204]),  # SEQ-5
    ],
)
def test_stream_seq_seq_1_2_5(
    client: httpx.Client, create: Create, sequence: list[str | None], statuses: list[int]
) -> None:
    path = create()
    answers = [
        client.post(
            path, headers=TEXT | ({} if value is None else {"Stream-Seq": value}), content=b"x"
        )
        for value in sequence
    ]
    assert [answer.status_code for answer in answers] == statuses
    assert not any("Stream-Closed" in answer.headers for answer in answers)  # 18.2


def test_a_refused_append_leaves_the_sequence_alone_seq_4(
    client: httpx.Client, create: Create
) -> None:
    path = create("application/json")
    json = {"Content-Type": "application/json"}
    assert client.post(path, headers=json | {"Stream-Seq": "5"}, content=b"{").status_code == 400
    assert client.post(path, headers=json | {"Stream-Seq": "1"}, content=b"1").status_code == 204


def test_precedence_type_then_sequence_then_json_18_1(client: httpx.Client, create: Create) -> None:
    path = create("application/json")
    json = {"Content-Type": "application/json", "Stream-Seq": "1"}
    client.post(path, headers=json, content=b"1")
    assert client.post(path, headers=json, content=b"{").status_code == 409
    assert client.post(path, headers=TEXT, content=b"{").status_code == 409
    assert client.post(path, headers=json | {"Stream-Seq": "2"}, content=b"{").status_code == 400
