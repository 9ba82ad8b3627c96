"""Local writes over the rows of a table, from when they are made until they come back or fail.

A pending change is kept as a change, not as a row: when the row below moves on, what shows is
worked out anew, for the keys that are touched alone. What is below them, the *synced* row, is what
the stream says, whatever is pending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

Row: TypeAlias = Any
#: From the row below, None if there is none, to the row that shows, None for none.
RowChange: TypeAlias = Callable[[Any], Any]


@dataclass(slots=True, eq=False)
class Pending:
    """What one transaction does to one row.

    Attributes:
        txid: the transaction.
        change: from the row below to the row that shows. It raises nothing.
        base: the row that what was sent was made of, None if there was none.
        text: the JSON text of what was sent, if that holds more than it shows.
        made: what ``change`` was before it was sent.
        number: counts all changes of a table.
    """

    txid: str
    change: RowChange
    base: Row | None = None
    text: bytes | None = None
    made: RowChange | None = None
    number: int = 0

    def send(self, row: Row | None, base: Row | None, text: bytes | None = None) -> None:
        """Note what is sent; from here on it does not depend on the row below."""
        self.made = self.change
        self.change = lambda _: row
        self.base = base
        self.text = text

    def take_back(self) -> None:
        """Note that what was sent was refused and is made anew, of what is below then."""
        if self.made is not None:
            self.change, self.made = self.made, None
            self.base = self.text = None


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


@dataclass(frozen=True, slots=True)
class Echoes:
    """What a commit holds of own transactions.

    Attributes:
        txids: by the ordinals of the events that they wrote.
        is_same: tells whether two rows are the same JSON.
        conflicts: filled by tables.
    """

    txids: Mapping[int, str] = field(default_factory=dict[int, str])
    is_same: Callable[[Row, Row], bool] = lambda one, other: one is other
    conflicts: list[Conflicting] = field(default_factory=list[Conflicting])


NO_ECHOES: Final = Echoes()


class Overlay:
    """The pending changes of a table, by key, oldest first.

    >>> overlay = Overlay()
    >>> overlay.push("a", Pending("t1", lambda row: row + 1), under=1)
    >>> overlay.push("a", Pending("t2", lambda row: row * 10), under=1)
    >>> overlay.shown("a")
    20
    >>> overlay.put_under("a", 4)
    >>> overlay.shown("a"), overlay.under("a")
    (50, 4)
    >>> overlay.pop("a", "t1").txid, overlay.shown("a")
    ('t1', 40)
    """

    def __init__(self) -> None:
        self._count = 0
        self._under: Final[dict[str, Row | None]] = {}
        self._pending: Final[dict[str, list[Pending]]] = {}

    def __len__(self) -> int:
        """Return how many rows have pending changes."""
        return len(self._pending)

    def __contains__(self, key: object) -> bool:
        """Tell whether a row has any."""
        return key in self._pending

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys."""
        return iter(self._pending)

    def push(self, key: str, pending: Pending, *, under: Row | None) -> None:
        """Lay a change over the others; ``under`` is the synced row, if this is the first one."""
        if key not in self._pending:
            self._under[key] = under
            self._pending[key] = []
        self._count += 1
        pending.number = self._count
        self._pending[key].append(pending)

    def find(self, key: str, txid: str) -> Pending | None:
        """Return the change of a transaction, None if there is none."""
        of_key = self._pending.get(key, ())
        return next((pending for pending in of_key if pending.txid == txid), None)

    def pop(self, key: str, txid: str) -> Pending | None:
        """Take the change of a transaction away and return it, None if there is none."""
        pending = self.find(key, txid)
        if pending is not None:
            self._pending[key].remove(pending)
        return pending

    def under(self, key: str) -> Row | None:
        """Return the synced row of a key that has pending changes."""
        return self._under[key]

    def put_under(self, key: str, row: Row | None) -> None:
        """Put another synced row below the changes of a key."""
        self._under[key] = row

    def shown(self, key: str) -> Row | None:
        """Return what shows of a key."""
        row = self._under[key]
        for pending in self._pending[key]:
            row = pending.change(row)
        return row

    def made_by(self, key: str) -> int:
        """Return the number of the change that makes a row out of none, the last such one.

        It tells where a row stands that the stream does not have.
        """
        number, row = 0, self._under[key]
        for pending in self._pending[key]:
            was, row = row, pending.change(row)
            if was is None and row is not None:
                number = pending.number
        return number

    def standing(self, key: str, txid: str) -> tuple[Pending, Row | None]:
        """Return the change of a transaction, and the row that it is made to.

        Raises:
            KeyError: it has none.
        """
        row = self._under[key]
        for pending in self._pending[key]:
            if pending.txid == txid:
                return pending, row
            row = pending.change(row)
        raise KeyError(txid)

    def before(self, key: str, txid: str) -> Pending | None:
        """Return the change right below that of a transaction, None if it is the lowest."""
        before = None
        for pending in self._pending[key]:
            if pending.txid == txid:
                break
            before = pending
        return before

    def tidy(self, keys: Iterable[str]) -> None:
        """Forget keys without a change."""
        for key in keys:
            if key in self._pending and not self._pending[key]:
                del self._pending[key], self._under[key]

    def of(self, key: str) -> tuple[Pending, ...]:
        """Return the pending changes of a key, oldest first."""
        return tuple(self._pending.get(key, ()))
