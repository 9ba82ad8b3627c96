"""Requests and answers of HTTP/1.1, without a connection (RFC 9112)."""

import gzip
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.errors import BadHeader
from streamdb.protocol.exchange import Request
from streamdb.streams.http1_answer import Incoming
from streamdb.streams.http1_request import Target, request_head
from streamdb.streams.wire import WireFailure

TARGET = Target("host", 8080, "/v1/stream/a%20b", "host:8080")


def lines(
    request: Request, headers: dict[str, str] | None = None, target: Target = TARGET
) -> list[str]:
    return request_head(target, request, headers or {}, []).decode().split("\r\n")


def test_a_request_names_what_it_wants() -> None:
    head = request_head(TARGET, Request("GET"), {}, [("live", "sse"), ("offset", "a&b c/é")])
    assert head.startswith(b"GET /v1/stream/a%20b?live=sse&offset=a%26b+c%2F%C3%A9 HTTP/1.1\r\n")
    assert b"\r\nhost: host:8080\r\n" in head
    assert b"content-length" not in head
    assert head.endswith(b"\r\n\r\n")


def test_what_may_have_a_body_says_how_long_it_is() -> None:
    assert "content-length: 3" in lines(Request("POST", body=b"[1]"))
    assert "content-length: 0" in lines(Request("POST"))
    assert "content-length: 0" in lines(Request("PUT"))
    assert not [line for line in lines(Request("DELETE")) if line.startswith("content-length")]


def test_headers_of_the_caller_go_before_ours_and_after_those_of_the_protocol() -> None:
    sent = lines(
        Request("POST", headers={"Content-Type": "application/json"}),
        {"CONTENT-TYPE": "text/plain", "user-agent": "me", "X-Trace": "7"},
    )
    assert "content-type: application/json" in sent
    assert "user-agent: me" in sent
    assert "x-trace: 7" in sent
    assert len([line for line in sent if line.startswith("user-agent")]) == 1


def test_credentials_of_the_address_are_basic_ones() -> None:
    target = replace(TARGET, credentials=("u", "pä"))
    assert "authorization: Basic dTpww6Q=" in lines(Request("GET"), target=target)
    given = lines(Request("GET"), {"Authorization": "Bearer x"}, target)
    assert [line for line in given if "authorization" in line] == ["authorization: Bearer x"]


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "Connection", "Upgrade"])
def test_no_header_of_the_caller_ends_a_request_elsewhere(name: str) -> None:
    with pytest.raises(BadHeader, match=name):
        lines(Request("POST"), {name: "1"})


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b"])
def test_no_header_has_a_second_line(value: str) -> None:
    with pytest.raises(BadHeader, match="end of a line"):
        lines(Request("PUT", headers={"Stream-Fork-Offset": value}))


def received(answer: bytes, method: str = "GET", step: int = 0, *, ends: bool = False) -> Incoming:
    incoming = Incoming(method)
    step = step or len(answer) or 1
    for begin in range(0, len(answer), step):
        incoming.feed(answer[begin : begin + step])
    if ends:
        incoming.end()
    return incoming


def body_of(incoming: Incoming) -> bytes:
    return b"".join(iter(incoming.take, b""))


FRAMED = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\nX: b\r\n\r\nhello",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: a\r\nX: b\r\n\r\n"
    b"2\r\nhe\r\n3;why=not\r\nllo\r\n0\r\nX: trailer\r\n\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\nX: no\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\nX: b\r\n\r\nhello",
}


@pytest.mark.parametrize("step", [0, 1, 3])
@pytest.mark.parametrize("answer", FRAMED.values(), ids=FRAMED)
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(answer: bytes, step: int) -> None:
    incoming = received(answer, step=step)
    assert (incoming.status, incoming.headers["x"]) == (200, "a, b")
    assert body_of(incoming) == b"hello"
    assert incoming.is_complete
    assert incoming.is_reusable


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_answers_without_a_body(answer: bytes) -> None:
    incoming = received(answer)
    assert (incoming.is_reusable, body_of(incoming)) == (True, b"")


