"""Local writes: checked, gathered into transactions, and remembered until they come back.

A row that was written and has not come back yet is the base of the next update of its key, so that
two updates in a row never lose the first one's fields.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from streamdb.collections.callers import OpenBlock, this_task_or_thread
from streamdb.collections.transaction import Outcome
from streamdb.db.options import UpsertAs
from streamdb.db.state import DatabaseState
from streamdb.errors import (
    DuplicateKey,
    InvalidRow,
    MissingKey,
    StreamDBError,
    TransactionFailed,
)
from streamdb.state.events import ChangeEvent, EventConstructors
from streamdb.state.schema import CollectionSchema
from streamdb.state.unknown_fields import Stored

Tx = TypeVar("Tx")

_Place = tuple[str, str]  # collection name, key text


@dataclass(slots=True)
class Draft:
    """A transaction in the making, or on its way: its outcome and what it writes."""

    outcome: Outcome
    events: list[bytes] = field(default_factory=list[bytes])
    rows: dict[_Place, Stored | None] = field(default_factory=dict[_Place, "Stored | None"])

    def add(
        self,
        schema: CollectionSchema[Any, Any],
        event: ChangeEvent[Any],
        *,
        original: bytes | None = None,
    ) -> None:
        """Take in one more change; ``original`` is its value if that says more than its row."""
        self.events.append(event.to_json())
        row = event.value
        # The caller may go on to change it, and later updates stand on what was sent.
        place = schema.name, event.key
        self.rows[place] = None if row is None else Stored(schema.rows.lent(row), original)


class Mutations(Generic[Tx]):
    """The :class:`~streamdb.collections.writer.Writer` of a database.

    Args:
        state: the rows that have come back.
        check_open: raises if the database takes no writes (any more).
        send: queues a finished draft.
        wrap: makes what the caller gets from an outcome.
        upsert_as: whether upserts are written as such (UPSERT-2).
    """

    def __init__(
        self,
        state: DatabaseState,
        *,
        check_open: Callable[[], None],
        send: Callable[[Draft], None],
        wrap: Callable[[Outcome], Tx],
        upsert_as: UpsertAs,
    ) -> None:
        self._state = state
        self._check_open = check_open
        self._send = send
        self._wrap = wrap
        self._upsert_as: Final = upsert_as
        self._open: Final = OpenBlock[Draft]("open transaction")
        self._unsynced: dict[_Place, tuple[Stored | None, str]] = {}
        self._changes: list[tuple[_Place, object]] = []  # of functions that run, and whose

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        """Gather the writes of this task or thread; send them as one when the block ends well."""
        if self._open.current is not None:
            raise StreamDBError("transactions do not nest: one is open in this task already")
        self._check_open()
        draft = Draft(Outcome(str(uuid.uuid4())))
        try:
            with self._open.holding(draft):
                yield self._wrap(draft.outcome)
        except BaseException as error:
            draft.outcome.fail(
                _caused(TransactionFailed("its block raised: nothing was sent"), error)
            )
            raise
        self._finish(draft)

    def insert(self, schema: CollectionSchema[Any, Any], row: Any) -> Tx:
        """Write a new row. Raises InvalidRow, DuplicateKey."""
        with self._drafting() as draft:
            event = EventConstructors(schema).insert(row, txid=draft.outcome.txid)
            self._check_unchanging(schema, event.key)
            if self._latest(schema, event.key) is not None:
                raise DuplicateKey(
                    f"insert: collection {schema.name!r} holds a row of key {event.key!r} already; "
                    "use upsert or update"
                )
            draft.add(schema, event)
        return self._wrap(draft.outcome)

    def upsert(self, schema: CollectionSchema[Any, Any], row: Any) -> Tx:
        """Write a row, new or not. Raises InvalidRow."""
        with self._drafting() as draft:
            events, txid = EventConstructors(schema), draft.outcome.txid
            event = events.upsert(row, txid=txid)
            self._check_unchanging(schema, event.key)
            before = self._latest(schema, event.key)
            if self._upsert_as == "insert_or_update":
                is_new = before is None
                event = (
                    events.insert(row, txid=txid)
                    if is_new
                    else events.update(row, onto=before, txid=txid)
                )
            elif before is not None and schema.updates == "merge":
                event = events.upsert(row, onto=before, txid=txid)
            draft.add(schema, event)
        return self._wrap(draft.outcome)

    def update(
        self, schema: CollectionSchema[Any, Any], key: Any, change: Callable[[Any], Any]
    ) -> Tx:
        """Write what ``change`` makes of a row, which it must not change in place.

        Raises MissingKey, InvalidRow, StreamDBError.
        """
        while True:
            with self._state.lock:
                self._check_open()
                stored = self._existing(schema, key, "update")
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
            with self._state.lock:
                if self._existing(schema, key, "update").row is not stored.row:
                    continue  # it has moved on meanwhile: change what it is now
                with self._drafting() as draft:
                    event = EventConstructors(schema).update(
                        changed, over=stored, onto=stored, txid=draft.outcome.txid
                    )
                    has_unknown = stored.original is not None
                    draft.add(schema, event, original=event.value_json if has_unknown else None)
                return self._wrap(draft.outcome)

    def delete(self, schema: CollectionSchema[Any, Any], key: Any) -> Tx:
        """Remove a row. Raises MissingKey."""
        with self._drafting() as draft:
            self._existing(schema, key, "delete")
            draft.add(schema, EventConstructors(schema).delete(key, txid=draft.outcome.txid))
        return self._wrap(draft.outcome)

    def settle(self, draft: Draft) -> None:
        """Forget the rows of a transaction that came back or failed."""
        with self._state.lock:
            for place in draft.rows:
                written = self._unsynced.get(place)
                if written is not None and written[1] == draft.outcome.txid:
                    del self._unsynced[place]

    @contextmanager
    def _drafting(self) -> Generator[Draft]:
        """Yield the open transaction, or one for this write alone, sent if the write is good."""
        with self._state.lock:
            current = self._open.current
            if current is not None:
                yield current
                return
            self._check_open()
            draft = Draft(Outcome(str(uuid.uuid4())))
            yield draft
            self._finish(draft)

    def _finish(self, draft: Draft) -> None:
        if not draft.events:
            draft.outcome.advance("synced")  # an empty transaction is free
            return
        with self._state.lock:
            draft.outcome.advance("queued")
            for place, stored in draft.rows.items():
                self._unsynced[place] = (stored, draft.outcome.txid)
            try:
                self._send(draft)
            except BaseException as error:
                failure = TransactionFailed(f"it could not be queued: {error}")
                draft.outcome.fail(_caused(failure, error))
                self.settle(draft)
                raise

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
        if ((schema.name, wire_key), this_task_or_thread()) in self._changes:
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
        place = (schema.name, wire_key)
        current = self._open.current
        if current is not None and place in current.rows:
            return current.rows[place]
        if place in self._unsynced:
            return self._unsynced[place][0]
        return self._state.tables[schema.name].stored(wire_key)


def _caused(failure: TransactionFailed, cause: BaseException) -> TransactionFailed:
    failure.__cause__ = cause
    return failure
