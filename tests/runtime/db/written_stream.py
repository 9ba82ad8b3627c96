"""The stream of a history: others write to it without trouble, and then it is read as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.runtime.naive_fold import Restart

from streamdb import AsyncStream


@dataclass
class Others:
    """Those who write to the stream beside the database, without trouble."""

    stream: AsyncStream
    marks: int = 0
    #: The offset of the reset that starts over, if there is one: a log has one at most.
    restart: str | None = None
    _offsets: list[str] = field(default_factory=lambda: ["-1"])

    is_closed: bool = False

    async def close(self) -> None:
        """End the stream: nothing is appended any more."""
        self.is_closed = True
        await self.stream.close_stream()

    async def append(self, events: list[Any]) -> None:
        """Append events, unless the stream has ended."""
        if self.is_closed:
            return
        await self.stream.append_many(events)
        offset = (await self.stream.head()).offset
        assert offset is not None
        self._offsets.append(offset)

    async def append_reset(self, appends: int) -> None:
        """Append a reset that names an offset."""
        if self.restart is None and not self.is_closed:
            self.restart = self._offsets[min(appends, len(self._offsets) - 1)]
            await self.append([{"headers": {"control": "reset", "offset": self.restart}}])

    async def append_mark(self) -> str:
        """Append what changes nothing and return its txid."""
        self.marks += 1
        txid = f"mark-{self.marks}"
        headers = {"operation": "insert", "txid": txid}
        await self.append([{"type": "undeclared", "key": "mark", "value": 0, "headers": headers}])
        return txid


@dataclass
class Log:
    """The whole of a stream."""

    stream: AsyncStream
    events: list[Any]
    restart: Restart | None
    ends: dict[str, int]
    has_ended: bool

    @classmethod
    async def of(cls, others: Others) -> Log:
        """Read it."""
        events = await _events_from(others.stream, "-1")
        log = cls(others.stream, events, None, {"-1": 0}, others.is_closed)
        if others.restart is not None:
            at = next(index for index, event in enumerate(events) if "offset" in event["headers"])
            log.restart = Restart(at, others.restart, await log.end(others.restart))
        return log

    async def end(self, offset: str) -> int:
        """Return how many events are before an offset."""
        if offset not in self.ends:
            behind = len(await _events_from(self.stream, offset))
            self.ends[offset] = len(self.events) - behind
        return self.ends[offset]


async def _events_from(stream: AsyncStream, offset: str) -> list[Any]:
    return [event async for batch in stream.read(offset=offset) for event in stream.items(batch)]
