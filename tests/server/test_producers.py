"""Idempotent producers over HTTP (section 8)."""

from collections.abc import Callable

import httpx
import pytest

Create = Callable[..., str]


def tuple_headers(epoch: int | str, seq: int | str, producer: str = "p") -> dict[str, str]:
    return {
        "Producer-Id": producer,
        "Producer-Epoch": str(epoch),
        "Producer-Seq": str(seq),
    }


def post(
    client: httpx.Client,
    path: str,
    epoch: int | str,
    seq: int | str,
    *,
    content: bytes = b"x",
    content_type: str = "text/plain",
    producer: str = "p",
    **headers: str,
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(
        path,
        content=content,
        headers={"Content-Type": content_type} | tuple_headers(epoch, seq, producer) | named,
    )


@pytest.mark.parametrize(
    "headers",
    [
        *({name: "0"} for name in ("Producer-Id", "Producer-Epoch", "Producer-Seq")),  # PROD-1
        {"Producer-Id": "p", "Producer-Epoch": "0"},
        tuple_headers(0, 0, ""),  # PROD-2
        *(tuple_headers(bad, 0) for bad in ("1abc", "1e3", "-1", "+1", "1.5", "", "1_0")),  # PROD-3
        *(tuple_headers(0, bad) for bad in ("1abc", "1e3", "-1", "+1", "1.5", "", str(2**53))),
        tuple_headers("9" * 5000, 0),
    ],
)
def test_malformed_producer_headers_prod_1_2_3(
    client: httpx.Client, create: Create, headers: dict[str, str]
) -> None:
    path = create()
    answer = client.post(path, headers={"Content-Type": "text/plain"} | headers, content=b"x")
    assert answer.status_code == 400
    assert client.get(path).content == b""


def test_the_largest_integers_count_prod_3(client: httpx.Client, create: Create) -> None:
    assert post(client, create(), 2**53 - 1, 0).status_code == 200


# The decision table: what was sent before, what is sent now, the answer.
@pytest.mark.parametrize(
    ("before", "sent", "status", "headers"),
    [
        ([], (0, 0), 200, {"Producer-Epoch": "0", "Producer-Seq": "0"}),
        ([], (7, 0), 200, {"Producer-Epoch": "7", "Producer-Seq": "0"}),  # PROD-10
        ([], (0, 2), 409, {"Producer-Expected-Seq": "0", "Producer-Received-Seq": "2"}),  # AMB-3
        ([(5, 0)], (4, 1), 403, {"Producer-Epoch": "5"}),
        ([(5, 0)], (6, 1), 400, {}),
        ([(5, 0)], (6, 0), 200, {"Producer-Epoch": "6", "Producer-Seq": "0"}),
        ([(0, 0)], (0, 0), 204, {"Producer-Epoch": "0", "Producer-Seq": "0"}),
        ([(0, 0), (0, 1), (0, 2)], (0, 0), 204, {"Producer-Seq": "2"}),  # PROD-9
        ([(0, 0)], (0, 1), 200, {"Producer-Epoch": "0", "Producer-Seq": "1"}),
        ([(0, 0)], (0, 3), 409, {"Producer-Expected-Seq": "1", "Producer-Received-Seq": "3"}),
        ([(0, 0), (1, 0)], (0, 1), 403, {"Producer-Epoch": "1"}),
    ],
)
def test_decision_table(
    client: httpx.Client,
    create: Create,
    before: list[tuple[int, int]],
    sent: tuple[int, int],
    status: int,
    headers: dict[str, str],
) -> None:
    path = create()
    for epoch, seq in before:
        assert post(client, path, epoch, seq).status_code == 200
    answer = post(client, path, *sent)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in headers} == headers
    stored = len(before) + (status == 200)
    assert client.get(path).content == b"x" * stored
    if status in (200, 204):  # PROD-12, AMB-2
        tail = client.head(path).headers["Stream-Next-Offset"]
        assert answer.headers["Stream-Next-Offset"] == tail
    if status == 403:
        assert "Producer-Seq" not in answer.headers


def test_producers_and_streams_are_independent_prod_5(client: httpx.Client, create: Create) -> None:
    path = create()
    assert post(client, path, 3, 0, producer="a").status_code == 200
    assert post(client, path, 0, 0, producer="A").status_code == 200
    client.put(f"{path}/other", headers={"Content-Type": "text/plain"})
    assert post(client, f"{path}/other", 0, 0, producer="a").status_code == 200


