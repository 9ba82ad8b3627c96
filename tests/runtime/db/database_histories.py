"""Random histories of databases: events of every kind, faults, resets, restarts, cut anywhere.

Whatever happens: what a database shows is what a naive fold makes of the events before its offset,
in the same order, over all collections; the offset never goes back while it is open; and whoever
watches and knows nothing but the changes sees the same.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from hypothesis import strategies as st
from tests.faults import Fault, Proxy, faults, proxy
from tests.runtime.chat_schema import AsyncChat, Chat
from tests.runtime.db.abandoning import abandoned_if_it_fails
from tests.runtime.naive_fold import NAMES, OPERATIONS, InOrder, NaiveReader, Restart
from tests.runtime.streams.histories import LONGEST, surroundings

from streamdb import AsyncStream, Batch, RetryPolicy, StreamParseError
from streamdb.streams.loop_thread import shared_loop_thread

Form = Literal["async", "blocking"]

_TIRELESS: Final = RetryPolicy(initial=0.001, maximum=0.005)
_NUMBERS = itertools.count()


# --- what happens, as data


@dataclass(frozen=True)
class Append:
    """Somebody writes events in one request; a reset may name the offset before an earlier one."""

    events: list[Any]


@dataclass(frozen=True)
class ResetTo:
    """Somebody writes a reset that names the offset at which so many requests had been written."""

    appends: int


@dataclass(frozen=True)
class Wait:
    """The database is waited for until it shows all that was written."""


@dataclass(frozen=True)
class Take:
    """Who iterates over changes takes what is there."""


@dataclass(frozen=True)
class Trouble:
    """All connections break, and the next requests meet faults."""

    faults: list[Fault]


@dataclass(frozen=True)
class Reopen:
    """The database is closed wherever it is, and another one opened.

    Attributes:
        form: of the new one.
        cached: it goes on from the cache.
        pause: so many milliseconds after the step before.
        waits: the new one's first load is waited for.
    """

    form: Form
    cached: bool
    pause: int
    waits: bool


Step = Append | ResetTo | Wait | Take | Trouble | Reopen


@dataclass(frozen=True)
class History:
    """Steps, with a database that is opened before the first of them."""

    before: list[Append]
    opening: Reopen
    live: Literal["auto", "sse", "long-poll"]
    steps: list[Step]


_KEYS = st.sampled_from(["1", "1", "1", "2", "2", "-7", "007", "é"])
_TEXTS = st.sampled_from(["", "a", "b", "\ud83d", "\U0001f600"]) | st.text(max_size=3)
_ODD = st.sampled_from([None, 5, True, 2.5, [], {}, "7"])
_MESSAGES = st.fixed_dictionaries(
    {"content": _TEXTS},
    optional={
        "role": st.sampled_from(["user", "assistant"]),
        "id": _KEYS | _ODD,
        "editedBy": _TEXTS | _ODD,
    },
)
_SENSORS = st.fixed_dictionaries(
    {"room": _TEXTS, "celsius": st.integers(-9, 9) | st.sampled_from([20.0, -0.5, 1e300])},
    optional={"id": _KEYS | _ODD, "extra": _ODD | _TEXTS, "unit": _ODD},
)
_PROFILES = st.fixed_dictionaries({}, optional={"name": _TEXTS, "city": _TEXTS, "id": _KEYS})


def _change(type_: str, key: str, operation: str, value: Any) -> dict[str, Any]:
    return {"type": type_, "key": key, "value": value, "headers": {"operation": operation}}


def _changes(type_: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(_change, st.just(type_), _KEYS, st.sampled_from(OPERATIONS), values)


_PLAIN = (
    _changes("message", _MESSAGES) | _changes("sensor", _SENSORS) | _changes("profile", _PROFILES)
)
_RARE = st.one_of(
    _changes("undeclared", _MESSAGES | _ODD),
    _changes("message", _ODD | st.just({"content": 5}) | st.just({"role": "robot"})),
    _changes("sensor", _ODD | st.just({"room": "a"})),
    _changes("profile", _ODD | st.just({"name": 5})),
    st.sampled_from(
        [
            {"headers": {"control": "snapshot-start"}},
            {"headers": {"control": "snapshot-end"}},
            {"headers": {"control": "later"}},
            {"headers": {}},
            {"type": "message", "key": "", "value": {}, "headers": {"operation": "insert"}},
            {"type": "message", "key": "1", "value": {}, "headers": {"operation": "replace"}},
            "nonsense",
            5,
        ]
    ),
)
_RESETS = st.sampled_from(
    [{"headers": {"control": "reset"}}, {"headers": {"control": "reset", "offset": "~"}}]
)
_EVENTS = st.one_of(*[_PLAIN] * 5, _RARE, _RESETS)
_APPENDS = st.builds(Append, st.lists(_EVENTS, min_size=1, max_size=6))
_FORMS = st.sampled_from(["async", "blocking"])
_REOPENINGS = st.builds(
    Reopen, _FORMS, cached=st.booleans(), pause=st.sampled_from([0, 0, 1, 5]), waits=st.booleans()
)
_STEPS = st.one_of(
    _APPENDS,
    _APPENDS,
    _APPENDS,
    st.just(Wait()),
    st.just(Take()),
    st.builds(Trouble, faults(max_size=4)),
    _REOPENINGS,
    st.builds(ResetTo, st.integers(0, 4)),
)
histories = st.builds(
    History,
    before=st.lists(_APPENDS, max_size=5),
    opening=_REOPENINGS,
    live=st.sampled_from(["auto", "sse", "long-poll"]),
    steps=st.lists(_STEPS, max_size=12),
)


# --- the log, and what it allows


@dataclass(frozen=True)
class View:
    """What a database showed at a moment: an offset, and its rows with keys and ordinals."""

    offset: str
    rows: InOrder


@dataclass
class Log:
    """What was written, and where offsets are in it."""

    stream: AsyncStream
    events: list[Any] = field(default_factory=list[Any])
    restart: Restart | None = None
    #: By number of requests: the offset behind them, and how many events are before it.
    places: list[tuple[str, int]] = field(default_factory=lambda: [("-1", 0)])
    txids: int = 0
    _counts: dict[str, int] = field(default_factory=lambda: {"-1": 0})

    async def append(self, events: list[Any]) -> None:
        """Append events, and one behind them with a txid, `t1` the first time."""
        self.txids += 1
        mark = _change("undeclared", "mark", "insert", 0)
        mark["headers"]["txid"] = f"t{self.txids}"
        batch = [*events, mark]
        await self.stream.append_many(batch)
        self.events += batch
        offset = (await self.stream.head()).offset
        assert offset is not None
        self.places.append((offset, len(self.events)))

    async def append_reset(self, appends: int) -> None:
        """Append a reset that starts over; a log has one at most."""
        if self.restart is not None:
            return
        offset, start = self.places[min(appends, len(self.places) - 1)]
        self.restart = Restart(len(self.events), offset, start)
        await self.append([{"headers": {"control": "reset", "offset": offset}}])

    async def check(self, opened: Opened) -> None:
        """Raise if a database showed what its batches do not make: rows, order or ordinals."""
        allowed: dict[str, list[InOrder]] = {"-1": [{name: [] for name in NAMES}]}
        reader: NaiveReader | None = None
        for batch in opened.batches:
            end = await self._events_before(batch.offset)
            start = end - len(self.stream.items(batch))
            if reader is None:
                assert opened.is_cached or start == 0
                reader = NaiveReader(self.events, self.restart, start)
            is_up_to_date = batch.up_to_date or batch.closed
            states = reader.take(start, end, is_up_to_date=is_up_to_date)
            allowed.setdefault(batch.offset, []).extend(states)
        for view in opened.views:
            states = allowed[view.offset]
            assert view.rows in states, f"at {view.offset}: {view.rows}, not {states}"

    async def _events_before(self, offset: str) -> int:
        """Return how many events are before an offset, as the server sees it."""
        if offset not in self._counts:
            behind = [
                len(self.stream.items(batch)) async for batch in self.stream.read(offset=offset)
            ]
            self._counts[offset] = len(self.events) - sum(behind)
        return self._counts[offset]


# --- who watches


@dataclass
class Follower:
    """Knows nothing but the changes that it is told."""

    rows: dict[Any, Any] = field(default_factory=dict[Any, Any])

    def follow(self, changes: Any) -> None:
        """Apply one item of changes: it fits what was told before, and has no key twice."""
        assert changes
        assert len({change.key for change in changes}) == len(changes)
        for change in changes:
            assert self.rows.get(change.key) is change.old
            assert change.old is not change.new or change.kind == "move"
            kinds = {(True, False): "insert", (False, False): "update", (False, True): "delete"}
            assert change.kind in (kinds[change.old is None, change.new is None], "move")
            if change.new is None:
                del self.rows[change.key]
            else:
                self.rows[change.key] = change.new


class Lives:
    """Live queries, which at any moment are what is computed of the collections anew."""

    def __init__(self, db: Any) -> None:
        self._long = db.live(db.messages.where(lambda m: m.content != ""))
        self._texts = db.live(self._long.map(lambda m: (m.content, m.id)))
        self._last = db.live(db.messages.order_by(lambda m: m.content).offset(1).limit(2))
        self._pairs = db.live(
            self._long.join(db.sensors, on=lambda m, s: m.content == s.room, how="left")
        )
        self._told = [Follower() for _ in range(2)]
        for live, follower in zip((self._long, self._last), self._told, strict=True):
            live.subscribe(lambda changes, follower=follower: follower.follow(changes))

    def check(self, db: Any) -> None:
        """Compare, with what is in the collections now or in a snapshot."""
        messages, sensors = dict(db.messages.items()), dict(db.sensors.items())
        long = {key: row for key, row in messages.items() if row.content != ""}
        assert dict(self._long.items()) == long
        assert dict(self._texts.items()) == {k: (m.content, m.id) for k, m in long.items()}
        ordered = sorted(messages.items(), key=lambda item: (item[1].content, item[0]))
        assert self._last.items() == ordered[1:3]
        pairs = {
            (key, other): (row, sensor)
            for key, row in long.items()
            for other, sensor in [
                *[(k, s) for k, s in sensors.items() if s.room == row.content],
                *([] if any(s.room == row.content for s in sensors.values()) else [(None, None)]),
            ]
        }
        assert dict(self._pairs.items()) == pairs

    def check_told(self) -> None:
        """Compare with what those know who were told of all changes."""
        for live, follower in zip((self._long, self._last), self._told, strict=True):
            assert follower.rows == dict(live.items())


class Opened:
    """A database of either form, and what is seen of it."""

    def __init__(self, form: Form, url: str, **options: Any) -> None:
        self.is_cached = "cache" in options
        self.batches: list[Batch] = []
        options["on_before_batch"] = self.batches.append
        self.db: Any = AsyncChat(url, **options) if form == "async" else Chat(url, **options)
        self.is_async = form == "async"
        self.views: list[View] = []
        self.faults: list[BaseException] = []
        self._told = {name: Follower() for name in NAMES}
        self._taken = {name: Follower() for name in NAMES}
        self._threads = ThreadPoolExecutor(len(NAMES) + 2)
        for name in NAMES:
            self._collection(name).subscribe(lambda changes, name=name: self._on(name, changes))
        self._lives = Lives(self.db)
        self._readers = {name: self._collection(name).changes() for name in NAMES}
        self._loading = asyncio.ensure_future(self._call(self.db.preload))
        self._takers = []

    async def load(self) -> None:
        """Wait for the first load."""
        await self._loading
        if not self.is_async and not self._takers:
            self._takers = [self._in_thread(self._take_all, name) for name in NAMES]

    async def wait(self, txid: str) -> None:
        """Wait until a txid shows."""
        await self.load()
        await self._call(self.db.await_txid, txid, LONGEST)

    async def take(self) -> None:
        """Take the changes that are there; a blocking database's are taken all the time."""
        for name in NAMES if self.is_async and self._loading.done() else ():
            with suppress(TimeoutError, StopAsyncIteration, StreamParseError):
                async with asyncio.timeout(0.001):
                    self._taken[name].follow(await anext(self._readers[name]))

    def view(self) -> View:
        """Look at all of it at once."""
        with self.db.snapshot():
            self._lives.check(self.db)
            rows = {
                name: [
                    (key, row, self._collection(name).meta(key).seq)
                    for key, row in self._collection(name).items()
                ]
                for name in NAMES
            }
            return View(self.db.offset, rows)

    async def abandon(self) -> None:
        """Close it, and check nothing."""
        await self._call(self.db.aclose if self.is_async else self.db.close)

    async def close(self) -> None:
        """Close it, and check what those saw who watched."""
        await self.abandon()
        with suppress(Exception):  # it was closed before it had loaded
            await self._loading
        for name in NAMES:
            if self.is_async:
                with suppress(StreamParseError):
                    async for changes in self._readers[name]:
                        self._taken[name].follow(changes)
        await asyncio.gather(*self._takers)
        self._threads.shutdown()
        if self.faults:
            raise self.faults[0]
        self.views.append(self.view())
        self._lives.check_told()
        for name, rows in self.views[-1].rows.items():
            assert self._told[name].rows == _by_key(rows)
            if self.is_async or self._takers:
                assert self._taken[name].rows == _by_key(rows)
        offsets = [view.offset for view in self.views if view.offset != "-1"]
        assert offsets == sorted(offsets), "the offset went back"

    def _on(self, name: str, changes: Any) -> None:
        try:
            self._told[name].follow(changes)
            view = self.view()
            if self.is_async:  # callbacks of the blocking form run later
                assert self._told[name].rows == _by_key(view.rows[name])
            self.views.append(view)
        except BaseException as fault:  # noqa: BLE001 - what callbacks raise is logged and no more
            self.faults.append(fault)

    def _take_all(self, name: str) -> None:
        with suppress(StreamParseError):
            for changes in self._readers[name]:
                self._taken[name].follow(changes)

    def _collection(self, name: str) -> Any:
        return self.db.collections[name]

    async def _call(self, method: Any, *arguments: Any) -> Any:
        if self.is_async:
            return await method(*arguments)
        return await self._in_thread(method, *arguments)

    def _in_thread(self, method: Any, *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, method, *arguments)


