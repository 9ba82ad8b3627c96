"""An incremental parser of server-sent events, by the rules that the protocol adds (CLIENT-12..14).

It works on bytes throughout: line ends are ASCII, so a character that straddles two network chunks
needs no care (CLIENT-12), and JSON goes to its decoder without a detour through text. It is fed
with whatever chunks the network gives and is linear in their size.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One finished event: its name and its ``data`` lines joined by line feeds."""

    name: bytes
    data: bytes


class EventParser:
    r"""Turns chunks of bytes into events; what is unfinished waits for the next chunk.

    >>> parser = EventParser()
    >>> parser.feed(b"event: data\r\ndata:[1,")
    []
    >>> parser.feed(b"\r\ndata: 2]\r\n\r\n: a comment\n")
    [ServerSentEvent(name=b'data', data=b'[1,\n2]')]

    An event that is unfinished when the connection ends is discarded with the parser (CLIENT-18).
    """

    def __init__(self) -> None:
        self._unfinished_line: list[bytes] = []
        self._skip_line_feed = False  # the last chunk ended with CR: a leading LF belongs to it
        self._start: bytes | None = b""  # the first bytes, until a byte order mark is ruled out
        self._name = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take one chunk and return the events that it finished."""
        if self._start is not None:
            chunk = self._start + chunk
            if len(chunk) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(chunk):
                self._start = chunk
                return []
            chunk = chunk.removeprefix(_BYTE_ORDER_MARK)
            self._start = None
        if self._skip_line_feed and chunk:
            chunk = chunk.removeprefix(b"\n")  # a CRLF split between chunks (CLIENT-13)
            self._skip_line_feed = False
        if not chunk:
            return []
        self._skip_line_feed = chunk.endswith(b"\r")
        lines = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._unfinished_line.append(lines[0])
        if len(lines) == 1:
            return []
        lines[0] = b"".join(self._unfinished_line)
        self._unfinished_line = [lines.pop()]
        return [event for line in lines if (event := self._take_line(line)) is not None]

    def _take_line(self, line: bytes) -> ServerSentEvent | None:
        if not line:
            return self._finish_event()
        field, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]  # exactly one space (CLIENT-14)
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._name = value
        return None  # comments, id and retry mean nothing here

    def _finish_event(self) -> ServerSentEvent | None:
        name, data = self._name, self._data
        self._name, self._data = b"", []
        if not name and not data:
            return None
        return ServerSentEvent(name or b"message", b"\n".join(data))
