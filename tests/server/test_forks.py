"""Forks (section 6): what they share, what is their own, and what becomes of a deleted source."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from streamdb_server import Serving, serving

TEXT = {"Content-Type": "text/plain"}
JSON = {"Content-Type": "application/json"}
Put = Callable[..., httpx.Response]


@pytest.fixture
def source(path: str) -> str:
    return f"{path}/source"


@pytest.fixture
def fork(client: httpx.Client, path: str, source: str) -> Put:
    """Ask for a fork at `path`, by default of `source`; headers as keywords, `_` for `-`."""

    def put(target: str = path, content: bytes = b"", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        from_source = {"Stream-Forked-From": f"/v1/stream/{source}"}
        return client.put(target, content=content, headers=from_source | named)

    return put


@pytest.fixture
def offsets(client: httpx.Client, source: str) -> list[str]:
    """A text source of three appends, "one", "two" and "three"; the offset behind each."""
    client.put(source, headers=TEXT)
    return [
        client.post(source, headers=TEXT, content=content).headers["Stream-Next-Offset"]
        for content in (b"one", b"two", b"three")
    ]


@pytest.fixture
def json_offsets(client: httpx.Client, source: str) -> list[str]:
    """A JSON source of two appends, of three messages and of one; the offset behind each."""
    client.put(source, headers=JSON)
    return [
        client.post(source, headers=JSON, content=content).headers["Stream-Next-Offset"]
        for content in (b'[{"n": 1}, [2, "a,b"], "\\ud800"]', b"4")
    ]


def test_a_fork_begins_as_its_source_fork_1_2_15(
    client: httpx.Client, path: str, offsets: list[str], fork: Put
) -> None:
    answer = fork()
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Stream-Next-Offset"] == offsets[2]
    assert client.get(path).content == b"onetwothree"


def test_a_fork_leaves_where_it_is_told_and_goes_on_alone_fork_2_11_15_16(
    client: httpx.Client, path: str, source: str, offsets: list[str], fork: Put
) -> None:
    fork(content=b"-own-", Stream_Fork_Offset=offsets[1])
    client.post(path, headers=TEXT, content=b"more")
    client.post(source, headers=TEXT, content=b"four")
    assert client.get(path).content == b"onetwo-own-more"
    assert client.get(source).content == b"onetwothreefour"
    assert client.get(path, params={"offset": offsets[0]}).content == b"two-own-more"
    assert client.get(path, params={"offset": offsets[1]}).content == b"-own-more"
    first = client.get(path, params={"offset": "-1"}).headers
    assert first["Stream-Next-Offset"] == client.head(path).headers["Stream-Next-Offset"]


def test_a_fork_looks_like_any_stream_hdr_1(
    client: httpx.Client, path: str, offsets: list[str], fork: Put
) -> None:
    answers = [
        fork(Stream_Fork_Offset=offsets[0]),
        client.get(path),
        client.head(path),
        client.post(path, headers=TEXT, content=b"x"),
    ]
    assert not any("fork" in name for answer in answers for name in answer.headers)


@pytest.mark.parametrize("offset", ["", "-1", "now", "0", "made up", "0000000000000000_1"])
def test_a_malformed_fork_offset_fork_4(
    client: httpx.Client, path: str, offsets: list[str], fork: Put, offset: str
) -> None:
    assert fork(Stream_Fork_Offset=offset).status_code == 400
    assert client.head(path).status_code == 404


def test_a_fork_offset_that_the_source_never_gave_fork_3_5(offsets: list[str], fork: Put) -> None:
    beyond = offsets[2][:-1] + str(int(offsets[2][-1]) + 1)
    inside = offsets[0][:-1] + str(int(offsets[0][-1]) - 1)
    for offset, told in ((beyond, "tail"), (inside, "none that the source returned")):
        answer = fork(Stream_Fork_Offset=offset)
        assert answer.status_code == 400
        assert told in answer.text


@pytest.mark.parametrize("name", ["/v1/stream/not/there", "/elsewhere", "not/there", ""])
def test_a_source_that_is_not_there_fork_6(
    client: httpx.Client, path: str, fork: Put, name: str
) -> None:
    assert fork(Stream_Forked_From=name).status_code == 404
    assert client.head(path).status_code == 404


def test_a_source_whose_path_needs_quoting_fork_1(client: httpx.Client, path: str) -> None:
    client.put(f"{path}/ä b%25", headers=TEXT, content=b"shared")
    location = client.put(f"{path}/ä b%25", headers=TEXT).request.url.raw_path.decode()
    client.put(path, headers={"Stream-Forked-From": location})
    assert client.get(path).content == b"shared"


def test_the_same_fork_again_fork_8_amb_9(
    source: str, client: httpx.Client, offsets: list[str], fork: Put
) -> None:
    asked = {"Stream_Fork_Offset": offsets[1], "Stream_Fork_Sub_Offset": "2"}
    assert fork(**asked).status_code == 201
    client.post(source, headers=TEXT, content=b"four")
    assert fork(content=b"ignored", **asked).status_code == 200
    # What is left out is what it was resolved to, whatever the source has become since.
    assert fork(Stream_Fork_Sub_Offset="2").status_code == 200
    assert fork(Content_Type="Text/Plain; charset=utf-8", **asked).status_code == 200
    client.delete(source)
    assert fork(**asked).status_code == 200


def test_another_fork_at_the_same_path_fork_8_forksub_7(
    client: httpx.Client, path: str, source: str, offsets: list[str], fork: Put
) -> None:
    client.put(source + "-other", headers=TEXT, content=b"onetwo")
    asked = {"Stream_Fork_Offset": offsets[1], "Stream_Fork_Sub_Offset": "2"}
    assert fork(**asked).status_code == 201
    for other in (
        {"Stream_Fork_Offset": offsets[0]},
        {"Stream_Fork_Sub_Offset": "1"},
        {"Stream_Fork_Sub_Offset": "0"},
        {"Stream_Forked_From": f"/v1/stream/{source}-other"},
        {"Stream_Forked_From": "/v1/stream/not/there"},
        {"Content_Type": "application/json"},
        {"Stream_TTL": "60"},
        {"Stream_Closed": "true"},
    ):
        assert fork(**(asked | other)).status_code == 409, other
    assert client.put(path, headers=TEXT).status_code == 409  # CREATE-4
    assert fork(target=source).status_code == 409  # what is no fork
    assert fork(target=source + "-other").status_code == 409


def test_a_sub_offset_of_zero_is_none_forksub_3(offsets: list[str], fork: Put) -> None:
    assert fork(Stream_Fork_Sub_Offset="0").status_code == 201
    assert fork().status_code == 200


def test_the_content_type_is_the_sources_fork_9(
    client: httpx.Client, path: str, json_offsets: list[str], fork: Put
) -> None:
    assert fork(Content_Type="text/plain").status_code == 409
    assert fork(content=b'["own"]').status_code == 201
    assert client.head(path).headers["Content-Type"] == "application/json"
    assert client.get(path).text == r'[{"n": 1},[2, "a,b"],"\ud800",4,"own"]'  # JSON-7


def test_a_closed_source_is_forked_open_and_closing_stays_apart_fork_10_17(
    client: httpx.Client, path: str, source: str, offsets: list[str], fork: Put
) -> None:
    client.post(source, headers={"Stream-Closed": "true"})
    assert "Stream-Closed" not in fork().headers
    assert "Stream-Closed" not in client.get(path).headers
    assert client.post(path, headers=TEXT, content=b"more").status_code == 204
    client.put(source + "-open", headers=TEXT)
    fork(target=path + "-2", Stream_Forked_From=f"/v1/stream/{source}-open", Stream_Closed="true")
    assert client.head(path + "-2").headers["Stream-Closed"] == "true"  # AMB-8
    assert "Stream-Closed" not in client.head(source + "-open").headers


@pytest.mark.parametrize("value", ["-1", "+1", "05", "1.5", "abc", "", "9" * 17])
def test_a_malformed_sub_offset_forksub_1(offsets: list[str], fork: Put, value: str) -> None:
    asked = {"Stream_Fork_Offset": offsets[0], "Stream_Fork_Sub_Offset": value}
    assert fork(**asked).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Stream-Fork-Sub-Offset": "0"},
        {"Stream-Fork-Offset": "0000000000000000_0000000000000000"},
    ],
)
def test_offsets_need_a_source_fork_13(
    client: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    assert client.put(path, headers=TEXT | headers).status_code == 400
    assert client.head(path).status_code == 404


@pytest.mark.parametrize(
    ("sub_offset", "content"), [(0, b"one"), (1, b"onet"), (2, b"onetw"), (3, b"onetwo")]
)
def test_a_sub_offset_counts_bytes_up_to_the_next_append_forksub_2_4_6(
    client: httpx.Client,
    path: str,
    offsets: list[str],
    fork: Put,
    sub_offset: int,
    content: bytes,
) -> None:
    asked = {"Stream_Fork_Offset": offsets[0], "Stream_Fork_Sub_Offset": str(sub_offset)}
    tail = fork(content=b"|own", **asked).headers["Stream-Next-Offset"]
    assert client.get(path).content == content + b"|own"
    read = client.get(path, params={"offset": offsets[0]})
    assert read.content == content[3:] + b"|own"
    assert read.headers["Stream-Next-Offset"] == tail


@pytest.mark.parametrize(
    ("sub_offset", "text"),
    [
        (1, '[{"n": 1},"own"]'),
        (2, '[{"n": 1},[2, "a,b"],"own"]'),
        (3, r'[{"n": 1},[2, "a,b"],"\ud800","own"]'),
    ],
)
def test_a_sub_offset_counts_messages_of_json_forksub_2(
    client: httpx.Client, path: str, json_offsets: list[str], fork: Put, sub_offset: int, text: str
) -> None:
    beginning = "0000000000000000_0000000000000000"
    asked = {"Stream_Fork_Offset": beginning, "Stream_Fork_Sub_Offset": str(sub_offset)}
    assert fork(content=b'"own"', **asked).status_code == 201
    assert client.get(path).text == text


def test_a_sub_offset_beyond_what_is_there_forksub_4_5(
    client: httpx.Client, source: str, offsets: list[str], fork: Put
) -> None:
    for asked in (
        {"Stream_Fork_Offset": offsets[0], "Stream_Fork_Sub_Offset": "4"},
        {"Stream_Fork_Offset": offsets[2], "Stream_Fork_Sub_Offset": "1"},
        {"Stream_Fork_Sub_Offset": "1"},  # at the tail
    ):
        assert fork(**asked).status_code == 400
    client.put(source + "-json", headers=JSON, content=b"[1,2]")
    answer = fork(
        Stream_Forked_From=f"/v1/stream/{source}-json",
        Stream_Fork_Offset="0000000000000000_0000000000000000",
        Stream_Fork_Sub_Offset="3",
    )
    assert answer.status_code == 400


def test_a_refused_fork_leaves_no_reference_fork_12(
    client: httpx.Client, source: str, json_offsets: list[str], fork: Put
) -> None:
    assert fork(Content_Type="text/plain").status_code == 409
    assert fork(Stream_Fork_Sub_Offset="1").status_code == 400
    assert fork(content=b"{no json").status_code == 400
    client.delete(source)
    assert client.head(source).status_code == 404


def test_writers_begin_afresh_fork_18(
    client: httpx.Client, path: str, source: str, fork: Put
) -> None:
    client.put(source, headers=TEXT)
    producer = {"Producer-Id": "p", "Producer-Epoch": "1"}
    sent = TEXT | producer | {"Producer-Seq": "0", "Stream-Seq": "9"}
    client.post(source, headers=sent, content=b"batch")
    # The sub-offset cuts through the producer's batch.
    fork(Stream_Fork_Offset="0000000000000000_0000000000000000", Stream_Fork_Sub_Offset="2")
    behind = TEXT | producer | {"Producer-Seq": "1"}
    assert client.post(path, headers=behind, content=b"x").status_code == 409
    sent |= {"Stream-Seq": "1"}
    assert client.post(path, headers=sent, content=b"-again").status_code == 200
    assert client.get(path).content == b"ba-again"
    sent |= {"Producer-Seq": "1", "Stream-Seq": "91"}
    assert client.post(source, headers=sent, content=b"-source").status_code == 200


def test_forks_of_forks_fork_22_forksub_8(
    client: httpx.Client, path: str, offsets: list[str], fork: Put
) -> None:
    fork(content=b"A", Stream_Fork_Offset=offsets[1], Stream_Fork_Sub_Offset="2")
    first = {"Stream_Forked_From": f"/v1/stream/{path}"}
    own = client.get(path, params={"offset": offsets[1]}).headers["Stream-Next-Offset"]
    fork(target=path + "-tail", content=b"B", **first)
    fork(target=path + "-own", content=b"C", Stream_Fork_Offset=own, **first)
    # Inside what the first fork inherits, and inside what it copied.
    fork(target=path + "-in", content=b"D", Stream_Fork_Offset=offsets[0], **first)
    cut = first | {"Stream_Fork_Offset": offsets[1], "Stream_Fork_Sub_Offset": "1"}
    fork(target=path + "-cut", content=b"E", **cut)
    deep = {"Stream_Forked_From": f"/v1/stream/{path}-in"}
    fork(target=path + "-deep", content=b"F", Stream_Fork_Offset=offsets[0], **deep)
    assert client.get(path).content == b"onetwothA"
    assert client.get(path + "-tail").content == b"onetwothAB"
    assert client.get(path + "-own").content == b"onetwothAC"
    assert client.get(path + "-in").content == b"oneD"
    assert client.get(path + "-cut").content == b"onetwotE"
    assert client.get(path + "-deep").content == b"oneF"


def test_long_polls_of_inherited_data_are_answered_at_once_fork_19(
    patient: tuple[Serving, httpx.Client], path: str
) -> None:
    _, calm = patient
    calm.put(path + "/source", headers=TEXT, content=b"shared")
    calm.put(path, headers={"Stream-Forked-From": f"/v1/stream/{path}/source"})
    answer = calm.get(path, params={"offset": "-1", "live": "long-poll"})
    assert answer.content == b"shared"


@pytest.mark.parametrize("live", ["long-poll", "sse"])
def test_waiting_at_the_tail_of_a_fork_fork_20_21(
    patient: tuple[Serving, httpx.Client],
    path: str,
    live: str,
    in_background: Callable[[Callable[[], object]], threading.Thread],
) -> None:
    serving, calm = patient
    calm.put(path + "/source", headers=TEXT, content=b"shared ")
    made = calm.put(path, headers={"Stream-Forked-From": f"/v1/stream/{path}/source"})
    offset = "-1" if live == "sse" else made.headers["Stream-Next-Offset"]
    found: list[str] = []

    def read() -> None:
        found.append(calm.get(path, params={"offset": offset, "live": live}).text)

    thread = in_background(read)
    while len(serving.store.hub) == 0:
        thread.join(0.01)
    calm.post(path + "/source", headers=TEXT, content=b"not this ")
    thread.join(0.1)
    assert thread.is_alive()
    calm.post(path, headers=TEXT | {"Stream-Closed": "true"}, content=b"own")
    thread.join(20)
    assert "not this" not in found[0]
    data = [line[5:] for line in found[0].splitlines() if line.startswith("data:")]
    assert [text for text in data if not text.startswith("{")] == (
        ["shared ", "own"] if live == "sse" else []
    )
    assert live == "sse" or found[0] == "own"


def test_text_cut_at_the_fork_is_whole_over_sse(
    client: httpx.Client, path: str, source: str, fork: Put
) -> None:
    client.put(source, headers=TEXT, content="é".encode()[:1])
    offset = fork().headers["Stream-Next-Offset"]
    client.post(path, headers=TEXT | {"Stream-Closed": "true"}, content="é".encode()[1:])
    text = client.get(path, params={"offset": offset, "live": "sse"}).text
    assert "data:é\n" in text


def test_etags_of_both_differ(
    client: httpx.Client, path: str, source: str, offsets: list[str], fork: Put
) -> None:
    fork()
    assert client.get(path).headers["ETag"] != client.get(source).headers["ETag"]


def test_a_source_with_forks_is_kept_for_them_alone_fork_7_23_create_14_del_2_3(
    client: httpx.Client, path: str, source: str, offsets: list[str], fork: Put
) -> None:
    fork(Stream_Fork_Offset=offsets[1])
    assert client.delete(source).status_code == 204
    gone = [
        client.get(source),
        client.get(source, params={"offset": "malformed"}),  # 18.4
        client.head(source),
        client.post(source, headers=TEXT, content=b"x"),
        client.post(source, headers={"Stream-Closed": "true"}),
        client.delete(source),
        client.get(source, params={"offset": "-1", "live": "sse"}),
    ]
    assert [answer.status_code for answer in gone] == [410] * len(gone)
    assert client.put(source, headers=TEXT).status_code == 409
    assert fork(target=path + "-2").status_code == 409
    assert fork(target=path + "-2", content=b"own").status_code == 409
    assert client.get(path).content == b"onetwo"
    assert client.post(path, headers=TEXT, content=b"own").status_code == 204
    assert client.get(path).content == b"onetwoown"


@pytest.mark.parametrize("live", ["long-poll", "sse"])
def test_readers_of_a_source_end_when_it_is_deleted_del_5(
    patient: tuple[Serving, httpx.Client],
    path: str,
    live: str,
    in_background: Callable[[Callable[[], object]], threading.Thread],
) -> None:
    serving, calm = patient
    calm.put(path + "/source", headers=TEXT)
    calm.put(path, headers={"Stream-Forked-From": f"/v1/stream/{path}/source"})
    found: list[int] = []

    def read() -> None:
        params = {"offset": "-1", "live": live}
        found.append(calm.get(path + "/source", params=params).status_code)

    thread = in_background(read)
    while len(serving.store.hub) == 0:
        thread.join(0.01)
    calm.delete(path + "/source")
    thread.join(20)
    assert found == [410 if live == "long-poll" else 200]


def test_the_last_fork_takes_its_deleted_sources_along_fork_24_25(
    client: httpx.Client, path: str, source: str, offsets: list[str], fork: Put
) -> None:
    middle, end, other = path, path + "-end", path + "-other"
    fork(content=b"-middle")
    fork(target=end, content=b"-end", Stream_Forked_From=f"/v1/stream/{middle}")
    fork(target=other)
    client.delete(other)  # FORK-25: its source is untouched
    assert client.get(source).content == b"onetwothree"
    assert client.delete(middle).status_code == 204
    assert client.get(end).content == b"onetwothree-middle-end"
    assert client.get(source).content == b"onetwothree"
    client.delete(source)
    assert [client.head(one).status_code for one in (source, middle, end)] == [410, 410, 200]
    client.delete(end)
    assert [client.head(one).status_code for one in (source, middle, end)] == [404, 404, 404]
    assert client.put(source, headers=TEXT).status_code == 201
    assert client.get(source).content == b""


def test_forks_survive_a_restart_server_4(tmp_path: Path) -> None:
    file = tmp_path / "streams.db"
    with serving(file) as first, httpx.Client(base_url=first.url) as client:
        client.put("source", headers=TEXT, content=b"shared")
        client.put("fork", headers={"Stream-Forked-From": "/v1/stream/source"}, content=b" own")
        client.delete("source")
    with serving(file) as second, httpx.Client(base_url=second.url) as client:
        assert client.get("fork").content == b"shared own"
        assert client.get("source").status_code == 410
        client.delete("fork")
        assert client.get("source").status_code == 404
