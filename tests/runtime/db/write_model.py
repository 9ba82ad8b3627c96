"""What local writes are and do, in the plainest words, and what a trace of a database holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import msgspec
from tests.runtime.naive_fold import NaiveFold

from streamdb import RowMeta

WRITTEN = ("messages", "sensors")
LARGEST_BODY = 2000  # bytes that a request may have
LARGE_TEXT = "x" * (LARGEST_BODY + 1)
TYPES = {"messages": "message", "sensors": "sensor"}
NAMES_OF_TYPES = {type_: name for name, type_ in TYPES.items()}
Kind = Literal["insert", "upsert", "update", "delete"]
#: The name of a collection, and a key.
Place = tuple[str, Any]


class Deed(NamedTuple):
    """One write of one row: the row, or the fields that an update changes.

    An update may expect the row to be as it shows.
    """

    kind: Kind
    row: Any = None
    fields: Mapping[str, Any] = {}
    expects: bool = False

    def done_to(self, below: Any) -> Any:
        """Return the row that it makes of one, None for none."""
        if self.kind != "update":
            return self.row
        return None if below is None else msgspec.structs.replace(below, **self.fields)

    def renamed(self, place: Place) -> Deed:
        """Return the same of a row that is called otherwise."""
        return self._replace(row=renamed(self.row, place))


class Sent(NamedTuple):
    """What was sent of a row.

    Attributes:
        row: the row as it is to be.
        base: the one that it was made of.
        end: how much of the log was known.
        is_loaded: whether the first load was there.
        undoes: whether it undoes what was done to the row since the call.
        or_base: the one that it is made of, but for what the action shows that writes it.
    """

    row: Any
    base: Any
    end: int
    is_loaded: bool
    undoes: bool
    or_base: Any


class Seen(NamedTuple):
    """What showed of a row when it was written.

    Attributes:
        row: the row.
        local: what it was of, if that was pending.
        is_loaded: whether the first load was there.
        is_known: whether it lies where it lay then.
    """

    row: Any
    local: Local | None
    is_loaded: bool
    is_known: bool = True


#: What the durable part of an action does.
Way = Literal[
    "sends",
    "appends",
    "writes other rows",
    "maps",
    "is mapped",
    "releases",
    "fails",
    "fails late",
    "writes itself",
    "acts itself",
]
#: The row that durable parts write through the database itself, and nobody else.
OWN_ROW: Final = ("messages", "own")
_OTHER_ROWS = ("writes other rows", "is mapped", "fails late")
#: A collection, a key, and a row that came there, None for a removal.
Said = tuple[str, Any, Any]


@dataclass
class Acted:
    """What the durable part of an action has done so far.

    Attributes:
        way: what it is to do.
        tried: what it was about to put on the stream.
        events: what it has put there.
        assigned: rows that a server calls otherwise than it did.
        raised: it has failed of itself.
        inner: what it has written through the database itself.
    """

    way: Way
    tried: list[Said] = field(default_factory=list[Said])
    events: list[Said] = field(default_factory=list[Said])
    assigned: set[Place] = field(default_factory=set[Place])
    raised: bool = False
    inner: Local | None = None


@dataclass(eq=False)
class Local:
    """A transaction of the database.

    Attributes:
        deeds: by row, in order.
        tx: what the caller got.
        sent: by row; made anew when it is sent again.
        below: by row, what was laid last below it when it was made.
        laid: by row, the number of what it does, of all that was ever done, as it lies now.
        order: by row, the same as it was laid.
        makes_no_sense: it changes a row that was gone when it was to be sent.
        seen: by row.
        showed: by row, what showed while it was the last write of that row.
        resolves: it is what an application says to a conflict, which may come while it closes.
        is_unexpected: a row that it expects was another one when it was to be sent.
        acted: it is of an action.
        is_released: it is, and shows nothing any more, though nothing comes back.
        expected: by row, the row that showed when it was made.
        is_open: it was begun by hand, and not committed yet.
        by: the actions whose durable parts write it.
    """

    deeds: dict[Place, list[Deed]] = field(default_factory=dict[Place, list[Deed]])
    tx: Any = None
    sent: dict[Place, Sent] = field(default_factory=dict[Place, Sent])
    below: dict[Place, Local] = field(default_factory=dict[Place, "Local"])
    laid: dict[Place, int] = field(default_factory=dict[Place, int])
    order: dict[Place, int] = field(default_factory=dict[Place, int])
    makes_no_sense: bool = False
    seen: dict[Place, Seen] = field(default_factory=dict[Place, Seen])
    showed: dict[Place, list[Any]] = field(default_factory=dict[Place, list[Any]])
    resolves: bool = False
    is_unexpected: bool = False
    acted: Acted | None = None
    is_released: bool = False
    expected: dict[Place, Any] = field(default_factory=dict[Place, Any])
    is_open: bool = False
    by: list[Local] = field(default_factory=list["Local"])

    @property
    def is_too_large(self) -> bool:
        """Whether no server takes what was sent."""
        rows = [sent.row for sent in self.sent.values()]
        rows += [row for _, _, row in self.acted.tried] if self.acted is not None else []
        return any(row is not None and LARGE_TEXT in msgspec.structs.astuple(row) for row in rows)

    @property
    def fails_late(self) -> bool:
        """Whether the application says that it failed, and has put it on the stream."""
        return self.acted is not None and self.acted.way == "fails late" and self.acted.raised

    @property
    def has_other_rows(self) -> bool:
        """Whether it comes back as something else than showed, or as nobody's."""
        return self.acted is not None and self.acted.way in _OTHER_ROWS

    @property
    def assigned(self) -> set[Place]:
        """The rows that it has put on the stream, by the keys that they have there."""
        return set() if self.acted is None else self.acted.assigned

    def put_there(self) -> list[Said]:
        """Return what is on the stream if it is durable: collection, key, row or None."""
        if self.acted is not None and self.is_brought:
            return self.acted.events
        return self.expected_events()

    @property
    def is_brought(self) -> bool:
        """Whether the application brings it onto the stream, by ways of its own."""
        return self.acted is not None and self.acted.way != "sends"

    def rename(self, old: Place, new: Place) -> None:
        """Be of a row that is called otherwise; what it inserts when that is removed is another."""
        deeds = self.deeds[old]
        left = deeds[at:] if (at := self.inserts_at(old)) else []
        moved = [deed.renamed(new) for deed in deeds[: len(deeds) - len(left)]]
        self.deeds = {
            new if place == old else place: moved if place == old else deeds
            for place, deeds in self.deeds.items()
        }
        if old in self.expected:
            self.expected[new] = renamed(self.expected.pop(old), new)
        if old in self.below:
            self.below[new] = self.below.pop(old)
        if old in self.laid:
            self.laid[new] = self.laid.pop(old)
            self.order[new] = self.order.pop(old)
        self.showed.pop(old, None)
        if left:
            self.deeds[old], self.expected[old] = left, None
            self.laid[old], self.order[old] = self.laid[new], self.order[new]
            self.seen[old] = Seen(None, None, self.seen[old].is_loaded)

    def inserts_at(self, place: Place) -> int | None:
        """Return which deed inserts a row there, the first such one; None if there is none."""
        kinds = [deed.kind for deed in self.deeds[place]]
        return kinds.index("insert") if "insert" in kinds else None

    @property
    def stands_on(self) -> list[Local]:
        """What it makes no sense without."""
        return [
            below
            for place, below in self.below.items()
            if place in self.deeds and not self.stands_alone(place)
        ]

    def extend(self, place: Place, deeds: Sequence[Deed]) -> None:
        """Take in more of a row, in a further block."""
        more = Local({place: list(self.deeds.get(place, []))})
        for deed in deeds:
            before = more.deeds.get(place)
            if deed.kind == "insert" and before and before[-1].kind != "delete":
                more.deeds[place] = []  # others removed the row in between
            more.add(place, deed)
        if more.deeds.get(place):
            self.deeds[place] = more.deeds[place]
        else:
            self.deeds.pop(place, None)
            self.laid.pop(place, None)
        self.showed.pop(place, None)

    def add(self, place: Place, deed: Deed) -> None:
        """Take in one more write; what is inserted and removed again was never there."""
        deeds = self.deeds.setdefault(place, [])
        at = self.inserts_at(place)
        if deed.kind != "delete" or at is None:
            deeds.append(deed)
        elif at:
            del deeds[at:]  # the row before it stays removed
        else:
            del self.deeds[place]

    def done_to(self, place: Place, below: Any) -> Any:
        """Return what shows of a row."""
        if place in self.sent:
            return self.sent[place].row
        return self.made_of(place, below)

    def made_of(self, place: Place, below: Any) -> Any:
        """Return the row that its writes make of one."""
        for deed in self.deeds[place]:
            below = deed.done_to(below)
        return below

    def is_expected(self, place: Place, base: Any) -> bool:
        """Tell whether a row is as a write of it expects, if it expects anything."""
        deeds = self.deeds[place]
        expects = deeds[0].kind == "update" and any(deed.expects for deed in deeds)
        return not expects or base == self.expected[place]

    def stays(self, place: Place, row: Any, other: Any) -> bool:
        """Tell whether two rows are alike in what it writes."""
        deeds = self.deeds[place]
        if any(deed.kind != "update" for deed in deeds):
            return bool(row == other)
        names = {name for deed in deeds for name in deed.fields}
        return all(getattr(row, name) == getattr(other, name) for name in names)

    def undoes(self, place: Place, base: Any, failed: frozenset[Local]) -> bool:
        """Tell whether it undoes what was done to a row since it was written.

        Args:
            place: the row.
            base: what it is made of.
            failed: the transactions that have failed by now, or were released.
        """
        seen, deeds, first = self.seen[place], self.deeds[place], self.deeds[place][0]
        while seen.local is not None and seen.local in failed:
            # What it was made on never was.
            seen, first = seen.local.seen[place], seen.local.deeds[place][0]
        is_known = seen.is_known and (seen.is_loaded or first.kind == "insert")
        if base is None or not is_known or base == seen.row:
            return False
        if seen.row is not None and all(deed.kind == "update" for deed in deeds):
            fields = {name: value for deed in deeds for name, value in deed.fields.items()}
            return any(
                getattr(base, name) not in (getattr(seen.row, name), value)
                for name, value in fields.items()
            )
        return bool(base != self.made_of(place, base))

    def stands_alone(self, place: Place) -> bool:
        """Tell whether it makes sense whatever is below: an upsert does."""
        kinds = [deed.kind for deed in self.deeds[place]]
        return "upsert" in kinds and "delete" not in kinds and kinds[0] != "insert"

    def expected_events(self) -> list[Said]:
        """Return what it is sent as: collection, key, row or None."""
        events: list[Said] = []
        for (name, key), deeds in self.deeds.items():
            row = self.sent[name, key].row
            if row is not None and any(deed.kind == "delete" for deed in deeds):
                events.append((name, key, None))
            events.append((name, key, row))
        return events


