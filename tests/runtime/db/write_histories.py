"""Random histories of databases that are written to: by themselves, by others, through trouble.

Whatever happens, what shows and what becomes of the writes is what `write_judge` says of it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.faults import Proxy, proxy
from tests.runtime.db.abandoning import abandoned_if_it_fails
from tests.runtime.db.write_judge import Judge
from tests.runtime.db.write_model import LARGEST_BODY
from tests.runtime.db.write_steps import (
    Act,
    Append,
    ByHand,
    GiveUp,
    History,
    Hold,
    Pause,
    Reopen,
    ResetTo,
    Step,
    Transact,
    Trouble,
    TroubleOfWrites,
    Wait,
    histories,
)
from tests.runtime.db.written_database import Opened
from tests.runtime.db.written_stream import Log, Others
from tests.runtime.naive_fold import NAMES, InOrder, NaiveReader
from tests.runtime.streams.histories import surroundings

from streamdb import RetryPolicy
from streamdb.streams.loop_thread import shared_loop_thread
from streamdb_server import Options, Serving, serving

__all__ = ["History", "histories", "judge", "write_server"]

_TIRELESS: Final = RetryPolicy(initial=0.001, maximum=0.005)
_NUMBERS = itertools.count()


async def judge(server: str, folder: Path, history: History) -> None:
    """Raise if a database shows or does at any moment what it may not."""
    name = f"writes-{next(_NUMBERS)}"
    shared_loop_thread()  # it stays, and so do the sockets of its loop
    async with surroundings(server + name, "json") as stream:
        others = Others(stream)
        for append in history.before:
            await others.append(append.events)
        async with proxy(server) as between:
            user = User(others, between, between.url(name), history.live, folder / f"{name}.cache")
            async with abandoned_if_it_fails(user):
                await user.open(history.opening)
                for left, step in zip(range(len(history.steps), 0, -1), history.steps, strict=True):
                    if left == history.ends:
                        await user.end_stream()
                    await user.take(step)
                    user.opened.look()
                if history.ends == 0:
                    await user.end_stream()
                await user.wait()
                await user.close()
        log = await Log.of(others)
        for opened in user.all_opened:
            await _check(log, opened)


async def _check(log: Log, opened: Opened) -> None:
    """Raise if a database showed, or did, what it may not."""
    allowed: dict[str, list[InOrder]] = {"-1": [{name: [] for name in NAMES}]}
    reader: NaiveReader | None = None
    for batch in opened.batches:
        end = await log.end(batch.offset)
        start = end - len(log.stream.items(batch))
        if reader is None:
            reader = NaiveReader(log.events, log.restart, start)
        states = reader.take(start, end, is_up_to_date=batch.up_to_date or batch.closed)
        found = allowed.setdefault(batch.offset, [])
        found += [state for state in states if state not in found]
    judge = Judge(
        log.events,
        log.ends,
        allowed,
        is_closed=not opened.is_patient,
        refusals=opened.refusals,
        has_ended=log.has_ended,
        asked=opened.asked,
    )
    judge.judge(opened.trace)


class User:
    """Has one database open at a time, on one cache, and writes to it."""

    opened: Opened

    def __init__(self, others: Others, between: Proxy, url: str, live: str, cache: Path) -> None:
        self.all_opened: list[Opened] = []
        self._others = others
        self._between = between
        self._url = url
        self._live = live
        self._cache = cache
        self._numbers = itertools.count(101)

    async def take(self, step: Step) -> None:
        """Do one step."""
        match step:
            case Transact():
                self.opened.transact(step)
            case Append(events):
                await self._others.append(events)
            case ResetTo(appends):
                await self._others.append_reset(appends)
            case Act():
                self.opened.act(step)
            case ByHand():
                self.opened.by_hand(step)
            case Hold():
                self.opened.hold_back(step)
            case Pause(milliseconds):
                await asyncio.sleep(milliseconds / 1000)
            case Wait():
                await self.wait()
            case GiveUp(synced):
                await self.opened.give_up(synced=synced)
            case Trouble(faults):
                await self._between.trouble(faults)
            case TroubleOfWrites(faults):
                self.opened.refusals = True
                self._between.trouble_posts(faults)
            case Reopen():
                await self.close()
                await self.open(step)

    async def open(self, how: Reopen) -> None:
        """Open a database, of which the writes meet no faults yet."""
        self._between.trouble_posts([])
        self.opened = Opened(
            how,
            self._url,
            self._others.stream,
            self._numbers,
            on_invalid="ignore",
            live=self._live,
            retry=_TIRELESS,
            reconnect=_TIRELESS,
            timeout=0.5,
            idle_timeout=0.3,
            **({"cache": self._cache} if how.cached else {}),
        )
        self.all_opened.append(self.opened)
        while self.opened.db.status == "idle":  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)
        if how.waits:
            await self.opened.load()

    async def wait(self) -> None:
        """Wait until all has arrived that was written."""
        mark = await self._others.append_mark()
        await self.opened.wait(None if self._others.is_closed else mark)

    async def end_stream(self) -> None:
        """Close the stream: not between the two times that a write reaches it.

        The second would be answered that the stream is closed, as if the first had not been.
        """
        async with self._between.delivering:
            await self._others.close()

    async def close(self) -> None:
        """Close the database."""
        await self.opened.close()


@contextmanager
def write_server(folder: Path) -> Generator[Serving]:
    """Run a server whose answers are small, and that refuses what is a little larger."""
    options = Options(
        long_poll_timeout=0.05, sse_lifetime=0.3, page_bytes=1000, max_body_bytes=LARGEST_BODY
    )
    with serving(folder / "streams.db", options=options) as running:
        yield running
