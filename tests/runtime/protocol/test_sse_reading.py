"""Following a stream by SSE."""

import base64
import itertools
import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.protocol.player import LOST, URL, Player, play, reply

from streamdb.errors import StreamNotFound, StreamParseError
from streamdb.protocol.exchange import NoReply, Operation, Reply
from streamdb.protocol.read_options import LiveMode, ReadOptions
from streamdb.protocol.reading import reading

AT_5 = reply(body=b"[1]", next="5", up_to_date=True)
EVENTS = reply(content_type="text/event-stream; charset=utf-8")
END = b""
TELLING = 6  # what comes damaged so often in a row does not come so by chance


def data(payload: bytes) -> bytes:
    return b"event: data\ndata: " + payload + b"\n\n"


def control(offset: str, **fields: object) -> bytes:
    return (
        b"event: control\ndata: "
        + json.dumps({"streamNextOffset": offset, **fields}).encode()
        + b"\n\n"
    )


def read(live: LiveMode = "sse", seconds: float = 60.0) -> Operation[None]:
    """Read from connections that last so long each."""
    times: Iterator[float] = itertools.count(0.0, seconds)
    return reading(ReadOptions(url=URL, clock=lambda: next(times), live=live))


def delivered(player: Player[None]) -> list[tuple[bytes, str]]:
    return [(batch.data, batch.offset) for batch in player.batches]


@pytest.mark.parametrize("live", ["auto", "sse"])
def test_json_is_followed_by_sse(live: LiveMode) -> None:
    chunks = [data(b"[2]") + control("6"), data(b"[3]"), control("7", upToDate=True)]
    player = play(read(live), AT_5, EVENTS, *chunks)
    assert player.modes_asked == [None, "sse"]
    assert player.requests[1].patient
    assert player.requests[1].headers == {"Accept": "text/event-stream"}
    assert delivered(player) == [(b"[1]", "5"), (b"[2]", "6"), (b"[3]", "7")]
    assert [batch.up_to_date for batch in player.batches] == [True, False, True]
    assert {batch.content_type for batch in player.batches} == {"application/json"}


def test_several_data_events_wait_for_one_control_event() -> None:  # SSE-9, AMB-6
    player = play(read(), AT_5, EVENTS, data(b"[2]") + data(b"[3]"), control("7"))
    assert player.batches[1].parts == (b"[2]", b"[3]")


def test_a_control_event_without_data_moves_the_position() -> None:  # SSE-15
    player = play(read(), AT_5, EVENTS, control("6", upToDate=True), END, EVENTS)
    assert delivered(player)[1:] == [(b"", "6")]
    assert player.offsets_asked[-1] == "6"


def test_the_end_of_the_stream_ends_the_read() -> None:  # SSE-16, SSE-13
    player = play(read(), AT_5, EVENTS, data(b"[2]"), control("6", streamClosed=True))
    assert player.is_finished
    assert not player.is_open
    assert player.batches[-1].closed
    assert player.batches[-1].up_to_date


def test_a_connection_that_ends_is_made_again_from_the_last_offset() -> None:  # SSE-17, CLIENT-19
    player = play(
        read(),
        AT_5,
        EVENTS,
        control("6", streamCursor="40"),
        END,
        EVENTS,
        control("7"),
        END,
        EVENTS,
    )
    assert player.offsets_asked == ["-1", "5", "6", "7"]
    # CLIENT-4, CLIENT-5: the cursor is echoed, and kept where a control event has none.
    assert [request.params.get("cursor") for request in player.requests] == [None, None, "40", "40"]
    assert player.sleeps == []


@pytest.mark.parametrize("end", [LOST, END])
def test_data_that_was_not_confirmed_is_dropped(end: NoReply | bytes) -> None:  # CLIENT-17
    player = play(
        read(),
        AT_5,
        EVENTS,
        data(b"[2]"),
        end,
        EVENTS,
        data(b"[2]") + control("6"),
    )
    assert delivered(player) == [(b"[1]", "5"), (b"[2]", "6")]
    assert player.offsets_asked == ["-1", "5", "5"]


def test_an_unfinished_event_is_dropped_with_its_connection() -> None:  # CLIENT-18
    player = play(
        read(), AT_5, EVENTS, b"event: data\ndata: [2", END, EVENTS, data(b"[2]") + control("6")
    )
    assert delivered(player)[1:] == [(b"[2]", "6")]


