"""PUT (section 5)."""

from collections.abc import Callable

import httpx
import pytest

Create = Callable[..., str]

TEXT = {"Content-Type": "text/plain"}


def test_put_creates_and_tells_where_create_1_8_9(client: httpx.Client, path: str) -> None:
    answer = client.put(path, headers=TEXT, content=b"abc")
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{client.base_url}{path}"
    assert answer.headers["Content-Type"] == "text/plain"
    assert "Stream-Closed" not in answer.headers
    tail = answer.headers["Stream-Next-Offset"]
    assert client.head(path).headers["Stream-Next-Offset"] == tail
    assert client.get(path, params={"offset": "-1"}).content == b"abc"


def test_location_is_a_url_that_works_create_8(client: httpx.Client, path: str) -> None:
    answer = client.put(f"{path}/ä b%25", headers=TEXT, content=b"abc")
    assert client.get(answer.headers["Location"]).content == b"abc"


def test_the_same_again_is_confirmed_without_effect_create_2_6(
    client: httpx.Client, path: str
) -> None:
    first = client.put(path, headers=TEXT, content=b"abc")
    again = client.put(path, headers=TEXT, content=b"other")
    assert again.status_code == 200
    assert again.headers["Stream-Next-Offset"] == first.headers["Stream-Next-Offset"]
    assert again.headers["Content-Type"] == "text/plain"
    assert client.get(path).content == b"abc"


EXPIRY = "2099-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (TEXT, {"Content-Type": "Text/Plain; charset=utf-8"}, 200),  # CT-4
        (TEXT, {"Content-Type": "application/json"}, 409),
        (TEXT | {"Stream-TTL": "60"}, TEXT | {"Stream-TTL": "60"}, 200),
        (TEXT | {"Stream-TTL": "60"}, TEXT | {"Stream-TTL": "61"}, 409),
        (TEXT | {"Stream-TTL": "60"}, TEXT, 409),
        (TEXT, TEXT | {"Stream-TTL": "60"}, 409),
        (TEXT | {"Stream-Expires-At": EXPIRY}, TEXT | {"Stream-Expires-At": EXPIRY}, 200),
        (  # CREATE-18: instants are compared, not their spelling
            TEXT | {"Stream-Expires-At": EXPIRY},
            TEXT | {"Stream-Expires-At": "2099-01-01T01:00:00.000+01:00"},
            200,
        ),
        (
            TEXT | {"Stream-Expires-At": EXPIRY},
            TEXT | {"Stream-Expires-At": "2099-01-01T00:00:01Z"},
            409,
        ),
        (TEXT | {"Stream-Expires-At": EXPIRY}, TEXT, 409),
        (TEXT | {"Stream-Expires-At": EXPIRY}, TEXT | {"Stream-TTL": "60"}, 409),
        # CREATE-5
        (TEXT, TEXT | {"Stream-Closed": "true"}, 409),
        (TEXT | {"Stream-Closed": "true"}, TEXT, 409),
        (TEXT | {"Stream-Closed": "true"}, TEXT | {"Stream-Closed": "TRUE"}, 200),
    ],
)
def test_configuration_is_compared_create_3_4_5(
    client: httpx.Client, path: str, first: dict[str, str], second: dict[str, str], status: int
) -> None:
    assert client.put(path, headers=first).status_code == 201
    assert client.put(path, headers=second).status_code == status


@pytest.mark.parametrize("content", [b"", b"all of it"])
def test_created_closed_with_complete_content_create_7_9(
    client: httpx.Client, path: str, content: bytes
) -> None:
    answer = client.put(path, headers=TEXT | {"Stream-Closed": "true"}, content=content)
    assert answer.status_code == 201
    assert answer.headers["Stream-Closed"] == "true"
    read = client.get(path)
    assert (read.content, read.headers["Stream-Closed"]) == (content, "true")
    assert client.post(path, headers=TEXT, content=b"more").status_code == 409


@pytest.mark.parametrize("value", ["false", "yes", "1", ""])
def test_other_values_of_stream_closed_are_absent_hdr_2(
    client: httpx.Client, path: str, value: str
) -> None:
    answer = client.put(path, headers=TEXT | {"Stream-Closed": value})
    assert answer.status_code == 201
    assert "Stream-Closed" not in answer.headers


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (None, "application/octet-stream"),
        ("", "application/octet-stream"),
        ("text", "application/octet-stream"),
        ("/plain", "application/octet-stream"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("application/vnd.x+json", "application/vnd.x+json"),
    ],
)
def test_content_type_of_the_stream_ct_1_2(
    client: httpx.Client, path: str, given: str | None, stored: str
) -> None:
    headers = {} if given is None else {"Content-Type": given}
    assert client.put(path, headers=headers).headers["Content-Type"] == stored


@pytest.mark.parametrize(
    "value", ["+5", "05", "5.0", "5e1", "-5", "abc", "1_0", "", "٣", "9" * 17, "9" * 5000]
)
def test_bad_ttl_create_10(client: httpx.Client, path: str, value: str) -> None:
    headers = {"Stream-TTL": value.encode()}
    assert client.put(path, headers=headers).status_code == 400
    assert client.head(path).status_code == 404


@pytest.mark.parametrize(
    "value",
    [
        "tomorrow",
        "",
        "2099-01-01",
        "2099-01-01T00:00:00",
        "2099-13-01T00:00:00Z",
        "2099-01-01T00:00:00+0100",
        "2099-01-01T00:00:00+99:00",
        "4070908800",
    ],
)
def test_bad_expiry_create_11(client: httpx.Client, path: str, value: str) -> None:
    assert client.put(path, headers={"Stream-Expires-At": value}).status_code == 400


@pytest.mark.parametrize("value", [EXPIRY, "2099-01-01T00:00:00.25+05:30", "2099-01-01t00:00:00z"])
def test_expiry_is_shown_as_given_create_11_18_head_2(
    client: httpx.Client, path: str, value: str
) -> None:
    assert client.put(path, headers={"Stream-Expires-At": value}).status_code == 201
    assert client.head(path).headers["Stream-Expires-At"] == value


def test_ttl_and_expiry_together_create_12(client: httpx.Client, path: str) -> None:
    both = {"Stream-TTL": "60", "Stream-Expires-At": EXPIRY}
    assert client.put(path, headers=both).status_code == 400


def test_invalid_initial_json_creates_nothing_create_16(client: httpx.Client, path: str) -> None:
    answer = client.put(path, headers={"Content-Type": "application/json"}, content=b"{")
    assert answer.status_code == 400
    assert client.head(path).status_code == 404


def test_precedence_existing_before_invalid_json_18_3(client: httpx.Client, create: Create) -> None:
    path = create("application/json")
    again = client.put(path, headers={"Content-Type": "application/json"}, content=b"{")
    assert again.status_code == 200


def test_parameters_that_no_header_can_carry_are_refused(client: httpx.Client, path: str) -> None:
    for bad in (b"text/plain; x=\xe9", b"text/plain; x=\x7f"):
        answer = client.put(path, headers={b"Content-Type": bad})
        assert answer.status_code == 400
        assert "Content-Type" in answer.text
    assert client.head(path).status_code == 404


def test_a_media_type_that_is_none_becomes_octets_ct_2(client: httpx.Client, path: str) -> None:
    answer = client.put(path, headers={b"Content-Type": b"text/pl\xe4in"})
    assert answer.headers["Content-Type"] == "application/octet-stream"
