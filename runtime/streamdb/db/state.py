"""The one place where the state of a database changes: a commit.

Nobody sees half of a batch: all collections and the offset move on together, under one lock, and
only then watchers and waiters are told (ATOM-2 to ATOM-5).
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from streamdb.collections.changes import Delta
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.table import Table
from streamdb.db.options import InvalidEvent
from streamdb.db.txids import Txids
from streamdb.protocol.exchange import Batch
from streamdb.protocol.names import BEGINNING
from streamdb.state.decoder import PageDecoder
from streamdb.state.fold import Fold, Staged
from streamdb.state.schema import StateSchema

_REMEMBERED_INVALID: Final = 100


@dataclass(slots=True)
class Metrics:
    """What a database has read so far.

    Attributes:
        commits: batches with events that were committed; the first load is one of them.
        events: events in them.
        invalid: events that were skipped as invalid.
        undeclared: events of types that no collection declares, by type.
    """

    commits: int = 0
    events: int = 0
    invalid: int = 0
    undeclared: dict[str, int] = field(default_factory=dict[str, int])

    def count(self, staged: Staged) -> None:
        """Add the events of a batch."""
        self.events += staged.events
        self.invalid += len(staged.invalid)
        for name, count in staged.undeclared.items():
            self.undeclared[name] = self.undeclared.get(name, 0) + count


class DatabaseState:
    """All rows of a database, its position and what it has counted.

    Args:
        schema: what the stream holds.
        url: the stream's address, for messages.
        report: called with every invalid event before the commit of its batch; what it raises
            refuses the batch.
        strict: rows that break the contract of their collection are invalid.
    """

    def __init__(
        self,
        schema: StateSchema,
        *,
        url: str,
        report: Callable[[InvalidEvent], None],
        strict: bool = False,
    ) -> None:
        self.lock: Final = CommitLock(url)
        self.tables: Final[Mapping[str, Table]] = {
            collection.name: Table() for collection in schema.collections
        }
        self.txids: Final = Txids()
        self.metrics = Metrics()
        self.invalid_events: Final[deque[InvalidEvent]] = deque(maxlen=_REMEMBERED_INVALID)
        #: The position of what is visible.
        self.offset = BEGINNING
        #: Called inside the commit with its txids, after the rows are visible.
        self.on_commit: Callable[[list[str]], None] = lambda _: None
        self._schema = schema
        self._url = url
        self._report = report
        self._strict = strict
        self._decoder = PageDecoder(schema, strict=strict)
        self._position = BEGINNING  # of what was read; ahead of `offset` during a load
        self._obeyed_resets: set[tuple[str, str]] = set()
        self._loading_txids: list[str] = []
        self._begin_load()

    def _begin_load(self) -> None:
        """Collect rows out of sight until they are up to date (ATOM-3, RESET-7)."""
        self._loading: dict[str, dict[str, Any]] | None = {name: {} for name in self.tables}
        self._loading_metrics = copy.deepcopy(self.metrics)

    @property
    def is_loading(self) -> bool:
        """True until the first batch that is up to date, and again while a reset is read."""
        return self._loading is not None

    def take(self, batch: Batch) -> str | None:
        """Take a batch in. Return where to read again from if a reset says so.

        Raises:
            InvalidEventError: ``report`` raised it; nothing of the batch is in (INVALID-6).
            StreamParseError: the batch is not JSON; nothing of it is in.
        """
        stored = self._loading
        if stored is None:
            stored = {name: table.rows for name, table in self.tables.items()}
        fold = Fold(self._schema, stored, self._judge_reset, strict=self._strict)
        for part in batch.parts:
            fold.add(self._decoder.decode(part, url=self._url, offset=batch.offset))
        staged = fold.staged
        if staged.restart_from is not None:
            self._obeyed_resets.add((staged.restart_from, batch.offset))
            self._position = staged.restart_from
            self._begin_load()
            return staged.restart_from
        self._report_invalid(staged, batch.offset)
        self._position = batch.offset
        if self._loading is not None:
            self._load(self._loading, staged)
            if not (batch.up_to_date or batch.closed):
                return None
        with self.lock:
            self._commit(staged, batch.offset)
        return None

    def _load(self, rows: dict[str, dict[str, Any]], staged: Staged) -> None:
        for name, writes in staged.writes.items():
            if staged.cleared:
                rows[name].clear()
            table = rows[name]
            for key, row in writes:
                if row is None:
                    table.pop(key, None)
                else:
                    table[key] = row
        self._loading_txids += staged.txids
        self._loading_metrics.count(staged)

    def _commit(self, staged: Staged, offset: str) -> None:
        deltas: dict[str, list[Delta]] = {}
        is_keep_alive = self._loading is None and not staged.events
        if self._loading is not None:
            loaded, self._loading = self._loading, None
            txids, self._loading_txids = self._loading_txids, []
            self.metrics = self._loading_metrics
            for name, table in self.tables.items():
                deltas[name] = table.replace(loaded[name])
        else:
            txids = staged.txids
            for name, table in self.tables.items():
                writes = staged.writes[name]
                if staged.cleared:
                    fresh = Table()
                    fresh.write(writes)
                    deltas[name] = table.replace(fresh.rows)
                elif writes:
                    deltas[name] = table.write(writes)
            self.metrics.count(staged)
        self.metrics.commits += not is_keep_alive
        self.offset = offset
        self._obeyed_resets = {pair for pair in self._obeyed_resets if is_before(offset, pair[1])}
        self.on_commit(txids)
        for name, changed in deltas.items():
            if changed:
                self.tables[name].notify(changed)
        self.txids.record(txids)

    def _judge_reset(self, offset: str | None) -> Literal["clear", "restart", "skip"]:
        if any(
            restart == offset and is_before(self._position, end)
            for restart, end in self._obeyed_resets
        ):
            return "skip"  # RESET-8
        if offset is None or not is_before(offset, self._position):
            return "clear"  # RESET-4
        return "restart"  # RESET-3

    def _report_invalid(self, staged: Staged, offset: str) -> None:
        for invalid in staged.invalid:
            event = InvalidEvent(offset, *invalid)
            self._report(event)
            with self.lock:
                self.invalid_events.append(event)

    def end(self, error: BaseException | None, waiters_error: BaseException) -> None:
        """Nothing more will come: tell the watchers and fail those who wait for a txid."""
        with self.lock:
            for table in self.tables.values():
                table.end(error)
        self.txids.end(waiters_error)


def is_before(offset: str, other: str) -> bool:
    """Compare two positions of one stream (OFF-2, RESET-10); ``-1`` is before all others.

    >>> is_before("-1", "0000_0000"), is_before("0000_0009", "0000_0010"), is_before("a", "a")
    (True, True, False)
    """
    if BEGINNING in (offset, other):
        return offset == BEGINNING and other != BEGINNING
    return offset < other
