"""The one place where the state of a database changes: a commit.

Nobody sees half of a batch: all collections and the offset move on together, under one lock, and
only then watchers and waiters are told (ATOM-2 to ATOM-5).
"""

from __future__ import annotations

import copy
import time
from collections import deque
from collections.abc import (
    Callable,
    Collection,
    Container,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import astuple, dataclass, field
from itertools import chain
from typing import Any, Final, Literal, NamedTuple

from streamdb.cache.saved import Base, Ledger, Read, SavedRows
from streamdb.collections.callbacks import run_callback
from streamdb.collections.changes import Delta, net_deltas
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.loading import LoadingRows
from streamdb.collections.origin import release
from streamdb.collections.overlay import Conflicting, Echoes
from streamdb.collections.row_meta import MetaRows
from streamdb.collections.snapshots import Snapshots
from streamdb.collections.staging import StagedRows
from streamdb.collections.table import Table
from streamdb.db.collector import collector_paused
from streamdb.db.conditions import StateSignal
from streamdb.db.options import InvalidEvent
from streamdb.db.txids import LoadingTxids, Txids
from streamdb.engine.graph import Graph
from streamdb.protocol.exchange import Batch
from streamdb.protocol.names import BEGINNING
from streamdb.state.decoder import PageDecoder, Piece
from streamdb.state.fold import Counts, Fold, FoldedRows
from streamdb.state.judging import Upcasts
from streamdb.state.schema import CollectionSchema, StateSchema
from streamdb.state.stamps import Stamps

_REMEMBERED_INVALID: Final = 100
_COUNTED_TYPES: Final = 1000
_OTHER_TYPES: Final = ""  # no type is empty
# Seconds after which others on the event loop get their turn.
_LONGEST_STEP: Final = 0.01
_SHORT: Final = 16 * 1024  # bytes of a batch


@dataclass(slots=True)
class Metrics:
    """What a database has read so far.

    Attributes:
        commits: batches with events that were committed; the first load is one of them.
        events: events in them.
        invalid: events that were skipped as invalid, those before the position of a cache, too.
        undeclared: events of types that no collection declares, by type; beyond a thousand types,
            those of all others together, under the empty text. Likewise.
        cached: events that were not read, for the cache held what they lead to.
    """

    commits: int = 0
    events: int = 0
    invalid: int = 0
    undeclared: dict[str, int] = field(default_factory=dict[str, int])
    cached: int = 0

    def count(self, counts: Counts) -> None:
        """Add the events of a batch."""
        self.events += counts.events
        self.count_odd(len(counts.invalid), counts.undeclared)

    def count_odd(self, invalid: int, undeclared: Mapping[str, int]) -> None:
        """Add what is in no collection; of a cache, too."""
        self.invalid += invalid
        for name, count in undeclared.items():
            is_counted = name in self.undeclared or len(self.undeclared) < _COUNTED_TYPES
            label = name if is_counted else _OTHER_TYPES
            self.undeclared[label] = self.undeclared.get(label, 0) + count


class Progress(NamedTuple):
    """How far a batch was taken in.

    Attributes:
        events: of the batch, so far.
        bytes: of JSON text, so far.
    """

    events: int
    bytes: int


@dataclass(slots=True)
class CameBack:
    """What a commit holds of own transactions.

    Attributes:
        whole: those that came back as a whole, with a load.
        events: of the others, by the ordinals of their events.
        conflicts: with what others wrote.
    """

    whole: Collection[str]
    events: Mapping[int, str] = field(default_factory=dict[int, str])
    conflicts: list[Conflicting] = field(default_factory=list[Conflicting])


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
        #: Fired after every commit, by the status, and at the end.
        self.signal: Final = StateSignal()
        #: True once the first load is committed.
        self.has_loaded = False
        #: The live queries.
        self.graph: Final = Graph(
            self.lock, is_loaded=lambda: self.has_loaded, fire=self.signal.fire
        )
        self._metas: Final[dict[str, MetaRows]] = {}
        self.snapshots: Final = Snapshots(
            self.lock,
            lambda: (
                *self.tables.values(),
                *(metas.table for metas in self._metas.values()),
                *self.graph.mirrored_tables(),
            ),
            offset=lambda: self.offset,
            commit=lambda: self.graph.number,
        )
        self.metrics = Metrics()
        self.invalid_events: Final[deque[InvalidEvent]] = deque(maxlen=_REMEMBERED_INVALID)
        #: The position of what is visible.
        self.offset = BEGINNING
        #: Called inside the commit, after the rows are visible.
        self.on_commit: Callable[[CameBack], None] = lambda _: None
        #: Called after all watchers.
        self.after_commit: Callable[[], None] = lambda: None
        #: The ids of own transactions that are yet to come back.
        self.in_flight: Container[str] = ()
        #: Where the last batch that was taken in wants reading to start over.
        self.restart_from: str | None = None
        self._staging: Final = {name: StagedRows(table) for name, table in self.tables.items()}
        # What has changed and was not told yet, and whether all was loaded anew.
        self._untold: Final[deque[tuple[Mapping[Table, list[Delta]], bool]]] = deque()
        self._is_telling = False
        # Commits that are under way, one within the other, and what they want to be called.
        self._committing = 0
        self._calls: Final[deque[Callable[[], object]]] = deque()
        self._runs_calls = False
        #: How much the last batch held.
        self.last_batch = Progress(0, 0)
        self.schema: Final = schema
        self._url = url
        self._report = report
        self._decoder = PageDecoder(schema, strict=strict, upcasts=upcasts)
        self._position = BEGINNING  # of what was read; ahead of `offset` during a load
        self._obeyed_resets: set[tuple[str, str]] = set()
        self._loading_txids: Final = LoadingTxids(self._is_awaited)
        self._begin_load()

    def _is_awaited(self, txid: str) -> bool:
        return txid in self.in_flight or self.txids.is_awaited(txid)

    def _begin_load(self) -> None:
        """Collect rows out of sight until they are up to date (ATOM-3, RESET-7)."""
        self._loading: dict[str, LoadingRows] | None = {name: LoadingRows() for name in self.tables}
        self._loading_metrics = copy.deepcopy(self.metrics)
        self._loading_echoes: dict[int, str] = {}
        self._ordinal = 0
        self._stamps = Stamps()

    @property
    def is_loading(self) -> bool:
        """True until the first batch that is up to date, and again while a reset is read."""
        return self._loading is not None

    def take(self, batch: Batch) -> str | None:
        """Take a batch in at once. Return where to read again from if a reset says so.

        Raises:
            InvalidEventError: ``report`` raised it; nothing of the batch shows (INVALID-6).
            StreamParseError: the batch is not JSON; nothing of it shows.
        """
        for _ in self.steps(batch):
            pass
        return self.restart_from

    def steps(self, batch: Batch) -> Iterator[Progress]:
        """Take a batch in as :meth:`take` does, in steps of some milliseconds.

        Nothing of it shows before the last step, after which ``restart_from`` tells where to read
        again from. After an error the state that shows is what it was, and a load can only be given
        up.
        """
        self.restart_from = None
        loading, staged = self._loading, self._fresh_staging()
        fold = self._begin_fold(staged if loading is None else loading)
        yield from self._fold(batch, fold)
        if fold.restart_from is not None:
            self._obeyed_resets.add((fold.restart_from, batch.offset))
            self._position = fold.restart_from
            self._begin_load()
            self.restart_from = fold.restart_from
            return
        self._report_invalid(fold.counts, batch.offset)
        self._position = batch.offset
        self._count_on(fold)
        if loading is not None:
            self._tidy_stamps(loading.values())
            self._loading_txids.add(fold.counts.txids)
            self._loading_metrics.count(fold.counts)
            if fold.was_reset:
                self._loading_echoes.clear()  # of rows that went; ordinals have begun anew
            self._loading_echoes.update(fold.counts.echoes)
            if batch.up_to_date or batch.closed:
                with self.committing():
                    self._commit_load(loading, batch.offset)
        else:
            with self.committing():
                self._commit(staged, fold.counts, batch.offset)

    @contextmanager
    def committing(self) -> Generator[None]:
        """Hold the lock while rows change; what is to be told of it is told when it is free again.

        So nobody's code runs in the midst of a commit, neither sees half of it nor changes it.
        """
        with self.lock:
            self._committing += 1
            try:
                yield
            finally:
                self._committing -= 1
                is_over = not self._committing
        if is_over:
            release(self.graph)
            self._run_calls()
            self.graph.raise_interrupt()

    def after_committing(self, call: Callable[[], object]) -> None:
        """Call users' code now, or after the commit that is under way in this thread."""
        self._calls.append(call)
        if not self._committing:
            self._run_calls()

    def _run_calls(self) -> None:
        if self._runs_calls:
            return  # called by such code; it goes on with what came of it in a moment
        self._runs_calls = True
        try:
            while self._calls:
                run_callback(self._calls.popleft())
        finally:
            self._runs_calls = False

    def _fresh_staging(self) -> Mapping[str, StagedRows]:
        """Return where a batch is worked out; what is left of one that was refused is forgotten."""
        staging = self._staging
        for name, rows in staging.items():
            if not rows.is_empty:
                staging[name] = StagedRows(self.tables[name])
        return staging

    def saved(self) -> Base:
        """Return the committed state, for a cache."""
        with self.lock:
            ledger = Ledger(
                offset=self.offset,
                ordinal=self._ordinal,
                stamps=list(self._stamps.blocks),
                events=self.metrics.cached + self.metrics.events,
                invalid=self.metrics.invalid,
                invalid_events=[astuple(event) for event in self.invalid_events],
                undeclared=dict(self.metrics.undeclared),
                txids=self.txids.remembered(),
                resets=list(self._obeyed_resets),
            )
            rows = {
                name: SavedRows(table.synced_rows(), table.ordinals.copy(), table.originals.copy())
                for name, table in self.tables.items()
            }
            return Base(ledger, rows)

    def resume(self, ledger: Ledger, rows: dict[str, LoadingRows]) -> None:
        """Begin from what a cache holds instead of nothing; it shows when it is up to date."""
        self._begin_load()
        self._loading = rows
        self._loading_metrics.cached = ledger.events
        self._loading_metrics.count_odd(ledger.invalid, ledger.undeclared)
        self._keep_invalid(InvalidEvent(*event) for event in ledger.invalid_events)
        self._loading_txids.take()
        self._loading_txids.add(ledger.txids)
        self._obeyed_resets = set(ledger.resets)
        self._position = ledger.offset
        self._ordinal = ledger.ordinal
        self._stamps.extend(ledger.stamps)

    def replay(self, read: Read) -> None:
        """Take in what was read after that, which was reported when it was read.

        Raises:
            ValueError: it does not follow; the state is of no use.
        """
        assert self._loading is not None  # noqa: S101 - it follows `resume`
        self._position = read.start
        fold = self._begin_fold(self._loading)
        for _ in self._fold(read.batch, fold):
            pass  # it is not on the event loop
        if fold.restart_from is not None:
            raise ValueError("a reset that was obeyed is not in the state before it")
        self._position = read.batch.offset
        self._count_on(fold)
        self._loading_txids.add(fold.counts.txids)
        self._loading_metrics.cached += fold.counts.events
        self._loading_metrics.count_odd(len(fold.counts.invalid), fold.counts.undeclared)
        self._keep_invalid(
            InvalidEvent(read.batch.offset, *invalid) for invalid in fold.counts.invalid
        )

    def report_kept(self) -> None:
        """Report the invalid events that a cache holds, as if they were read now.

        Raises:
            InvalidEventError: ``report`` raised it.
        """
        for event in list(self.invalid_events):
            self._report(event)

    def begin_at(self, offset: str) -> None:
        """Take what is read to come from there; before anything is read."""
        self._position = offset

    def start_over(self) -> None:
        """Forget what a cache held."""
        with self.lock:
            self.invalid_events.clear()
        self._begin_load()
        self._loading_txids.take()
        self._obeyed_resets = set()
        self._position = BEGINNING

    def _count_on(self, fold: Fold) -> None:
        """Take the ordinals of a batch, and the stamps of its events."""
        self._ordinal = fold.ordinal
        if fold.was_reset:
            self._stamps = fold.stamps
        else:
            self._stamps.extend(fold.stamps.blocks)

    def _tidy_stamps(self, tables: Collection[Table | LoadingRows]) -> None:
        """Forget the stamps of events that left nothing, if they are more than half of all."""
        if self._stamps and self._stamps.has_many_beside(sum(len(t.rows) for t in tables)):
            synced = [t.synced_rows() if isinstance(t, Table) else t.rows for t in tables]
            pairs = zip(tables, synced, strict=True)
            ordinals = (table.ordinals.in_order(list(rows)) for table, rows in pairs)
            self._stamps = self._stamps.only(sorted(chain.from_iterable(ordinals)))

    def _begin_fold(self, rows: Mapping[str, FoldedRows]) -> Fold:
        return Fold(
            self._decoder.judge,
            rows,
            self._judge_reset,
            ordinal=self._ordinal,
            own=self.in_flight,
        )

    def _fold(self, batch: Batch, fold: Fold) -> Iterator[Progress]:
        pieces = chain.from_iterable(
            self._decoder.pieces(part, url=self._url, offset=batch.offset) for part in batch.parts
        )
        size, whole = 0, sum(map(len, batch.parts))
        # What few rows cost the collector is less than to pause it.
        pause = collector_paused if whole > _SHORT else nullcontext
        while (step := _fold_some(pieces, fold, pause)) is not None:
            size += step
            yield Progress(fold.counts.events, size)
        self.last_batch = Progress(fold.counts.events, whole)

    def _commit_load(self, loading: Mapping[str, LoadingRows], offset: str) -> None:
        self._loading = None
        self.metrics = self._loading_metrics
        self.metrics.commits += 1
        txids = self._loading_txids.take()
        own = {txid for txid in txids if txid in self.in_flight}
        echoes = Echoes(self._loading_echoes, own)
        deltas: dict[str, list[Delta]] = {}
        for name, table in self.tables.items():
            before = table.replace(loading[name], echoes)
            if table.is_watched:
                deltas[name] = net_deltas(before, table.rows)
        self._show(offset, txids, deltas, CameBack(own), is_load=True)

    def _commit(self, staged: Mapping[str, StagedRows], counts: Counts, offset: str) -> None:
        came_back = CameBack((), counts.echoes)
        # After a reset, rows that are pending show as before and stand elsewhere.
        is_load = any(rows.are_all for rows in staged.values())
        deltas: dict[str, list[Delta]] = {}
        for name, rows in staged.items():
            if rows.is_empty:
                continue
            if counts.echoes:
                same = _same_json(self.schema.by_name[name])
                echoes = Echoes(counts.echoes, is_same=same)
                deltas[name] = rows.commit(echoes)
                came_back.conflicts += echoes.conflicts
            else:
                deltas[name] = rows.commit()
        self._tidy_stamps(self.tables.values())
        self.metrics.count(counts)
        self.metrics.commits += counts.events > 0
        self._show(offset, counts.txids, deltas, came_back, is_load=is_load)

    def show_local(self, deltas: Mapping[str, list[Delta]]) -> None:
        """Have the live queries follow what is written here or taken back; the position stays.

        Called under the lock. Of what a callback writes, all are told after this commit.
        """
        self._untold.append((self._by_table(deltas), False))
        if not self._is_telling:
            self._tell()
            self.signal.fire()

    def _show(
        self,
        offset: str,
        txids: list[str],
        deltas: Mapping[str, list[Delta]],
        came_back: CameBack,
        *,
        is_load: bool = False,
    ) -> None:
        """Move the position and the live queries on with the rows, and then tell the watchers."""
        self.offset = offset
        self.has_loaded = True
        for table in self.tables.values():
            table.stamps = self._stamps
        if self._obeyed_resets:
            pairs = self._obeyed_resets
            self._obeyed_resets = {pair for pair in pairs if is_before(offset, pair[1])}
        self.on_commit(came_back)
        self._untold.append((self._by_table(deltas), is_load))
        self._tell()
        if txids:
            self.txids.record(txids)
        self.signal.fire()
        self.after_commit()

    def _tell(self) -> None:
        """Tell of all that has changed, one commit after the other."""
        self._is_telling = True
        try:
            while self._untold:
                by_table, is_load = self._untold.popleft()
                self.graph.commit(by_table, is_load=is_load)
        finally:
            self._is_telling = False

    def _by_table(self, deltas: Mapping[str, list[Delta]]) -> dict[Table, list[Delta]]:
        """Return what has changed, of the metas of rows, too, where somebody asks for them."""
        by_table = {self.tables[name]: each for name, each in deltas.items() if each}
        for metas in self._metas.values():
            if changed := metas.catch_up():
                by_table[metas.table] = changed
        return by_table

    def metas_of(self, name: str) -> MetaRows:
        """Return the metas of a collection's rows, as rows that queries can ask."""
        with self.lock:
            if name not in self._metas:
                schema = self.schema.by_name[name]
                self._metas[name] = MetaRows(self.tables[name], schema.parse_key)
            metas, table = self._metas[name], self.tables[name]
            self.snapshots.keep(metas.table, lambda rows: metas.as_in(rows[table]))
            return metas

    def _judge_reset(self, offset: str | None) -> Literal["clear", "restart", "skip"]:
        if any(
            restart == offset and is_before(self._position, end)
            for restart, end in self._obeyed_resets
        ):
            return "skip"  # RESET-8
        if offset is None or not is_before(offset, self._position):
            return "clear"  # RESET-4
        return "restart"  # RESET-3

    def _report_invalid(self, counts: Counts, offset: str) -> None:
        for mistimed in counts.mistimed:
            self._report(InvalidEvent(offset, *mistimed, is_applied=True))  # INVALID-7
        for invalid in counts.invalid:
            event = InvalidEvent(offset, *invalid)
            self._report(event)
            self._keep_invalid([event])

    def _keep_invalid(self, events: Iterable[InvalidEvent]) -> None:
        with self.lock:
            self.invalid_events.extend(events)

    def end(self, error: BaseException | None, waiters_error: BaseException) -> None:
        """Nothing more will come: tell the watchers and fail those who wait for a txid."""
        with self.lock:
            self.signal.fire(waiters_error)
            for table in self.tables.values():
                table.end(error)
            self.graph.end(error)
        release(self.graph)
        self.txids.end(waiters_error)


def _same_json(schema: CollectionSchema[Any, Any]) -> Callable[[Any, Any], bool]:
    write = schema.rows.write
    return lambda one, other: write(one) == write(other)


def _fold_some(
    pieces: Iterator[Piece], fold: Fold, pause: Callable[[], AbstractContextManager[None]]
) -> int | None:
    """Fold for some milliseconds. Return how many bytes of text it were; None if that was all."""
    size, end = 0, time.monotonic() + _LONGEST_STEP
    with pause():
        for piece in pieces:
            fold.add(piece.events)
            size += piece.bytes
            if time.monotonic() > end:
                return size
    return None


def is_before(offset: str, other: str) -> bool:
    """Compare two positions of one stream (OFF-2, RESET-10); ``-1`` is before all others.

    >>> is_before("-1", "0000_0000"), is_before("0000_0009", "0000_0010"), is_before("a", "a")
    (True, True, False)
    """
    if BEGINNING in (offset, other):
        return offset == BEGINNING and other != BEGINNING
    return offset < other