class View(NamedTuple):
    """What showed at a moment, and which transactions had failed or come back by then.

    Of actions, which had durable parts that were over.
    """

    offset: str
    rows: Mapping[str, list[tuple[Any, Any]]]
    metas: Mapping[Place, RowMeta]
    failed: frozenset[Local]
    synced: frozenset[Local]
    over: frozenset[Local]


class Laid(NamedTuple):
    """A transaction was about to show."""

    local: Local
    view: View


class Sending(NamedTuple):
    """A transaction was about to be sent."""

    local: Local
    view: View


class Refused(NamedTuple):
    """What was sent was refused, and was about to be made anew."""

    locals: list[Local]
    view: View


class Made(NamedTuple):
    """The application got what an action shows as events, or an error instead."""

    local: Local
    view: View
    events: list[Said] | None


class Extended(NamedTuple):
    """A block of a transaction by hand was about to show."""

    local: Local
    view: View
    deeds: Mapping[Place, Sequence[Deed]]


class Committed(NamedTuple):
    """A transaction by hand was about to be committed."""

    local: Local
    view: View


class Released(NamedTuple):
    """An action was about to show no more, by the word of the application."""

    local: Local
    view: View


class Renamed(NamedTuple):
    """Transactions were about to be of a row that is called otherwise."""

    locals: list[Local]
    view: View
    old: Place
    new: Place


class Order(NamedTuple):
    """In what order pending changes of a row lie.

    Attributes:
        place: the row.
        locals: whose they are, the lowest first.
        moved: those that lie elsewhere than they did.
    """

    place: Place
    locals: list[Local]
    moved: set[Local]


class Reordered(NamedTuple):
    """Pending changes were about to lie in the order of sending."""

    orders: list[Order]
    view: View


Entry = (
    Reordered | View | Laid | Extended | Committed | Sending | Refused | Made | Released | Renamed
)


def renamed(row: Any, place: Place) -> Any:
    """Return a row as one that is called otherwise."""
    return None if row is None else msgspec.structs.replace(row, id=place[1])


def txid_of(event: Any) -> Any:
    """Return the txid of an event."""
    return event["headers"].get("txid")


def said(event: Any) -> Said:
    """Return the collection, the key and the row of an event, None for a removal."""
    name = NAMES_OF_TYPES[event["type"]]
    key = event["key"] if name == "messages" else int(event["key"])
    fold = NaiveFold()
    fold.apply(event)
    return name, key, fold.rows[name].get(key)
