"""What comes back over a connection of HTTP/1.1, without I/O (RFC 9112).

`httptools` (llhttp, the parser of Node) takes answers apart; what is here keeps them to what was
asked for.
"""

from __future__ import annotations

import zlib
from collections import deque
from typing import Final

import httptools

from streamdb.streams.wire import WireFailure

_LARGEST_HEAD: Final = 64 * 1024
_LARGEST_PIECE: Final = 1024 * 1024  # of a body that is inflated
_HEAD_ONLY: Final = "HEAD"
_GZIP_WINDOW: Final = 31  # zlib's word for a gzip header and the largest window


class Incoming:
    """The answer to one request, fed with what comes over the connection.

    Attributes:
        status: the HTTP status, once the head is here.
        headers: names in lower case; several of one name are joined by commas.
        has_head: True once status and headers are known.
        is_complete: True once the whole body is here.
        held: bytes of the body that were not taken yet.
    """

    def __init__(self, method: str) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.has_head = False
        self.is_complete = False
        self.held = 0
        self._is_head_only = method == _HEAD_ONLY
        self._head_size = 0
        self._ends_with_connection = False
        self._keeps_connection = False
        self._pieces: deque[bytes] = deque()
        self._inflater: _Inflater | None = None
        # Holds this object, and is let go with the end of the answer: no work for the collector.
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    @property
    def is_reusable(self) -> bool:
        """Whether the connection may carry another exchange."""
        return self.is_complete and self._keeps_connection

    def feed(self, data: bytes) -> None:
        """Take in what came. Raises WireFailure if this is no HTTP/1.1."""
        if self._parser is None:
            self._keeps_connection = False  # more than was asked for
            return
        if not self.has_head:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.is_complete:
                raise _failure_of(error) from error
            self._keeps_connection = False
        if not self.has_head and self._head_size > _LARGEST_HEAD:
            raise WireFailure("the head of the answer does not end")
        if self.is_complete:
            self._parser = None

    def end(self) -> None:
        """Take in that the connection ended. Raises WireFailure if the answer had not."""
        if self.is_complete:
            return
        if not (self.has_head and self._ends_with_connection):
            at = "in the middle of the answer" if self.has_head else "without an answer"
            raise WireFailure(f"the server closed the connection {at}")
        self.is_complete = True
        self._parser = None

    def take(self) -> bytes:
        """Return what came of the body since; empty if there is nothing yet, or no more.

        Raises WireFailure if it is packed in a way that cannot be unpacked.
        """
        if self._inflater is not None:
            return self._inflater.take(self)
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self.held = 0
        return data

    def take_raw(self) -> bytes:
        """Return the next piece as it came over the connection, empty if there is none."""
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        self.held -= len(piece)
        return piece

    # What httptools calls.

    def on_message_begin(self) -> None:
        """Note that an answer begins."""
        if self.is_complete:
            self._keeps_connection = False  # an answer that nobody asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header."""
        if self.has_head:
            return  # a trailer
        lower, text = name.decode("latin-1").lower(), value.decode("latin-1")
        known = self.headers.get(lower)
        self.headers[lower] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        """Decide, by status and headers, what the body will be."""
        parser = self._parser
        if parser is None or self.has_head:
            return
        status = parser.get_status_code()
        if status < 200:
            self.headers.clear()  # an interim answer; the one that counts follows (RFC 9110, 15.2)
            return
        self.status = status
        self.has_head = True
        self._keeps_connection = parser.should_keep_alive()
        self._ends_with_connection = not (
            "content-length" in self.headers or "transfer-encoding" in self.headers
        )
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        if encoding in ("gzip", "x-gzip"):
            self._inflater = _Inflater()
        elif encoding not in ("", "identity"):
            raise WireFailure("the answer is encoded in a way that was not asked for")
        if self._is_head_only:
            self.is_complete = True

    def on_body(self, data: bytes) -> None:
        """Hold a part of the body."""
        if self.is_complete:
            self._keeps_connection = False  # a body where none may be
            return
        self._pieces.append(data)
        self.held += len(data)

    def on_message_complete(self) -> None:
        """Note that the answer is complete."""
        if self.has_head:
            self.is_complete = True


class _Inflater:
    """Unpacks gzip as it comes, in pieces of bounded size."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_GZIP_WINDOW)
        self._has_begun = False
        self._may_hold_more = False

    def take(self, incoming: Incoming) -> bytes:
        while packed := self._next(incoming):
            try:
                data = self._zlib.decompress(packed, _LARGEST_PIECE)
            except zlib.error as error:
                raise WireFailure("the answer's gzip is broken") from error
            self._may_hold_more = len(data) == _LARGEST_PIECE
            if data:
                return data
        if self._may_hold_more and (data := self._zlib.decompress(b"", _LARGEST_PIECE)):
            return data
        if incoming.is_complete and self._has_begun and not self._zlib.eof:
            raise WireFailure("the answer's gzip ends too early")
        return b""

    def _next(self, incoming: Incoming) -> bytes:
        if not self._zlib.eof:
            packed = self._zlib.unconsumed_tail or incoming.take_raw()
        elif packed := self._zlib.unused_data or incoming.take_raw():
            self._zlib = zlib.decompressobj(_GZIP_WINDOW)  # another member (RFC 1952, 2.2)
        self._has_begun = self._has_begun or bool(packed)
        return packed


def _failure_of(error: Exception) -> WireFailure:
    cause = error.__context__
    if isinstance(cause, WireFailure):
        return cause  # raised by a method above, wrapped on its way through the parser
    return WireFailure(f"the answer is no HTTP/1.1: {type(error).__name__}")
