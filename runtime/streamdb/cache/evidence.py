"""Whether a stream is still the one that a cache was made of.

Streams have no identity. So a cache keeps a digest of the data that was read last, and where that
began; the stream is the same one if it has the same data there, however its pages are cut now. All
of it counts, to its end: two streams may well begin with the same rows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from streamdb.errors import BadRequest, StreamGone
from streamdb.streams.async_stream import AsyncStream

_LONGEST_EMPTY: Final = 64
# What is between spaces that are in no string; a string may be cut off at the end.
_DENSE: Final = re.compile(rb'(?:[^" \t\r\n]++|"(?:[^"\\]++|\\.)*+"?)++', re.DOTALL)


class Evidence(msgspec.Struct, frozen=True):
    """What was read last.

    Attributes:
        start: the offset that it was read from.
        size: how many bytes it has, written without spaces.
        digest: of these bytes.
    """

    start: str
    size: int
    digest: str


class LastData:
    """The data that was read last. Its digest is taken when it is asked for: more may follow.

    Args:
        start: the offset that it was read from.
        parts: JSON texts.
    """

    def __init__(self, start: str, parts: Sequence[bytes]) -> None:
        self._known: tuple[str, Sequence[bytes]] | Evidence = start, parts

    @property
    def evidence(self) -> Evidence:
        """What it is known by; from then on, the data itself is not kept."""
        if not isinstance(self._known, Evidence):
            self._known = evidence_of(*self._known)
        return self._known


def evidence_of(start: str, parts: Sequence[bytes]) -> Evidence:
    """Return the evidence that JSON texts are, read from an offset.

    >>> evidence_of("7", [b'[{"n": 1}]', b'[2,3]']) == evidence_of("7", [b'[{"n":1}, 2, 3]'])
    True
    """
    size, digest = 0, hashlib.sha256()
    for part in parts:
        text = _without_brackets(part, is_whole=True)
        if size and text:
            text = b"," + text
        size += len(text)
        digest.update(text)
    return Evidence(start, size, digest.hexdigest())


def is_data(part: bytes) -> bool:
    """Tell whether a JSON text holds any event; an array may be empty.

    >>> is_data(b"[ ]"), is_data(b'[{"n":1}]')
    (False, True)
    """
    return len(part) > _LONGEST_EMPTY or bool(part.translate(None, b"[] \t\r\n"))


async def is_confirmed(evidence: Evidence, stream: AsyncStream) -> bool:
    """Ask whether a stream holds the data where it was read.

    Raises:
        StreamError: it does not answer.
    """
    found = b""
    offset, extra = evidence.start, 2  # both brackets
    while (missing := evidence.size - len(found)) > 0:
        try:
            page = await stream.glimpse(offset, missing + extra)
        except (BadRequest, StreamGone):
            return False  # the offset is none of this stream's, or not any more
        text = _joined(found, _without_brackets(page.data, is_whole=page.is_whole))
        if not page.is_whole and len(text) <= evidence.size:  # there are spaces in it
            extra += missing
            continue
        found = text
        if page.is_last or page.offset == offset:
            break
        offset, extra = page.offset, 2
    return hashlib.sha256(found[: evidence.size]).hexdigest() == evidence.digest


def _without_brackets(text: bytes, *, is_whole: bool) -> bytes:
    """Write an array, or its beginning, without spaces and the brackets around its elements."""
    found = _without_spaces(text, is_whole=is_whole)
    if not found.startswith(b"["):  # SSE-8: a bare value is one message
        return found
    return found[1:-1] if is_whole else found[1:]


def _without_spaces(text: bytes, *, is_whole: bool) -> bytes:
    if is_whole:
        try:
            return msgspec.json.format(text, indent=-1)  # many times as fast
        except (msgspec.DecodeError, RecursionError):
            pass  # what is no JSON is compared as it is
    return b"".join(_DENSE.findall(text))


def _joined(before: bytes, after: bytes) -> bytes:
    return before + b"," + after if before and after else before + after
