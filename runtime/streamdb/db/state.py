"""The one place where the state of a database changes: a commit.

Nobody sees half of a batch: all collections and the offset move on together, under one lock, and
only then watchers and waiters are told (ATOM-2 to ATOM-5).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass, field
from itertools import chain
from typing import Any, Final, TypeAlias

import msgspec

from streamdb.cache.saved import Base, Ledger, Read, SavedRows
from streamdb.collections.changes import Delta, net_deltas
from streamdb.collections.collector import collector_paused
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.loading import LoadingRows
from streamdb.collections.origin import release
from streamdb.collections.overlay import CameAs, Conflicting, Echoes, Gone
from streamdb.collections.row_meta import MetaRows
from streamdb.collections.snapshots import Snapshots
from streamdb.collections.staging import StagedRows
from streamdb.collections.table import Table
from streamdb.db.asked_metas import AskedMetas
from streamdb.db.conditions import StateSignal
from streamdb.db.invalid_events import InvalidEvents
from streamdb.db.load import Load
from streamdb.db.lone_events import LoneEvents
from streamdb.db.metrics import Metrics, Progress
from streamdb.db.options import InvalidEvent
from streamdb.db.read_place import ReadPlace
from streamdb.db.turns import CommitTurns
from streamdb.db.txids import LoadingTxids, Txids
from streamdb.engine.graph import Graph
from streamdb.protocol.exchange import Batch
from streamdb.protocol.names import BEGINNING
from streamdb.state.decoder import PageDecoder, Piece
from streamdb.state.fold import Counts, Fold
from streamdb.state.items import Judged
from streamdb.state.judging import Upcasts
from streamdb.state.schema import CollectionSchema, StateSchema
from streamdb.state.typed_events import Event

#: Rows that events write, and of each whether the stream has had none of that key.
Came: TypeAlias = Mapping[tuple[str, str], bool]

# Seconds after which others on the event loop get their turn.
_LONGEST_STEP: Final = 0.01
_quick_text: Final = msgspec.json.Encoder().encode
_SHORT: Final = 16 * 1024  # bytes of a batch that is taken in without steps


@dataclass(slots=True)
class CameBack:
    """What a commit holds of own transactions.

    Attributes:
        whole: those that came back as a whole, with a load.
        events: of the others, by the ordinals of their events.
        conflicts: with what others wrote, and in which collections.
        renamed: rows of actions that came by other keys, and in which collections.
    """

    whole: Collection[str]
    events: Mapping[int, str] = field(default_factory=dict[int, str])
    conflicts: list[tuple[str, Conflicting]] = field(default_factory=list[tuple[str, Conflicting]])
    renamed: list[tuple[str, CameAs]] = field(default_factory=list[tuple[str, CameAs]])


class DatabaseState:
    """All rows of a database, its position and what it has counted.

    Args:
        schema: what the stream holds.
        url: the stream's address, for messages.
        report: called with every invalid event before the commit of its batch; what it raises
            refuses the batch.
        strict: rows that break the contract of their collection are invalid.
        upcasts: by event type, what makes values of today of those that are refused.
    """

    def __init__(
        self,
        schema: StateSchema,
        *,
        url: str,
        report: Callable[[InvalidEvent], None],
        strict: bool = False,
        upcasts: Upcasts | None = None,
    ) -> None:
        self.lock: Final = CommitLock(url)
        self.tables: Final[Mapping[str, Table]] = {
            collection.name: Table() for collection in schema.collections
        }
        self.txids: Final = Txids()
        #: Fired after every commit, by the status, by the outcomes of writes, and at the end.
        self.signal: Final = StateSignal()
        #: True once the first load is committed.
        self.has_loaded = False
        #: The live queries.
        self.graph: Final = Graph(
            self.lock, is_loaded=lambda: self.has_loaded, fire=self.signal.fire
        )
        self._metas: Final = AskedMetas(schema, self.tables)
        self.snapshots: Final = Snapshots(
            self.lock,
            lambda: (
                *self.tables.values(),
                *self._metas.tables(),
                *self.graph.mirrored_tables(),
            ),
            offset=lambda: self.offset,
            commit=lambda: self.graph.number,
        )
        self.metrics = Metrics()
        self.invalid_events: Final = InvalidEvents(self.lock, report)
        #: The position of what is visible.
        self.offset = BEGINNING
        #: Called inside a commit that brings own transactions back, after the rows are visible.
        self.on_commit: Callable[[CameBack], None] = lambda _: None
        #: Called after all watchers of such a commit.
        self.after_commit: Callable[[], None] = lambda: None
        #: The ids of own transactions that are yet to come back.
        self.in_flight: Container[str] = ()
        #: Returns what of these shows no more when their events come, by collection; may ask what
        #: those of one write, None if that is all that there is.
        self.gone_with: Callable[
            [Iterable[str], Callable[[str], Came | None]], Mapping[str, Collection[Gone]]
        ] = lambda _txids, _came_of: {}
        #: Where the last batch that was taken in wants reading to start over.
        self.restart_from: str | None = None
        #: Commits that are made here or elsewhere, and what is called when they are over.
        self._turns: Final = CommitTurns(self.lock, self.graph)
        #: Calls users' code now, or after the commit that is under way in this thread.
        self.after_committing: Final = self._turns.after
        #: How many events the last batch held.
        self.last_events = 0
        self.schema: Final = schema
        self._url = url
        self._decoder = PageDecoder(schema, strict=strict, upcasts=upcasts)
        self._place: Final = ReadPlace()
        self._loading_txids: Final = LoadingTxids(self._is_awaited)
        self._lone: Final = LoneEvents(self.tables)
        # Where batches are worked out that do not belong to a load; empty between two of them.
        self._staging: Final = {name: StagedRows(table) for name, table in self.tables.items()}
        self._is_staging = False
        self._live: Final = Fold(self._decoder.judge, self._staging, self._place.judge_reset)
        self._begin_load()

    def _is_awaited(self, txid: str) -> bool:
        return txid in self.in_flight or self.txids.is_awaited(txid)

    def _begin_load(self, rows: dict[str, LoadingRows] | None = None) -> None:
        """Collect rows out of sight, from now on, until they are up to date."""
        rows = {name: LoadingRows() for name in self.tables} if rows is None else rows
        metrics = copy.deepcopy(self.metrics)
        self._load: Load | None = Load(rows, metrics, self._decoder.judge, self._place.judge_reset)
        self._place.begin_load()

    @property
    def is_loading(self) -> bool:
        """True until the first batch that is up to date, and again while a reset is read."""
        return self._load is not None

    def take(self, batch: Batch) -> str | None:
        """Take a batch in at once. Return where to read again from if a reset says so.

        Raises:
            InvalidEventError: ``report`` raised it; nothing of the batch shows (INVALID-6).
            StreamParseError: the batch is not JSON; nothing of it shows.
        """
        for _ in self.steps(batch):
            pass
        return self.restart_from

    def steps(self, batch: Batch) -> Iterable[Progress]:
        """Take a batch in as :meth:`take` does, in steps of some milliseconds; a short one now.

        Nothing of it shows before the last step, after which ``restart_from`` tells where to read
        again from: whoever has others take their turn at each step has none between that and what
        is done next. After an error the state that shows is what it was, and a load can only be
        given up.
        """
        self.restart_from = None
        parts, offset = batch.parts, batch.offset
        if len(parts) != 1 or len(parts[0]) > _SHORT:
            return self._take_long(batch)
        events = self._decoder.short(parts[0], url=self._url, offset=offset)
        if len(events) != 1 or not self._take_lone(events[0], offset):
            fold = self._begin()
            fold.add(events)
            self._finish(batch, fold)
        return ()

    def _take_long(self, batch: Batch) -> Iterator[Progress]:
        fold = self._begin()
        yield from self._fold_in_steps(batch, fold)
        self._finish(batch, fold)

    def _take_lone(self, event: Event | Judged, offset: str) -> bool:
        """Commit an event that comes alone, if it is a plain one; tell whether it is."""
        place, metrics = self._place, self.metrics
        if self._load is not None or place.stamps.blocks:
            return False
        with self._turns:
            applied = self._lone.apply(event, place.ordinal + 1, self.in_flight)
            if applied is None:
                return False
            changes, txids = applied
            place.pass_one(offset)
            metrics.events += 1
            metrics.commits += 1
            self.last_events = 1
            self._show(offset, txids, changes)
        return True

    def _begin(self) -> Fold:
        """Return what works a batch out."""
        fold = self._fresh_fold() if self._load is None else self._load.fold
        fold.begin(self._place.ordinal, self.in_flight)
        return fold

    def _finish(self, batch: Batch, fold: Fold) -> None:
        """Show what a batch was worked out to be, or keep it with the rest of a load."""
        load = self._load
        self.last_events = fold.counts.events
        if fold.restart_from is not None:
            self._place.obey_reset(fold.restart_from, batch.offset)
            self._begin_load()
            self.restart_from = fold.restart_from
            return
        counts = fold.counts
        if counts.invalid or counts.mistimed:
            self.invalid_events.report(counts, batch.offset)
        self._place.move_on(batch.offset, fold)
        if load is None:
            with self._turns:
                self._commit(counts, batch.offset)
            return
        self._place.tidy(load.rows.values())
        self._loading_txids.add(counts.txids)
        load.metrics.count(counts)
        load.add_echoes(counts.echoes, was_reset=fold.was_reset)
        load.tidy()
        if batch.closed or (batch.up_to_date and self._place.is_past_resets(batch.offset)):
            with self._turns:
                self._commit_load(load, batch.offset)

    def committing(self) -> AbstractContextManager[None]:
        """Hold the lock while rows change; what is to be told of it is told when it is free again.

        So nobody's code runs in the midst of a commit, neither sees half of it nor changes it.
        """
        return self._turns

    def _fresh_fold(self) -> Fold:
        """Return what works a batch out; what is left of one that was refused is forgotten."""
        if self._is_staging:
            for rows in self._staging.values():
                rows.forget()
        self._is_staging = True
        return self._live

    def saved(self) -> Base:
        """Return the committed state, for a cache."""
        with self.lock:
            ledger = Ledger(
                offset=self.offset,
                ordinal=self._place.ordinal,
                stamps=list(self._place.stamps.blocks),
                events=self.metrics.cached + self.metrics.events,
                invalid=self.metrics.invalid,
                invalid_events=[astuple(event) for event in self.invalid_events.last()],
                undeclared=dict(self.metrics.undeclared),
                txids=self.txids.remembered(),
                resets=list(self._place.obeyed_resets),
            )
            rows = {
                name: SavedRows(table.synced_rows(), table.ordinals.copy(), table.originals.copy())
                for name, table in self.tables.items()
            }
            return Base(ledger, rows)

    def resume(self, ledger: Ledger, rows: dict[str, LoadingRows]) -> None:
        """Begin from what a cache holds instead of nothing; it shows when it is up to date."""
        self._begin_load(rows)
        assert self._load is not None  # noqa: S101 - begun above
        self._load.metrics.cached = ledger.events
        self._load.metrics.count_odd(ledger.invalid, ledger.undeclared)
        self.invalid_events.keep(InvalidEvent(*event) for event in ledger.invalid_events)
        self._loading_txids.take()
        self._loading_txids.add(ledger.txids)
        self._place.resume(ledger)

    def replay(self, read: Read) -> None:
        """Take in what was read after that, which was reported when it was read.

        Raises:
            ValueError: it does not follow; the state is of no use.
        """
        assert self._load is not None  # noqa: S101 - it follows `resume`
        self._place.position = read.start
        fold, metrics = self._load.fold, self._load.metrics
        fold.begin(self._place.ordinal, self.in_flight)
        for _ in self._fold_in_steps(read.batch, fold):
            pass  # it is not on the event loop
        if fold.restart_from is not None:
            raise ValueError("a reset that was obeyed is not in the state before it")
        self._place.move_on(read.batch.offset, fold)
        self._loading_txids.add(fold.counts.txids)
        metrics.cached += fold.counts.events
        metrics.count_odd(len(fold.counts.invalid), fold.counts.undeclared)
        self.invalid_events.keep(
            InvalidEvent(read.batch.offset, *invalid) for invalid in fold.counts.invalid
        )

    def begin_at(self, offset: str) -> None:
        """Take what is read to come from there; before anything is read."""
        self._place.position = offset

    def start_over(self) -> None:
        """Forget what a cache held."""
        self.invalid_events.forget()
        self._begin_load()
        self._loading_txids.take()
        self._place.start_over()

    def _fold_in_steps(self, batch: Batch, fold: Fold) -> Iterator[Progress]:
        pieces = chain.from_iterable(
            self._decoder.pieces(part, url=self._url, offset=batch.offset) for part in batch.parts
        )
        size = 0
        while (step := _fold_some(pieces, fold)) is not None:
            size += step
            if self._load is not None:
                self._load.tidy()
            yield Progress(fold.counts.events, size)

    def _commit_load(self, load: Load, offset: str) -> None:
        self._load = None
        self.metrics = load.metrics
        self.metrics.commits += 1
        txids = self._loading_txids.take()
        own = {txid for txid in txids if txid in self.in_flight}
        echoes = Echoes(load.echoes, own)
        changes: dict[Table, list[Delta]] = {}
        for name, table in self.tables.items():
            before = table.replace(load.rows[name], echoes)
            if table.is_watched and (deltas := net_deltas(before, table.rows)):
                changes[table] = deltas
        self.has_loaded = True
        self._share_stamps()
        self._show(offset, txids, changes, CameBack(own), is_load=True)

    def _commit(self, counts: Counts, offset: str) -> None:
        came_back: CameBack | None = None
        gone: Mapping[str, Collection[Gone]] = {}
        if counts.echoes:
            came_back = CameBack((), counts.echoes)
            gone = self.gone_with(
                counts.echoes.values(), lambda txid: self._came_of(txid, counts.echoes)
            )
        # After a reset, rows that are pending show as before and stand elsewhere.
        is_load = False
        changes: dict[Table, list[Delta]] = {}
        for name, staged in self._staging.items():
            if staged.is_empty and name not in gone:
                continue
            is_load = is_load or staged.are_all
            if came_back is None:
                deltas = staged.commit()
            else:
                same = _same_json(self.schema.by_name[name])
                echoes = Echoes(counts.echoes, is_same=same, gone=gone.get(name, ()))
                deltas = staged.commit(echoes)
                came_back.conflicts += ((name, each) for each in echoes.conflicts)
                came_back.renamed += ((name, each) for each in echoes.renamed)
            if deltas:
                changes[self.tables[name]] = deltas
        self._is_staging = False
        self._place.tidy(self.tables.values())
        self.metrics.count(counts)
        self.metrics.commits += counts.events > 0
        self._share_stamps()
        self._show(offset, counts.txids, changes, came_back, is_load=is_load)

    def _came_of(self, txid: str, echoes: Mapping[int, str]) -> Came | None:
        """Return what staged events with a txid write; None if they take the place of all rows."""
        came: dict[tuple[str, str], bool] = {}
        for name, staged in self._staging.items():
            if staged.are_all:
                return None
            table = self.tables[name]
            for key, ordinal in staged.written():
                if echoes.get(ordinal) == txid:
                    came[name, key] = table.synced(key) is None and staged.get(key) is not None
        return came

    def show_local(self, deltas: Mapping[str, list[Delta]]) -> None:
        """Have the live queries follow what is written here or taken back; the position stays.

        Called under the lock. Of what a callback writes, all are told after this commit.
        """
        changes: dict[Table, list[Delta]] = {}
        for name, each in deltas.items():
            if each:
                changes[self.tables[name]] = each
        if self._metas.are_asked:
            self._metas.add_changes(changes)
        self.graph.commit(changes)
        self.signal.fire()

    def _share_stamps(self) -> None:
        for table in self.tables.values():
            table.stamps = self._place.stamps

    def _show(
        self,
        offset: str,
        txids: list[str],
        changes: dict[Table, list[Delta]],
        came_back: CameBack | None = None,
        *,
        is_load: bool = False,
    ) -> None:
        """Move the position and the live queries on with the rows, and then tell the watchers."""
        self.offset = offset
        if self._place.obeyed_resets:
            self._place.forget_resets(offset)
        if came_back is not None:
            self.on_commit(came_back)
        if self._metas.are_asked:
            self._metas.add_changes(changes)
        self.graph.commit(changes, is_load=is_load)
        if txids:
            self.txids.record(txids)
        self.signal.fire()
        if came_back is not None:
            self.after_commit()

    def metas_of(self, name: str) -> MetaRows:
        """Return the metas of a collection's rows, as rows that queries can ask."""
        with self.lock:
            metas, table = self._metas.of(name), self.tables[name]
            self.snapshots.keep(metas.table, lambda rows: metas.as_in(rows[table]))
            return metas

    def end(
        self,
        error: BaseException | None,
        waiters_error: BaseException,
        *,
        is_final: bool = True,
    ) -> None:
        """Nothing more will come: tell the watchers and fail those who wait for a txid.

        Args:
            error: what has ended it, if that was a fault.
            waiters_error: what those who wait are told.
            is_final: False if the stream has ended and the database is open: writes fail, and
                subscribers are told what that changes of metas.
        """
        with self.lock:
            self.signal.fire(waiters_error)
            for table in self.tables.values():
                table.end(error, is_final=is_final)
            self.graph.end(error, is_final=is_final)
        release(self.graph)
        self.txids.end(waiters_error)


def _same_json(schema: CollectionSchema[Any, Any]) -> Callable[[Any, Any], bool]:
    """Return what tells whether two rows that were read are the same JSON.

    What is the same to msgspec is so; it takes a tenth of the time, and not all kinds of rows.
    """
    write = schema.rows.write

    def is_same(one: Any, other: Any) -> bool:
        try:
            if _quick_text(one) == _quick_text(other):
                return True
        except Exception:  # noqa: BLE001, S110 - it may be anything: they are written as on the wire
            pass
        return write(one) == write(other)

    return is_same


def _fold_some(pieces: Iterator[Piece], fold: Fold) -> int | None:
    """Fold for some milliseconds. Return how many bytes of text it were; None if that was all."""
    size, end = 0, time.monotonic() + _LONGEST_STEP
    with collector_paused():
        for piece in pieces:
            fold.add(piece.events)
            size += piece.bytes
            if time.monotonic() > end:
                return size
    return None
