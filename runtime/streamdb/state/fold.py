"""The fold: from decoded events to what changes in each collection (section 8).

It decides what happens to rows, and not where they are: a load fills new collections, a live batch
is worked out completely before any of it shows.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Mapping, Sequence
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    Protocol,
    TypeAlias,
    get_args,
    get_origin,
)

from msgspec import UNSET

from streamdb.state.decoder import Events
from streamdb.state.items import (
    ControlMessage,
    Invalid,
    Item,
    Judged,
    Merge,
    Put,
    Remove,
    Undeclared,
)
from streamdb.state.judging import Judge
from streamdb.state.parsing import parse
from streamdb.state.schema import CollectionSchema
from streamdb.state.sink import Sink
from streamdb.state.stamps import Stamps
from streamdb.state.timestamps import wrong_ones
from streamdb.state.typed_events import Event
from streamdb.state.unknown_fields import Stored


class FoldedRows(Protocol):
    """Where the rows of one collection go, by the text of their key."""

    #: Set before the first ``Stored`` row is put there.
    hold_texts: bool

    @property
    def sink(self) -> Sink:
        """Where they are stored; the same containers all the time."""
        ...

    def get(self, key: str) -> Stored | None:
        """Return the row as it stands at this event, None if there is none."""

    def remove(self, key: str, ordinal: int, /) -> None:
        """Remove a row if there is one. A row of that key that comes later goes last."""

    def clear(self) -> None:
        """Forget all rows."""


class Counts:
    """What was met on the way, beside rows.

    Attributes:
        events: how many events there were.
        txids: the transaction ids seen.
        undeclared: how many events of each undeclared type.
        echoes: of the events that own transactions wrote, which one, by ordinal.
        invalid: the events that were skipped.
        mistimed: events that were not, though their timestamps are no instants.
    """

    __slots__ = ("echoes", "events", "invalid", "mistimed", "txids", "undeclared")

    # No dataclass: to call the factories of its fields would be a tenth of the fold of one event.
    def __init__(self) -> None:
        self.events = 0
        self.txids: list[str] = []
        self.echoes: dict[int, str] = {}
        self.undeclared: dict[str, int] = {}
        self.invalid: list[Invalid] = []
        self.mistimed: list[Invalid] = []


#: What to do about a reset that carries this offset, if any (RESET-3, RESET-4, RESET-8).
JudgeReset = Callable[[str | None], Literal["clear", "restart", "skip"]]


class Fold:
    """Applies the events of one batch after the other.

    Args:
        judge: says what an event is where its class does not say it all.
        rows: where rows go, by collection name.
        judge_reset: says what to do about a reset.
    """

    def __init__(
        self,
        judge: Judge,
        rows: Mapping[str, FoldedRows],
        judge_reset: JudgeReset,
    ) -> None:
        self._judge: Final = judge
        self._rows: Final = rows
        self._judge_reset: Final = judge_reset
        self._routes: Final[dict[type[Any], _Route | None]] = {}
        self.begin(0)

    def begin(self, ordinal: int, own: Container[str] = ()) -> None:
        """Begin a batch.

        Args:
            ordinal: of the event before the first one.
            own: the ids of this program's own transactions.
        """
        self._own = own
        self.counts = Counts()
        #: Of the last event, counted over all collections since the stream began or was reset.
        self.ordinal = ordinal
        #: The stamps of the events, of those alone that came after a reset if there was one.
        self.stamps = Stamps()
        #: Whether a reset has cleared all that was there before.
        self.was_reset = False
        #: Where a reset wants reading to start over; nothing after it was applied.
        self.restart_from: str | None = None

    def add(self, events: Events) -> None:
        """Apply events in stream order."""
        if self.restart_from is not None or not events:
            return  # they will be read again
        self.counts.events += len(events)
        # Servers stamp all events or none. So if neither end of a piece is stamped, and both are as
        # most events are, what is between is taken for unstamped.
        are_stamped = _may_be_stamped(events[0]) or _may_be_stamped(events[-1])
        offsets: list[Any] = []
        have_times = False
        # Streams of millions of events go through here. Most need nothing but the lower branch.
        routes, txids, own = self._routes, self.counts.txids, self._own
        ordinal = self.ordinal
        every: Sequence[Any] = events
        for event in every:
            ordinal += 1
            headers = event.headers
            if are_stamped:
                offsets.append(headers.offset)
            if headers.timestamp is not UNSET:
                have_times = True
            kind = type(event)  # pyright: ignore[reportUnknownVariableType]  # of Any
            try:
                route = routes[kind]  # pyright: ignore[reportUnknownArgumentType]
            except KeyError:  # the first one of its class
                route = routes[kind] = self._route_of(kind)  # pyright: ignore[reportUnknownArgumentType]
            if route is None:
                item = self._item_of(event, ordinal)
                if item is None:
                    continue
            else:
                if headers.txid is not UNSET:
                    txids.append(headers.txid)
                    if headers.txid in own:
                        self.counts.echoes[ordinal] = headers.txid
                rows, keys, ordinals, remove, key_of = route
                if headers.operation == "delete":
                    remove(event.key, ordinal)
                    continue
                row = event.value
                if row is not UNSET and (key := key_of(row)) == event.key:
                    rows[key] = row
                    keys.append(key)
                    ordinals.append(ordinal)
                    continue
                item = self._judge.of_event(event)
            ordinal = self._apply(item, ordinal)
            if self._is_over():
                self.ordinal = ordinal
                return
        self.ordinal = ordinal
        if are_stamped:
            # Events before a reset get ordinals below 1, which no row has.
            self.stamps.add(range(ordinal - len(events) + 1, ordinal + 1), offsets)
        if have_times:
            self._look_at_times(events)

    def _look_at_times(self, events: Events) -> None:
        """Report timestamps that are none (INVALID-7)."""
        for place in wrong_ones([event.headers.timestamp for event in events]):
            item = self._judge.of_either(events[place]).item
            if not isinstance(item, Invalid):
                self.counts.mistimed.append(_mistimed(events[place], item))

    def _is_over(self) -> bool:
        return self.restart_from is not None

    def _item_of(self, event: Event | Judged, ordinal: int) -> Item | None:
        """Judge an event that takes no short way yet; None if it is done with."""
        if (
            isinstance(event, Event)
            and event.schema is None
            and event.value is not UNSET
            and event.headers.txid is UNSET
        ):
            self._count(event.type)
            return None
        judged = self._judge.of_either(event)
        if judged.txid is not None:
            self.counts.txids.append(judged.txid)
            if judged.txid in self._own:
                self.counts.echoes[ordinal] = judged.txid
        return judged.item

    def _route_of(self, kind: type[Any]) -> _Route | None:
        """Return the short way that events of a class take, if their values are rows."""
        if not issubclass(kind, Event) or not kind.is_typed or kind.schema is None:
            return None
        folded = self._rows[kind.schema.name]
        key_of = key_reader(kind.schema)
        if kind.rows is not None:
            key_of = _of_stored(key_of)
            folded.hold_texts = True
        sink = folded.sink
        return sink.rows, sink.keys, sink.ordinals, folded.remove, key_of

    def _count(self, undeclared: str) -> None:
        counts = self.counts.undeclared
        counts[undeclared] = counts.get(undeclared, 0) + 1

    def _apply(self, item: Item, ordinal: int) -> int:
        """Apply one event; return the ordinal to count on from."""
        if isinstance(item, Put):
            self._put(item, ordinal)
        elif isinstance(item, Remove):
            self._rows[item.schema.name].remove(item.key, ordinal)
        elif isinstance(item, Merge):
            self._merge(item, ordinal)
        elif isinstance(item, ControlMessage):
            if item.control == "reset":
                return self._obey_reset(item.offset, ordinal)
        elif isinstance(item, Undeclared):
            self._count(item.type)
        else:
            self.counts.invalid.append(item)
        return ordinal

    def _merge(self, item: Merge, ordinal: int) -> None:
        """Lay fields over the row as it stands at this event (UPDATE-4)."""
        schema, key = item.schema, item.key
        rows = self._rows[schema.name]
        before = rows.get(key)
        plain: dict[str, Any] = {}
        if before is not None:
            plain = parse(before.original or schema.rows.write(before.row))
        merged = self._judge.of_value(schema, key, {**plain, **item.fields})
        if isinstance(merged, Put):
            self._put(merged, ordinal)
        else:
            self.counts.invalid.append(merged)

    def _put(self, item: Put, ordinal: int) -> None:
        rows = self._rows[item.schema.name]
        if isinstance(item.row, Stored):
            rows.hold_texts = True
        rows.sink.put(item.key, item.row, ordinal)

    def _obey_reset(self, offset: str | None, ordinal: int) -> int:
        verdict = self._judge_reset(offset)
        if verdict == "restart":
            self.restart_from = offset
        elif verdict == "clear":
            # What came before in the batch has no effect on the state (RESET-1, RESET-6).
            for rows in self._rows.values():
                rows.clear()
            self.stamps, self.was_reset = Stamps(), True
            # Ordinals begin anew; those before them are below 1, so that all stay different.
            echoes = self.counts.echoes
            self.counts.echoes = {before - ordinal: txid for before, txid in echoes.items()}
            return 0
        return ordinal


def _may_be_stamped(event: Event | Judged) -> bool:
    return isinstance(event, Judged) or event.headers.offset is not UNSET


def _mistimed(event: Event | Judged, item: Item) -> Invalid:
    type_: str | None = None
    key: str | None = None
    if isinstance(event, Event):
        type_, key = event.type, event.key
    elif isinstance(item, Put | Merge | Remove):
        type_, key = item.schema.type, item.key
    elif isinstance(item, Undeclared):
        type_ = item.type
    return Invalid(type_, key, "/headers/timestamp", "no RFC 3339 instant")


# What is needed to store the rows of one class of events: the parts of a sink, what removes a row,
# and what reads the key of one. A plain tuple, for a named one takes longer to unpack.
_Route: TypeAlias = (
    "tuple[dict[str, Any], list[str], array[int], Callable[[str, int], None], Callable[[Any], str]]"
)


def key_reader(schema: CollectionSchema[Any, Any]) -> Callable[[Any], str]:
    """Return the function that reads the text of a row's key.

    Where the row holds that text, it is the row's own: then there need not be a second one of it.
    """
    get = schema.key_of
    declared = schema.rows.fields[schema.primary_key].type
    if declared is str or (get_origin(declared) is Annotated and get_args(declared)[0] is str):
        return get
    return lambda row: str(get(row))


def _of_stored(key_of: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda row: key_of(row.row if type(row) is Stored else row)
