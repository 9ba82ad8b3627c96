"""Local writes: checked, gathered into transactions, shown at once, and sent, now or later."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Generic, TypeVar

from msgspec.structs import replace

from streamdb.collections.callers import OpenBlock
from streamdb.collections.transaction import BaseTransaction, Outcome, take_up
from streamdb.collections.updating import NewFields
from streamdb.db.drafts import Draft, Holder
from streamdb.db.local_writes import (
    LocalWrite,
    Place,
    changed_fields,
    row_changed,
)
from streamdb.db.pending_writes import PendingWrites
from streamdb.db.seen_rows import SeenRows
from streamdb.db.state import DatabaseState
from streamdb.errors import (
    DuplicateKey,
    InvalidRow,
    StreamDBError,
    TransactionFailed,
)
from streamdb.query_functions import check_caller
from streamdb.state.rows import checked_wire_key
from streamdb.state.schema import CollectionSchema
from streamdb.state.unknown_fields import Stored

Tx = TypeVar("Tx", bound=BaseTransaction)


class Mutations(Generic[Tx]):
    """The :class:`~streamdb.collections.writer.Writer` of a database.

    Args:
        state: the rows.
        check_open: raises if the database takes no writes (any more).
        check_started: raises if nothing has connected the database yet.
        send: queues a finished draft.
        hold: tells what sends of a draft that shows and is sent later.
        wrap: makes what the caller gets from an outcome.
        pending: has transactions show.
    """

    def __init__(
        self,
        state: DatabaseState,
        *,
        check_open: Callable[[], None],
        check_started: Callable[[], None],
        send: Callable[[Draft], None],
        hold: Callable[[Draft], None],
        wrap: Callable[[Outcome], Tx],
        pending: PendingWrites,
    ) -> None:
        self._state = state
        self._commits: Final = state.committing()
        self._check_open = check_open
        self._send = send
        self._hold = hold
        self._wrap = wrap
        self._name: Final = uuid.uuid4().hex  # in a forked child, each database has another one
        self._drafts: Final = itertools.count(1)
        #: Who holds a transaction back that writes a row.
        self.holders: Final[dict[Place, Holder]] = {}
        self._pending: Final = pending
        pending.renamed.make_way = self.make_way
        self._open: Final = OpenBlock[Draft]("open transaction")
        self._seen: Final = SeenRows(state.tables, self._open, check_started)

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        """Gather the writes of this task or thread; send them as one when the block ends well.

        In the block of another one, they are part of that.
        """
        outer = self._open.current
        if outer is not None:
            with self._part_of(outer) as part:
                yield part
            return
        with self.gathering("transaction") as draft:
            yield self._wrap(draft.outcome)
        self._finish(draft)

    def together(self) -> AbstractContextManager[Tx]:
        """See ``Writer``."""
        check_caller("a write")
        return self.transaction()

    @contextmanager
    def _part_of(self, outer: Draft) -> Generator[Tx]:
        """Gather writes for the open transaction; if the block raises, it goes on without them."""
        before, part, count = dict(outer.writes), self._wrap(outer.outcome), len(outer.parts)
        outer.parts.append(part)
        try:
            yield part
        except BaseException as error:
            outer.writes = before
            failed = Outcome(outer.outcome.txid)
            failed.fail(_caused(TransactionFailed("its block raised: nothing was sent"), error))
            undone = outer.parts[count:]  # with those in its block
            del outer.parts[count:]
            for each in undone:
                take_up(each, failed)
            self._state.signal.fire()
            raise

    @contextmanager
    def gathering(self, doing: str) -> Generator[Draft]:
        """Gather the writes of this task or thread; if the block raises, the draft has failed.

        Args:
            doing: what for, to begin a message with.
        """
        self.check_no_block(doing)
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

    @contextmanager
    def adding_to(self, draft: Draft) -> Generator[Draft]:
        """Gather further writes for a transaction; if the block raises, there are none."""
        self.check_no_block("the block of a transaction by hand")
        self._check_open()
        part = Draft(draft.outcome)
        with self._open.holding(part):
            yield part

    def new_draft(self) -> Draft:
        """Begin a transaction; its txid is that of no other one."""
        return Draft(Outcome(f"{self._name}-{next(self._drafts)}", self._state.signal.fire))

    def check_no_block(self, doing: str) -> None:
        """Raise StreamDBError if this task or thread is in the block of a transaction."""
        if self._open.current is not None:
            raise StreamDBError(
                f"{doing}: it makes transactions of its own, which do not nest in the one that is "
                "open in this task: do it outside of that block"
            )

    def act(self, name: str, on_mutate: Callable[[], object], send: Callable[[Draft], None]) -> Tx:
        """Have what a function writes show, as a transaction that the application sends.

        Args:
            name: of the action.
            on_mutate: writes.
            send: begins to send it, even if it is empty.
        """
        with self.gathering(f"the action {name!r}") as draft:
            on_mutate()
        draft.is_brought = True
        with self._commits:
            self._queue(draft, send)
        return self._wrap(draft.outcome)

    def insert(self, schema: CollectionSchema[Any, Any], row: Any) -> Tx:
        """Write a new row. Raises InvalidRow, DuplicateKey."""
        check_caller("a write")
        with self._commits:
            current = self._begin()
            return self._add(current, self._new_row(schema, row, current))

    def upsert(self, schema: CollectionSchema[Any, Any], row: Any) -> Tx:
        """Write a row, new or not. Raises InvalidRow."""
        check_caller("a write")
        with self._commits:
            current = self._begin()
            key, read, text = self._read_back(schema, row)
            write = LocalWrite("upsert", schema, key, read, text=text)
            write = self._called_now(write)
            if (kept := self._seen.kept_of(schema, write.key)) is not None:
                read, text = schema.read_back(write.row, onto=kept)
                write = replace(write, row=read, text=text)
            before = self._seen.latest(schema, write.key, current)
            return self._add(current, write if before is None else replace(write, base=before.row))

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
        check_caller("a write")
        while True:
            with self._commits:
                wire_key, stored = self._to_update(schema, key, expect)
                if isinstance(change, NewFields):
                    return self._update(schema, wire_key, stored, change(stored.row), expect)
            # The user's code: it may take its time, and any other lock.
            with self._seen.changing(schema, wire_key):
                changed = change(stored.row)
            with self._commits:
                if self._seen.key_now(schema, schema.wire_key(key)) != wire_key:
                    continue  # it is called otherwise now
                if self._seen.existing(schema, wire_key, "update").row is not stored.row:
                    continue  # it has moved on meanwhile: change what it is now
                return self._update(schema, wire_key, stored, changed, expect)

    def _to_update(
        self, schema: CollectionSchema[Any, Any], key: Any, expect: Any | None
    ) -> tuple[str, Stored]:
        """Return what the row of a key is called now, and the row."""
        self._check_open()
        wire_key = self._seen.key_now(schema, schema.wire_key(key))
        stored = self._seen.existing(schema, wire_key, "update")
        if expect is not None and not self._seen.is_expected(schema, wire_key, stored.row, expect):
            raise row_changed(schema, schema.parse_key(wire_key), stored.row)
        return wire_key, stored

    def _update(
        self,
        schema: CollectionSchema[Any, Any],
        wire_key: str,
        stored: Stored,
        changed: Any,
        expect: Any | None,
    ) -> Tx:
        """Write what was made of a row."""
        if changed is None:
            raise InvalidRow(
                f"collection {schema.name!r}: the function that `update` was given returned "
                "None: it returns the changed row",
                type=schema.type,
            )
        if schema.rows.holds(changed) and schema.key_of(changed) != schema.parse_key(wire_key):
            raise InvalidRow(
                f"collection {schema.name!r}: an update must keep "
                f"{schema.primary_key}={schema.parse_key(wire_key)!r}; delete the row and insert "
                "another one instead",
                type=schema.type,
                pointer=f"/{schema.wire_primary_key}",
            )
        current = self._begin()
        kept = self._seen.kept_of(schema, wire_key)
        key, read, text = self._read_back(schema, changed, over=stored, onto=kept)
        base = stored.row
        fields = changed_fields(schema, base, read)
        if fields != {}:
            write = LocalWrite("update", schema, key, read, fields, text, base, expect)
            return self._add(current, write)
        if current is None:
            current = self.new_draft()
            current.outcome.advance("synced")  # what changes nothing is free
        return self._wrap(current.outcome)

    def delete(self, schema: CollectionSchema[Any, Any], key: Any) -> Tx:
        """Remove a row. Raises MissingKey."""
        check_caller("a write")
        with self._commits:
            current = self._begin()
            wire_key = self._seen.key_now(schema, schema.wire_key(key))
            before = self._seen.existing(schema, wire_key, "delete").row
            return self._add(current, LocalWrite("delete", schema, wire_key, base=before))

    def shown(self, schema: CollectionSchema[Any, Any], wire_key: str) -> Any | None:
        """Return the row that shows, None if none does. Called while `holding`."""
        return self._state.tables[schema.name].rows.get(wire_key)

    # --- what shows and is sent later

    def holding(self) -> AbstractContextManager[None]:
        """Hold the lock for what follows, in which nobody's code runs."""
        return self._commits

    def insertion(self, schema: CollectionSchema[Any, Any], row: Any) -> LocalWrite:
        """Return the write of a new row. Called while `holding`.

        Raises:
            InvalidRow: the row does not fit its type.
            DuplicateKey: there is one of its key.
            StreamDBError: nothing can be written, or not here.
        """
        check_caller("a write")
        if self._begin() is not None:
            self.check_no_block(f"writer of {schema.name!r}")
        return self._new_row(schema, row, None)

    def make_way(self, places: Iterable[Place], holder: Holder | None = None) -> None:
        """Have transactions that write the same rows sent before; but those of one holder."""
        if not self.holders.keys().isdisjoint(places):
            before = dict.fromkeys(map(self.holders.get, places))
            for other in before:
                if other is not None and other is not holder:
                    other.release()

    def show_open(self, draft: Draft, part: Draft, *, is_new: bool) -> None:
        """Have further writes of a transaction show that is committed by hand.

        Called while `holding`.

        Raises:
            StreamDBError: what waits for it has written a row of them meanwhile.
        """
        self.follow_renamed(part)
        self._pending.open.check_not_above(draft, part.writes)
        self.make_way(part.writes)
        waiting = self._pending.open.waiting(draft)
        self.show_held(draft, part.writes, is_new=is_new)
        for other in waiting:  # which goes behind it as before
            self._pending.number(other)

    def send_open(self, draft: Draft) -> None:
        """Send a transaction that was open. Called while `holding`."""
        self._pending.open.remove(draft)
        if not draft.writes:
            draft.is_open = False
            draft.outcome.advance("synced")  # an empty transaction is free
            return
        draft.outcome.advance("queued")
        self.send_held(draft)

    def show_held(self, draft: Draft, writes: Mapping[Place, LocalWrite], *, is_new: bool) -> None:
        """Have further writes of a transaction show that is sent later. Called while `holding`."""
        self._pending.number(draft)  # it may stand on all that there is
        try:
            for place, write in writes.items():
                draft.add(place, write)
            self._pending.show(draft, writes)
            if is_new:
                draft.outcome.advance("open" if draft.is_open else "queued")
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

    # --- helpers

    def _begin(self) -> Draft | None:
        """Return the open transaction, if the caller is in the block of one.

        Called while `holding`. Raises StreamDBError if nothing can be written.
        """
        current = self._open.current
        if current is None:
            self._check_open()
        return current

    def _add(self, current: Draft | None, write: LocalWrite) -> Tx:
        """Have a write be part of the open transaction, or show and be sent as one of its own."""
        if current is not None:
            current.add(write.place, write)
            return self._wrap(current.outcome)
        draft = self.new_draft()
        draft.writes[write.place] = write
        self._queue(draft, self._send)
        return self._wrap(draft.outcome)

    def _finish(self, draft: Draft) -> None:
        if not draft.writes:
            draft.outcome.advance("synced")  # an empty transaction is free
            return
        with self._commits:
            self._queue(draft, self._send)

    def _queue(self, draft: Draft, send: Callable[[Draft], None]) -> None:
        """Have a transaction show, and be sent. Called while `holding`."""
        self.follow_renamed(draft)
        self.make_way(draft.writes)
        self._pending.number(draft)
        draft.outcome.advance("queued")
        try:
            self._pending.show(draft, draft.writes)
            send(draft)
        except BaseException as error:
            self._give_up(draft, error)
            raise

    def follow_renamed(self, draft: Draft) -> None:
        """Have writes that may have been made before a row was renamed be of that.

        Called while `holding`.
        """
        if not self._pending.renamed.were_any:
            return
        for write in list(draft.writes.values()):
            if write.kind != "insert" and (now := self._called_now(write)) is not write:
                draft.rename(write.place, now.key)

    def _give_up(self, draft: Draft, error: BaseException) -> None:
        failure = _caused(TransactionFailed(f"it could not be queued: {error}"), error)
        self._pending.roll_back([draft], lambda: draft.outcome.fail(failure))

    def _new_row(
        self, schema: CollectionSchema[Any, Any], row: Any, current: Draft | None
    ) -> LocalWrite:
        key, read, text = self._read_back(schema, row)
        if self._seen.latest(schema, key, current) is not None:
            raise DuplicateKey(
                f"insert: collection {schema.name!r} holds a row of key {key!r} already; "
                "use upsert or update"
            )
        return LocalWrite("insert", schema, key, read, text=text)

    def _read_back(
        self,
        schema: CollectionSchema[Any, Any],
        row: Any,
        *,
        over: Stored | None = None,
        onto: Stored | None = None,
    ) -> tuple[str, Any, bytes]:
        """Return the key of a row that is to be written, and what `read_back` does of it."""
        read, text = schema.read_back(row, over=over, onto=onto)
        key = checked_wire_key(schema, row)
        self._seen.check_unchanging(schema, key)
        return key, read, text

    def _called_now(self, write: LocalWrite) -> LocalWrite:
        """Return a write as one of the row by what that is called now."""
        now = self._seen.key_now(write.schema, write.key)
        return write if now == write.key else write.renamed(now)


def _caused(failure: TransactionFailed, cause: BaseException) -> TransactionFailed:
    failure.__cause__ = cause
    return failure