def _by_key(rows: list[tuple[Any, Any, int]]) -> dict[Any, Any]:
    return {key: row for key, row, _ in rows}


# --- histories


async def judge(server: str, folder: Path, history: History) -> None:
    """Raise if a database shows at any moment what it may not."""
    name = f"histories-{next(_NUMBERS)}"
    shared_loop_thread()  # it stays, and so do the sockets of its loop
    async with surroundings(server + name, "json") as stream:
        log = Log(stream)
        for append in history.before:
            await log.append(append.events)
        async with proxy(server) as between:
            user = User(log, between.url(name), history.live, folder / f"{name}.cache")
            async with abandoned_if_it_fails(user):
                await user.open(history.opening)
                for step in history.steps:
                    await _do(step, log, user, between)
                await user.wait()
                await user.close()
            if log.txids:
                assert user.opened.views[-1].offset == log.places[-1][0]


async def _do(step: Step, log: Log, user: User, between: Proxy) -> None:
    match step:
        case Append(events):
            await log.append(events)
        case ResetTo(appends):
            await log.append_reset(appends)
        case Wait():
            await user.wait()
        case Take():
            await user.opened.take()
        case Trouble(met):
            await between.trouble(met)
        case Reopen():
            await asyncio.sleep(step.pause / 1000)
            await user.close()
            await user.open(step)


