"""Local writes: checked, shown at once, gathered into transactions, and taken back if they fail.

What shows of a write is a pending change over the row that the stream has, see
``collections.overlay``. It goes when the write comes back, in the very commit that brings it, or
when the write fails; then go those that stand on it, too.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final, Generic, Literal, NamedTuple, Protocol, TypeVar

from msgspec.structs import replace

from streamdb.collections.callers import PERSISTING, OpenBlock, this_task_or_thread
from streamdb.collections.overlay import UNKNOWN, Pending, RowChange
from streamdb.collections.transaction import BaseTransaction, Outcome
from streamdb.db.local_writes import (
    LocalWrite,
    Place,
    changed_fields,
    is_same_json,
    row_changed,
)
from streamdb.db.options import UpsertAs
from streamdb.db.state import DatabaseState
from streamdb.errors import (
    DuplicateKey,
    InvalidRow,
    MissingKey,
    StreamDBError,
    TransactionFailed,
)
from streamdb.query_functions import check_caller
from streamdb.state.events import ChangeEvent
from streamdb.state.rows import checked_key
from streamdb.state.schema import CollectionSchema
from streamdb.state.unknown_fields import Stored

Tx = TypeVar("Tx", bound=BaseTransaction)


class Holder(Protocol):
    """Holds transactions that show back from being sent. Called under the lock."""

    def release(self) -> None:
        """Have all of them sent."""
        ...

    def drop(self, draft: Draft) -> None:
        """Forget one that has failed."""
        ...


@dataclass(slots=True, eq=False)
class Draft:
    """A transaction in the making, or on its way: its outcome and what it writes.

    Attributes:
        outcome: what becomes of it.
        number: greater than those of all that it may stand on.
        writes: one for each row, in order.
        unseen: how many of its events have not come back; known once it is sent.
        behind: the txid of one that has to be on the stream before it, or neither is.
        holder: what keeps it from being sent for a while, though it shows.
        is_brought: whether the application brings it onto the stream, by ways of its own.
        has_come_back: whether all of it has come back.
        by: the txid of the action whose durable part makes it.
        as_sent: its events, if an earlier process has sent them, and so they are sent again.
        parts: what the blocks of transactions in its block were given, if it takes those in.
    """

    outcome: Outcome
    number: int = 0
    writes: dict[Place, LocalWrite] = field(default_factory=dict[Place, LocalWrite])
    unseen: int = 0
    behind: str | None = None
    holder: Holder | None = None
    is_brought: bool = False
    has_come_back: bool = False
    by: str | None = field(default_factory=PERSISTING.get)
    as_sent: list[bytes] | None = None
    parts: list[BaseTransaction] | None = None

    @property
    def size(self) -> int:
        """About how many bytes its events take."""
        return sum(write.size for write in self.writes.values())

    def add(self, write: LocalWrite) -> None:
        """Take in one more write."""
        before = self.writes.get(write.place)
        merged = write if before is None else before.then(write)
        if merged is None:
            del self.writes[write.place]
        else:
            self.writes[write.place] = merged


class _Made(NamedTuple):
    """What a write amounts to, of the row as it stands."""

    write: LocalWrite
    pending: Pending
    row: Any | None
    base: Any | None
    text: bytes | None
    events: list[ChangeEvent[Any]]


class Mutations(Generic[Tx]):
    """The :class:`~streamdb.collections.writer.Writer` of a database.

    Args:
        state: the rows.
        check_open: raises if the database takes no writes (any more).
        send: queues a finished draft.
        hold: tells what sends of a draft that shows and is sent later.
        wrap: makes what the caller gets from an outcome.
        upsert_as: whether upserts are written as such (UPSERT-2).
    """

    def __init__(
        self,
        state: DatabaseState,
        *,
        check_open: Callable[[], None],
        send: Callable[[Draft], None],
        hold: Callable[[Draft], None],
        wrap: Callable[[Outcome], Tx],
        upsert_as: UpsertAs,
    ) -> None:
        self._state = state
        self._check_open = check_open
        self._send = send
        self._hold = hold
        self._wrap = wrap
        self._name: Final = uuid.uuid4().hex  # in a forked child, each database has another one
        self._drafts: Final = itertools.count(1)
        #: Who holds a transaction back that writes a row.
        self.holders: Final[dict[Place, Holder]] = {}
        self._upsert_as: Final = upsert_as
        self._open: Final = OpenBlock[Draft]("open transaction")
        self._count = 0
        self._has_renamed = False
        self._changes: list[tuple[Place, object]] = []  # of functions that run, and whose

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        """Gather the writes of this task or thread; send them as one when the block ends well."""
        outer = self._open.current
        if outer is not None and outer.parts is not None:
            with self._part_of(outer, outer.parts) as part:
                yield part
            return
        with self.gathering() as draft:
            yield self._wrap(draft.outcome)
        self._finish(draft)

    @contextmanager
    def _part_of(self, outer: Draft, parts: list[BaseTransaction]) -> Generator[Tx]:
        """Gather writes for a paced transaction; if the block raises, it goes on without them."""
        before, part = dict(outer.writes), self._wrap(outer.outcome)
        parts.append(part)
        try:
            yield part
        except BaseException as error:
            outer.writes = before
            parts.remove(part)
            failed = Outcome(outer.outcome.txid)
            failed.fail(_caused(TransactionFailed("its block raised: nothing was sent"), error))
            part.become_part_of(failed)
            raise

    @contextmanager
    def gathering(self) -> Generator[Draft]:
        """Gather the writes of this task or thread; if the block raises, the draft has failed."""
        self.check_no_block()
        self._check_open()
        draft = self.new_draft()
        try:
            with self._open.holding(draft):
                yield draft
        except BaseException as error:
            draft.outcome.fail(
                _caused(TransactionFailed("its block raised: nothing was sent"), error)
            )
            raise

    def new_draft(self) -> Draft:
        """Begin a transaction; its txid is that of no other one."""
        return Draft(Outcome(f"{self._name}-{next(self._drafts)}"))

    def check_no_block(self) -> None:
        """Raise StreamDBError if this task or thread is in the block of a transaction."""
        if self._open.current is not None:
            raise StreamDBError("transactions do not nest: one is open in this task already")

    def act(self, on_mutate: Callable[[], object], send: Callable[[Draft], None]) -> Tx:
        """Have what a function writes show, as a transaction that the application sends.

        Args:
            on_mutate: writes.
            send: begins to send it, even if it is empty.
        """
        with self.gathering() as draft:
            on_mutate()
        draft.is_brought = True
        self._queue(draft, send)
        return self._wrap(draft.outcome)

    def insert(self, schema: CollectionSchema[Any, Any], row: Any) -> Tx:
        """Write a new row. Raises InvalidRow, DuplicateKey."""
        with self._drafting() as draft:
            draft.add(self._new_row(schema, row))
        return self._wrap(draft.outcome)

    def upsert(self, schema: CollectionSchema[Any, Any], row: Any) -> Tx:
        """Write a row, new or not. Raises InvalidRow."""
        with self._drafting() as draft:
            write = self._checked("upsert", schema, row)
            write = self._called_now(write)
            row = write.row
            before = self._latest(schema, write.key)
            if before is not None and schema.updates == "merge":  # it may not take fields away
                write = self._checked("upsert", schema, row, base=before)
            draft.add(write)
        return self._wrap(draft.outcome)

    def update(
        self,
        schema: CollectionSchema[Any, Any],
        key: Any,
        change: Callable[[Any], Any],
        expect: Any | None = None,
    ) -> Tx:
        """Write what ``change`` makes of a row, which it must not change in place.

        Raises MissingKey, RowChanged, InvalidRow, StreamDBError.
        """
        given = key
        while True:
            with self._state.lock:
                self._check_open()
                key = self._key_now(schema, given)
                stored = self._existing(schema, key, "update")
            if expect is not None and not is_same_json(schema, stored.row, expect):
                raise row_changed(schema, key, stored.row)
            # The user's code: it may take its time, and any other lock.
            with self._changing(schema, key):
                changed = change(stored.row)
            if changed is None:
                raise InvalidRow(
                    f"collection {schema.name!r}: the function that `update` was given returned "
                    "None: it returns the changed row",
                    type=schema.type,
                )
            if schema.rows.holds(changed) and schema.key_of(changed) != key:
                raise InvalidRow(
                    f"collection {schema.name!r}: an update must keep "
                    f"{schema.primary_key}={key!r}; delete the row and insert another one instead",
                    type=schema.type,
                    pointer=f"/{schema.wire_primary_key}",
                )
            with self._state.committing():
                if self._key_now(schema, given) != key:
                    continue  # it is called otherwise now
                if self._existing(schema, key, "update").row is not stored.row:
                    continue  # it has moved on meanwhile: change what it is now
                with self._drafting() as draft:
                    write = self._checked("update", schema, changed, base=stored)
                    fields = changed_fields(schema, stored.row, write.row)
                    if fields != {}:  # what changes nothing is free
                        draft.add(replace(write, fields=fields, base=stored.row, expect=expect))
                return self._wrap(draft.outcome)

    def delete(self, schema: CollectionSchema[Any, Any], key: Any) -> Tx:
        """Remove a row. Raises MissingKey."""
        with self._drafting() as draft:
            key = self._key_now(schema, key)
            self._existing(schema, key, "delete")
            draft.add(LocalWrite("delete", schema, schema.wire_key(key)))
        return self._wrap(draft.outcome)

    def shown(self, schema: CollectionSchema[Any, Any], wire_key: str) -> Any | None:
        """Return the row that shows, None if none does. Called while `holding`."""
        return self._state.tables[schema.name].rows.get(wire_key)

    # --- what shows and is sent later

    def holding(self) -> AbstractContextManager[None]:
        """Hold the lock for what follows, in which nobody's code runs."""
        return self._state.committing()

    def insertion(self, schema: CollectionSchema[Any, Any], row: Any) -> LocalWrite:
        """Return the write of a new row. Called while `holding`.

        Raises:
            InvalidRow: the row does not fit its type.
            DuplicateKey: there is one of its key.
            StreamDBError: nothing can be written, or not here.
        """
        check_caller("a write")
        self.check_no_block()
        self._check_open()
        return self._new_row(schema, row)

    def make_way(self, places: Iterable[Place], holder: Holder | None = None) -> None:
        """Have transactions that write the same rows sent before; but those of one holder."""
        if self.holders:
            before = dict.fromkeys(map(self.holders.get, places))
            for other in before:
                if other is not None and other is not holder:
                    other.release()

    def show_held(self, draft: Draft, writes: Iterable[LocalWrite], *, is_new: bool) -> None:
        """Have further writes of a transaction show that is sent later. Called while `holding`."""
        self._number(draft)  # it may stand on all that there is
        try:
            for write in writes:
                draft.add(write)
            self._show(draft, [write.place for write in writes])
            if is_new:
                draft.outcome.advance("queued")
                self._hold(draft)
        except BaseException as error:
            self._give_up(draft, error)
            raise

    def send_held(self, draft: Draft) -> None:
        """Send a transaction that shows. Called while `holding`."""
        draft.holder = None
        try:
            self._send(draft)
        except BaseException as error:
            self._give_up(draft, error)
            raise

    def release_all(self) -> None:
        """Have all that is held sent."""
        with self.holding():
            for holder in dict.fromkeys(self.holders.values()):
                holder.release()

    def rename(
        self,
        action: Draft,
        schema: CollectionSchema[Any, Any],
        old: str,
        new: str,
        drafts: Mapping[str, Draft],
    ) -> None:
        """Have a row that an action shows, and what later writes do to it, be of another key.

        Args:
            action: that shows it, or did until it came back.
            schema: of the collection.
            old: the key that it has.
            new: the key that it is to have.
            drafts: the transactions on their way.

        Raises:
            MissingKey: the action wrote no row of that key.
        """
        with self._state.committing():
            if (schema.name, old) not in action.writes:
                raise MissingKey(
                    f"map_key: the action has written no row of key {old!r} of collection "
                    f"{schema.name!r}"
                )
            self._rename(schema, old, new, [action, *self._waiting(schema, old, drafts)])

    def follow_renamed(self, actions: Iterable[Draft], drafts: Mapping[str, Draft]) -> None:
        """Have later writes reach rows that came back by another key than actions gave them.

        Args:
            actions: that came back.
            drafts: the transactions on their way.
        """
        with self._state.committing():
            for action in actions:
                for (name, old), write in action.writes.items():
                    table = self._state.tables[name]
                    new = table.renamed.now(old, table.rows)
                    if new != old and (waiting := self._waiting(write.schema, old, drafts)):
                        self._rename(write.schema, old, new, waiting)
                    self._has_renamed = self._has_renamed or new != old

    def _waiting(
        self, schema: CollectionSchema[Any, Any], key: str, drafts: Mapping[str, Draft]
    ) -> list[Draft]:
        pending = self._state.tables[schema.name].overlay.of(key)
        return [drafts[each.txid] for each in pending if each.txid in drafts]

    def _rename(
        self, schema: CollectionSchema[Any, Any], old: str, new: str, drafts: Iterable[Draft]
    ) -> None:
        self._has_renamed = True
        changes: dict[str, RowChange] = {}
        for draft in dict.fromkeys(drafts):
            write = draft.writes[schema.name, old].renamed(new)
            _rename(draft, (schema.name, old), write)
            changes[draft.outcome.txid] = write.change()
        table = self._state.tables[schema.name]
        self._state.show_local({schema.name: table.rename(old, new, changes)})

    # --- what becomes of a transaction

    def show_left(self, left: Iterable[tuple[Draft, Iterable[tuple[Place, Pending]]]]) -> None:
        """Have transactions show that an earlier process has left, all at once, oldest first."""
        by_name: dict[str, list[tuple[str, Pending]]] = {}
        with self._state.committing():
            for draft, changes in left:
                self._number(draft)
                for (name, key), pending in changes:
                    by_name.setdefault(name, []).append((key, pending))
            deltas = {
                name: self._state.tables[name].lay(of_table) for name, of_table in by_name.items()
            }
            for of_table in by_name.values():
                for _, pending in of_table:
                    pending.seen = UNKNOWN  # the other process knew
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
        with self._state.lock:
            for made in self._made(draft):
                write, pending = made.write, made.pending
                has_unknown = write.kind == "update" and made.text is not None
                self._state.tables[write.schema.name].overlay.send(
                    write.key,
                    pending,
                    made.row,
                    made.base,
                    text=made.events[-1].value_json if has_unknown else None,
                    overwrites=write.overwrites(pending.seen, made.base, made.row),
                )
                events += [event.to_json() for event in made.events]
        draft.unseen = len(events)
        return events

    def preview(self, draft: Draft) -> list[ChangeEvent[Any]]:
        """Return the events that `events` would send now.

        Raises:
            StreamDBError: it makes no sense any more, or shows no more.
        """
        with self._state.lock:
            if draft.has_come_back or draft.outcome.status == "failed":
                what = "has come back" if draft.has_come_back else "has failed"
                raise StreamDBError(
                    f"transaction {draft.outcome.txid} {what}: nothing of it is pending"
                )
            return [event for made in self._made(draft) for event in made.events]

    def _made(self, draft: Draft) -> Generator[_Made]:
        txid = draft.outcome.txid
        for (name, key), write in draft.writes.items():
            pending, base = self._state.tables[name].overlay.standing(key, txid)
            text = self._text_below(name, key, pending)
            row = pending.row
            write.check_expected(base)
            if write.kind == "update" and base is None:
                raise MissingKey(
                    f"update: the row of key {key!r} of collection {name!r} was removed before "
                    "it could be changed"
                )
            if write.kind == "update" and row is base:
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
        stands: dict[str, bool] = {}
        above: list[tuple[int, str]] = []  # a heap, for each may stand on several

        def look_above(draft: Draft) -> None:
            for name, key in draft.writes:
                overlay = self._state.tables[name].overlay
                pending = overlay.find(key, draft.outcome.txid)
                if pending is None or pending.above is None:
                    continue
                other = others.get(txid := pending.above.txid)
                if other is None:
                    continue
                if txid not in stands:
                    heappush(above, (other.number, txid))
                does_here = other.writes[name, key].stands_on_others
                stands[txid] = stands.get(txid, False) or does_here

        def look_behind(draft: Draft) -> None:
            for other in followers.get(draft.outcome.txid, ()):
                heappush(above, (other.number, other.outcome.txid))
                stands[other.outcome.txid] = True

        lost: dict[str, Draft] = {}
        followers: dict[str, list[Draft]] = {}
        for other in others.values():
            if other.behind is not None:
                followers.setdefault(other.behind, []).append(other)
        with self._state.lock:
            look_above(draft)
            look_behind(draft)
            while above:
                _, txid = heappop(above)
                if stands[txid] and txid not in lost:
                    lost[txid] = others[txid]
                    look_above(others[txid])
                    look_behind(others[txid])
        return list(lost.values())

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
            deltas = {
                name: self._state.tables[name].lift(changes)
                for name, changes in _changes_of(drafts).items()
            }
            then()
            for draft in drafts:
                if draft.outcome.error is not None and draft.outcome.status == "failed":
                    for name, key in draft.writes:
                        self._state.tables[name].note_failure(key, draft.outcome.error)
            self._state.show_local(deltas)

    def take_back(self, drafts: Collection[Draft]) -> None:
        """Have transactions be pending as they were before they were sent: they were refused."""
        with self._state.committing():
            tables = self._state.tables
            for draft in drafts:
                draft.as_sent = None
            changes = _changes_of(drafts)
            for name, of_table in changes.items():
                for key, txid in of_table:
                    tables[name].overlay.take_back(key, txid)
            self._state.show_local(
                {
                    name: tables[name].show_anew([key for key, _ in of_table])
                    for name, of_table in changes.items()
                }
            )

    # --- helpers

    @contextmanager
    def _drafting(self) -> Generator[Draft]:
        """Yield the open transaction, or one for this write alone, sent if the write is good."""
        check_caller("a write")
        with self._state.committing():
            current = self._open.current
            if current is not None:
                yield current
                return
            self._check_open()
            draft = self.new_draft()
            yield draft
            self._finish(draft)

    def _finish(self, draft: Draft) -> None:
        if not draft.writes:
            draft.outcome.advance("synced")  # an empty transaction is free
            return
        self._queue(draft, self._send)

    def _queue(self, draft: Draft, send: Callable[[Draft], None]) -> None:
        with self._state.committing():
            # They may have been made before the row was renamed.
            for write in list(draft.writes.values()) if self._has_renamed else ():
                if write.kind != "insert" and (now := self._called_now(write)) is not write:
                    _rename(draft, write.place, now)
            self.make_way(draft.writes)
            self._number(draft)
            draft.outcome.advance("queued")
            try:
                self._show(draft, draft.writes)
                send(draft)
            except BaseException as error:
                self._give_up(draft, error)
                raise

    def _number(self, draft: Draft) -> None:
        self._count += 1
        draft.number = self._count

    def _give_up(self, draft: Draft, error: BaseException) -> None:
        failure = _caused(TransactionFailed(f"it could not be queued: {error}"), error)
        self.roll_back([draft], lambda: draft.outcome.fail(failure))

    def _show(self, draft: Draft, places: Iterable[Place]) -> None:
        """Have writes of a transaction show at once, or no more if they came to nothing."""
        txid = draft.outcome.txid
        laid: dict[str, list[tuple[str, Pending]]] = {}
        lifted: dict[str, list[tuple[str, str]]] = {}
        for place in places:
            name, key = place
            if (write := draft.writes.get(place)) is not None:
                laid.setdefault(name, []).append((key, Pending(txid, write.change())))
            else:
                lifted.setdefault(name, []).append((key, txid))
        tables = self._state.tables
        deltas = {name: tables[name].lay(changes) for name, changes in laid.items()}
        for name, undone in lifted.items():
            deltas[name] = deltas.get(name, []) + tables[name].lift(undone)
        if not self._state.has_loaded:
            for name, changes in laid.items():
                for key, pending in changes:
                    if draft.writes[name, key].kind != "insert":
                        pending.seen = UNKNOWN
        self._state.show_local(deltas)

    def _new_row(self, schema: CollectionSchema[Any, Any], row: Any) -> LocalWrite:
        write = self._checked("insert", schema, row)
        if self._latest(schema, write.key) is not None:
            raise DuplicateKey(
                f"insert: collection {schema.name!r} holds a row of key {write.key!r} already; "
                "use upsert or update"
            )
        return write

    def _key_now(self, schema: CollectionSchema[Any, Any], key: Any) -> Any:
        """Return what the row of a key is called now."""
        wire_key = schema.wire_key(key)
        table = self._state.tables[schema.name]
        if not table.renamed or self._is_open(schema, wire_key):
            return key
        return schema.parse_key(table.renamed.now(wire_key, table.rows))

    def _called_now(self, write: LocalWrite) -> LocalWrite:
        """Return a write as one of the row by what that is called now."""
        table = self._state.tables[write.schema.name]
        if not table.renamed or self._is_open(write.schema, write.key):
            return write
        now = table.renamed.now(write.key, table.rows)
        return write if now == write.key else write.renamed(now)

    def _is_open(self, schema: CollectionSchema[Any, Any], wire_key: str) -> bool:
        current = self._open.current
        return current is not None and (schema.name, wire_key) in current.writes

    def _checked(
        self,
        kind: Literal["insert", "upsert", "update"],
        schema: CollectionSchema[Any, Any],
        row: Any,
        *,
        base: Stored | None = None,
    ) -> LocalWrite:
        """Return the write of a row, as readers will have it. Raises InvalidRow."""
        text = schema.encode(row, over=base if kind == "update" else None, onto=base)
        key = schema.wire_key(checked_key(schema, row, None))
        self._check_unchanging(schema, key)
        return LocalWrite(kind, schema, key, schema.decode(text), text=text, size=len(text))

    def _text_below(self, name: str, key: str, pending: Pending) -> bytes | None:
        """Return the text of the row that a change is made to, if that holds more than it shows."""
        if pending.below is None:
            return self._state.tables[name].originals.get(key)
        return pending.below.text

    @contextmanager
    def _changing(self, schema: CollectionSchema[Any, Any], key: Any) -> Generator[None]:
        """Have the function of an update write no row that is being changed by it.

        It would change the row that it stands on, and be called again for that, without end.
        """
        change = (schema.name, schema.wire_key(key)), this_task_or_thread()
        self._changes.append(change)
        try:
            yield
        finally:
            self._changes.remove(change)

    def _check_unchanging(self, schema: CollectionSchema[Any, Any], wire_key: str) -> None:
        changes = self._changes
        if changes and ((schema.name, wire_key), this_task_or_thread()) in changes:
            raise StreamDBError(
                f"update: the function for {wire_key!r} of collection {schema.name!r} writes that "
                "row itself: return the changed row instead"
            )

    def _existing(self, schema: CollectionSchema[Any, Any], key: Any, doing: str) -> Stored:
        self._check_unchanging(schema, schema.wire_key(key))
        stored = self._latest(schema, schema.wire_key(key))
        if stored is None:
            raise MissingKey(f"{doing}: collection {schema.name!r} holds no row of key {key!r}")
        return stored

    def _latest(self, schema: CollectionSchema[Any, Any], wire_key: str) -> Stored | None:
        """Return a row as this task or thread has left it."""
        current = self._open.current
        if current is not None and (write := current.writes.get((schema.name, wire_key))):
            return None if write.row is None else Stored(write.row)
        table = self._state.tables[schema.name]
        if wire_key in table.overlay:
            row = table.rows.get(wire_key)
            return None if row is None else Stored(row)
        return table.stored(wire_key)


def _rename(draft: Draft, place: Place, write: LocalWrite) -> None:
    """Have a transaction write a row by another key."""
    if write.place not in draft.writes:
        draft.writes = {
            write.place if at == place else at: write if at == place else each
            for at, each in draft.writes.items()
        }


def _changes_of(drafts: Iterable[Draft]) -> dict[str, list[tuple[str, str]]]:
    """Return keys and transactions of what transactions write, by the name of the collection."""
    changes: dict[str, list[tuple[str, str]]] = {}
    for draft in drafts:
        for name, key in draft.writes:
            changes.setdefault(name, []).append((key, draft.outcome.txid))
    return changes


def _caused(failure: TransactionFailed, cause: BaseException) -> TransactionFailed:
    failure.__cause__ = cause
    return failure
