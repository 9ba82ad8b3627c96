"""What local writes are and do, in the plainest words, and what a trace of a database holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import msgspec

WRITTEN = ("messages", "sensors")
LARGEST_BODY = 2000  # bytes that a request may have
LARGE_TEXT = "x" * (LARGEST_BODY + 1)
Kind = Literal["insert", "upsert", "update", "delete"]
#: The name of a collection, and a key.
Place = tuple[str, Any]


class Deed(NamedTuple):
    """One write of one row: the row, or the fields that an update changes."""

    kind: Kind
    row: Any = None
    fields: Mapping[str, Any] = {}

    def done_to(self, below: Any) -> Any:
        """Return the row that it makes of one, None for none."""
        if self.kind != "update":
            return self.row
        return None if below is None else msgspec.structs.replace(below, **self.fields)


class Sent(NamedTuple):
    """The row that was sent, the one that it was made of, and how much of the log was known."""

    row: Any
    base: Any
    end: int


@dataclass(eq=False)
class Local:
    """A transaction of the database.

    Attributes:
        deeds: by row, in order.
        tx: what the caller got.
        sent: by row; made anew when it is sent again.
        stands_on: those that showed right below it when it was made, if it needs them.
        makes_no_sense: it changes a row that was gone when it was to be sent.
    """

    deeds: dict[Place, list[Deed]] = field(default_factory=dict[Place, list[Deed]])
    tx: Any = None
    sent: dict[Place, Sent] = field(default_factory=dict[Place, Sent])
    stands_on: list[Local] = field(default_factory=list["Local"])
    makes_no_sense: bool = False

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
