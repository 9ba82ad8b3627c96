"""What a database counts of what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from streamdb.state.fold import Counts

_COUNTED_TYPES: Final = 1000
_OTHER_TYPES: Final = ""  # no type is empty


@dataclass(slots=True)
class Metrics:
    """What a database has read so far.

    Attributes:
        commits: batches with events that were committed; the first load is one of them.
        events: events in them.
        invalid: events that were skipped as invalid, those before the position of a cache, too.
        undeclared: events of types that no collection declares, by type; beyond a thousand types,
            those of all others together, under the empty text. Likewise.
        cached: events that were not read, for the cache held what they lead to.
    """

    commits: int = 0
    events: int = 0
    invalid: int = 0
    undeclared: dict[str, int] = field(default_factory=dict[str, int])
    cached: int = 0

    def count(self, counts: Counts) -> None:
        """Add the events of a batch."""
        self.events += counts.events
        if counts.invalid or counts.undeclared:
            self.count_odd(len(counts.invalid), counts.undeclared)

    def count_odd(self, invalid: int, undeclared: Mapping[str, int]) -> None:
        """Add what is in no collection; of a cache, too."""
        self.invalid += invalid
        for name, count in undeclared.items():
            is_counted = name in self.undeclared or len(self.undeclared) < _COUNTED_TYPES
            label = name if is_counted else _OTHER_TYPES
            self.undeclared[label] = self.undeclared.get(label, 0) + count


class Progress(NamedTuple):
    """How far a batch was taken in.

    Attributes:
        events: of the batch, so far.
        bytes: of JSON text, so far.
    """

    events: int
    bytes: int