def test_unknown_events_are_skipped() -> None:  # SSE-4
    odd = b"event: ping\ndata: {\n\ndata: x\n\n: comment\n\n"
    player = play(read(), AT_5, EVENTS, odd + control("5") + odd + data(b"[2]") + control("6"))
    assert delivered(player)[1:] == [(b"", "5"), (b"[2]", "6")]


@given(
    st.lists(st.binary(max_size=40), max_size=5).filter(lambda some: any(some) or not some),
    st.integers(1, 9),
)
def test_base64_is_decoded_event_by_event(payloads: list[bytes], width: int) -> None:
    """SSE-6, SSE-7, CLIENT-15, trap 12."""

    def lines(payload: bytes) -> bytes:
        text = base64.b64encode(payload)
        cut = [text[i : i + width] for i in range(0, len(text), width)] or [b""]
        return b"event: data\n" + b"".join(b"data: " + line + b"\r\n" for line in cut) + b"\n"

    binary = reply(content_type="text/event-stream", headers={"stream-sse-data-encoding": "base64"})
    at_5 = reply(next="5", up_to_date=True, content_type="image/png")
    player = play(read("sse"), at_5, binary, *map(lines, payloads), control("6"))
    assert delivered(player)[1:] == [(b"".join(payloads), "6")]


def test_the_encoding_is_read_from_every_answer() -> None:  # CLIENT-15
    binary = reply(content_type="text/event-stream", headers={"stream-sse-data-encoding": "base64"})
    player = play(
        read(),
        AT_5,
        binary,
        data(b"WzJd") + control("6"),
        END,
        EVENTS,
        data(b"[3]") + control("7"),
    )
    assert delivered(player)[1:] == [(b"[2]", "6"), (b"[3]", "7")]


