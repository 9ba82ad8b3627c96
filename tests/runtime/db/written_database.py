"""A database that is written to and watched, and the trace of it for the judge."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import msgspec
import pytest
from tests.runtime.chat_schema import AsyncChat, Chat
from tests.runtime.db.database_histories import Follower
from tests.runtime.db.write_model import (
    WRITTEN,
    Deed,
    Entry,
    Laid,
    Local,
    Refused,
    Sending,
    View,
)
from tests.runtime.db.write_steps import Hold, Reopen, Resolution, Transact, Write
from tests.runtime.engine.judging import is_right

from streamdb import (
    Batch,
    DuplicateKey,
    MissingKey,
    RowChanged,
    TransactionFailed,
    WaitTimeout,
    fn,
)
from streamdb.db.metrics import Progress

LONGEST: Final = 60.0  # seconds of a history: only a hang takes so long


class Opened:
    """A database of either form that is written to, and its trace."""

    def __init__(self, how: Reopen, url: str, **options: Any) -> None:
        self.batches: list[Batch] = []
        self.trace: list[Entry] = []
        self.is_patient = how.is_patient
        self.refusals = False
        self.has_ended = False
        self.is_async = how.form == "async"
        self.hold = Hold(False, False)
        self._faults: list[BaseException] = []
        self._locals: list[Local] = []
        form: Any = AsyncChat if self.is_async else Chat
        self.db: Any = form(
            url,
            on_before_batch=self.batches.append,
            upsert_as=how.upsert_as,
            close_timeout=LONGEST if how.is_patient else 0,
            **options,
        )
        #: The transactions of conflicts that the application was asked about.
        self.asked: set[str] | None = None
        self._hold_when_asked()
        self._note_what_is_sent()
        if how.resolves is not None:
            self._resolve(how.resolves)
        self._threads = ThreadPoolExecutor(3)
        self._told = {name: Follower() for name in WRITTEN}
        self._live = self._live_queries()
        self._told_of_live = [_FollowerOfAnswers() for _ in self._live]
        for name in WRITTEN:
            follower = self._told[name]
            self._collection(name).subscribe(lambda changes, f=follower: self._on(f, changes))
        for live, follower in zip(self._live, self._told_of_live, strict=True):
            live.subscribe(lambda changes, f=follower: self._on(f, changes))
        self._loading = asyncio.ensure_future(self._call(self.db.preload))

    def _live_queries(self) -> list[Any]:
        db = self.db
        self._live_metas = [
            db.live(db.messages.with_meta().where(lambda _, meta: meta.pending)),
            db.live(db.sensors.with_meta().where(lambda _, meta: meta.origin == "local")),
        ]
        return [
            db.live(db.messages.where(lambda m: m.role == "user")),
            db.live(db.messages.order_by(lambda m: m.content)),
            db.live(db.sensors.group_by(lambda s: s.room).agg(lambda s: fn.count())),
            *self._live_metas,
        ]

    def _hold_when_asked(self) -> None:
        """Put gates before what sends and what takes in."""
        sender, state = self.db._session.sender, self.db._state
        send, steps = sender._send, state.steps

        async def send_later(*arguments: Any) -> None:
            while self.hold.sending:  # noqa: ASYNC110 - it is set on another loop
                await asyncio.sleep(0.001)
            await send(*arguments)

        def wait_for_it(batch: Batch) -> Iterator[Progress]:
            while self.hold.reading:
                yield Progress(0, 0)
            yield from steps(batch)

        sender._send, state.steps = send_later, wait_for_it

    def _note_what_is_sent(self) -> None:
        pending, lock = self.db._session.pending, self.db._state.lock
        make, take_back = pending.events, pending.take_back

        def events_of(draft: Any) -> list[bytes]:
            with lock:
                self.trace.append(Sending(self._local_of(draft), self._view()))
                events: list[bytes] = make(draft)
                return events

        def taken_back(drafts: list[Any]) -> None:
            with lock:
                refused = [self._local_of(draft) for draft in drafts]
                self.trace.append(Refused(refused, self._view()))
                take_back(drafts)

        replaced: Any = pending
        replaced.events, replaced.take_back = events_of, taken_back

    def _resolve(self, how: Resolution) -> None:
        """Say how to resolve conflicts, and note what is written then."""
        conflicts = self.db._conflicts
        ask, write, writer = conflicts.ask, conflicts._write, NotingWriter(conflicts._mutations)
        self.asked = asked = set[str]()
        conflicts._mutations = writer

        def noted_ask(schema: Any, conflicting: Any) -> None:
            asked.add(conflicting.txid)
            ask(schema, conflicting)

        def noted_write(schema: Any, key: str, ours: Any, wanted: Any) -> None:
            local = writer.local = Local(resolves=True)
            with self.db._state.committing():
                self.trace.append(Laid(local, self._view()))
                try:
                    write(schema, key, ours, wanted)
                except BaseException:
                    local.deeds.clear()
                    raise
                if local.tx is not None:
                    self._locals.append(local)

        conflicts.ask, conflicts._write = noted_ask, noted_write
        for name in WRITTEN:
            self._collection(name).on_conflict(_RESOLVERS[how])

    def _local_of(self, draft: Any) -> Local:
        (local,) = (one for one in self._locals if one.tx.txid == draft.outcome.txid)
        return local

    # --- what is done with it

    def transact(self, transact: Transact) -> None:
        """Write."""
        local = Local()
        with self.db._state.lock:
            self.trace.append(Laid(local, self._view()))
            if len(transact.writes) == 1 and not transact.raises:
                local.tx = self._write(local, transact.writes[0], {})
            else:
                self._write_all(local, transact)
            if local.tx is not None:
                self._locals.append(local)

    def _write_all(self, local: Local, transact: Transact) -> None:
        draft: dict[Any, Any] = {}
        with suppress(ZeroDivisionError), self.db.transaction() as local.tx:
            for write in transact.writes:
                self._write(local, write, draft)
            if transact.raises:
                raise ZeroDivisionError
        fails_at_once = transact.raises or (self.db.status == "ended" and bool(local.deeds))
        assert (local.tx.status == "failed") is fails_at_once or not self.is_async
        if transact.raises:
            local.deeds.clear()

    def _write(self, local: Local, write: Write, draft: dict[Any, Any]) -> Any:
        """Do one write; return its transaction, None if it was refused as it must be."""
        collection = self._collection(write.name)
        place, row, fields = write.place, write.row, write.fields
        key = place[1]
        now = draft[place] if place in draft else collection.get(key)
        deed, call = Deed(write.kind, row), lambda: getattr(collection, write.kind)(row)
        match write.kind:
            case "delete":
                deed, call = Deed("delete"), lambda: collection.delete(key)
            case "update":
                expects = write.expects == "this"
                deed = Deed("update", fields=_changed(now, fields), expects=expects)
                arguments: dict[str, Any] = {}
                if write.expects != "nothing" and now is not None:
                    arguments["expect"] = now
                if write.expects == "another" and now is not None:
                    arguments["expect"] = _laid_over(now, write.other_fields(now))
                call = lambda: collection.update(key, **fields, **arguments)  # noqa: E731
                if write.by_function:
                    call = lambda: collection.update(  # noqa: E731
                        key, lambda row: _laid_over(row, fields), **arguments
                    )
                if write.expects == "another" and now is not None:
                    with pytest.raises(RowChanged):
                        call()
                    return None
            case _:
                pass
        if (now is None) is (write.kind in ("update", "delete")) and write.kind != "upsert":
            with pytest.raises(MissingKey if now is None else DuplicateKey):
                call()
            return None
        if deed.kind == "update" and not deed.fields:
            return call()  # what changes nothing is free
        local.add(place, deed)
        draft[place] = deed.done_to(now)
        return call()

    async def give_up(self, *, synced: bool) -> None:
        """Wait for the last transaction, but not long."""
        if not self._locals:
            return
        tx = self._locals[-1].tx
        if self.is_async:
            waiting = asyncio.ensure_future(tx.synced() if synced else _awaited(tx))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        else:
            with suppress(WaitTimeout, TransactionFailed):
                await self._in_thread(tx.synced if synced else tx.result, 0.001)

    async def load(self) -> None:
        """Wait for the first load."""
        self.hold = Hold(False, False)
        await self._loading

    async def wait(self, txid: str | None) -> None:
        """Wait until a txid shows, and all transactions have come to their end.

        Args:
            txid: if None, the end of the stream is waited for.
        """
        await self.load()
        if txid is not None:
            await self._call(self.db.await_txid, txid, LONGEST)
        self.has_ended = txid is None
        while txid is None and self.db.status != "ended":  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        waited = -1
        while waited < len(self._locals):  # what resolves a conflict is written, too
            waited = len(self._locals)
            outcomes = [local.tx._outcome for local in self._locals]
            ends = [asyncio.wrap_future(outcome.synced) for outcome in outcomes]
            await asyncio.gather(*ends, return_exceptions=True)
            await self._callbacks_have_run()
        self.look()
        assert not any(table.overlay for table in self.db._state.tables.values())

    async def _callbacks_have_run(self) -> None:
        if not self.is_async:
            have_run = threading.Event()
            with self.db._state.lock:  # the commit that tells of outcomes is over
                self.db._deliver(have_run.set)
            await self._in_thread(have_run.wait, LONGEST)

    def look(self) -> None:
        """Note what shows."""
        with self.db._state.lock:
            self.trace.append(self._view())
            assert all(is_right(live) for live in self._live if live._result.is_ready)

    async def close(self) -> None:
        """Close it, and check what those saw who watched."""
        if self.is_patient:
            self.hold = Hold(False, False)
        await self._call(self.db.aclose if self.is_async else self.db.close)
        with suppress(Exception):  # it was closed before it had loaded
            await self._loading
        self._threads.shutdown()
        if self._faults:
            raise self._faults[0]
        self.look()
        if not self.is_async and not self.is_patient:
            return  # it did not wait for its callbacks
        for name, told in self._told.items():
            assert told.rows == dict(self._collection(name).items())
        for live, told in zip(self._live, self._told_of_live, strict=True):
            # What is written to a stream that has ended fails, which only metas show.
            if not self.has_ended or live not in self._live_metas:
                assert told.rows == dict(live.items())

    # --- what is seen of it

    def _view(self) -> View:
        rows = {name: self._collection(name).items() for name in WRITTEN}
        metas = {
            (name, key): self._collection(name).meta(key)
            for name in WRITTEN
            for key, _ in rows[name]
        }
        return View(
            self.db.offset, rows, metas, self._at("failed", "unresolved"), self._at("synced")
        )

    def _at(self, *statuses: str) -> frozenset[Local]:
        return frozenset(local for local in self._locals if local.tx.status in statuses)

    def _on(self, follower: Follower, changes: Any) -> None:
        try:
            follower.follow(changes)
            if self.is_async:  # callbacks of the blocking form run later
                self.look()
        except BaseException as fault:  # noqa: BLE001 - what callbacks raise is logged and no more
            self._faults.append(fault)

    def _collection(self, name: str) -> Any:
        return self.db.collections[name]

    async def _call(self, method: Any, *arguments: Any) -> Any:
        if self.is_async:
            return await method(*arguments)
        return await self._in_thread(method, *arguments)

    def _in_thread(self, method: Any, *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, method, *arguments)


class _FollowerOfAnswers(Follower):
    """Follows rows of queries, which may be made anew, or only move."""

    def follow(self, changes: Any) -> None:
        """Apply one item of changes."""
        assert changes
        for change in changes:
            assert self.rows.get(change.key) == change.old
            if change.new is None:
                del self.rows[change.key]
            else:
                self.rows[change.key] = change.new


class NotingWriter:
    """Writes what resolves a conflict, and notes it as what a user does."""

    def __init__(self, mutations: Any) -> None:
        self.local = Local()
        self.holding = mutations.holding
        self.shown = mutations.shown
        self._mutations = mutations

    def insert(self, schema: Any, row: Any) -> None:
        """Write a new row."""
        self.local.add((schema.name, schema.key_of(row)), Deed("insert", row))
        self.local.tx = self._mutations.insert(schema, row)

    def delete(self, schema: Any, key: Any) -> None:
        """Remove a row."""
        self.local.add((schema.name, key), Deed("delete"))
        self.local.tx = self._mutations.delete(schema, key)

    def update(self, schema: Any, key: Any, change: Any) -> None:
        """Change a row."""
        now = self.shown(schema, schema.wire_key(key))
        changed = msgspec.structs.asdict(change(now))
        if fields := _changed(now, changed):  # what changes nothing is free
            self.local.add((schema.name, key), Deed("update", fields=fields))
        self.local.tx = self._mutations.update(schema, key, change)


def _both(base: Any, theirs: Any, ours: Any) -> Any:
    """Return ours with what they changed and we did not."""
    if base is None or theirs is None or ours is None:
        return "ours" if theirs is None else "theirs"
    fields = msgspec.structs.asdict(theirs)
    changed = {name: value for name, value in fields.items() if value != getattr(base, name)}
    own = {name for name in fields if getattr(ours, name) != getattr(base, name)}
    return _laid_over(ours, {name: value for name, value in changed.items() if name not in own})


_RESOLVERS: Final[dict[Resolution, Any]] = {
    "ours": lambda *_: "ours",
    "theirs": lambda *_: "theirs",
    "both": _both,
}


async def _awaited(tx: Any) -> None:
    await tx


def _laid_over(row: Any, fields: dict[str, Any]) -> Any:
    return msgspec.structs.replace(row, **fields)


def _changed(row: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a row has not got already: those are what an update changes."""
    return {name: value for name, value in fields.items() if getattr(row, name, None) != value}