def test_a_refused_append_leaves_the_state_alone_prod_8(
    client: httpx.Client, create: Create
) -> None:
    path = create("application/json")
    json = {"content_type": "application/json"}
    assert post(client, path, 0, 0, content=b"{", **json).status_code == 400
    assert post(client, path, 0, 0, content=b"[]", **json).status_code == 400
    assert post(client, path, 0, 0, content=b"1", content_type="text/plain").status_code == 409
    assert post(client, path, 0, 0, content=b"1", Stream_Seq="5", **json).status_code == 200
    assert post(client, path, 0, 1, content=b"2", Stream_Seq="5", **json).status_code == 409
    assert post(client, path, 0, 1, content=b"2", Stream_Seq="6", **json).status_code == 200
    assert client.get(path).json() == [1, 2]


def test_the_tuple_alone_tells_a_duplicate_prod_11(client: httpx.Client, create: Create) -> None:
    path = create()
    post(client, path, 0, 0, content=b"first")
    assert post(client, path, 0, 0, content=b"second").status_code == 204
    assert client.get(path).content == b"first"


def test_duplicate_comes_before_stream_seq_seq_6(client: httpx.Client, create: Create) -> None:
    path = create()
    assert post(client, path, 0, 0, Stream_Seq="5").status_code == 200
    assert post(client, path, 0, 0, Stream_Seq="5").status_code == 204


def test_the_usual_checks_apply_prod_13(client: httpx.Client, create: Create, path: str) -> None:
    assert post(client, path, 0, 0).status_code == 404
    create()
    assert post(client, path, 0, 0, content=b"").status_code == 400
    assert post(client, path, 0, 0, content_type="text/html").status_code == 409


def test_append_and_close_is_recognised_again_prod_17_19_20(
    client: httpx.Client, create: Create
) -> None:
    path = create()
    first = post(client, path, 0, 0, content=b"end", Stream_Closed="true")
    assert (first.status_code, first.headers["Stream-Closed"]) == (200, "true")
    again = post(client, path, 0, 0, content=b"other", Stream_Closed="true")
    assert (again.status_code, again.headers["Stream-Closed"]) == (204, "true")
    assert (again.headers["Producer-Epoch"], again.headers["Producer-Seq"]) == ("0", "0")
    assert client.get(path).content == b"end"


def test_close_alone_uses_a_sequence_number_prod_18_20(
    client: httpx.Client, create: Create
) -> None:
    path = create()
    post(client, path, 0, 0)
    assert post(client, path, 0, 2, content=b"", Stream_Closed="true").status_code == 409
    for _ in range(2):
        answer = post(client, path, 0, 1, content=b"", Stream_Closed="true")
        assert (answer.status_code, answer.headers["Stream-Closed"]) == (204, "true")
        assert (answer.headers["Producer-Epoch"], answer.headers["Producer-Seq"]) == ("0", "1")
        tail = client.head(path).headers["Stream-Next-Offset"]
        assert answer.headers["Stream-Next-Offset"] == tail


@pytest.mark.parametrize(
    ("epoch", "seq", "producer"),
    [(5, 0, "p"), (5, 2, "p"), (4, 1, "p"), (6, 0, "p"), (5, 1, "q")],
)
def test_any_other_tuple_meets_a_closed_stream_prod_21_amb_4(
    client: httpx.Client, create: Create, epoch: int, seq: int, producer: str
) -> None:
    path = create()
    post(client, path, 5, 0)
    post(client, path, 5, 1, content=b"", Stream_Closed="true")
    answer = post(client, path, epoch, seq, producer=producer)
    assert (answer.status_code, answer.headers["Stream-Closed"]) == (409, "true")
    assert answer.headers["Stream-Next-Offset"] == client.head(path).headers["Stream-Next-Offset"]
    assert "Producer-Expected-Seq" not in answer.headers  # section 23, trap 19


@pytest.mark.parametrize("content", [b"x", b""])
def test_a_duplicate_close_closes_nothing_prod_22(
    client: httpx.Client, create: Create, content: bytes
) -> None:
    path = create()
    post(client, path, 0, 0)
    answer = post(client, path, 0, 0, content=content, Stream_Closed="true")
    assert answer.status_code == 204
    assert "Stream-Closed" not in answer.headers
    assert "Stream-Closed" not in client.head(path).headers


def test_a_restarted_producer_raises_its_epoch_prod_15_16(
    client: httpx.Client, create: Create
) -> None:
    path = create()
    post(client, path, 0, 0)
    post(client, path, 0, 1)
    assert post(client, path, 1, 0).status_code == 200
    assert post(client, path, 0, 2).headers["Producer-Epoch"] == "1"
