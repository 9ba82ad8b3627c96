"""The command `read`: what to collect, and when it is enough."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from adapter.commands import Read
from adapter.modes import Mode, OutOfTime
from adapter.values import is_json, text_of

from streamdb import AsyncStream, Batch


@dataclass
class Collected:
    """What a read has brought so far."""

    stream: AsyncStream
    command: Read
    offset: str = field(init=False)
    chunks: list[dict[str, str]] = field(init=False, default_factory=list)
    up_to_date: bool = field(init=False, default=False)
    closed: bool = field(init=False, default=False)
    cursor: str | None = field(init=False, default=None)
    status: int | None = field(init=False, default=None)
    _has_caught_up: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.offset = self.command.offset

    def take(self, batch: Batch) -> None:
        """Take a batch; each of its parts is a chunk: over SSE, an event."""
        for part in batch.parts:
            self._add(replace(batch, parts=(part,)))
        # A long-poll that brings nothing is answered 204 (POLL-4), catching up never.
        polled = self.command.live == "long-poll" and self._has_caught_up
        self.status = 204 if polled and not batch.parts else 200
        self._has_caught_up = self._has_caught_up or batch.up_to_date
        self._note(batch)

    def take_whole(self, batches: list[Batch]) -> None:
        """Take all that catching up has brought as one chunk."""
        parts = tuple(part for batch in batches for part in batch.parts)
        self._add(replace(batches[-1], parts=parts))
        self.status = 200
        self._note(batches[-1])

    def is_enough(self) -> bool:
        """Tell whether a live read may end here; at the end of a stream it ends by itself."""
        return (
            len(self.chunks) >= self.command.max_chunks
            or (self.command.wait_for_up_to_date and self.up_to_date)
            or (self.status == 204 and not self.chunks)
        )

    def answer(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "chunks": self.chunks,
            "offset": self.offset,
            "upToDate": self.up_to_date,
            "streamClosed": self.closed,
            "cursor": self.cursor,
        }

    def _add(self, batch: Batch) -> None:
        items = self.stream.items(batch) if is_json(batch.content_type) else None
        if text := text_of(batch, items):
            self.chunks.append({"data": text, "offset": batch.offset})

    def _note(self, batch: Batch) -> None:
        self.offset, self.cursor = batch.offset, batch.cursor
        self.up_to_date, self.closed = batch.up_to_date, batch.closed


async def read(mode: Mode, stream: AsyncStream, command: Read, longest: float) -> dict[str, Any]:
    """Read to the tail, or live until it is enough; a live read that runs out of time succeeds."""
    collected = Collected(stream, command)
    if command.live is False:
        async with (
            mode.limit(longest, stream),
            aclosing(stream.read(offset=command.offset)) as batches,
        ):
            collected.take_whole([batch async for batch in batches])
        return collected.answer()
    live = "auto" if command.live is True else command.live
    try:
        async with (
            mode.limit(min(command.timeout_ms / 1000, longest), stream),
            aclosing(stream.read(offset=command.offset, live=live)) as batches,
        ):
            async for batch in batches:
                collected.take(batch)
                if collected.is_enough():
                    break
    except OutOfTime:
        collected.up_to_date = True
    return collected.answer()
