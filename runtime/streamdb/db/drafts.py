"""Transactions in the making, or on their way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from streamdb.collections.callers import PERSISTING
from streamdb.collections.transaction import BaseTransaction, Outcome
from streamdb.db.local_writes import LocalWrite, Place


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
        is_partly_back: whether some event of an action has come back, and it may not be all.
        back_at: of rows of an action that came back, or were released, the last change of the
            collection that was there then.
        came_as: the keys by which rows of an action came, where they are others.
        by: the txids of the actions whose durable parts make it, the outermost first.
        as_sent: its events, if an earlier process has sent them, and so they are sent again.
        is_open: whether it is committed by hand, and was not yet.
        after: open ones that had written rows of it before, and go first.
        parts: what it was given as, and what the blocks of transactions in its block were.
        called: rows that are called otherwise now, by what they were called when it wrote them.
    """

    __slots__ = (
        "after",
        "as_sent",
        "back_at",
        "behind",
        "by",
        "called",
        "came_as",
        "has_come_back",
        "holder",
        "is_brought",
        "is_open",
        "is_partly_back",
        "number",
        "outcome",
        "parts",
        "unseen",
        "writes",
    )

    # No dataclass: to call the factories of its fields took longer than all else of a local write
    # but JSON.
    def __init__(self, outcome: Outcome, *, behind: str | None = None) -> None:
        self.outcome: Final = outcome
        self.number = 0
        self.writes: dict[Place, LocalWrite] = {}
        self.unseen = 0
        self.behind = behind
        self.holder: Holder | None = None
        self.is_brought = False
        self.has_come_back = False
        self.is_partly_back = False
        self.back_at: Final[dict[Place, int]] = {}
        self.came_as: Final[dict[Place, str]] = {}
        self.by = PERSISTING.get()
        self.as_sent: list[bytes] | None = None
        self.is_open = False
        self.after: list[Draft] = []
        self.parts: Final[list[BaseTransaction]] = []
        self.called: Final[dict[Place, Place]] = {}

    @property
    def open_before(self) -> list[Draft]:
        """Those that it waits for to be committed or rolled back."""
        return [other for other in self.after if other.is_open and not other.outcome.is_given_up]

    @property
    def waits(self) -> bool:
        """Whether it waits for another one to be committed or rolled back."""
        return bool(self.open_before)

    @property
    def size(self) -> int:
        """About how many bytes its events take."""
        return sum(write.size for write in self.writes.values())

    def add(self, place: Place, write: LocalWrite) -> None:
        """Take in one more write of a row."""
        before = self.writes.get(place)
        is_anew = before is None or not before.takes(write)  # others removed the row in between
        merged = write if before is None or is_anew else before.then(write)
        if merged is None:
            del self.writes[place]
        else:
            self.writes[place] = merged

    def rename(self, place: Place, key: str, *, is_its_own: bool = False) -> None:
        """Write a row by another key.

        Of two rows of one key, the first of which it removes, one is called otherwise.

        Args:
            place: where the row is.
            key: that it is to have.
            is_its_own: it is the row that this transaction inserts, not one that was there.
        """
        write = self.writes[place]
        if not write.is_another:
            self._move(place, write.renamed(key))
            self._note_called(place, key)
            return
        removal, insert = write.parted()
        if is_its_own:
            self._move(place, insert.renamed(key))
            self._note_called(place, key)
            self.writes[place] = removal
        else:
            self._move(place, removal.renamed(key))
            self.writes[place] = insert

    def _note_called(self, place: Place, key: str) -> None:
        now = place[0], key
        for before in [before for before, at in self.called.items() if at == place]:
            self.called[before] = now
        self.called[place] = now

    def _move(self, place: Place, write: LocalWrite) -> None:
        """Put a write of another key in the place of one.

        If it writes the row of that key, too, the two are one, in the order of writing.
        """
        if (back_at := self.back_at.pop(place, None)) is not None:
            self.back_at[write.place] = back_at
        other = self.writes.get(write.place)
        if other is None:
            self.writes = {
                write.place if at == place else at: write if at == place else each
                for at, each in self.writes.items()
            }
            return
        is_first = next(at for at in self.writes if at in (place, write.place)) == place
        del self.writes[place]
        self.writes[write.place] = write.joined(other) if is_first else other.joined(write)


class Holder(Protocol):
    """Holds transactions that show back from being sent. Called under the lock."""

    def release(self) -> None:
        """Have all of them sent."""
        ...

    def drop(self, draft: Draft) -> None:
        """Forget one that has failed."""
        ...


def changes_of(drafts: Iterable[Draft]) -> dict[str, list[tuple[str, str]]]:
    """Return keys and transactions of what transactions write, by the name of the collection."""
    changes: dict[str, list[tuple[str, str]]] = {}
    for draft in drafts:
        for name, key in draft.writes:
            changes.setdefault(name, []).append((key, draft.outcome.txid))
    return changes
