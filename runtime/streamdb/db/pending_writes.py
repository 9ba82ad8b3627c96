"""What shows of local writes, and what becomes of it.

What shows of a write is a pending change over the row that the stream has, see
``collections.overlay``. It goes when the write comes back, in the very commit that brings it, or
when the write fails; then go those that stand on it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import AbstractContextManager
from heapq import heappop, heappush
from typing import Any, Final

from msgspec import Struct

from streamdb.collections.changes import Delta
from streamdb.collections.overlay import UNKNOWN, Pending
from streamdb.db.drafts import Draft, changes_of
from streamdb.db.local_writes import LocalWrite, Place
from streamdb.db.open_transactions import OpenTransactions
from streamdb.db.options import UpsertAs
from streamdb.db.renamed_writes import RenamedWrites
from streamdb.db.state import DatabaseState
from streamdb.errors import MissingKey, RolledBack, StreamDBError
from streamdb.state.events import ChangeEvent
from streamdb.state.unknown_fields import Stored


class _Made(Struct, gc=False):
    """What a write amounts to, of the row as it stands.

    ``text`` is that of the row below, if it holds more than that shows.
    """

    write: LocalWrite
    pending: Pending
    row: Any | None
    base: Any | None
    text: bytes | None
    events: list[ChangeEvent[Any]]


class PendingWrites:
    """The transactions that show and have not come back.

    Args:
        state: the rows.
        upsert_as: whether upserts are written as such (UPSERT-2).
    """

    def __init__(self, state: DatabaseState, *, upsert_as: UpsertAs) -> None:
        self._state: Final = state
        self._upsert_as: Final = upsert_as
        self._count = 0
        #: Those that are committed by hand, and were not yet.
        self.open: Final = OpenTransactions(state)
        #: Rows of actions that are called otherwise by now.
        self.renamed: Final = RenamedWrites(state, self.open, self.showing)

    def number(self, draft: Draft) -> None:
        """Put a transaction behind all that there are: it may stand on them."""
        self._count += 1
        draft.number = self._count

    def show(self, draft: Draft, places: Collection[Place]) -> None:
        """Have writes of a transaction show at once, or no more if they came to nothing."""
        if draft.is_open:
            self.open.note(draft)
        if self.open:
            draft.after += self.open.others(draft, places)
        txid, writes = draft.outcome.txid, draft.writes
        tables, has_loaded = self._state.tables, self._state.has_loaded
        laid: dict[str, list[tuple[str, Pending]]] = {}
        lifted: dict[str, list[tuple[str, str]]] = {}
        for place in places:
            name, key = place
            if (write := writes.get(place)) is not None:
                # The row below may be another one by now than what it was made of.
                seen = write.base if has_loaded or write.kind == "insert" else UNKNOWN
                laid.setdefault(name, []).append((key, Pending(txid, write.change(), seen)))
            else:
                lifted.setdefault(name, []).append((key, txid))
        deltas: dict[str, list[Delta]] = {}
        for name, changes in laid.items():
            deltas[name] = tables[name].lay(changes)
        for name, undone in lifted.items():
            deltas[name] = deltas.get(name, []) + tables[name].lift(undone)
        self._state.show_local(deltas)

    def show_left(self, left: Iterable[tuple[Draft, Iterable[tuple[Place, Pending]]]]) -> None:
        """Have transactions show that an earlier process has left, all at once, oldest first."""
        by_name: dict[str, list[tuple[str, Pending]]] = {}
        with self._state.committing():
            for draft, changes in left:
                self.number(draft)
                for (name, key), pending in changes:
                    by_name.setdefault(name, []).append((key, pending))
            deltas = {
                name: self._state.tables[name].lay(of_table) for name, of_table in by_name.items()
            }
            self._state.show_local(deltas)

    def events(self, draft: Draft) -> list[bytes]:
        """Return the events of a transaction, made of the rows as they stand now, to be sent.

        Raises:
            StreamDBError: it makes no sense any more.
        """
        events: list[bytes] = []
        if draft.as_sent is not None:
            draft.unseen = len(draft.as_sent)
            return draft.as_sent
        if not draft.writes:
            raise StreamDBError("it was refused, and does not fit the schema of today")
        with self._state.committing():
            self._put_in_order_of_sending(draft)
            for made in self._made(draft):
                write, pending = made.write, made.pending
                has_unknown = write.kind == "update" and made.text is not None
                self._state.tables[write.schema.name].overlay.send(
                    write.key,
                    pending,
                    made.row,
                    made.base,
                    or_base=self._base_without_actions(draft, made) if draft.by else UNKNOWN,
                    text=made.events[-1].value_json if has_unknown else None,
                    overwrites=write.overwrites(pending.seen, made.base, made.row),
                )
                for event in made.events:
                    events.append(event.to_json())
        draft.unseen = len(events)
        return events

    def _put_in_order_of_sending(self, draft: Draft) -> None:
        """Lay what is sent now over all that was sent, and under what is yet to be.

        What the durable part of an action writes is sent before what waits for the action.
        """
        tables = self._state.tables
        for name, key in draft.writes:
            table = tables[name]
            if len(table.overlay.stacks[key].changes) == 1:
                continue
            pending = table.overlay.find(key, draft.outcome.txid)
            if pending is None or _is_in_order(pending):
                continue
            stack = table.overlay.of(key)
            at = stack.index(pending)
            later = [one for one in stack[:at] if self._is_later(one, draft)]
            later += [one for one in stack[at + 1 :] if one.made is None]
            order = [one for one in stack if one is not pending and one not in later]
            order += [pending, *later]
            if order != list(stack):
                for moved in (pending, *later):
                    # What was there at its call lies elsewhere now, and tells nothing if it fails.
                    moved.seen, moved.seen_of = UNKNOWN, None
                table.overlay.put_in_order(key, order)
                self._state.show_local({name: table.show_anew([key])})

    def _base_without_actions(self, draft: Draft, made: _Made) -> Any | None:
        """Return the row that what an action writes itself is made of, but for what that shows.

        Which is not on the stream, and may never be: to come upon this row is no conflict.
        """
        shown = {txid for txid in draft.by if self._is_shown_only(txid)}
        below = made.pending.below
        while below is not None and below.txid in shown:
            below = below.below
        if below is not None:
            return below.row
        return self._state.tables[made.write.schema.name].overlay.under(made.write.key)

    def _is_shown_only(self, txid: str) -> bool:
        action = self.open.drafts.get(txid)
        return action is not None and action.is_brought

    def _is_later(self, pending: Pending, draft: Draft) -> bool:
        """Tell of what was written before a transaction whether it is on the stream only later."""
        before = self.open.drafts.get(pending.txid)
        if before is None or pending.txid in draft.by:
            return False
        status = before.outcome.status
        return status in ("open", "queued") or (before.is_brought and status == "sent")

    def showing(self, draft: Draft) -> list[Place]:
        """Return the rows that show by what a transaction does to them. Called under the lock."""
        txid, tables = draft.outcome.txid, self._state.tables
        return [
            (name, key)
            for name, key in draft.writes
            if (stack := tables[name].overlay.stacks.get(key)) is not None and txid in stack.changes
        ]

    def preview(self, draft: Draft) -> list[ChangeEvent[Any]]:
        """Return the events that `events` would send now.

        Raises:
            StreamDBError: it makes no sense any more, or shows no more.
        """
        with self._state.lock:
            is_back = draft.has_come_back or draft.is_partly_back
            if is_back or draft.outcome.is_given_up:
                what = "has come back" if is_back else "has failed"
                raise StreamDBError(
                    f"transaction {draft.outcome.txid} {what}: nothing of it is pending"
                )
            return [event for made in self._made(draft) for event in made.events]

    def _made(self, draft: Draft) -> Generator[_Made]:
        txid, tables = draft.outcome.txid, self._state.tables
        for (name, key), write in draft.writes.items():
            table = tables[name]
            pending, base = table.overlay.standing(key, txid)
            row, below = pending.row, pending.below
            text = table.originals.get(key) if below is None else below.text
            write.check_expected(base)
            if write.kind == "update":
                if base is None:
                    raise MissingKey(
                        f"update: the row of key {key!r} of collection {name!r} was removed before "
                        "it could be changed"
                    )
                if row is base:
                    row = write.made_of(base)  # which raises if that is why it is the same
            stored = None if base is None else Stored(base, text)
            events = write.events(row, stored, txid, self._upsert_as)
            yield _Made(write, pending, row, base, text, events)

    def dependents(self, draft: Draft, others: Mapping[str, Draft]) -> list[Draft]:
        """Return those of other transactions that make no sense without this one, oldest first.

        Args:
            draft: the transaction.
            others: by id, those that may be among them.
        """
        above: list[tuple[int, str]] = []  # a heap, for each may stand on several

        def look_above(draft: Draft) -> None:
            txid = draft.outcome.txid
            for name, key in draft.writes:
                pending = self._state.tables[name].overlay.find(key, txid)
                while pending is not None and (pending := pending.above) is not None:
                    if pending.made_on != txid:
                        continue  # what an action writes itself may have been laid in between
                    other = others.get(pending.txid)
                    is_left = other is not None and not _has_gone_ahead(other)
                    if other is not None and is_left and other.writes[name, key].stands_on_others:
                        heappush(above, (other.number, pending.txid))
                    break

        def look_behind(draft: Draft) -> None:
            for other in followers.get(draft.outcome.txid, ()):
                heappush(above, (other.number, other.outcome.txid))

        lost: dict[str, Draft] = {}
        followers: dict[str, list[Draft]] = {}
        for other in list(others.values()):  # other threads add to them
            if other.behind is not None:
                followers.setdefault(other.behind, []).append(other)
        with self._state.lock:
            look_above(draft)
            look_behind(draft)
            while above:
                _, txid = heappop(above)
                if txid not in lost:
                    lost[txid] = others[txid]
                    look_above(others[txid])
                    look_behind(others[txid])
        return list(lost.values())

    def above(self, draft: Draft) -> set[str]:
        """Return the transactions that lie above one on some row, at any distance."""
        with self._state.lock:
            return self.open.above(draft)

    def committing(self) -> AbstractContextManager[None]:
        """Hold the lock for several steps, so that nothing is written in between."""
        return self._state.committing()

    def roll_back(
        self, drafts: Collection[Draft], then: Callable[[], object] = lambda: None
    ) -> None:
        """Take back what shows of transactions that failed, in one commit.

        Args:
            drafts: the transactions.
            then: called when they show no more, and before anybody is told of that.
        """
        with self._state.committing():
            for draft in drafts:
                if draft.holder is not None:
                    draft.holder.drop(draft)
                if draft.is_open:
                    self.open.remove(draft)
            deltas = {
                name: self._state.tables[name].lift(changes)
                for name, changes in changes_of(drafts).items()
            }
            then()
            for draft in drafts:
                error = draft.outcome.error if draft.outcome.is_given_up else None
                if error is not None and not isinstance(error, RolledBack):
                    for name, key in draft.writes:
                        self._state.tables[name].note_failure(key, error)
            self._state.show_local(deltas)

    def release(self, action: Draft) -> None:
        """Have what an action shows show no more, though nothing has come in its place."""
        with self._state.committing():
            for place in self.showing(action):
                name, _ = place
                action.back_at[place] = self._state.tables[name].overlay.count
            self.roll_back([action])

    def take_back(self, drafts: Collection[Draft]) -> None:
        """Have transactions be pending as they were before they were sent: they were refused."""
        with self._state.committing():
            tables = self._state.tables
            for draft in drafts:
                draft.as_sent = None
            changes = changes_of(drafts)
            for name, of_table in changes.items():
                for key, txid in of_table:
                    tables[name].overlay.take_back(key, txid)
            self._state.show_local(
                {
                    name: tables[name].show_anew([key for key, _ in of_table])
                    for name, of_table in changes.items()
                }
            )


def _is_in_order(pending: Pending) -> bool:
    """Tell of a change that is about to be sent whether all below it was, and nothing above it."""
    below, above = pending.below, pending.above
    return (below is None or below.made is not None) and (above is None or above.made is None)


def _has_gone_ahead(draft: Draft) -> bool:
    """Tell of what the durable part of an action writes whether the stream has it, or may have.

    It does not wait for the action, and stays there whatever becomes of that.
    """
    return bool(draft.by) and not draft.is_brought and draft.outcome.status in ("sent", "durable")
