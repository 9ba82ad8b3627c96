"""Forks: what a new stream takes from another one, and how long that one is kept (section 6).

The content before the fork offset is shared: it stays where it is, in the source. The part of an
append that a sub-offset asks for is copied, as the fork's first own append (FORKSUB-8).
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

from streamdb.protocol.names import JSON_MEDIA_TYPE, media_type
from streamdb_server import messages
from streamdb_server.storage import records
from streamdb_server.storage.records import StreamRecord

BEYOND_TAIL: Final = "the fork offset lies beyond the source's tail"
NO_BOUNDARY: Final = "the fork offset is none that the source returned"
BEYOND_APPEND: Final = "the sub-offset reaches beyond the next append of the source"


@dataclass(frozen=True, slots=True)
class ForkPoint:
    """Where a fork leaves its source, as it was asked for.

    Attributes:
        source: the path of the source.
        position: None is the source's tail (FORK-2).
        sub_offset: messages of a JSON stream, or bytes of another one, beyond the position.
    """

    source: str
    position: int | None = None
    sub_offset: int = 0


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a fork begins with: the source up to a position, and a copy of what lies behind it."""

    source: StreamRecord
    position: int
    prefix: bytes

    @property
    def end(self) -> int:
        """Where the fork's own data goes."""
        return self.position + len(self.prefix)


def begin(db: sqlite3.Connection, source: StreamRecord, point: ForkPoint) -> Beginning | str:
    """Return what a fork begins with, or why there can be none (FORK-3, FORK-5, FORKSUB-4)."""
    position = source.tail if point.position is None else point.position
    if position > source.tail:
        return BEYOND_TAIL
    if position and not _is_boundary(db, source, position):
        return NO_BOUNDARY
    prefix = _prefix(db, source, position, point.sub_offset) if point.sub_offset else b""
    return BEYOND_APPEND if prefix is None else Beginning(source, position, prefix)


def _is_boundary(db: sqlite3.Connection, source: StreamRecord, position: int) -> bool:
    end, _ = next(records.contents_before(db, source, position), (0, b""))
    return end == position


def _prefix(
    db: sqlite3.Connection, source: StreamRecord, position: int, sub_offset: int
) -> bytes | None:
    _, content = next(records.contents_after(db, source, position), (0, b""))
    if not content:
        return None  # FORKSUB-5
    if media_type(source.content_type) == JSON_MEDIA_TYPE:
        return messages.first_of(content, sub_offset)
    return content[:sub_offset] if sub_offset <= len(content) else None


def difference(db: sqlite3.Connection, stream: StreamRecord, point: ForkPoint | None) -> str:
    """Say how an existing stream differs from the fork that is asked for, or nothing (FORK-8)."""
    if point is None:
        return "" if stream.source is None else "it exists as a fork"
    source = records.find(db, point.source)
    if source is None or stream.source != source.id:
        return "it exists and is no fork of this source"
    if point.position not in (None, stream.forked_at):  # AMB-9
        return "it exists as a fork from another offset"
    if point.sub_offset != stream.sub_offset:  # FORKSUB-7
        return "it exists as a fork with another sub-offset"
    return ""
