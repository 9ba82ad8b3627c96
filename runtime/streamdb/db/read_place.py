"""How far a stream was read: ahead of what is visible during a load."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import Literal

from streamdb.cache.saved import Ledger
from streamdb.collections.loading import LoadingRows
from streamdb.collections.table import Table
from streamdb.protocol.names import BEGINNING
from streamdb.state.fold import Fold
from streamdb.state.stamps import Stamps


class ReadPlace:
    """The place of the event that was read last.

    Attributes:
        position: the offset behind it.
        ordinal: how many events were read since the stream began or was reset.
        stamps: the offsets that a server has stamped on events, by their ordinals.
        obeyed_resets: resets that had reading start over: from where, and up to where it had come
            then.
    """

    def __init__(self) -> None:
        self.position = BEGINNING
        self.ordinal = 0
        self.stamps = Stamps()
        self.obeyed_resets: set[tuple[str, str]] = set()

    def begin_load(self) -> None:
        """Count events from here on; what was read before is of no use."""
        self.ordinal = 0
        self.stamps = Stamps()

    def resume(self, ledger: Ledger) -> None:
        """Go on from where a cache was written."""
        self.position, self.ordinal = ledger.offset, ledger.ordinal
        self.obeyed_resets = set(ledger.resets)
        self.stamps.extend(ledger.stamps)

    def start_over(self) -> None:
        """Go back to the beginning."""
        self.position = BEGINNING
        self.obeyed_resets = set()

    def judge_reset(self, offset: str | None) -> Literal["clear", "restart", "skip"]:
        """Say what to do about a reset that carries this offset."""
        if any(
            restart == offset and is_before(self.position, end)
            for restart, end in self.obeyed_resets
        ):
            return "skip"  # RESET-8
        if offset is None or not is_before(offset, self.position):
            return "clear"  # RESET-4
        return "restart"  # RESET-3

    def obey_reset(self, restart_from: str, end: str) -> None:
        """Go back, as a reset in a batch that ends there says."""
        self.obeyed_resets.add((restart_from, end))
        self.position = restart_from

    def pass_one(self, offset: str) -> None:
        """Go on behind one event, which has no stamp."""
        self.position = offset
        self.ordinal += 1

    def move_on(self, offset: str, fold: Fold) -> None:
        """Go on behind a batch that was folded."""
        self.position, self.ordinal = offset, fold.ordinal
        if fold.was_reset:
            self.stamps = fold.stamps
        elif fold.stamps:
            self.stamps.extend(fold.stamps.blocks)

    def tidy(self, tables: Collection[Table | LoadingRows]) -> None:
        """Forget the stamps of events that left nothing, if they are more than half of all."""
        if self.stamps and self.stamps.has_many_beside(sum(len(t.rows) for t in tables)):
            synced = [t.synced_rows() if isinstance(t, Table) else t.rows for t in tables]
            pairs = zip(tables, synced, strict=True)
            ordinals = (table.ordinals.in_order(list(rows)) for table, rows in pairs)
            self.stamps = self.stamps.only(sorted(chain.from_iterable(ordinals)))

    def is_past_resets(self, offset: str) -> bool:
        """Tell whether what is read again has come as far as reading had come before.

        An old answer, which somebody gives once more, ends before that and may say nevertheless
        that it is up to date.
        """
        return not any(is_before(offset, end) for _, end in self.obeyed_resets)

    def forget_resets(self, offset: str) -> None:
        """Forget the resets that what is visible has come past."""
        pairs = self.obeyed_resets
        self.obeyed_resets = {pair for pair in pairs if is_before(offset, pair[1])}


def is_before(offset: str, other: str) -> bool:
    """Compare two positions of one stream (OFF-2, RESET-10); ``-1`` is before all others.

    >>> is_before("-1", "0000_0000"), is_before("0000_0009", "0000_0010"), is_before("a", "a")
    (True, True, False)
    """
    if BEGINNING in (offset, other):
        return offset == BEGINNING and other != BEGINNING
    return offset < other
