"""What local writes are and do, in the plainest words, and what a trace of a database holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import msgspec

from streamdb import RowMeta

WRITTEN = ("messages", "sensors")
LARGEST_BODY = 2000  # bytes that a request may have
LARGE_TEXT = "x" * (LARGEST_BODY + 1)
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


class Sent(NamedTuple):
    """What was sent of a row.

    Attributes:
        row: the row as it is to be.
        base: the one that it was made of.
        end: how much of the log was known.
        is_loaded: whether the first load was there.
        undoes: whether it undoes what was done to the row since the call.
    """

    row: Any
    base: Any
    end: int
    is_loaded: bool
    undoes: bool


class Seen(NamedTuple):
    """What showed of a row when it was written.

    Attributes:
        row: the row.
        local: what it was of, if that was pending.
        is_loaded: whether the first load was there.
    """

    row: Any
    local: Local | None
    is_loaded: bool


@dataclass(eq=False)
class Local:
    """A transaction of the database.

    Attributes:
        deeds: by row, in order.
        tx: what the caller got.
        sent: by row; made anew when it is sent again.
        stands_on: those that showed right below it when it was made, if it needs them.
        makes_no_sense: it changes a row that was gone when it was to be sent.
        seen: by row.
        showed: by row, what showed while it was the last write of that row.
        resolves: it is what an application says to a conflict, which may come while it closes.
        is_unexpected: a row that it expects was another one when it was to be sent.
    """

    deeds: dict[Place, list[Deed]] = field(default_factory=dict[Place, list[Deed]])
    tx: Any = None
    sent: dict[Place, Sent] = field(default_factory=dict[Place, Sent])
    stands_on: list[Local] = field(default_factory=list["Local"])
    makes_no_sense: bool = False
    seen: dict[Place, Seen] = field(default_factory=dict[Place, Seen])
    showed: dict[Place, list[Any]] = field(default_factory=dict[Place, list[Any]])
    resolves: bool = False
    is_unexpected: bool = False

    @property
    def is_too_large(self) -> bool:
        """Whether no server takes what was sent."""
        rows = [sent.row for sent in self.sent.values() if sent.row is not None]
        return any(LARGE_TEXT in msgspec.structs.astuple(row) for row in rows)

    def add(self, place: Place, deed: Deed) -> None:
        """Take in one more write; what is inserted and removed again was never there."""
        deeds = self.deeds.setdefault(place, [])
        if deed.kind == "delete" and deeds and deeds[0].kind == "insert":
            del self.deeds[place]
        else:
            deeds.append(deed)

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
        return not expects or base == self.seen[place].row

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
            failed: the transactions that have failed by now.
        """
        seen, deeds = self.seen[place], self.deeds[place]
        while seen.local is not None and seen.local in failed:
            seen = seen.local.seen[place]  # what it was made on never was
        is_known = seen.is_loaded or deeds[0].kind == "insert"
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

    def expected_events(self) -> list[tuple[str, Any, Any]]:
        """Return what is on the stream if it is durable: collection, key, row or None."""
        events: list[tuple[str, Any, Any]] = []
        for (name, key), deeds in self.deeds.items():
            row = self.sent[name, key].row
            if row is not None and any(deed.kind == "delete" for deed in deeds):
                events.append((name, key, None))
            events.append((name, key, row))
        return events


class View(NamedTuple):
    """What showed at a moment, and which transactions had failed or come back by then."""

    offset: str
    rows: Mapping[str, list[tuple[Any, Any]]]
    metas: Mapping[Place, RowMeta]
    failed: frozenset[Local]
    synced: frozenset[Local]


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


Entry = View | Laid | Sending | Refused
