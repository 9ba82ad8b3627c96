"""What both database classes share: the state, its collections, and what can be told at once."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, Unpack, cast, overload

from streamdb.collections.base_collection import BaseCollection
from streamdb.collections.collection_parts import CollectionParts
from streamdb.collections.origin import Standing
from streamdb.collections.plain_block import PlainBlock
from streamdb.collections.transaction import BaseTransaction, CheckMayWait, Outcome
from streamdb.db.action_inputs import ChecksInputs
from streamdb.db.declaration import check_declarations, declared_schema
from streamdb.db.invalid_log import InvalidLog
from streamdb.db.options import DatabaseOptions, InvalidEvent, check_options, checked_upcasts
from streamdb.db.unresolved import remember
from streamdb.errors import InvalidEventError, StreamDBError, UnknownCollection
from streamdb.expr.query import Queryable
from streamdb.expr.queryable import what_is_no_query
from streamdb.near_miss import no_such
from streamdb.query_functions import check_may_wait
from streamdb.state.schema import CollectionSchema, StateSchema

if TYPE_CHECKING:
    from streamdb.cache.outbox_records import TransactionRecord
    from streamdb.collections.batch_limits import BatchLimits
    from streamdb.collections.row_writer import Batches
    from streamdb.db.action_steps import ActionSteps
    from streamdb.db.drafts import Draft
    from streamdb.db.manual import OpenDraft
    from streamdb.db.metrics import Metrics
    from streamdb.db.outbox import Outbox
    from streamdb.db.running_actions import RunningAction
    from streamdb.db.status import Status
    from streamdb.engine.base_live_query import LiveParts
    from streamdb.errors import TransactionFailed

#: The options that belong to one file, and not to a second database.
_OF_A_FILE: Final = frozenset({"cache", "on_outbox_error", "outbox"})

Tx = TypeVar("Tx", bound=BaseTransaction)
CollectionForm = TypeVar("CollectionForm", bound=BaseCollection[Any, Any, Any, Any])
AnyCollection = TypeVar("AnyCollection", bound=BaseCollection[Any, Any, Any, Any])


class BaseDatabase(Generic[Tx, CollectionForm]):
    """The engine room of :class:`AsyncStreamDB` and :class:`StreamDB`."""

    @overload
    def __init__(
        self, schema: StateSchema, url: str, /, **options: Unpack[DatabaseOptions]
    ) -> None: ...
    @overload
    def __init__(self, url: str, /, **options: Unpack[DatabaseOptions]) -> None: ...
    def __init__(
        self, first: StateSchema | str, second: str = "", /, **options: Unpack[DatabaseOptions]
    ) -> None:
        """Take a schema and the address of a stream; the address alone if the class declares it."""
        # Imported when the first database is made: a program that only needs the rows and events of
        # a generated package starts in half the time.
        from streamdb.db.conflicts import Conflicts
        from streamdb.db.mutations import Mutations
        from streamdb.db.observers import Observers
        from streamdb.db.session import Session
        from streamdb.db.state import DatabaseState
        from streamdb.db.waits import Waits
        from streamdb.engine.viewing import Views

        for given, kinds in ((first, (str, StateSchema)), (second, (str,))):
            if not isinstance(cast("Any", given), kinds):
                raise TypeError(
                    f"{type(self).__name__}: the address of a stream is a text, such as "
                    f"'embedded:session.db#demo', not {type(given).__name__}"
                )
        if isinstance(first, str) and second:
            raise TypeError(
                f"{type(self).__name__}({first!r}, {second!r}): the first of two arguments is a "
                "schema, as in StreamDB(StateSchema.from_file('schema.json'), url)"
            )
        if isinstance(first, str):
            schema, url = declared_schema(type(self)), first
        else:
            schema, url = first, second
        check_options(options)
        # A class that declares or is generated knows its schema; the plain one must be told.
        is_plain = type(self).__init__ is cast("Any", BaseDatabase).__init__
        takes_schema = is_plain and not isinstance(first, str)
        self._schema_argument: Final = (schema,) if takes_schema else ()
        self._options: Final = options
        self.schema: Final = schema
        from streamdb.streams.address import parse_address  # and pathlib

        self.url: Final = parse_address(url).shown
        self._invalid_log: Final = InvalidLog(self.url)
        self._on_invalid: Final = options.get("on_invalid", "report")
        self._state: Final = DatabaseState(
            schema,
            url=self.url,
            report=self._report_invalid,
            strict=options.get("strict", False),
            upcasts=checked_upcasts(schema, options),
        )
        self._session: Final = Session(
            self._state, Observers(options, self._deliver), url, **options
        )
        self._mutations: Final = Mutations(
            self._state,
            check_open=self._session.outgoing.check_writable,
            check_started=self._session.checks.check_started,
            send=self._send,
            hold=self._hold,
            wrap=self._wrap,
            pending=self._session.pending,
        )
        self._conflicts: Final = Conflicts(
            self._mutations, self._deliver, self.url, options.get("on_conflict")
        )
        self._session.sender.returned.resolve = lambda name, conflicting: self._conflicts.ask(
            schema.by_name[name], conflicting
        )
        self._session.release_all = self._mutations.release_all
        if (outbox := self._session.outbox) is not None:
            outbox.show = self._session.pending.show_left
            outbox.report = self._report_refused
        self._snapshots: Final = self._state.snapshots
        self._state.graph.reading = self._reading_end
        self._state.graph.check_connected = self._session.checks.check_started
        self._views: Final = Views(self._state.graph, self._snapshots)
        self._collections: Final = _ByName[CollectionForm](schema.name)
        self._waits: Final = Waits(
            self.url,
            self._state,
            self._session.status,
            check_started=self._session.checks.check_started,
            offset=lambda: self.offset,
            collections=self._collections.values(),
        )
        self._prepare()
        for name in schema.by_name:
            self._collection(self._form, name)

    def __init_subclass__(cls, **options: Any) -> None:
        """Check what a class declares where it is defined."""
        super().__init_subclass__(**options)
        check_declarations(cls)

    # What the two forms do differently.

    _form: type[CollectionForm]
    _check_may_wait: CheckMayWait = staticmethod(check_may_wait)

    def _prepare(self) -> None:
        """Set up what the form has beside the rest."""

    def _on_loop(self, call: Callable[[], object]) -> None:
        raise NotImplementedError

    def _wrap(self, outcome: Outcome) -> Tx:
        raise NotImplementedError

    @property
    def _deliver(self) -> Callable[[Callable[[], object]], None]:
        """What takes users' callbacks; itself, for a method around it would be a call more."""
        raise NotImplementedError

    def _begin_action(
        self,
        name: str,
        on_mutate: Callable[[], object],
        persisting: Callable[[Outcome, ActionSteps], Callable[[], Awaitable[object]]],
    ) -> Tx:
        """Have an action show, and what ``persisting`` returns make it durable."""
        from streamdb.db.action_steps import ActionSteps  # loaded with the first database
        from streamdb.db.running_actions import RunningAction

        def send(draft: Draft) -> None:
            remember(draft.outcome, self.url)
            action = RunningAction(name, draft)
            steps = ActionSteps(
                action,
                self._session.pending,
                self._send_action,
                self._session.sender.drafts,
                self._collections,
                self.schema,
            )
            persist = persisting(draft.outcome, steps)
            self._expect(draft, lambda: self._session.outgoing.act(action, persist))

        return self._mutations.act(name, on_mutate, send)

    def _send_action(self, action: RunningAction) -> None:
        self._on_loop(lambda: self._session.outgoing.hand_over(action))

    def _send(self, draft: Draft) -> None:
        self._keep_in_mind(draft)
        if self._session.outbox is not None:
            self._session.outbox.expect(draft)
        self._expect(draft, lambda: self._session.outgoing.enqueue(draft))

    def _hold(self, draft: Draft) -> None:
        self._keep_in_mind(draft)
        self._expect(draft, lambda: self._session.outgoing.hold(draft))

    def _expect(self, draft: Draft, call: Callable[[], object]) -> None:
        """Answer for a transaction from now on, and see to it on the loop."""
        self._session.sender.expect(draft)
        try:
            self._on_loop(call)
        except BaseException:
            self._session.sender.forget(draft)
            raise

    def _batches(self, schema: CollectionSchema[Any, Any], limits: BatchLimits) -> Batches[Any]:
        from streamdb.db.row_batches import RowBatches  # for those who have writers

        return RowBatches(self._mutations, schema, limits, self._later)

    def _keep_in_mind(self, draft: Draft) -> None:
        if self._session.outbox is None:
            remember(draft.outcome, self.url)
        else:
            draft.outcome.keep()

    def _open_draft(self) -> OpenDraft:
        from streamdb.db.manual import OpenDraft

        def roll_back(draft: Draft, failure: TransactionFailed) -> None:
            self._on_loop(lambda: self._session.outgoing.roll_back(draft, failure))

        return OpenDraft(self._mutations, roll_back)

    def _later(self, seconds: float, call: Callable[[], object]) -> None:
        self._on_loop(lambda: self._session.loop.call_later(seconds, call))

    # What they tell alike.

    def _collection(self, kind: type[AnyCollection], name: str) -> AnyCollection:
        if name not in self.schema.by_name:
            raise _unknown_collection(self.schema.name, name, self.schema.by_name)
        collection = kind(
            CollectionParts(
                schema=self.schema.by_name[name],
                table=self._state.tables[name],
                lock=self._state.lock,
                snapshots=self._snapshots,
                writer=self._mutations,
                deliver=self._deliver,
                check_started=self._session.checks.check_started,
                check_goes_on=self._check_goes_on,
                runner=self._views,
                origin=self._state.graph,
                batches=self._batches,
                check_may_wait=self._check_may_wait,
                metas=lambda: self._state.metas_of(name),
                resolve_by=self._conflicts.resolve_by,
            )
        )
        self._collections[name] = cast("Any", collection)
        return collection

    @property
    def collections(self) -> Mapping[str, CollectionForm]:
        """The collections by their name in the spec; another name raises UnknownCollection."""
        return MappingProxyType(self._collections)

    @property
    def status(self) -> Status:
        """How reading stands.

        ``idle``, ``connecting``, ``catching_up``, ``live``, ``reconnecting``, or for good
        ``ended`` (the stream is closed), ``closed`` (this database is), ``error``.
        """
        return self._session.status.now

    @property
    def error(self) -> BaseException | None:
        """What ended the reading, if a fault did; it stays after closing."""
        return self._session.status.failure

    @property
    def offset(self) -> str:
        """The position of the state that is visible (ATOM-4); ``-1`` before the first load."""
        snapshot = self._snapshots.current
        return self._state.offset if snapshot is None else snapshot.offset

    @property
    def metrics(self) -> Metrics:
        """What was read up to the last commit: commits, events, invalid and undeclared ones."""
        with self._state.lock:
            return copy.deepcopy(self._state.metrics)

    @property
    def invalid_events(self) -> Sequence[InvalidEvent]:
        """The last hundred invalid events, oldest first."""
        return self._state.invalid_events.last()

    @property
    def outbox(self) -> Outbox:
        """What is on its way to the stream, and what was refused; see :class:`Outbox`.

        ::

            for entry in db.outbox.refused:
                print(entry.written_at, entry.reason, [write.value for write in entry.writes])
                db.outbox.forget(entry.txid)

        Raises:
            StreamDBError: the database has none: it was made without ``outbox=True``.
        """
        from streamdb.db.outbox import Outbox  # for those who have one

        keeper = self._session.outbox
        if keeper is None:
            raise StreamDBError(
                f"{self.url}: this database has no outbox: open it with outbox=True and cache=..."
            )
        return Outbox(self.schema, keeper.records, keeper.forget)

    def transaction(self) -> AbstractContextManager[Tx]:
        """Group the writes of this task or thread: one request, one txid, one outcome.

        Nothing is sent if the block raises. In the block of another one, it is part of that.

        ::

            with db.transaction() as tx:
                db.messages.insert(...)
                db.presence.upsert(...)
        """
        instead = "`with db.transaction() as tx:`, and after it `await tx`"
        return PlainBlock(self._mutations.transaction(), instead)

    def give_up(self, transaction: BaseTransaction | str, /) -> None:
        """Give up a write that has no outcome yet, with those that stand on it: it shows no more.

        Whoever waits for it gets TransactionFailed if it was not sent, and TransactionUnresolved if
        it was: it may be on the stream, or be there later. Others that went in the same request are
        sent on, once. What `persist` of an action does goes on, and changes nothing about it.

        May be called on any thread, and waits for nothing.

        Args:
            transaction: as it was returned, or its txid, which the log tells.

        Raises:
            UnknownTransaction: it is not pending (any more): it is durable, or has failed, or is
                none of this database (a KeyError).
        """
        if not isinstance(cast("Any", transaction), BaseTransaction | str):
            raise TypeError(
                f"give_up takes a transaction or its txid, a text, not {type(transaction).__name__}"
            )
        txid = transaction if isinstance(transaction, str) else transaction.txid
        self._session.outgoing.give_up(txid)

    def snapshot(self) -> AbstractContextManager[None]:
        """See one state of all collections, whatever is committed meanwhile.

        For the reads of this task or thread, in the ``with`` block; in the async form over every
        ``await`` in it, too. Commits go on, others see them, and writes of the block build on the
        latest rows. What is committed meanwhile costs memory: of a collection that changes, its
        rows are listed once more.

        ::

            with db.snapshot():
                totals = {m.id: sum(c.size for c in db.chunks if c.of == m.id) for m in db.messages}
        """
        return self._snapshots.open()

    def _beside(self, url: str) -> Self:
        """Make a database of this kind on another stream, with the same options."""
        make = cast("Callable[..., Self]", type(self))
        actions: object = getattr(self, "actions", None)
        more: dict[str, Any] = (
            {"actions": type(actions)} if isinstance(actions, ChecksInputs) else {}
        )
        options = {name: value for name, value in self._options.items() if name not in _OF_A_FILE}
        return make(*self._schema_argument, url, **more, **options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url} {self.status}>"

    def _report_invalid(self, event: InvalidEvent) -> None:
        """Apply the policy (INVALID-4)."""
        policy = self._on_invalid
        if policy == "raise" and not event.is_applied:
            raise InvalidEventError(
                f"{self.url}: {event}",
                url=self.url,
                offset=event.offset,
                type=event.type,
                key=event.key,
                pointer=event.pointer,
                reason=event.message,
            )
        if callable(policy):
            self._deliver(lambda: policy(event))
        elif policy != "ignore":
            self._invalid_log.tell(event)

    def _report_refused(self, record: TransactionRecord) -> None:
        from streamdb.db.outbox import entry_of

        if (tell := self._options.get("on_outbox_error")) is not None:
            entry = entry_of(self.schema, record)
            self._deliver(lambda: tell(entry))

    def _live_parts(self, query: Any) -> LiveParts:
        """Begin a live query, and return what it stands on."""
        from streamdb.engine.base_live_query import LiveParts

        if not isinstance(query, Queryable):
            raise TypeError(
                f"live() takes a query, a collection or a live query, not {what_is_no_query(query)}"
            )
        self._session.checks.check_open()
        if self.error is not None:
            raise self.error
        return LiveParts(
            result=self._state.graph.add(query.as_query().node),
            views=self._views,
            deliver=self._deliver,
            check_goes_on=self._check_goes_on,
        )

    def _check_goes_on(self) -> None:
        """Raise if there will be no commit, and that is not because the stream has ended."""
        if self.error is not None:
            raise self.error
        self._session.checks.check_not_closed()

    def _reading_end(self) -> Standing:
        now = self.status
        if now == "ended" or now == "closed" or now == "error":
            return Standing(now, self.error)
        return Standing()


class _ByName(dict[str, CollectionForm]):
    """The collections of a schema; one that is not there is told with those that are."""

    def __init__(self, schema: str) -> None:
        super().__init__()
        self._schema = schema

    def __missing__(self, name: str) -> CollectionForm:
        raise _unknown_collection(self._schema, name, self)


def _unknown_collection(schema: str, name: str, known: Iterable[str]) -> UnknownCollection:
    """Make the error for a name that no collection has."""
    what = f"the schema {schema!r} has no collection"
    return UnknownCollection(no_such(what, name, known, listed_as="Its collections"))
