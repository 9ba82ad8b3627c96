"""Local writes: checked, gathered into transactions, shown at once, and sent, now or later."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Generic, Literal, TypeVar

from msgspec.structs import replace

from streamdb.collections.callers import OpenBlock, this_task_or_thread
from streamdb.collections.transaction import BaseTransaction, Outcome, take_up
from streamdb.db.drafts import Draft, Holder
from streamdb.db.local_writes import (
    LocalWrite,
    Place,
    changed_fields,
    is_same_json,
    row_changed,
)
from streamdb.db.pending_writes import PendingWrites
from streamdb.db.state import DatabaseState
from streamdb.errors import (
    DuplicateKey,
    InvalidRow,
    MissingKey,
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
        self._check_open = check_open
        self._check_started = check_started
        self._send = send
        self._hold = hold
        self._wrap = wrap
        self._name: Final = uuid.uuid4().hex  # in a forked child, each database has another one
        self._drafts: Final = itertools.count(1)
        #: Who holds a transaction back that writes a row.
        self.holders: Final[dict[Place, Holder]] = {}
        self._pending: Final = pending
        pending.make_way = self.make_way
        self._open: Final = OpenBlock[Draft]("open transaction")
        self._changes: list[tuple[Place, object]] = []  # of functions that run, and whose

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
            write = self._called_now(self._checked("upsert", schema, row))
            if (kept := self._kept_of(schema, write.key)) is not None:
                write = self._checked("upsert", schema, write.row, onto=kept)
            before = self._latest(schema, write.key)
            draft.add(write if before is None else replace(write, base=before.row))
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
            if expect is not None and not self._is_expected(schema, key, stored.row, expect):
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
                    kept = self._kept_of(schema, schema.wire_key(key))
                    write = self._checked("update", schema, changed, over=stored, onto=kept)
                    fields = changed_fields(schema, stored.row, write.row)
                    if fields != {}:  # what changes nothing is free
                        draft.add(replace(write, fields=fields, base=stored.row, expect=expect))
                return self._wrap(draft.outcome)

    def delete(self, schema: CollectionSchema[Any, Any], key: Any) -> Tx:
        """Remove a row. Raises MissingKey."""
        with self._drafting() as draft:
            key = self._key_now(schema, key)
            before = self._existing(schema, key, "delete").row
            draft.add(LocalWrite("delete", schema, schema.wire_key(key), base=before))
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
        self.check_no_block(f"writer of {schema.name!r}")
        self._check_open()
        return self._new_row(schema, row)

    def make_way(self, places: Iterable[Place], holder: Holder | None = None) -> None:
        """Have transactions that write the same rows sent before; but those of one holder."""
        if self.holders:
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
        self.show_held(draft, part.writes.values(), is_new=is_new)
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

    def show_held(self, draft: Draft, writes: Iterable[LocalWrite], *, is_new: bool) -> None:
        """Have further writes of a transaction show that is sent later. Called while `holding`."""
        self._pending.number(draft)  # it may stand on all that there is
        try:
            for write in writes:
                draft.add(write)
            self._pending.show(draft, [write.place for write in writes])
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
        for write in list(draft.writes.values()) if self._pending.has_renamed else ():
            if write.kind != "insert" and (now := self._called_now(write)) is not write:
                draft.rename(write.place, now.key)

    def _give_up(self, draft: Draft, error: BaseException) -> None:
        failure = _caused(TransactionFailed(f"it could not be queued: {error}"), error)
        self._pending.roll_back([draft], lambda: draft.outcome.fail(failure))

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
        if not table.renamed.keys or self._is_open(schema, wire_key):
            return key
        return schema.parse_key(table.renamed.now(wire_key, table.rows))

    def _called_now(self, write: LocalWrite) -> LocalWrite:
        """Return a write as one of the row by what that is called now."""
        table = self._state.tables[write.schema.name]
        if not table.renamed.keys or self._is_open(write.schema, write.key):
            return write
        now = table.renamed.now(write.key, table.rows)
        return write if now == write.key else write.renamed(now)

    def _is_open(self, schema: CollectionSchema[Any, Any], wire_key: str) -> bool:
        return self._written(schema, wire_key) is not None

    def _checked(
        self,
        kind: Literal["insert", "upsert", "update"],
        schema: CollectionSchema[Any, Any],
        row: Any,
        *,
        over: Stored | None = None,
        onto: Stored | None = None,
    ) -> LocalWrite:
        """Return the write of a row, as readers will have it. Raises InvalidRow."""
        is_plain = onto is None and (over is None or over.original is None)
        copy = schema.quick_copy if is_plain else None
        if copy is not None and (copied := copy(row)) is not None:
            text, (read, size) = None, copied
        else:
            text = schema.encode(row, over=over, onto=onto)
            read, size = schema.decode(text), len(text)
        key = checked_wire_key(schema, row)
        self._check_unchanging(schema, key)
        return LocalWrite(kind, schema, key, read, text=text, size=size)

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
            self._check_started()  # or every row would be taken for missing
            raise MissingKey(f"{doing}: collection {schema.name!r} holds no row of key {key!r}")
        return stored

    def _is_expected(
        self, schema: CollectionSchema[Any, Any], key: Any, row: Any, expect: Any
    ) -> bool:
        """Tell whether a row is the expected one, as it is or as it was before this block."""
        if is_same_json(schema, row, expect):
            return True
        earlier = self._written(schema, schema.wire_key(key))
        if earlier is None or earlier.base is None:
            return False
        return is_same_json(schema, earlier.base, expect)

    def _latest(self, schema: CollectionSchema[Any, Any], wire_key: str) -> Stored | None:
        """Return a row as this task or thread has left it."""
        write = self._written(schema, wire_key)
        if write is not None:
            return None if write.row is None else Stored(write.row)
        return self._shown(schema, wire_key)

    def _kept_of(self, schema: CollectionSchema[Any, Any], wire_key: str) -> Stored | None:
        """Return the row of which readers keep what a write leaves out, None if there is none.

        That is not what this block itself has written, for one write comes of it all.
        """
        write = self._written(schema, wire_key)
        begins_anew = write is not None and write.kind in ("insert", "replace", "delete")
        if schema.updates != "merge" or begins_anew:
            return None
        return self._shown(schema, wire_key)

    def _written(self, schema: CollectionSchema[Any, Any], wire_key: str) -> LocalWrite | None:
        """Return what the open transaction does to a row, None for nothing."""
        current = self._open.current
        return None if current is None else current.writes.get((schema.name, wire_key))

    def _shown(self, schema: CollectionSchema[Any, Any], wire_key: str) -> Stored | None:
        """Return a row as it shows."""
        table = self._state.tables[schema.name]
        if wire_key in table.overlay:
            row = table.rows.get(wire_key)
            return None if row is None else Stored(row)
        return table.stored(wire_key)


def _caused(failure: TransactionFailed, cause: BaseException) -> TransactionFailed:
    failure.__cause__ = cause
    return failure
