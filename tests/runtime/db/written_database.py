"""A database that is written to and watched, and the trace of it for the judge."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat
from tests.runtime.db.database_histories import Follower
from tests.runtime.db.write_model import (
    WRITTEN,
    Acted,
    Committed,
    Deed,
    Entry,
    Extended,
    Laid,
    Local,
    Order,
    Place,
    Refused,
    Renamed,
    Reordered,
    Sending,
    View,
    renamed,
)
from tests.runtime.db.write_steps import Act, ByHand, Hold, Reopen, Transact, Write
from tests.runtime.db.written_actions import DurablePart
from tests.runtime.db.written_answers import Answers, changed, laid_over
from tests.runtime.engine.judging import is_right
from tests.runtime.engine.oracle.indexed import assert_loaded_alike
from tests.runtime.streams.histories import LONGEST

from streamdb import (
    AsyncStream,
    Batch,
    DuplicateKey,
    MissingKey,
    RowChanged,
    StreamDBError,
    TransactionFailed,
    WaitTimeout,
    fn,
)
from streamdb.collections.overlay import UNKNOWN
from streamdb.db.metrics import Progress


class Opened:
    """A database of either form that is written to, and its trace.

    Args:
        how: it is opened.
        url: of the stream, with trouble.
        stream: the stream, without.
        numbers: what a server calls rows that are inserted here, each time another one.
        options: of the database.
    """

    def __init__(
        self, how: Reopen, url: str, stream: AsyncStream, numbers: Iterator[int], **options: Any
    ) -> None:
        self.batches: list[Batch] = []
        self.trace: list[Entry] = []
        self.is_patient = how.is_patient
        self.refusals = False
        self.is_async = how.form == "async"
        self.hold = Hold()
        #: So many durable parts of actions are under way.
        self.persisting = 0
        #: They are to end: the database is closed.
        self.is_over = False
        self.locals: list[Local] = []
        self._over: set[Local] = set()
        #: Whose first write is under way.
        self._writing: Local | None = None
        self._by_hand: Local | None = None
        self._assigned: dict[Place, Place] = {}
        self._numbers = numbers
        self._stream = stream
        self._faults: list[BaseException] = []
        form: Any = AsyncChat if self.is_async else Chat
        self.db: Any = form(
            url,
            on_before_batch=self.batches.append,
            upsert_as=how.upsert_as,
            close_timeout=LONGEST if how.is_patient else 0,
            **options,
        )
        self.lock = self.db._state.lock
        self._hold_when_asked()
        self._note_what_shows()
        self._note_what_is_sent()
        self._note_what_becomes_of_actions()
        self._answers = None if how.resolves is None else Answers(self, how.resolves)
        self._threads = ThreadPoolExecutor(3)
        self._told = {name: Follower() for name in WRITTEN}
        self._live = self._live_queries()
        self._told_of_live = [_FollowerOfAnswers() for _ in self._live]
        for name in WRITTEN:
            follower = self._told[name]
            self.collection(name).subscribe(lambda changes, f=follower: self._on(f, changes))
        for live, follower in zip(self._live, self._told_of_live, strict=True):
            live.subscribe(lambda changes, f=follower: self._on(f, changes))
        self._loading = asyncio.ensure_future(self._call(self.db.preload))

    def _live_queries(self) -> list[Any]:
        db = self.db
        return [
            db.live(db.messages.where(lambda m: m.role == "user")),
            db.live(db.messages.order_by(lambda m: m.content)),
            db.live(db.messages.order_by(lambda m: m.content.desc()).limit(2)),
            db.live(db.sensors.group_by(lambda s: s.room).agg(lambda s: fn.count())),
            db.live(db.messages.with_meta().where(lambda _, meta: meta.pending)),
            db.live(db.sensors.with_meta().where(lambda _, meta: meta.origin == "local")),
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

    def _note_what_shows(self) -> None:
        """Know a write before anybody is told of it: it may have failed already."""
        pending: Any = self.db._session.pending
        show, wrap = pending.show, self.db._mutations._wrap

        def shown(draft: Any, places: Any) -> None:
            if (local := self._writing) is not None and places:
                self._writing = None
                local.tx = wrap(draft.outcome) if local.tx is None else local.tx
                self.locals.append(local)
            show(draft, places)

        pending.show = shown

    def _note_what_is_sent(self) -> None:
        pending, lock = self.db._session.pending, self.db._state.lock
        put_in_order, take_back = pending._put_in_order_of_sending, pending.take_back
        orders: list[Order] = []

        def in_order(draft: Any) -> None:
            with lock:
                view = self.view()
                put_in_order(draft)
                if orders:
                    self.trace.append(Reordered(orders[:], view))
                    orders.clear()
                self.trace.append(Sending(self._local_of(draft), self.view()))

        for name, table in self.db._state.tables.items():
            self._note_orders(name, table.overlay, orders)

        def taken_back(drafts: list[Any]) -> None:
            with lock:
                refused = [self._local_of(draft) for draft in drafts]
                self.trace.append(Refused(refused, self.view()))
                take_back(drafts)

        replaced: Any = pending
        replaced._put_in_order_of_sending, replaced.take_back = in_order, taken_back

    def _note_orders(self, name: str, overlay: Any, orders: list[Order]) -> None:
        """Have it noted when pending changes of a row are put in another order."""
        put_in_order, parse_key = overlay.put_in_order, self.db.schema.by_name[name].parse_key

        def noted(key: str, order: Sequence[Any]) -> None:
            by_txid = {local.tx.txid: local for local in self.locals}
            locals_ = [by_txid[pending.txid] for pending in order]
            moved = {by_txid[one.txid] for one in order if one.seen is UNKNOWN}
            orders.append(Order((name, parse_key(key)), locals_, moved))
            put_in_order(key, order)

        overlay.put_in_order = noted

    def _note_what_becomes_of_actions(self) -> None:
        pending: Any = self.db._session.pending
        sender: Any = self.db._session.sender
        end, fail_all, rename = sender.end, sender.fail_all, pending.renamed._rename

        def ended(action: Any, error: BaseException | None) -> None:
            with self.lock:
                self._over.add(self._local_of(action.draft))
                end(action, error)

        def all_failed(reason: BaseException, *, is_answer: bool = True) -> None:
            with self.lock:
                self._over.update(self.locals)
                fail_all(reason, is_answer=is_answer)

        def renamed(
            schema: Any, old: str, new: str, drafts: Iterable[Any], action: Any = None
        ) -> None:
            drafts = list(drafts)
            places = [(schema.name, schema.parse_key(key)) for key in (old, new)]
            all_drafts = drafts if action is None else [action, *drafts]
            renamed = [self._local_of(draft) for draft in dict.fromkeys(all_drafts)]
            self.trace.append(Renamed(renamed, self.view(), *places))
            rename(schema, old, new, drafts, action)

        sender.end, sender.fail_all, pending.renamed._rename = ended, all_failed, renamed

    def _local_of(self, draft: Any) -> Local:
        (local,) = (one for one in self.locals if one.tx.txid == draft.outcome.txid)
        return local

    @property
    def asked(self) -> set[str] | None:
        """The transactions of conflicts that the application was asked about, if it was."""
        return None if self._answers is None else self._answers.asked

    # --- what is done with it

    def hold_back(self, hold: Hold) -> None:
        """Have some things wait from now on, and others not."""
        self.hold = hold
        if self._answers is not None and not hold.asking:
            self._answers.go_on()

    def act(self, act: Act) -> None:
        """Have the application carry out an action."""
        acted = Acted(act.way)
        local = Local(acted=acted)
        part = DurablePart(self, local, acted, self._stream, asyncio.get_running_loop())

        def on_mutate() -> None:
            draft: dict[Any, Any] = {}
            for write in act.writes:
                self._write(local, write, draft)
            if act.raises:
                raise ZeroDivisionError

        with self.lock:
            self.trace.append(Laid(local, self.view()))
            try:
                local.tx = self.db.perform(
                    on_mutate, part.in_task if self.is_async else part.on_thread
                )
            except ZeroDivisionError:
                local.deeds.clear()
            else:
                self.locals.append(local)

    def by_hand(self, step: ByHand) -> None:
        """Go on with the transaction by hand, or end it."""
        with self.lock:
            if self._by_hand is None:
                tx = self.db.begin()
                self._by_hand = Local(tx=tx)
            if step.does == "write":
                self._write_block(self._by_hand, step)
            elif step.does == "commit":
                self._commit_by_hand()
        if step.does == "roll back":  # which waits for the loop, in the blocking form
            local, self._by_hand = self._by_hand, None
            local.tx.rollback()

    def _write_block(self, local: Local, step: ByHand) -> None:
        part, draft = Local(), dict[Any, Any]()
        self.trace.append(Extended(local, self.view(), part.deeds))
        self._writing = None if local in self.locals else local
        try:
            with local.tx:
                for write in step.writes:
                    self._write(part, write, draft)
                if step.raises:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            part.deeds.clear()
        except StreamDBError as error:
            part.deeds.clear()
            if local.tx.status == "open" and "which waits for this one" not in str(error):
                raise
        self._writing = None
        if part.deeds and local not in self.locals:
            self.locals.append(local)

    def _commit_by_hand(self) -> None:
        local, self._by_hand = self._by_hand, None
        if local is not None:
            self.trace.append(Committed(local, self.view()))
            local.tx.commit()

    def assign(self, place: Place) -> Place:
        """Return what a server calls a row that was inserted here."""
        number = next(self._numbers)
        new = place[0], str(number) if place[0] == "messages" else number
        self._assigned[new] = place
        return new

    def transact(self, transact: Transact) -> None:
        """Write."""
        local = Local()
        with self.db._state.lock:
            self.trace.append(Laid(local, self.view()))
            self._writing = local
            if len(transact.writes) == 1 and not transact.raises:
                local.tx = self._write(local, transact.writes[0], {})
            else:
                self._write_all(local, transact)
            self._writing = None
            if local.tx is not None and local not in self.locals:
                self.locals.append(local)

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
        collection = self.collection(write.name)
        row, fields, key = write.row, write.fields, write.place[1]
        place = write.place if write.kind == "insert" else self.called_now(write.place, local)
        now = draft[place] if place in draft else dict(collection.items()).get(place[1])
        deed = Deed(write.kind, renamed(row, place))
        call = lambda: getattr(collection, write.kind)(row)  # noqa: E731
        match write.kind:
            case "delete":
                deed, call = Deed("delete"), lambda: collection.delete(key)
            case "update":
                expects = write.expects == "this"
                deed = Deed("update", fields=changed(now, fields), expects=expects)
                arguments: dict[str, Any] = {}
                if write.expects != "nothing" and now is not None:
                    arguments["expect"] = now
                if write.expects == "another" and now is not None:
                    arguments["expect"] = laid_over(now, write.other_fields(now))
                call = lambda: collection.update(key, **fields, **arguments)  # noqa: E731
                if write.by_function:
                    call = lambda: collection.update(  # noqa: E731
                        key, lambda row: laid_over(row, fields), **arguments
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

    def called_now(self, place: Place, local: Local) -> Place:
        """Return what the row is called that whoever writes it by this key reaches."""
        if place in local.deeds:
            return place
        table, schema = self.db._state.tables[place[0]], self.db.schema.by_name[place[0]]
        key = table.renamed.now(schema.wire_key(place[1]), table.rows)
        now = before = place[0], schema.parse_key(key)
        while before != place:
            before = self._assigned[before]
        return now

    async def give_up(self, *, synced: bool) -> None:
        """Wait for the last transaction, but not long."""
        sent = [local for local in self.locals if local.tx.status != "open"]
        if not sent:
            return
        tx = sent[-1].tx
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
        with self.lock:
            self._commit_by_hand()
        self.hold_back(Hold())
        await self._loading

    async def wait(self, txid: str | None) -> None:
        """Wait until a txid shows, and all transactions have come to their end.

        Args:
            txid: if None, the end of the stream is waited for.
        """
        await self.load()
        if txid is not None:
            await self._call(self.db.await_txid, txid, LONGEST)
        while txid is None and self.db.status != "ended":  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        waited = -1
        while waited < len(self.locals):  # what resolves a conflict is written, too
            waited = len(self.locals)
            outcomes = [local.tx._outcome for local in self.locals]
            ends = [asyncio.wrap_future(outcome.synced) for outcome in outcomes]
            await asyncio.gather(*ends, return_exceptions=True)
            # One that has failed with the end of the stream may go on, and write.
            while self.db._session.sender.actions:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.001)
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
            self.trace.append(self.view())
            for live in self._live:
                if live._result.is_ready:
                    assert is_right(live)
                    assert_loaded_alike(live._result)

    async def abandon(self) -> None:
        """Close it, and check nothing."""
        await self._call(self.db.aclose if self.is_async else self.db.close)

    async def close(self) -> None:
        """Close it, and check what those saw who watched."""
        if self.is_patient:
            self.hold_back(Hold())
        await self.abandon()
        self.is_over = True
        while self.persisting:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)
        with suppress(Exception):  # it was closed before it had loaded
            await self._loading
        self._threads.shutdown()
        if self._faults:
            raise self._faults[0]
        self.look()
        if not self.is_async and not self.is_patient:
            return  # it did not wait for its callbacks
        for name, told in self._told.items():
            assert told.rows == dict(self.collection(name).items())
        for live, told in zip(self._live, self._told_of_live, strict=True):
            assert told.rows == dict(live.items())

    # --- what is seen of it

    def view(self) -> View:
        """Return what shows."""
        rows = {name: self.collection(name).items() for name in WRITTEN}
        metas = {
            (name, key): self.collection(name).meta(key)
            for name in WRITTEN
            for key, _ in rows[name]
        }
        failed, synced = self._at("failed", "unresolved"), self._at("synced")
        return View(self.db.offset, rows, metas, failed, synced, frozenset(self._over))

    def _at(self, *statuses: str) -> frozenset[Local]:
        return frozenset(local for local in self.locals if local.tx.status in statuses)

    def _on(self, follower: Follower, changes: Any) -> None:
        try:
            follower.follow(changes)
            # Callbacks of the blocking form run later. What is written to a stream that has ended
            # has failed before it is known here what it is.
            if self.is_async and self.db.status != "ended":
                self.look()
        except BaseException as fault:  # noqa: BLE001 - what callbacks raise is logged and no more
            self._faults.append(fault)

    def collection(self, name: str) -> Any:
        """Return a collection."""
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
