"""The rows of one collection and its watchers; written by commits alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from streamdb.collections.arrivals import Arrivals
from streamdb.collections.changes import Delta
from streamdb.collections.frozen_rows import FrozenRows, in_order
from streamdb.collections.loading import LoadingRows
from streamdb.collections.marks import Marks, Touched
from streamdb.collections.ordinals import Ordinals
from streamdb.collections.overlay import (
    NO_ECHOES,
    UNKNOWN,
    CameAs,
    Conflicting,
    Echoes,
    Gone,
    Overlay,
    Pending,
    RowChange,
)
from streamdb.collections.renamed import RenamedKeys
from streamdb.collections.watchers import Ended, Watcher, Watchers
from streamdb.expr.sources import Indexes
from streamdb.state.stamps import Stamps
from streamdb.state.unknown_fields import Stored, take_texts

#: A key, its row (a ``Stored`` one perhaps) or None for a removal, and the ordinal of the event.
Write = tuple[str, Any | None, int]


class Table:
    """Rows by the text of their key, as they show: what the stream says under local writes.

    In order of first insertion in the stream. A dictionary keeps that order by itself: writing a
    key again keeps its place, removing and writing it puts it last. Rows that were inserted here
    and have not come back go behind all others.
    """

    def __init__(self) -> None:
        #: What shows.
        self.rows: dict[str, Any] = {}
        #: Local writes that have not come back.
        self.overlay: Final = Overlay()
        # Of rows that show: those that the stream does not have, and which change makes them.
        self._ahead: dict[str, int] = {}
        # Those that the stream has and that do not show; their places are known.
        self._hidden: set[str] = set()
        #: What rows were read from, where that holds more than they show.
        self.originals: dict[str, bytes] = {}
        #: Which event each row comes from.
        self.ordinals = Ordinals()
        #: The offsets that a server has stamped on events, by their ordinals.
        self.stamps = Stamps()
        #: What rows were called before; never the key of a row that shows.
        self.renamed = RenamedKeys()
        #: What is noted of single rows.
        self.marks = Marks()
        #: What finds rows by their values, if anybody asks for them so.
        self.indexes: Indexes | None = None
        #: What commits have touched, if anybody wants to know.
        self.touched: Touched | None = None
        self._frozen: FrozenRows | None = None
        self._arrivals: Arrivals | None = None
        self._moved: set[str] | None = set()
        self._watchers: Final = Watchers()
        #: Tells the watchers of changes.
        self.notify: Final = self._watchers.notify

    @property
    def is_watched(self) -> bool:
        """True if there is anybody to tell of changes."""
        return bool(self._watchers)

    def ordinal(self, key: str) -> int:
        """Return the ordinal of the row's last event in the stream, over all collections.

        Raises:
            KeyError: there is no row of that key, or the stream does not have it.
        """
        if key not in self.rows:
            raise KeyError(key)
        return self.ordinals.of(key)

    def is_ahead(self, key: str) -> bool:
        """Tell of a row that shows whether the stream does not have it."""
        return key in self._ahead

    def arrival(self, key: str) -> int:
        """Return where a row stands in the order of arrival; a greater number came later.

        A row that is removed and inserted anew, even in one commit, gets another number. After a
        load all numbers are new.

        Raises:
            KeyError: there is no row of that key.
        """
        if self._arrivals is None:
            self._arrivals = Arrivals(self.rows, self._ahead)
        return self._arrivals.of(key)

    def moved(self, key: str) -> bool:
        """Tell of a row that is there whether it was before the last commit, by another number."""
        return self._moved is None or key in self._moved

    def in_order(self) -> Iterable[tuple[str, Any]]:
        """Return keys and rows in order."""
        return in_order(self.rows, self._ahead)

    def synced(self, key: str) -> Any | None:
        """Return a row as the stream has it, whatever shows."""
        return self.overlay.under(key) if key in self.overlay else self.rows.get(key)

    def synced_rows(self) -> dict[str, Any]:
        """Return a copy of all rows as the stream has them, in order."""
        rows = self.rows.copy()
        for key in self.overlay:
            row = self.overlay.under(key)
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
        return self._by_arrival(rows) if self._hidden else rows

    def stored(self, key: str) -> Stored | None:
        """Return a synced row and the text that it was read from if that holds more, or None."""
        row = self.synced(key)
        return None if row is None else Stored(row, self.originals.get(key))

    # --- what the stream says

    def put(self, key: str, row: Any | None, ordinal: int) -> list[Delta] | None:
        """Apply one operation as :meth:`write` would, in less time.

        Only where rows are as the stream has them, no more is known of any, and nobody holds them;
        elsewhere it returns None and does nothing.

        Args:
            key: of the row.
            row: None for a removal.
            ordinal: of the event.
        """
        if self.overlay.keys or self.originals or self._frozen is not None:
            return None
        rows, ordinals = self.rows, self.ordinals
        old = rows.get(key)
        if row is not None:
            rows[key] = row
            ordinals.keys.append(key)
            ordinals.numbers.append(ordinal)
            if self.renamed.keys:
                self.renamed.forget([key])
        elif old is not None:
            del rows[key]
        if self._arrivals is not None:
            if row is None:
                self._arrivals.forget(key)
            elif old is None:
                self._arrivals.add(key)
        if self._moved or self._moved is None:
            self._moved = set()
        if old is not None:  # a new row leaves nothing behind
            ordinals.tidy(rows)
            if self.marks.own:
                self.marks.tidy(rows)
        if self.touched is not None:
            self.touched.keys[key] = None
        deltas = [(key, old, row)] if row is not old else []
        if self.indexes is not None:
            self.indexes.note(deltas)
        return deltas

    def write(self, writes: Iterable[Write], echoes: Echoes = NO_ECHOES) -> list[Delta]:
        """Apply operations in order and return their net effect on what shows.

        A change of an own transaction that comes back is pending no more; that is one with what
        came back. A row that comes back as it was sent is the very row that shows.

        Args:
            writes: the operations.
            echoes: of those that own transactions wrote, which one, by ordinal.
        """
        if echoes.gone or self._frozen is not None:
            writes = list(writes)
        if self._frozen is not None and (writes or echoes.gone):
            self._leave_frozen_rows(self._frozen)
        rows, ordinals, arrivals = self.rows, self.ordinals, self._arrivals
        pending_keys = self.overlay.keys
        before: dict[str, Any | None] = {}
        own = echoes.txids
        self._moved = moved = set[str]()
        unnamed: list[Gone] = []
        showed: dict[Gone, Any | None] = {}
        covered = dict.fromkeys(key for key, _ in echoes.gone) if echoes.gone else {}
        for key, txid in echoes.gone:
            if (pending := self.overlay.pop(key, txid)) is not None:
                before[key], showed[key, txid] = rows.get(key), pending.row
                if pending.row is not None and self.overlay.under(key) is None:
                    unnamed.append((key, txid))
        came: dict[str, int] = {}
        if unnamed:
            for key, _, number in writes:
                if self.synced(key) is None:
                    came.setdefault(key, number)
        for key, row, ordinal in writes:
            if type(row) is Stored or self.originals:
                row = self._without_text(key, row)
            if row is not None:
                ordinals.keys.append(key)
                ordinals.numbers.append(ordinal)
            old = rows.get(key)
            if key not in before:
                before[key] = old
            if own and ordinal in own:  # by another key than it showed by, perhaps
                self.marks.note_own(key, ordinal)
            if key in pending_keys:
                if self._write_under(key, row, ordinal, echoes, showed):
                    covered[key] = None
            elif row is None:
                rows.pop(key, None)
                if arrivals is not None:
                    arrivals.forget(key)
            else:
                rows[key] = row
                if old is None:
                    if before[key] is not None:
                        moved.add(key)
                    if arrivals is not None:
                        arrivals.add(key)
        if covered:
            self._show(covered)
        if unnamed:
            self._note_other_keys(unnamed, came, showed, echoes)
        self._tidy()
        return self._net(before)

    def _tidy(self) -> None:
        rows = self.rows
        self.ordinals.tidy(rows.keys() | self._hidden if self._hidden else rows)
        if self.marks.own:
            self.marks.tidy(rows)

    def _note_other_keys(
        self,
        unnamed: Sequence[Gone],
        came: Mapping[str, int],
        showed: Mapping[Gone, Any | None],
        echoes: Echoes,
    ) -> None:
        """Take the one row that came instead of one that was only here to be the same row.

        Whoever knows it by its old key may ask before the application says what it is called. Later
        writes may hide a row that the stream has, and own ones one that it had: both are no news.
        Nor is one that came by the key by which the action showed it.

        Args:
            unnamed: rows of actions that the stream did not have.
            came: rows that it did not have until now, and the ordinals of their first events.
            showed: what actions show no more.
            echoes: tell whose the events are.
        """
        for txid in dict.fromkeys(txid for _, txid in unnamed):
            gone = [key for key, of in unnamed if of == txid and self.synced(key) is None]
            new = [
                key
                for key, ordinal in came.items()
                if echoes.txids.get(ordinal) == txid
                and (key, txid) not in showed
                and self.synced(key) is not None
            ]
            if len(gone) == len(new) == 1:
                self.renamed.add(gone[0], new[0])
                echoes.renamed.append(CameAs(txid, gone[0], new[0]))

    def _write_under(
        self,
        key: str,
        row: Any | None,
        ordinal: int,
        echoes: Echoes,
        showed: Mapping[Gone, Any | None],
    ) -> bool:
        """Put a row below the pending changes of its key; if it is one of them, take that away.

        Of what is gone already, ``showed`` tells what it made of the row.

        Returns:
            Whether what shows has yet to be worked out; if not, it is the row.
        """
        stack, txid = self.overlay.stacks[key], echoes.txids.get(ordinal)
        was = stack.under
        pending = None if txid is None else stack.changes.get(txid)
        if pending is not None and txid is not None:
            sent = pending.change(None)
            if pending.overwrites or not _came_upon(was, pending, echoes):
                base = pending.seen if pending.overwrites else pending.base
                echoes.conflicts.append(Conflicting(txid, key, base, was, sent))
            if row is None and sent is not None:
                # It is removed to be inserted anew, by the next event.
                pending.base, pending.or_base, pending.overwrites = None, UNKNOWN, False
            else:
                stack.remove(pending)
                if row is not None and sent is not None and echoes.is_same(row, sent):
                    row = sent
        elif txid is not None and (key, txid) in echoes.gone:
            # The very row that later writes were made of, so they see that nobody came between.
            made = showed.get((key, txid))
            if row is not None and made is not None and echoes.is_same(row, made):
                row = made
        stack.put_under(row)
        if (row is None) is not (was is None):
            # It appears in the stream, or goes: its place is there, not where it showed until now.
            self._hidden.discard(key)
            self._ahead.pop(key, None)
            if self.rows.pop(key, None) is not None:
                self._note_moved(key)
            if self._arrivals is not None:
                self._arrivals.forget(key)
                if row is not None:
                    self._arrivals.add(key)
        elif row is None or key in self._hidden:
            return True
        if row is not None:
            self.rows[key] = row  # in its place; what shows there is seen to later
        if stack.changes or row is None:
            return True
        del self.overlay.stacks[key]
        self.marks.pending.discard(key)
        return False

    def replace(self, loaded: LoadingRows, echoes: Echoes = NO_ECHOES) -> dict[str, Any]:
        """Put other rows in place of all, and return those that showed.

        Of ``echoes``, the transactions that came back count; they have no conflicts then.
        """
        before = self.rows
        self.rows, self.ordinals = loaded.rows, loaded.ordinals
        self.originals = take_texts(self.rows) if loaded.hold_texts else {}
        self._frozen = self._arrivals = self._moved = None
        self._ahead, self._hidden = {}, set()
        self.marks = Marks(self.marks.errors)
        if self.indexes is not None:
            self.indexes.forget()
        if self.touched is not None:
            self.touched.are_all = True
        keys, back = list(self.overlay), {*echoes.txids.values(), *echoes.whole}
        for key, txid in echoes.gone:
            self.overlay.pop(key, txid)
        for key in keys:
            self.overlay.put_under(key, self.rows.get(key))
            for pending in self.overlay.of(key):
                if pending.txid in back:
                    self.overlay.pop(key, pending.txid)
                    self.marks.errors.pop(key, None)
        if own := echoes.txids:  # others may have written later
            written = zip(self.ordinals.keys, self.ordinals.numbers, strict=True)
            self.marks.own.update((key, number) for key, number in written if number in own)
        self._show(keys)
        self.renamed = self.renamed.copy()  # who holds the rows of before holds that, too
        self.renamed.forget(self.renamed.keys & self.rows.keys())
        return before

    # --- what is written here

    def lay(self, changes: Iterable[tuple[str, Pending]]) -> list[Delta]:
        """Have changes show that are not on the stream yet; return what that changes.

        A further change of a transaction to a row takes the place of the one before.
        """
        before: dict[str, Any | None] = {}
        for key, pending in changes:
            before[key] = shown = self.rows.get(key)
            self.overlay.lay(key, pending, under=shown)
        return self._show_all_anew(before)

    def lift(self, changes: Iterable[tuple[str, str]]) -> list[Delta]:
        """Take changes back that will never be on the stream; return what that changes.

        Args:
            changes: keys and transactions.
        """
        lifted: dict[str, None] = {}
        for key, txid in changes:
            pending = self.overlay.pop(key, txid)
            if pending is not None:
                lifted[key] = None
                above = pending.above
                if above is not None and above.seen_of == txid:  # made on what never was
                    above.seen, above.seen_of = pending.seen, pending.seen_of
                while above is not None and above.made_on != txid:
                    above = above.above
                if above is not None:
                    above.made_on = pending.made_on
        return self.show_anew(lifted)

    def rename(
        self,
        old: str,
        new: str,
        changes: Mapping[str, RowChange],
        left: Mapping[str, RowChange],
    ) -> list[Delta]:
        """Have a row that the stream does not have be of another key; return what changes.

        Args:
            old: what it is called.
            new: what it is called from now on.
            changes: by transaction, what is pending on it.
            left: by transaction, what these do to another row of the old key.
        """
        self.overlay.move(old, new, changes, left, under=self.rows.get(new))
        return self.show_anew([old, new])

    def note_renamed(self, old: str, new: str) -> None:
        """Have a key lead to the row that had it, unless another row has it by now."""
        if self._frozen is not None:
            self._leave_frozen_rows(self._frozen)
        if old not in self.rows:
            self.renamed.add(old, new)

    def forget_renamed(self, key: str) -> None:
        """Have a key lead nowhere: another row has had it, which does not show."""
        if self._frozen is not None:
            self._leave_frozen_rows(self._frozen)
        self.renamed.forget([key])

    def note_failure(self, key: str, error: BaseException) -> None:
        """Note why a write of a row has failed. The row shows without it already."""
        if self._frozen is not None:
            self._leave_frozen_rows(self._frozen)
        self.marks.note_failure(key, error)
        if self.touched is not None:
            self.touched.keys[key] = None

    def show_anew(self, keys: Collection[str]) -> list[Delta]:
        """Have rows show by changes that are not what they were; return what that changes."""
        return self._show_all_anew({key: self.rows.get(key) for key in keys})

    def _show_all_anew(self, before: Mapping[str, Any | None]) -> list[Delta]:
        """Have rows show as they are by now; ``before`` are those that show until now."""
        if not before:
            return []
        if self._frozen is not None:
            self._leave_frozen_rows(self._frozen)
        self._moved = set()
        self._show(before)
        return self._net(before)

    def _show(self, keys: Iterable[str]) -> None:
        """Work out anew what shows of rows that have pending changes, or had until now."""
        rows, stacks, pending = self.rows, self.overlay.stacks, self.marks.pending
        is_restored = False
        for key in keys:
            if (stack := stacks.get(key)) is None:
                continue
            under, top = stack.under, stack.settled_top()
            if top is None:
                shown, maker = under, 0
                pending.discard(key)
                del stacks[key]
            else:
                shown, maker = top.row, top.maker
                pending.add(key)
            if shown is None:
                self._hide(key, is_synced=under is not None)
                continue
            is_new = key not in rows
            rows[key] = shown
            if under is not None:
                if key in self._hidden:
                    is_restored = True
                    self._hidden.discard(key)
            elif maker != self._ahead.get(key):
                self._ahead[key] = maker
                if self._arrivals is not None:
                    self._arrivals.add_ahead(key, maker)
                if not is_new:
                    self._note_moved(key)
        if is_restored:  # rare: a removal that failed; the row goes back to where it was
            self.rows = self._by_arrival(self.rows)

    def _hide(self, key: str, *, is_synced: bool) -> None:
        if key not in self.rows:
            return
        if is_synced:
            self.arrival(key)  # which is remembered from now on
            self._hidden.add(key)
        elif self._arrivals is not None:
            self._arrivals.forget(key)
        del self.rows[key]
        self._ahead.pop(key, None)

    def _note_moved(self, key: str) -> None:
        if self._moved is not None:
            self._moved.add(key)

    def _by_arrival(self, rows: dict[str, Any]) -> dict[str, Any]:
        return {key: rows[key] for key in sorted(rows, key=self.arrival)}

    def _net(self, before: Mapping[str, Any | None]) -> list[Delta]:
        """Return what became of rows; those that only stand elsewhere now are among them."""
        rows, moved = self.rows, self._moved
        if moved or moved is None:
            moved = {key for key in moved or () if before[key] is not None and key in rows}
            self._moved = moved
        if self.touched is not None:
            self.touched.keys.update(dict.fromkeys(before))
        if self.renamed.keys:
            self.renamed.forget([key for key in before if key in rows])
        deltas = [
            (key, old, new)
            for key, old in before.items()
            if (new := rows.get(key)) is not old or key in moved
        ]
        if self.indexes is not None:
            self.indexes.note(deltas)
        return deltas

    def _without_text(self, key: str, written: Any) -> Any:
        row, text = (
            (written.row, written.original) if isinstance(written, Stored) else (written, None)
        )
        if text is None:
            self.originals.pop(key, None)
        else:
            self.originals[key] = text
        return row

    # --- who looks

    def freeze(self) -> FrozenRows:
        """Return what the table holds, never to change; its ``holders`` say who needs it."""
        frozen = self._frozen = self._frozen or FrozenRows(
            self.rows, self._ahead, self.ordinals, self.stamps, self.marks, self.renamed
        )
        frozen.holders += 1
        return frozen

    def _leave_frozen_rows(self, frozen: FrozenRows) -> None:
        """Go on with a copy if somebody holds the rows."""
        self._frozen = None
        if frozen.holders:
            self.rows = dict(self.rows)
            self._ahead = dict(self._ahead)
            self.ordinals = self.ordinals.copy()
            self.marks = self.marks.copy()
            self.renamed = self.renamed.copy()

    def watch(
        self, watcher: Watcher, ended: Ended, *, outlasts: bool = False
    ) -> Callable[[], None]:
        """Call ``watcher`` after every commit that changes rows; see :meth:`Watchers.add`."""
        return self._watchers.add(watcher, ended, outlasts=outlasts)

    def end(self, error: BaseException | None, *, is_final: bool = True) -> None:
        """Tell the watchers that nothing more will come; see :meth:`Watchers.end`."""
        self._watchers.end(error, is_final=is_final)


def _came_upon(row: Any | None, pending: Pending, echoes: Echoes) -> bool:
    """Tell whether what was sent came upon a row that it was made of.

    After a load, even the same row is another object.
    """
    base, or_base = pending.base, pending.or_base
    if row is base or row is or_base:
        return True
    return row is not None and any(
        one is not None and one is not UNKNOWN and echoes.is_same(row, one)
        for one in (base, or_base)
    )
