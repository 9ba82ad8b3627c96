"""Addresses, and what messages may show of them."""

import traceback
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb import AsyncStream, Stream
from streamdb.streams.address import (
    BadAddress,
    EmbeddedAddress,
    HttpAddress,
    parse_address,
)

SECRETS = ["sesame", "hunter2"]


def http(text: str) -> HttpAddress:
    address = parse_address(text)
    assert isinstance(address, HttpAddress)
    return address


def test_an_http_address() -> None:
    address = http("https://user:sesame@[::1]:4437/v1/stream/a%20b?token=hunter2&x=&x=1")
    assert address.shown == "https://[::1]:4437/v1/stream/a%20b"
    assert address.params == (("token", "hunter2"), ("x", ""), ("x", "1"))  # CLIENT-10
    assert address.url == "https://user:sesame@[::1]:4437/v1/stream/a%20b"


@pytest.mark.parametrize("name", ["offset", "live", "cursor"])
def test_parameters_of_the_protocol_are_refused(name: str) -> None:  # CLIENT-10
    with pytest.raises(BadAddress, match=f"'{name}' belongs to the protocol"):
        parse_address(f"http://host/s?{name}=1")


@pytest.mark.parametrize(
    ("text", "file", "path"),
    [
        ("embedded:a.db#s", "a.db", "/v1/stream/s"),
        ("embedded:/tmp/with#hash.db#a/b", "/tmp/with#hash.db", "/v1/stream/a/b"),
        ("embedded:a.db#é ?", "a.db", "/v1/stream/%C3%A9%20%3F"),
    ],
)
def test_an_embedded_address(text: str, file: str, path: str) -> None:
    address = parse_address(text)
    assert isinstance(address, EmbeddedAddress)
    assert (str(address.file), address.path, address.shown) == (file, path, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host/s",
        "ftp://host/s",
        "http://",
        "http:///s",
        "embedded:",
        "embedded:a.db",
        "embedded:#s",
    ],
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(BadAddress, match=r"write (http|embedded)"):
        parse_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://user:sesame@host:hunter2/s",
        "http://user:sesame/hunter2@host/s",
        "http://user:ses?ame@host/s?t=hunter2",
        "htp://user:sesame@host/s?t=hunter2",
        "host/s?token=sesame",
        "http://user:sesame@[bad/s?t=hunter2",
        "http://user:sesame@ho\u2100st/s?t=hunter2",
        "http://host:0x/?t=a@sesame",
        "http://user:sesame@ho\nst\x00/s",
    ],
)
def test_no_complaint_shows_a_secret(text: str) -> None:
    for handle in (Stream, AsyncStream):
        with pytest.raises(BadAddress) as caught:
            handle(text)
        told = "".join(traceback.format_exception_only(caught.value))
        assert not any(secret in told for secret in (*SECRETS, "ses", "t=", "ame@"))
        assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize(
    "text", ["http://host/s#hunter2", "http://host/s?t=1#sesame", "http://h/#"]
)
def test_an_http_address_has_no_fragment(text: str) -> None:
    with pytest.raises(BadAddress, match="has no #FRAGMENT") as caught:
        parse_address(text)
    assert not any(secret in str(caught.value) for secret in SECRETS)


@given(st.text())
def test_any_text_is_an_address_or_a_bad_one(text: str) -> None:
    for candidate in (text, f"http://{text}", f"http://host/{text}", f"embedded:{text}"):
        with suppress(BadAddress):
            parse_address(candidate)


@pytest.mark.parametrize("host", ["a..b", ".", "x" * 64])
@pytest.mark.parametrize("kind", [Stream, AsyncStream])
def test_a_host_that_no_name_server_can_be_asked_for(
    kind: type[Stream] | type[AsyncStream], host: str
) -> None:
    with pytest.raises(BadAddress, match="it is no valid URL"):
        kind(f"http://{host}/v1/stream/s")


def test_proxies_that_make_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "gopher://user:secret@proxy:70")
    with pytest.raises(BadAddress, match="the proxy that the environment names") as caught:
        Stream("http://example.invalid/v1/stream/s")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("offset", ["", "\ud800"])
def test_an_offset_that_is_none(offset: str) -> None:
    with Stream("http://127.0.0.1:1/s") as stream, pytest.raises(BadAddress, match="the offset"):
        next(stream.read(offset=offset))
