"""The rows of a writer, in transactions that stand behind one another.

So what is on the stream is always a beginning of what was written: if one batch is not, none behind
it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from streamdb.collections.batch_limits import BatchLimits
from streamdb.collections.transaction import Outcome
from streamdb.db.drafts import Draft
from streamdb.db.mutations import Mutations
from streamdb.db.pace import Pace
from streamdb.db.rhythms import Linger
from streamdb.errors import TransactionUnresolved, WriterFailed
from streamdb.state.schema import CollectionSchema


class RowBatches:
    """The :class:`~streamdb.collections.row_writer.Batches` of a database.

    Args:
        mutations: where rows show, and are sent.
        schema: of the collection.
        limits: how batches are cut.
        later: calls a function on the loop in so many seconds.
    """

    def __init__(
        self,
        mutations: Mutations[Any],
        schema: CollectionSchema[Any, Any],
        limits: BatchLimits,
        later: Callable[[float, Callable[[], object]], None],
    ) -> None:
        self.name: Final = schema.name
        #: Called when rows have their outcome, on any thread.
        self.changed: Callable[[], object] = lambda: None
        self._pending = 0
        self._mutations: Final = mutations
        self._lock: Final = mutations.holding()
        self._schema: Final = schema
        self._limits: Final = limits
        self._pace: Final = Pace(mutations, Linger(limits.max_delay), later, self._settle)
        self._batches: Final[dict[str, Draft]] = {}  # those that are not on the stream
        self._counts: Final[dict[str, int]] = {}  # of the rows in those that may yet be
        self._bytes = 0  # of the last one
        self._has_failed = False

    @property
    def pending(self) -> int:
        """How many rows are not on the stream yet.

        Who waited for them finds none, though it may wake before all that came of it is noted.
        """
        with self._lock:
            return sum(
                count
                for txid, count in self._counts.items()
                if not self._batches[txid].outcome.is_settled
            )

    @property
    def is_full(self) -> bool:
        """Whether as many rows are pending as there may be."""
        return self._pending >= self._limits.max_pending

    def add(self, row: Any) -> bool:
        """Have a row show; return whether a batch was full with it and is sent.

        Raises:
            WriterFailed: earlier rows are not on the stream.
            StreamDBError: what `insert` raises.
        """
        with self._lock:
            if self._has_failed:
                raise self._failure_now()
            write = self._mutations.insertion(self._schema, row)
            draft = self._pace.take({write.place: write}, self._begin)
            count = self._counts.get(draft.outcome.txid)
            if count is None:  # it has failed already, and the next call tells so
                return False
            self._counts[draft.outcome.txid] = count = count + 1
            self._pending += 1
            self._bytes += write.size
            limits = self._limits
            is_due = count >= limits.max_rows or self._bytes >= limits.max_bytes
            if is_due:
                self._pace.release()
            return is_due

    def release(self) -> Sequence[Outcome]:
        """Send what waits; return the outcomes that are not known yet."""
        with self._lock:
            unsettled = self._pace.unsettled
            self._pace.release()
        return [draft.outcome for draft in unsettled]

    @property
    def failure(self) -> WriterFailed | None:
        """What became of rows that are not on the stream and never will be."""
        with self._lock:  # who waits wakes before all that failed is noted
            return self._failure_now() if self._has_failed else None

    def _failure_now(self) -> WriterFailed:
        failed = [each for each in self._batches.values() if each.outcome.error is not None]
        for draft in failed:
            draft.outcome.is_asked = True  # who gets this has been told of it
        unknown = [
            draft for draft in failed if isinstance(draft.outcome.error, TransactionUnresolved)
        ]
        unwritten = [draft for draft in failed if draft not in unknown]
        return _failure(self.name, _rows(unwritten), _rows(unknown), failed[0].outcome.error)

    def _begin(self) -> Draft:
        draft = self._mutations.new_draft()
        draft.behind = next(reversed(self._batches), None)
        self._batches[draft.outcome.txid] = draft
        self._counts[draft.outcome.txid] = self._bytes = 0
        return draft

    def _settle(self, draft: Draft) -> None:
        if draft.outcome.error is None:
            del self._batches[draft.outcome.txid]
        else:
            self._has_failed = True
        self._pending -= self._counts.pop(draft.outcome.txid)
        self.changed()


def _rows(drafts: Sequence[Draft]) -> tuple[Any, ...]:
    return tuple(write.row for draft in drafts for write in draft.writes.values())


def _failure(
    name: str, unwritten: tuple[Any, ...], unknown: tuple[Any, ...], cause: BaseException | None
) -> WriterFailed:
    told = [f"{len(unwritten)} rows are not on the stream"] if unwritten else []
    told += [f"{len(unknown)} rows may be on the stream or not"] if unknown else []
    failure = WriterFailed(
        f"writer of {name!r}: {'; '.join(told)}: {cause}", unwritten=unwritten, unknown=unknown
    )
    failure.__cause__ = cause
    return failure