def test_the_answer_to_head_has_no_body_however_long_it_says_it_is() -> None:
    incoming = received(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD")
    assert (incoming.is_reusable, incoming.headers["content-length"]) == (True, "5")
    spoilt = received(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HEAD")
    assert (spoilt.is_reusable, body_of(spoilt)) == (False, b"")


@pytest.mark.parametrize("step", [0, 1])
def test_a_body_may_end_with_the_connection(step: int) -> None:
    incoming = received(b"HTTP/1.1 200 OK\r\n\r\nhello", step=step)
    assert not incoming.is_complete
    incoming.end()
    assert body_of(incoming) == b"hello"
    assert not incoming.is_reusable


@pytest.mark.parametrize("answer", FRAMED.values(), ids=FRAMED)
def test_an_answer_cut_short_at_any_byte_is_a_failure(answer: bytes) -> None:
    for end in range(len(answer)):
        with pytest.raises(WireFailure, match="closed the connection"):
            received(answer[:end], ends=True)


@pytest.mark.parametrize(
    "extra", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"x", b"\r\n\r\nGET"]
)
@pytest.mark.parametrize("apart", [True, False])
def test_a_connection_that_says_more_than_was_asked_is_not_used_again(
    extra: bytes, apart: bool
) -> None:
    incoming = received(FRAMED["length"] + (b"" if apart else extra))
    if apart:
        incoming.feed(extra)
    assert body_of(incoming) == b"hello"
    assert not incoming.is_reusable


@pytest.mark.parametrize("line", [b"Connection: close", b"connection: Close"])
def test_a_connection_that_the_server_closes_is_not_used_again(line: bytes) -> None:
    incoming = received(b"HTTP/1.1 200 OK\r\n" + line + b"\r\nContent-Length: 0\r\n\r\n")
    assert (incoming.is_complete, incoming.is_reusable) == (True, False)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000,
    ],
)
def test_what_is_no_answer_is_a_failure(answer: bytes) -> None:
    with pytest.raises(WireFailure):
        received(answer, ends=True)


def packed(body: bytes, size: int) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % size
    return head + body


@given(st.binary(max_size=5000), st.integers(1, 700))
def test_gzip_is_unpacked_in_whatever_pieces_it_comes(data: bytes, step: int) -> None:
    body = gzip.compress(data)
    incoming = Incoming("GET")
    answer, got = packed(body, len(body)), b""
    for begin in range(0, len(answer), step):
        incoming.feed(answer[begin : begin + step])
        got += body_of(incoming)
    assert got == data


def test_gzip_is_unpacked_in_pieces_of_bounded_size() -> None:
    data = b"\0" * (64 << 20)
    body = gzip.compress(data)
    incoming = received(packed(body, len(body)))
    pieces = list(iter(incoming.take, b""))
    assert (max(map(len, pieces)), sum(map(len, pieces))) == (1 << 20, len(data))


@pytest.mark.parametrize("spoil", [lambda body: body[:-3], lambda body: body[:4] + b"xx"])
def test_spoilt_gzip_is_a_failure(spoil: object) -> None:
    assert callable(spoil)
    body = spoil(gzip.compress(b"hello" * 1000))
    incoming = received(packed(body, len(body)))
    with pytest.raises(WireFailure, match="gzip"):
        body_of(incoming)


@pytest.mark.parametrize("step", [0, 1, 7])
def test_gzip_of_several_members_is_unpacked_whole(step: int) -> None:
    body = gzip.compress(b"first half, ") + gzip.compress(b"") + gzip.compress(b"second half")
    assert body_of(received(packed(body, len(body)), step=step)) == b"first half, second half"


def test_what_follows_gzip_and_is_none_is_a_failure() -> None:
    body = gzip.compress(b"hello") + b"rubbish"
    incoming = received(packed(body, len(body)))
    with pytest.raises(WireFailure, match="gzip is broken"):
        body_of(incoming)


def test_what_is_flushed_is_here_at_once() -> None:
    packer = zlib.compressobj(wbits=31)
    incoming = received(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    for event in (b"data: 1\n\n", b"data: 2\n\n"):
        incoming.feed(packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH))
        assert body_of(incoming) == event
