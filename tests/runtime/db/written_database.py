"""A database that is written to and watched, and the trace of it for the judge."""

from __future__ import annotations

import asyncio
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
from tests.runtime.db.write_steps import Hold, Reopen, Transact, Write
from tests.runtime.engine.judging import is_right

from streamdb import Batch, DuplicateKey, MissingKey, TransactionFailed, WaitTimeout, fn
from streamdb.db.metrics import Progress

LONGEST: Final = 60.0  # seconds of a history: only a hang takes so long


class Opened:
    """A database of either form that is written to, and its trace."""

    def __init__(self, how: Reopen, url: str, **options: Any) -> None:
        self.batches: list[Batch] = []
        self.trace: list[Entry] = []
        self.is_patient = how.is_patient
        self.refusals = False
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
        self._hold_when_asked()
        self._note_what_is_sent()
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
        return [
            db.live(db.messages.where(lambda m: m.role == "user")),
            db.live(db.messages.order_by(lambda m: m.content)),
            db.live(db.sensors.group_by(lambda s: s.room).agg(lambda s: fn.count())),
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
        sender, lock = self.db._session.sender, self.db._state.lock
        make, take_back = sender.events_of, sender.take_back

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

        sender.events_of, sender.take_back = events_of, taken_back

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
        assert (local.tx.status == "failed") is transact.raises
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
                deed = Deed("update", fields=_changed(now, fields))
                call = lambda: collection.update(key, **fields)  # noqa: E731
                if write.by_function:
                    call = lambda: collection.update(key, lambda row: _laid_over(row, fields))  # noqa: E731
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

    async def wait(self, txid: str) -> None:
        """Wait until a txid shows, and all transactions have come to their end."""
        await self.load()
        await self._call(self.db.await_txid, txid, LONGEST)
        outcomes = [local.tx._outcome for local in self._locals]
        ends = [asyncio.wrap_future(outcome.synced) for outcome in outcomes]
        await asyncio.gather(*ends, return_exceptions=True)
        self.look()
        assert not any(table.overlay for table in self.db._state.tables.values())

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
            assert told.rows == dict(live.items())

    # --- what is seen of it

    def _view(self) -> View:
        rows = {name: self._collection(name).items() for name in WRITTEN}
        return View(self.db.offset, rows, self._at("failed"), self._at("synced"))

    def _at(self, status: str) -> frozenset[Local]:
        return frozenset(local for local in self._locals if local.tx.status == status)

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


async def _awaited(tx: Any) -> None:
    await tx


def _laid_over(row: Any, fields: dict[str, Any]) -> Any:
    return msgspec.structs.replace(row, **fields)


def _changed(row: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a row has not got already: those are what an update changes."""
    return {name: value for name, value in fields.items() if getattr(row, name, None) != value}
