"""Local writes over the rows of a table, from when they are made until they come back or fail.

A pending change is kept as a change, not as a row: when the row below moves on, what shows is
worked out anew, for the keys that are touched alone. What is below them, the *synced* row, is what
the stream says, whatever is pending.

What each change makes is remembered, so that one more costs the same however many there are, and
so does one that comes back as it was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

Row: TypeAlias = Any
#: From the row below, None if there is none, to the row that shows, None for none.
RowChange: TypeAlias = Callable[[Any], Any]
#: The text of a key, and the txid of what is pending there.
Gone: TypeAlias = tuple[str, str]


class _Unknown:
    def __repr__(self) -> str:
        return "unknown"


class _AsLaid:
    def __repr__(self) -> str:
        return "as laid"


#: In place of a row that is not known.
UNKNOWN: Final[Any] = _Unknown()
#: In place of the row that is right below a change when it is laid.
AS_LAID: Final[Any] = _AsLaid()


class Pending(Struct, eq=False):  # made at every write: a dataclass takes longer
    """What one transaction does to one row.

    Attributes:
        txid: the transaction.
        change: from the row below to the row that shows. It raises nothing.
        seen: the row that was right below when the change was made, None for none; may be unknown.
            If it is not given, what is right below when it is laid.
        seen_of: the transaction of the change that was right below then, None if there was none.
        made_on: the transaction of the change that was laid last before it, wherever that lies now;
            None if there was none.
        base: the row that what was sent was made of, None if there was none.
        or_base: another row that it may come upon without a conflict; may be unknown.
        overwrites: whether what was sent undoes something in ``base`` that was not in ``seen``.
        text: the JSON text of what was sent, if that holds more than it shows.
        made: what ``change`` was before it was sent.
        number: counts all changes of a table.
        below: the change right below, None for the lowest one.
        above: the change right above.
        row: what it makes of the row below.
        maker: the number of the change that makes a row out of none, of this and those below the
            last such one; 0 if there is none.
    """

    txid: str
    change: RowChange
    seen: Row | None = AS_LAID
    seen_of: str | None = None
    made_on: str | None = None
    base: Row | None = None
    or_base: Row | None = UNKNOWN
    overwrites: bool = False
    text: bytes | None = None
    made: RowChange | None = None
    number: int = 0
    below: Pending | None = None
    above: Pending | None = None
    row: Row | None = UNKNOWN
    maker: int = 0

    def __repr__(self) -> str:
        return f"<Pending {self.txid}>"  # and not what is above and below it

    def make(self, below: Row | None, maker: int) -> None:
        """Work out what it makes of the row below, and whose row that is; see `maker`."""
        made = self.row = self.change(below)
        self.maker = self.number if below is None and made is not None else maker


class Conflicting(NamedTuple):
    """Somebody else wrote a row between what an own change was made of and the change itself.

    Attributes:
        txid: the own transaction.
        key: of the row.
        base: the row that what was sent was made of, None if there was none.
        theirs: the row as the others left it.
        ours: the row as it is now.
    """

    txid: str
    key: str
    base: Row | None
    theirs: Row | None
    ours: Row | None


class CameAs(NamedTuple):
    """A row of an action came by another key than it showed by.

    Attributes:
        txid: of the action.
        old: the key by which it showed.
        new: the key by which it came.
    """

    txid: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Echoes:
    """What a commit holds of own transactions.

    Attributes:
        txids: by the ordinals of the events that they wrote.
        whole: those that came back as a whole, with a load.
        is_same: tells whether two rows are the same JSON.
        conflicts: filled by tables.
        renamed: filled by tables.
        gone: what shows no more, whether or not an event of the commit writes that row.
    """

    txids: Mapping[int, str] = field(default_factory=dict[int, str])
    whole: Collection[str] = ()
    is_same: Callable[[Row, Row], bool] = lambda one, other: one is other
    conflicts: list[Conflicting] = field(default_factory=list[Conflicting])
    renamed: list[CameAs] = field(default_factory=list[CameAs])
    gone: Collection[Gone] = ()


NO_ECHOES: Final = Echoes()


class Overlay:
    """The pending changes of a table, by key, oldest first.

    >>> overlay = Overlay()
    >>> overlay.lay("a", Pending("t1", lambda row: row + 1), under=1)
    >>> overlay.lay("a", Pending("t2", lambda row: row * 10), under=1)
    >>> overlay.stacks["a"].settled_top().row
    20
    >>> overlay.put_under("a", 4)
    >>> overlay.stacks["a"].settled_top().row
    50
    >>> overlay.pop("a", "t1").txid, overlay.stacks["a"].settled_top().row
    ('t1', 40)
    """

    def __init__(self) -> None:
        self._count = 0
        #: By key; who has one become empty takes it away when it is known what shows.
        self.stacks: Final[dict[str, Stack]] = {}
        #: The keys of rows that have any, as they are at any time.
        self.keys: Final = self.stacks.keys()

    @property
    def count(self) -> int:
        """How many changes were made by now: the number of the last one."""
        return self._count

    def __len__(self) -> int:
        """Return how many rows have pending changes."""
        return len(self.stacks)

    def __contains__(self, key: object) -> bool:
        """Tell whether a row has any."""
        return key in self.stacks

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys."""
        return iter(self.stacks)

    def lay(self, key: str, pending: Pending, *, under: Row | None) -> None:
        """Lay a change over the others; ``under`` is the synced row, if this is the first one.

        A further one of a transaction takes the place of the one before.
        """
        stack = self.stacks.get(key)
        if stack is None:
            stack = self.stacks[key] = Stack(under)
        elif (before := stack.changes.get(pending.txid)) is not None:
            stack.put_change(before, pending.change)
            return
        self._count += 1
        pending.number = self._count
        stack.push(pending)

    def move(
        self,
        old: str,
        new: str,
        changes: Mapping[str, RowChange],
        left: Mapping[str, RowChange],
        *,
        under: Row | None,
    ) -> None:
        """Have what is pending under one key be pending under another one.

        Args:
            old: where it is.
            new: where it is to be.
            changes: by transaction, what they do there.
            left: by transaction, what these still do where they were.
            under: the synced row there, if nothing is pending there yet.
        """
        keeps_place = new not in self.stacks
        for pending in self.of(old):
            if pending.txid in changes:
                if pending.txid in left:
                    self.put_change(old, pending, left[pending.txid])
                else:
                    self.pop(old, pending.txid)
                self.pop(new, pending.txid)  # which has become one with it
                moved = Pending(pending.txid, changes[pending.txid])
                if keeps_place:
                    moved.number = pending.number
                    if new not in self.stacks:
                        self.stacks[new] = Stack(under)
                    self.stacks[new].push(moved)
                else:
                    self.lay(new, moved, under=under)

    def find(self, key: str, txid: str) -> Pending | None:
        """Return the change of a transaction, None if there is none."""
        stack = self.stacks.get(key)
        return None if stack is None else stack.changes.get(txid)

    def pop(self, key: str, txid: str) -> Pending | None:
        """Take the change of a transaction away and return it, None if there is none."""
        pending = self.find(key, txid)
        if pending is not None:
            self.stacks[key].remove(pending)
        return pending

    def under(self, key: str) -> Row | None:
        """Return the synced row of a key that has pending changes."""
        return self.stacks[key].under

    def put_under(self, key: str, row: Row | None) -> None:
        """Put another synced row below the changes of a key."""
        self.stacks[key].put_under(row)

    def put_change(self, key: str, pending: Pending, change: RowChange) -> None:
        """Have a change be another one."""
        self.stacks[key].put_change(pending, change)

    def send(
        self,
        key: str,
        pending: Pending,
        row: Row | None,
        base: Row | None,
        *,
        or_base: Row | None = UNKNOWN,
        text: bytes | None = None,
        overwrites: bool = False,
    ) -> None:
        """Note what is sent of a change; from here on it does not depend on the row below."""
        pending.made = pending.change
        pending.base, pending.text, pending.overwrites = base, text, overwrites
        pending.or_base = or_base
        self.stacks[key].put_change(pending, lambda _: row)

    def put_in_order(self, key: str, order: Sequence[Pending]) -> None:
        """Have all changes of a key lie in another order, the lowest first."""
        self.stacks[key].put_in_order(order)

    def take_back(self, key: str, txid: str) -> None:
        """Note that what was sent was refused and is made anew, of what is below then."""
        pending = self.stacks[key].changes[txid]
        if pending.made is not None:
            self.stacks[key].put_change(pending, pending.made)
            pending.made = pending.base = pending.text = None
            pending.or_base = UNKNOWN
            pending.overwrites = False

    def standing(self, key: str, txid: str) -> tuple[Pending, Row | None]:
        """Return the change of a transaction, and the row that it is made to.

        Raises:
            KeyError: it has none.
        """
        stack = self.stacks[key]
        stack.settled_top()
        pending = stack.changes[txid]
        return pending, stack.under if pending.below is None else pending.below.row

    def of(self, key: str) -> tuple[Pending, ...]:
        """Return the pending changes of a key, oldest first."""
        return tuple(self.stacks[key].changes.values()) if key in self.stacks else ()


