"""GET with `live=sse` (section 14, and the traps of section 23)."""

import base64
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx
import pytest

from streamdb_server import Options, Serving, serving

Create = Callable[..., str]

TEXT = {"Content-Type": "text/plain"}
CLOSE = {"Stream-Closed": "true"}


class Event(NamedTuple):
    kind: str
    data: str

    @property
    def control(self) -> dict[str, object]:
        assert self.kind == "control"
        return json.loads(self.data)


def events_of(answer: httpx.Response) -> Iterator[Event]:
    """Parse events by the rules of the standard (CLIENT-13, CLIENT-14)."""
    pending = b""
    for chunk in answer.iter_bytes():
        pending += chunk
        while b"\n\n" in pending:
            block, _, pending = pending.partition(b"\n\n")
            text = block.decode().replace("\r\n", "\n").replace("\r", "\n")
            fields = [line.partition(":") for line in text.split("\n")]
            (kind,) = [value.strip() for name, _, value in fields if name == "event"]
            data = [value.removeprefix(" ") for name, _, value in fields if name == "data"]
            yield Event(kind, "\n".join(data))


@contextmanager
def connect(
    client: httpx.Client, path: str, offset: str = "-1", **params: str
) -> Generator[tuple[httpx.Response, Iterator[Event]]]:
    with client.stream("GET", path, params={"offset": offset, "live": "sse"} | params) as answer:
        assert answer.status_code == 200, answer.read()
        yield answer, events_of(answer)


@pytest.fixture
def calm(patient: tuple[Serving, httpx.Client]) -> httpx.Client:
    """A client of a server that sends nothing unasked."""
    return patient[1]


def test_headers_sse_2_3(calm: httpx.Client, path: str) -> None:
    calm.put(path, headers=TEXT, content=b"abc")
    with connect(calm, path) as (answer, _):
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "Content-Length" not in answer.headers
        assert "stream-sse-data-encoding" not in answer.headers


def test_data_then_control_then_what_arrives_sse_9_10_11_12_13(
    calm: httpx.Client, path: str
) -> None:
    calm.put(path, headers={"Content-Type": "application/json"}, content=b'{"n":1}')
    with connect(calm, path) as (_, events):
        assert next(events) == Event("data", '[{"n":1}]')  # SSE-8
        first = next(events).control
        assert first["streamNextOffset"] == calm.head(path).headers["Stream-Next-Offset"]
        assert first["upToDate"] is True
        assert str(first["streamCursor"]).isdecimal()
        assert "streamClosed" not in first
        calm.post(path, headers={"Content-Type": "application/json"}, content=b"[[2]]")
        assert next(events) == Event("data", "[[2]]")
        assert next(events).control["streamNextOffset"] > first["streamNextOffset"]


@pytest.mark.parametrize(("content", "offset"), [(b"", "-1"), (b"abc", "now"), (b"abc", "tail")])
def test_connecting_at_the_tail_sse_15_now_3(
    calm: httpx.Client, path: str, content: bytes, offset: str
) -> None:
    calm.put(path, headers=TEXT, content=content)
    tail = calm.head(path).headers["Stream-Next-Offset"]
    with connect(calm, path, tail if offset == "tail" else offset) as (_, events):
        control = next(events).control
        assert (control["streamNextOffset"], control["upToDate"]) == (tail, True)
        calm.post(path, headers=TEXT, content=b"new")
        assert next(events) == Event("data", "new")


@pytest.mark.parametrize(
    ("offset", "data"), [("-1", [Event("data", "abc")]), ("now", []), ("tail", [])]
)
def test_a_closed_stream_ends_the_connection_sse_12_14_15_16_now_4(
    calm: httpx.Client, path: str, offset: str, data: list[Event]
) -> None:
    calm.put(path, headers=TEXT | CLOSE, content=b"abc")
    tail = calm.head(path).headers["Stream-Next-Offset"]
    with connect(calm, path, tail if offset == "tail" else offset) as (_, events):
        *before, last = events
    assert before == data
    assert last.control == {"streamNextOffset": tail, "upToDate": True, "streamClosed": True}


@pytest.mark.parametrize(("content", "data"), [(b"end", [Event("data", "end")]), (b"", [])])
def test_closing_while_connected_append_17_close_5(
    calm: httpx.Client, path: str, content: bytes, data: list[Event]
) -> None:
    calm.put(path, headers=TEXT)
    with connect(calm, path) as (_, events):
        next(events)
        calm.post(path, headers=TEXT | CLOSE, content=content)
        *before, last = events
    assert before == data
    assert last.control["streamClosed"] is True


def test_deleting_ends_the_connection_del_5(calm: httpx.Client, path: str) -> None:
    calm.put(path, headers=TEXT)
    with connect(calm, path) as (_, events):
        next(events)
        calm.delete(path)
        assert list(events) == []