# What comes between the control event at 5 and the one that says 6.
DAMAGED: dict[str, tuple[bytes, str]] = {
    "half of JSON": (data(b'[{"n":'), "not JSON"),
    "no data": (data(b""), "not JSON: ''"),
    "data by another name": (b"event: dat\0\ndata: [2]\n\n" + data(b"[3]"), "called 'dat"),
    "the only data by another name": (b"event: dada\ndata: [2]\n\n", "has not come"),
    "a line by another name": (b"event: data\nda\0a: [2]\n\n", "not JSON: ''"),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_data_that_cannot_be_what_was_confirmed_is_asked_for_again(
    damaged: tuple[bytes, str],
) -> None:
    between, told = damaged
    events = [EVENTS, between + control("6")]
    player = play(read(), AT_5, *events, EVENTS, data(b"[2]") + control("6"))
    assert delivered(player)[1:] == [(b"[2]", "6")]
    assert len(player.interruptions) == 1
    assert re.search(told, player.interruptions[0].reason)


def test_events_that_come_damaged_again_and_again_lead_to_long_poll() -> None:
    page = reply(body=b"[2]", next="6", up_to_date=True)
    # However they are damaged: nothing says that the next way is as bad.
    damaged = [(EVENTS, data(b"[2" + b"0" * n) + control("6")) for n in range(TELLING)]
    player = play(read(), AT_5, *itertools.chain(*damaged), page)
    assert player.modes_asked == [None, *["sse"] * TELLING, None, "long-poll"]
    assert delivered(player)[1:] == [(b"[2]", "6")]


def test_a_connection_without_damage_ends_what_was_doubted() -> None:
    damaged = [EVENTS, data(b"[2") + control("6")] * (TELLING - 1)
    idle = [EVENTS, control("5", upToDate=True), END]
    player = play(read(), AT_5, *[*damaged, *idle] * 2, EVENTS, data(b"[2]") + control("6"))
    assert set(player.modes_asked[1:]) == {"sse"}
    assert delivered(player)[-1] == (b"[2]", "6")


@pytest.mark.parametrize("payload", [b"abc", b"a$==", b"YQ==YQ==x", b"YQ=\0"])
def test_bad_base64_is_asked_for_again(payload: bytes) -> None:
    binary = reply(content_type="text/event-stream", headers={"stream-sse-data-encoding": "base64"})
    at_5 = reply(next="5", up_to_date=True, content_type="image/png")
    damaged = [binary, data(payload) + control("6")]
    player = play(read(), at_5, *damaged, binary, data(b"YQ==") + control("6"))
    assert delivered(player)[1:] == [(b"a", "6")]
    assert "bad base64" in player.interruptions[0].reason


NO_CONTROL = [
    b"{",
    b"[]",
    b"{}",
    b'{"streamNextOffset":7}',
    b'{"streamNextOffset":""}',
    b'{"streamNextOffset":"7","upToDate":"yes"}',
    b'{"streamNextOffset":"\xff"}',
    b'{"x":' + b"[" * 100_000,
]


def control_of(payload: bytes) -> bytes:
    return b"event: control\ndata: " + payload + b"\n\n"


@pytest.mark.parametrize("payload", NO_CONTROL)
def test_a_control_event_that_cannot_be_read_is_an_error(payload: bytes) -> None:  # CLIENT-16
    damaged = [EVENTS, data(b"[2]") + control_of(payload)]
    with pytest.raises(StreamParseError, match="control event") as caught:
        play(read(), AT_5, *damaged * TELLING)
    assert len(str(caught.value)) < 1000
    # It comes so by chance, else: it is asked for again, and never skipped.
    player = play(read(), AT_5, *damaged, EVENTS, data(b"[2]") + control("6"))
    assert delivered(player)[1:] == [(b"[2]", "6")]
    assert "control event" in player.interruptions[0].reason


def test_control_events_that_are_damaged_otherwise_each_time_lead_to_long_poll() -> None:
    damaged = [(EVENTS, control_of(payload)) for payload in NO_CONTROL[:TELLING]]
    page = reply(body=b"[2]", next="6", up_to_date=True)
    player = play(read(), AT_5, *itertools.chain(*damaged), page)
    assert delivered(player)[1:] == [(b"[2]", "6")]
    assert player.modes_asked[-1] == "long-poll"


def test_what_a_control_event_says_besides_is_ignored() -> None:
    player = play(read(), AT_5, EVENTS, control("6", streamCursor=None, more={"a": [1]}))
    assert delivered(player)[1:] == [(b"", "6")]


def test_connections_that_keep_ending_at_once_lead_to_long_poll() -> None:  # CLIENT-20, trap 28
    short = [EVENTS, END]
    polled = reply(body=b"[2]", next="6", up_to_date=True)
    player = play(read(seconds=0.5), AT_5, *short * 3, polled)
    # The first request after them does not wait: it tells that the reader is connected.
    assert player.modes_asked == [None, "sse", "sse", "sse", None, "long-poll"]
    assert player.offsets_asked == ["-1", "5", "5", "5", "5", "6"]
    assert len(player.sleeps) == 2
    assert player.sleeps[0] <= 0.2
    assert player.sleeps[1] <= 0.4


def test_data_of_short_connections_is_not_asked_for_twice() -> None:
    answers: list[Reply | bytes] = []
    for offset in ("6", "7", "8"):
        answers += [EVENTS, data(offset.encode()) + control(offset), END]
    player = play(read(seconds=0.5), AT_5, *answers)
    assert [offset for _, offset in delivered(player)] == ["5", "6", "7", "8"]
    assert player.requests[-1].params == {"offset": "8"}


def test_a_long_connection_resets_the_count() -> None:  # CLIENT-20
    lengths = iter([0.5, 0.5, 5.0, 0.5, 0.5])
    times = iter([t for length in lengths for t in (0.0, length)] + [0.0])
    options = ReadOptions(url=URL, clock=lambda: next(times), live="sse")
    player = play(reading(options), AT_5, *[EVENTS, END] * 5)
    assert player.modes_asked == [None, *["sse"] * 6]


@pytest.mark.parametrize("hiccup", [LOST, reply(500), reply(503, headers={"retry-after": "1"})])
def test_a_connection_that_cannot_be_made_is_tried_again(hiccup: Reply | NoReply) -> None:
    player = play(read(), AT_5, hiccup, hiccup, EVENTS, control("6"))
    assert len(player.interruptions) == len(player.sleeps) == 2
    assert player.modes_asked == [None, "sse", "sse", "sse"]


def test_a_server_without_sse_is_polled() -> None:  # QUERY-3
    player = play(read(), AT_5, *[reply(body=b"[]", next="5", up_to_date=True)] * 2)
    assert player.modes_asked == [None, "sse", None, "long-poll"]


def test_a_stream_that_is_gone_ends_the_read() -> None:  # SSE-1
    with pytest.raises(StreamNotFound):
        play(read(), AT_5, EVENTS, control("6"), LOST, reply(404))


def test_the_answer_is_released_when_the_connection_ends() -> None:
    operation = read()
    player = Player(operation, [AT_5, EVENTS, END])
    player.run()
    assert not player.is_open
