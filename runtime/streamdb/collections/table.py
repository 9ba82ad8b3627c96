"""The rows of one collection and its watchers; written by commits alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from streamdb.collections.arrivals import Arrivals
from streamdb.collections.changes import Delta
from streamdb.collections.loading import LoadingRows
from streamdb.collections.ordinals import Ordinals
from streamdb.collections.watchers import Ended, Watcher, Watchers
from streamdb.state.stamps import Stamps
from streamdb.state.unknown_fields import Stored, take_texts

#: A key, its row (a ``Stored`` one perhaps) or None for a removal, and the ordinal of the event.
Write = tuple[str, Any | None, int]


class FrozenRows:
    """What a table held at one moment, for as long as there are holders."""

    __slots__ = ("_arrivals", "_ordinals", "holders", "rows", "stamps")

    def __init__(self, rows: dict[str, Any], ordinals: Ordinals, stamps: Stamps) -> None:
        self.rows: Final = rows
        self.stamps: Final = stamps
        self._ordinals: Final = ordinals
        self._arrivals: Arrivals | None = None
        self.holders = 0

    def ordinal(self, key: str) -> int:
        """Return the ordinal of a row; see :meth:`Table.ordinal`. Raises KeyError."""
        if key not in self.rows:
            raise KeyError(key)
        return self._ordinals.of(key)

    def arrival(self, key: str) -> int:
        """Return where a row stands in the order of arrival. Raises KeyError."""
        if self._arrivals is None:
            self._arrivals = Arrivals(self.rows)
        return self._arrivals.of(key)


class Table:
    """Rows by the text of their key, in order of first insertion in the stream.

    A dictionary keeps that order by itself: writing a key again keeps its place, removing and
    writing it puts it last.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        #: What rows were read from, where that holds more than they show.
        self.originals: dict[str, bytes] = {}
        #: Which event each row comes from.
        self.ordinals = Ordinals()
        #: The offsets that a server has stamped on events, by their ordinals.
        self.stamps = Stamps()
        self._frozen: FrozenRows | None = None
        self._arrivals: Arrivals | None = None
        self._moved: set[str] | None = set()
        self._watchers: Final = Watchers()

    @property
    def is_watched(self) -> bool:
        """True if there is anybody to tell of changes."""
        return bool(self._watchers)

    def ordinal(self, key: str) -> int:
        """Return the ordinal of the row's last event in the stream, over all collections.

        Raises:
            KeyError: there is no row of that key.
        """
        if key not in self.rows:
            raise KeyError(key)
        return self.ordinals.of(key)

    def arrival(self, key: str) -> int:
        """Return where a row stands in the order of arrival; a greater number came later.

        A row that is removed and inserted anew, even in one commit, gets another number. After a
        load all numbers are new.

        Raises:
            KeyError: there is no row of that key.
        """
        if self._arrivals is None:
            self._arrivals = Arrivals(self.rows)
        return self._arrivals.of(key)

    def moved(self, key: str) -> bool:
        """Tell of a row that is there whether it was before the last commit, by another number."""
        return self._moved is None or key in self._moved

    def stored(self, key: str) -> Stored | None:
        """Return a row and the text that it was read from if that holds more, or None."""
        row = self.rows.get(key)
        return None if row is None else Stored(row, self.originals.get(key))

    def write(self, writes: Iterable[Write]) -> list[Delta]:
        """Apply operations in order and return their net effect."""
        if self._frozen is not None and (writes := list(writes)):
            self._leave_frozen_rows(self._frozen)
        if self._arrivals is not None:
            self._arrivals.follow(writes := list(writes))
        rows, ordinals = self.rows, self.ordinals
        before: dict[str, Any | None] = {}
        self._moved = moved = set[str]()
        for key, written, ordinal in writes:
            row = self._without_text(key, written)
            if row is None:
                old = rows.pop(key, None)
            else:
                old = rows.get(key)
                if old is None and before.get(key) is not None:
                    moved.add(key)
                rows[key] = row
                ordinals.keys.append(key)
                ordinals.numbers.append(ordinal)
            before.setdefault(key, old)
        ordinals.tidy(rows)
        deltas = (Delta(key, old, rows.get(key)) for key, old in before.items())
        return [delta for delta in deltas if delta.old is not delta.new]

    def _without_text(self, key: str, written: Any) -> Any:
        row, text = (
            (written.row, written.original) if isinstance(written, Stored) else (written, None)
        )
        if text is None:
            self.originals.pop(key, None)
        else:
            self.originals[key] = text
        return row

    def replace(self, loaded: LoadingRows) -> dict[str, Any]:
        """Put other rows in place of all, and return those that were there."""
        before = self.rows
        self.rows, self.ordinals = loaded.rows, loaded.ordinals
        self.originals = take_texts(self.rows)
        self._frozen = self._arrivals = self._moved = None
        return before

    def freeze(self) -> FrozenRows:
        """Return what the table holds, never to change; its ``holders`` say who needs it."""
        frozen = self._frozen = self._frozen or FrozenRows(self.rows, self.ordinals, self.stamps)
        frozen.holders += 1
        return frozen

    def _leave_frozen_rows(self, frozen: FrozenRows) -> None:
        """Go on with a copy if somebody holds the rows."""
        self._frozen = None
        if frozen.holders:
            self.rows = dict(self.rows)
            self.ordinals = self.ordinals.copy()

    def watch(self, watcher: Watcher, ended: Ended) -> Callable[[], None]:
        """Call ``watcher`` after every commit that changes rows; return how to stop."""
        return self._watchers.add(watcher, ended)

    def notify(self, deltas: Sequence[Delta]) -> None:
        """Tell the watchers; the error of one does not reach the others."""
        self._watchers.notify(deltas)

    def end(self, error: BaseException | None) -> None:
        """Tell the watchers that nothing more will come; the first end is the one that counts."""
        self._watchers.end(error)
