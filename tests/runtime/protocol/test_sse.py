"""The parser of server-sent events."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.protocol.sse import EventParser, ServerSentEvent

# Made of the bytes that mean something, and of some that do not.
streams = st.lists(
    st.sampled_from(
        [
            b"\r",
            b"\n",
            b"\r\n",
            b":",
            b" ",
            b"data",
            b"data:",
            b"data: ",
            b"event:",
            b"event: control",
            b"id: 7",
            b"retry:1",
            b"\xef\xbb\xbf",
            b"\xef",
            "é€🙂".encode(),
            b"\x00",
            b"[1]",
        ]
    ),
    max_size=60,
).map(b"".join)


def parse(chunks: Iterable[bytes]) -> list[ServerSentEvent]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


def event(name: bytes, data: bytes) -> ServerSentEvent:
    return ServerSentEvent(name, data)


@given(streams, st.data())
def test_chunks_do_not_matter(stream: bytes, data: st.DataObject) -> None:  # CLIENT-12, CLIENT-13
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parse(chunks) == parse([stream])
    assert parse(stream[i : i + 1] for i in range(len(stream))) == parse([stream])


@given(streams)
def test_it_agrees_with_a_plain_reading_of_the_rules(stream: bytes) -> None:
    lines = (
        stream.removeprefix(b"\xef\xbb\xbf")
        .replace(b"\r\n", b"\n")
        .replace(b"\r", b"\n")
        .split(b"\n")[:-1]
    )
    expected: list[ServerSentEvent] = []
    name, data = b"", list[bytes]()
    for line in lines:
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if line == b"":
            if name or data:
                expected.append(event(name or b"message", b"\n".join(data)))
            name, data = b"", []
        elif field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    assert parse([stream]) == expected


@given(st.binary(), st.sampled_from([b"\n", b"\r", b"\r\n"]))
def test_no_payload_is_lost_or_forges_an_event(payload: bytes, line_end: bytes) -> None:  # SSE-5
    lines = payload.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    text = b"".join(b"data: " + line + line_end for line in lines)
    assert parse([b"event: data", line_end, text, line_end]) == [event(b"data", b"\n".join(lines))]


def test_exactly_one_space_goes() -> None:  # CLIENT-14, trap 9
    assert parse([b"data:  two\ndata:none\ndata: one\n\n"]) == [
        event(b"message", b" two\nnone\none")
    ]


def test_what_means_nothing_is_skipped() -> None:  # CLIENT-14
    assert parse([b": hi\nid: 4\nretry: 5\nfoo: bar\ndata\ndata: x\n\n\n\n"]) == [
        event(b"message", b"\nx")
    ]


@pytest.mark.parametrize("mark_in", [[b"\xef\xbb\xbf"], [b"\xef", b"\xbb", b"\xbf"]])
def test_a_byte_order_mark_is_skipped_once(mark_in: list[bytes]) -> None:
    assert parse([*mark_in, b"data: \xef\xbb\xbfx\n\n"]) == [event(b"message", b"\xef\xbb\xbfx")]


def test_a_line_end_split_between_chunks_is_one() -> None:  # CLIENT-13, trap 13
    assert parse([b"event: data\r", b"\ndata: 1\r", b"\n", b"data: 2\r", b"\n\r", b"\n"]) == [
        event(b"data", b"1\n2")
    ]


def test_an_unfinished_event_is_not_handed_out() -> None:  # CLIENT-18
    assert parse([b"event: data\ndata: 1\n"]) == []