class Stack(Struct, eq=False):
    """The changes of one key over its synced row, linked to each other.

    What they make is worked out when it is asked for, from the lowest one on that something has
    happened to, and no further than something changes.
    """

    under: Row | None
    #: By transaction, the lowest first.
    changes: dict[str, Pending] = msgspec.field(default_factory=dict[str, Pending])
    _bottom: Pending | None = None
    _top: Pending | None = None
    # The transaction of the change that was laid last, wherever that lies.
    _last: str | None = None
    # Between these, what changes make may be out of date; both None if nothing is.
    _lowest: Pending | None = None
    _highest: Pending | None = None

    def push(self, pending: Pending) -> None:
        """Lay a change over the others."""
        below = pending.below = self._top if self._lowest is None else self.settled_top()
        if below is None:
            row, maker = self.under, 0
            self._bottom = pending
        else:
            row, maker = below.row, below.maker
            pending.seen_of = below.txid
            below.above = pending
        if pending.seen is AS_LAID:
            pending.seen = row
        pending.make(row, maker)
        pending.made_on, self._last = self._last, pending.txid
        self._top = self.changes[pending.txid] = pending

    def remove(self, pending: Pending) -> None:
        """Take a change away."""
        del self.changes[pending.txid]
        if not self.changes:
            self._bottom = self._top = self._last = self._lowest = self._highest = None
            return
        below, above = pending.below, pending.above
        if below is None:
            self._bottom = above
        else:
            below.above = above
        if above is None:
            self._top = below
        else:
            above.below = below
        if self._last == pending.txid:
            self._last = None if self._top is None else self._top.txid
        if self._lowest is pending:
            self._lowest = above
        if self._highest is pending:
            self._highest = None if self._lowest is None else above or below
        if above is not None:
            self._touch(above)

    def put_in_order(self, order: Sequence[Pending]) -> None:
        """Have all changes lie in another order, the lowest first."""
        numbers = [pending.number for pending in self.changes.values()]
        self.changes.clear()
        below: Pending | None = None
        for pending, number in zip(order, numbers, strict=True):
            pending.number, pending.below, pending.above = number, below, None
            self.changes[pending.txid] = pending
            if below is not None:
                below.above = pending
            below = pending
        self._bottom, self._top = order[0], order[-1]
        self._lowest, self._highest = self._bottom, self._top

    def put_under(self, row: Row | None) -> None:
        """Put another synced row below the changes."""
        self.under = row
        if self._bottom is not None:
            self._touch(self._bottom)

    def put_change(self, pending: Pending, change: RowChange) -> None:
        """Have a change be another one."""
        pending.change = change
        self._touch(pending)

    def settled_top(self) -> Pending | None:
        """Return the highest change, of which it is worked out what it makes."""
        pending, highest = self._lowest, self._highest
        if pending is None or highest is None:
            return self._top
        self._lowest = self._highest = None
        below = pending.below
        row, maker = (self.under, 0) if below is None else (below.row, below.maker)
        while pending is not None:
            before, maker_before = pending.row, pending.maker
            pending.make(row, maker)
            row, maker = pending.row, pending.maker
            is_same = row is before and maker == maker_before
            if is_same and pending.number >= highest.number:
                break
            pending = pending.above
        return self._top

    def _touch(self, pending: Pending) -> None:
        if self._lowest is None or pending.number < self._lowest.number:
            self._lowest = pending
        if self._highest is None or pending.number > self._highest.number:
            self._highest = pending