INJECTIONS = [
    "a\n\nevent: control\ndata: {}\n\n",
    "a\r\rdata:x\r\revent:control\rdata:{}\r\r",
    "a\r\n\r\nevent: control\r\ndata: {}\r\n\r\n",
    "event: control",
    ":comment\nid: 1\nretry: 5",
    " leading space\n  two",
    "\n",
    "\r\n",
    "a\u2028b\u2029c\x0bd\x0ce\x1cf\x85g",
    "a\0b\ufeffc",
    "ends with\n",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_payload_forges_an_event_sse_5_traps_9_10(
    calm: httpx.Client, path: str, text: str
) -> None:
    calm.put(path, headers=TEXT | CLOSE, content=text.encode())
    with connect(calm, path) as (_, events):
        data, control = events
    assert data == Event("data", text.replace("\r\n", "\n").replace("\r", "\n"))
    assert control.control["streamClosed"] is True


def test_no_space_is_added_without_need_trap_9(calm: httpx.Client, path: str) -> None:
    calm.put(path, headers=TEXT | CLOSE, content=b"line1\nline2")
    answer = calm.get(path, params={"offset": "-1", "live": "sse"})
    assert answer.text.startswith("event: data\ndata:line1\ndata:line2\n\nevent: control\ndata:{")


@pytest.mark.parametrize("content_type", ["application/octet-stream", "application/ndjson"])
def test_other_types_are_base64_sse_3_6_7_10(
    calm: httpx.Client, path: str, content_type: str
) -> None:
    first, second = bytes(range(256)), b"\n\nevent: x"
    calm.put(path, headers={"Content-Type": content_type}, content=first)
    with connect(calm, path) as (answer, events):
        assert answer.headers["stream-sse-data-encoding"] == "base64"
        assert base64.b64decode(next(events).data, validate=True) == first
        assert "upToDate" in next(events).control
        calm.post(path, headers={"Content-Type": content_type}, content=second)
        assert base64.b64decode(next(events).data, validate=True) == second


@pytest.mark.parametrize("reconnect", [False, True])
def test_text_cut_anywhere_arrives_whole_trap_10(
    calm: httpx.Client, path: str, reconnect: bool
) -> None:
    text = "añ€𐍈\r\nb\rc\r\n"
    calm.put(path, headers=TEXT)
    received = ""
    offset = "-1"
    content = text.encode()
    with connect(calm, path, offset) as (_, events):
        offset = str(next(events).control["streamNextOffset"])
        for byte in content:
            calm.post(path, headers=TEXT, content=bytes([byte]))
            if reconnect:
                with connect(calm, path, offset) as (_, fresh):
                    text_read, offset = until_control(fresh)
            else:
                text_read, offset = until_control(events)
            received += text_read
    assert received == "añ€𐍈\nb\nc\n"


def until_control(events: Iterator[Event]) -> tuple[str, str]:
    text = ""
    for event in events:
        if event.kind == "control":
            return text, str(event.control["streamNextOffset"])
        text += event.data
    raise AssertionError("the connection ended before a control event")


def test_invalid_utf_8_is_replaced(calm: httpx.Client, path: str) -> None:
    calm.put(path, headers=TEXT | CLOSE, content=b"a\xffb\xe2\x82")
    with connect(calm, path) as (_, events):
        assert next(events) == Event("data", "a\ufffdb\ufffd")


def test_a_long_history_comes_in_pages_sse_10(
    tmp_path_factory: pytest.TempPathFactory, path: str
) -> None:
    file = tmp_path_factory.mktemp("pages") / "streams.db"
    with (
        serving(file, options=Options(page_bytes=4)) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        client.put(path, headers=TEXT)
        for part in (b"abc", b"def", b"g"):
            client.post(path, headers=TEXT, content=part)
        client.post(path, headers=CLOSE)
        with connect(client, path) as (_, events):
            got = list(events)
    assert [event.data for event in got if event.kind == "data"] == ["abc", "defg"]
    assert [event.control.get("upToDate") for event in got if event.kind == "control"] == [
        None,
        True,
    ]


def test_keep_alive_then_rotation_sse_17_19_cur_5(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("rotation") / "streams.db"
    options = Options(long_poll_timeout=0.05, sse_lifetime=0.5)
    with (
        serving(file, options=options) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        client.put("s", headers=TEXT, content=b"abc")
        with connect(client, "s", "now") as (_, events):
            controls = [event.control for event in events]  # ends by itself
        assert len(controls) > 1
        assert len({control["streamNextOffset"] for control in controls}) == 1
        assert all(control["upToDate"] is True for control in controls)
        cursors = [int(str(control["streamCursor"])) for control in controls]
        assert cursors == sorted(cursors)
        with connect(client, "s", "now", cursor=str(cursors[-1])) as (_, events):  # SSE-18
            assert all(int(str(event.control["streamCursor"])) > cursors[-1] for event in events)
