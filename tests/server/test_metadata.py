"""HEAD and DELETE (sections 10 and 11)."""

from collections.abc import Callable

import httpx
import pytest

Create = Callable[..., str]

JSON = {"Content-Type": "application/json"}


def test_head_describes_the_stream_head_1_2_3_5(client: httpx.Client, create: Create) -> None:
    path = create("text/html", b"abc", Stream_TTL="3600")
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.headers["Stream-Next-Offset"] == client.get(path).headers["Stream-Next-Offset"]
    assert answer.headers["Stream-TTL"] == "3600"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Stream-Closed" not in answer.headers
    client.post(path, headers={"Stream-Closed": "true"})
    assert client.head(path).headers["Stream-Closed"] == "true"


def test_head_of_a_missing_stream_head_4(client: httpx.Client, path: str) -> None:
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize("closed", [False, True])
def test_delete_del_1_2_6(client: httpx.Client, create: Create, closed: bool) -> None:
    path = create(content=b"abc")
    if closed:
        client.post(path, headers={"Stream-Closed": "true"})
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404
    assert client.head(path).status_code == client.get(path).status_code == 404
    assert client.post(path, headers=JSON, content=b"1").status_code == 404


def test_nothing_of_the_old_stream_shows_del_7(client: httpx.Client, create: Create) -> None:
    path = create("application/json", b"[1,2]")
    producer = JSON | {"Producer-Id": "p", "Producer-Epoch": "3", "Producer-Seq": "0"}
    client.post(path, headers=producer | {"Stream-Seq": "9"}, content=b"3")
    client.post(path, headers={"Stream-Closed": "true"})
    client.delete(path)
    create("application/json")
    assert client.get(path).content == b"[]"
    assert "Stream-Closed" not in client.head(path).headers
    again = producer | {"Producer-Epoch": "0", "Stream-Seq": "1"}
    assert client.post(path, headers=again, content=b"4").status_code == 200
    assert client.get(path).content == b"[4]"