class User:
    """Has one database open at a time, on one cache, and looks whether all is right."""

    opened: Opened

    def __init__(self, log: Log, url: str, live: str, cache: Path) -> None:
        self._log = log
        self._url = url
        self._live = live
        self._cache = cache

    async def open(self, how: Reopen) -> None:
        """Open a database."""
        self._how = how
        self.opened = Opened(
            how.form,
            self._url,
            on_invalid="ignore",
            live=self._live,
            retry=_TIRELESS,
            reconnect=_TIRELESS,
            timeout=0.5,
            idle_timeout=0.3,
            **({"cache": self._cache} if how.cached else {}),
        )
        if how.waits:
            await self._unless_damaged(self.opened.load)

    async def wait(self) -> None:
        """Wait until all that was written shows."""
        if self._log.txids:
            await self._unless_damaged(lambda: self.opened.wait(f"t{self._log.txids}"))

    async def close(self) -> None:
        """Close the database, and check what it showed."""
        await self.opened.close()
        await self._log.check(self.opened)

    async def _unless_damaged(self, wait: Callable[[], Awaitable[None]]) -> None:
        try:
            await wait()
        except StreamParseError:  # some damaged answers in a row end the reading: begin again
            await self.close()
            await self.open(replace(self._how, waits=True))
            await self._unless_damaged(wait)
