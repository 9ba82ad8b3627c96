"""What local writes over a stream have to show.

A database is known by its trace: what was written and sent, and what it showed in between. A judge
goes through the trace with the log of the stream at hand, and works everything out anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.runtime.db.write_model import (
    NAMES_OF_TYPES,
    WRITTEN,
    Committed,
    Entry,
    Extended,
    Laid,
    Local,
    Made,
    Order,
    Place,
    Refused,
    Released,
    Renamed,
    Reordered,
    Seen,
    Sent,
    View,
    said,
    txid_of,
)
from tests.runtime.db.written_actions import ActionFailed
from tests.runtime.naive_fold import InOrder, NaiveFold

from streamdb import (
    BadRequest,
    ConnectionFailed,
    DatabaseClosed,
    MissingKey,
    PayloadTooLarge,
    RolledBack,
    RowChanged,
    StreamClosed,
    StreamDBError,
    TransactionFailed,
    TransactionUnresolved,
)


@dataclass
class Judge:
    """Holds traces to the log of the stream.

    Attributes:
        events: the log.
        ends: by offset, how many events are before it.
        allowed: by offset, what the stream may say there.
        is_closed: the database was closed without waiting for its writes.
        refusals: errors that refused requests may have been met with, beside those too large.
        has_ended: the stream was closed.
        asked: the transactions of which the application was asked about a conflict; None if it
            said nothing of conflicts.
    """

    events: Sequence[Any]
    ends: Mapping[str, int]
    allowed: Mapping[str, list[InOrder]]
    is_closed: bool
    refusals: bool
    has_ended: bool = False
    asked: set[str] | None = None
    _laid: list[Local] = field(default_factory=list[Local])
    _empty: list[Local] = field(default_factory=list[Local])
    _back_at: dict[Local, int] = field(default_factory=dict[Local, int])
    _count: int = 0
    _places: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    def judge(self, trace: Sequence[Entry]) -> None:
        """Raise if anything of it may not be."""
        for index, event in enumerate(self.events):
            if (txid := txid_of(event)) is not None:
                self._places.setdefault(txid, []).append(index)
        before: tuple[View, InOrder] | None = None
        for entry in trace:
            view = entry if isinstance(entry, View) else entry.view
            synced = self._matching(view)
            self._check_statuses(view)
            for local in self._laid:
                if local.acted is not None and self._is_back(local, view):
                    self._back_at.setdefault(local, self._count)
            self._check_metas(view, synced)
            self._note_showed(view)
            if isinstance(entry, View):
                if before is not None:
                    self._check_steadiness(*before, view)
                before = view, synced
                continue
            before = None
            if isinstance(entry, Extended):
                self._extend(entry, synced)
            elif isinstance(entry, Committed):
                entry.local.is_open = False
            elif isinstance(entry, Laid):
                self._lay(entry.local, view, synced)
            elif isinstance(entry, Refused):
                for local in entry.locals:
                    local.sent.clear()
            elif isinstance(entry, Released):
                entry.local.is_released = True
            elif isinstance(entry, Renamed):
                self._rename(entry, synced)
            elif isinstance(entry, Made):
                self._check_made(entry, synced)
            elif isinstance(entry, Reordered):
                for order in entry.orders:
                    self._put_in_order(order, view)
            else:
                self._send(entry.local, view, synced)
        for local in self._laid:
            if local.deeds:
                self._check_outcome(local)
            else:
                self._empty.append(local)
        for local in self._empty:  # which is free
            assert local.is_brought or local.tx.txid not in self._places
            if local.tx.status != "synced":
                self._check_failure(local, local.tx.error)
        conflicts = {local.tx.txid for local in self._laid if local.tx.conflict}
        assert self.asked is None or self.asked == conflicts

    # --- what shows

    def _matching(self, view: View) -> InOrder:
        """Return what the stream says that explains what showed."""
        made = [(self._shown(synced, view), synced) for synced in self.allowed[view.offset]]
        for shown, synced in made:
            if shown == view.rows and self._seqs(synced, view) == self._told_seqs(view):
                return synced
        raise AssertionError(
            f"at {view.offset}: {view.rows}, not {[shown for shown, _ in made]}; the stream says "
            f"{self.allowed[view.offset]}, pending are {list(self._pending(view))}"
        )

    def _shown(self, synced: InOrder, view: View) -> dict[str, list[tuple[Any, Any]]]:
        """Synced rows, pending changes over them, and what the stream does not have at the end."""
        found: dict[str, list[tuple[Any, Any]]] = {}
        for name in WRITTEN:
            places = [key for key, _, _ in synced[name]]
            rows = self._rows_below(synced, view, name)
            ahead: dict[Any, None] = {}
            for local, place in self._changes(view):
                key = place[1]
                if place[0] != name:
                    continue
                row = local.done_to(place, rows.get(key))
                if row is None:
                    rows.pop(key, None)
                    ahead.pop(key, None)
                else:
                    rows[key] = row
                    if key not in places:
                        ahead.setdefault(key)
            keys = [key for key in places if key in rows] + list(ahead)
            found[name] = [(key, rows[key]) for key in keys]
        return found

    def _seqs(self, synced: InOrder, view: View) -> dict[Place, int | None]:
        seqs = {(name, key): seq for name in WRITTEN for key, _, seq in synced[name]}
        return {place: seqs.get(place) for place in view.metas}

    def _told_seqs(self, view: View) -> dict[Place, int | None]:
        return {place: meta.seq for place, meta in view.metas.items()}

    def _check_metas(self, view: View, synced: InOrder) -> None:
        pending = {place for _, place in self._changes(view)}
        writers = {local.tx.txid: local for local in self._laid}
        for place, meta in view.metas.items():
            assert meta.pending is (place in pending), place
            failed = [
                local
                for local in view.failed
                if place in local.deeds and not isinstance(local.tx.error, RolledBack)
            ]
            errors = [local.tx.error for local in failed]
            has_come_back = any(
                self._is_back(local, view) and place in (local.deeds.keys() | local.assigned)
                for local in self._laid
            )
            assert meta.error in errors or (meta.error is None and (has_come_back or not failed))
            if not self._any_resets:
                wrote = [
                    txid_of(event)
                    for event in self.events[: self.ends[view.offset]]
                    if (NAMES_OF_TYPES.get(event["type"]), event["key"])
                    == (place[0], str(place[1]))
                ]
                writer = writers.get(wrote[-1]) if wrote else None
                is_own = place in pending or writer is not None
                # One of unknown outcome is not waited for any more.
                assert meta.origin == ("local" if is_own else "remote") or (
                    writer in view.failed
                ), f"{place}: {meta}, written by {writer}"

    def _note_showed(self, view: View) -> None:
        """Note what showed of rows under the last write to each of them."""
        last = {place: local for local, place in self._changes(view)}
        rows = {(name, key): row for name in WRITTEN for key, row in view.rows[name]}
        for place, local in last.items():
            if (row := rows.get(place)) is not None:
                local.showed.setdefault(place, []).append(row)

    def _rows_below(self, synced: InOrder, view: View, name: str) -> dict[Any, Any]:
        return {key: row for key, row, _ in synced[name]}

    def _below(
        self,
        local: Local,
        place: Place,
        view: View,
        synced: InOrder,
        without: Sequence[Local] = (),
    ) -> Any:
        """Return the row that shows right below the change of a transaction, without others."""
        name, key = place
        row = self._rows_below(synced, view, name).get(key)
        for other, at in self._changes(view):
            if at == place:
                if other is local:
                    break
                if other not in without:
                    row = other.done_to(place, row)
        return row

    def _all_below(self, local: Local, place: Place, view: View) -> list[Local]:
        on_it = [other for other, at in self._changes(view) if at == place]
        return on_it[: on_it.index(local)] if local in on_it else []

    def _changes(self, view: View) -> list[tuple[Local, Place]]:
        """Return what is pending, in the order in which it was laid over the rows."""
        changes = [
            (local, place) for local in self._pending(view) for place in self._left(local, view)
        ]
        return sorted(changes, key=lambda change: change[0].laid[change[1]])

    def _pending(self, view: View) -> Iterator[Local]:
        for local in self._laid:
            if not (local.is_released or local in view.failed or self._is_back(local, view)):
                yield local

    def _is_back(self, local: Local, view: View) -> bool:
        """Tell whether a transaction shows no more, for what it wrote has come.

        What an action has no events for shows until its durable part is over, and a while longer.
        """
        places = self._places.get(local.tx.txid)
        if places is None or places[0] >= self.ends[view.offset]:
            return False
        return not local.is_brought or local in view.synced or not self._left(local, view)

    def _left(self, local: Local, view: View) -> list[Place]:
        """Return the rows of an action for which no event has come, of others all."""
        end = self.ends[view.offset]
        indices = [at for at in self._places.get(local.tx.txid, ()) if at < end]
        if not local.is_brought or not indices:
            return list(local.deeds)
        came = {said(self.events[at])[:2] for at in indices}
        instead = {
            said(event)[0]
            for event in map(self.events.__getitem__, indices)
            if said(event)[:2] not in local.deeds and self._is_new(indices[0], event)
        }
        left = [place for place in local.deeds if place not in came]
        alone = [place for place in left if self._is_alone(local, place)]
        if not instead <= {name for name, _ in alone}:
            return [place for place in left if place not in alone]
        return [place for place in left if place not in alone or place[0] not in instead]

    def _is_new(self, end: int, event: Any) -> bool:
        """Tell whether an event puts a row where the stream had none before the first so many."""
        name, key, row = said(event)
        fold = NaiveFold()
        fold.apply_all(self.events[:end])
        return row is not None and key not in fold.rows[name]

    def _is_alone(self, local: Local, place: Place) -> bool:
        is_new = local.deeds[place][0].kind in ("insert", "upsert")
        return is_new and local.seen[place].row is None

    def _check_statuses(self, view: View) -> None:
        back = {
            local
            for local in self._laid
            if local.is_released or self._is_back(local, view)
            if local.acted is None or local in view.over  # who waits for one, waits for all of it
        } - view.failed
        synced = {local for local in view.synced if local.deeds}
        assert synced == back, f"synced are {synced}, and read were {back}"

    def _other_rows(self, local: Local, before: View, synced: InOrder) -> set[Place]:
        """Return rows that an action has written otherwise than it showed them.

        It may write a row by the key that it gave it, and show it by the one that a server did.
        """
        put_there = {(name, key): row for name, key, row in local.put_there()}
        return {
            place
            for place in local.deeds.keys() | put_there.keys()
            if local.has_other_rows
            or place not in local.deeds
            or put_there.get(place)
            != local.made_of(place, self._below(local, place, before, synced))
        }

    def _check_steadiness(self, before: View, synced: InOrder, view: View) -> None:
        """What comes back as it was sent is the very row that showed."""
        start, end = self.ends[before.offset], self.ends[view.offset]
        between = self.events[start:end]
        if before.failed != view.failed or start == 0 or self._any_resets:
            return
        own = {local.tx.txid: local for local in self._laid}
        foreign = {
            (NAMES_OF_TYPES.get(event["type"]), event["key"])
            for event in between
            if (local := own.get(txid_of(event))) is None
            or local.tx.conflict
            or local in view.failed
        }
        came = {own.get(txid_of(event)) for event in between}
        # What an action shows beside its events goes later: when all that is stored was read.
        came |= {local for local in self._laid if self._is_back(local, view)} - {
            local for local in self._laid if self._is_back(local, before)
        }
        foreign |= {
            (name, str(key))
            for local in came
            if local is not None and local.is_brought
            for name, key in self._other_rows(local, before, synced)
        }
        foreign |= {  # what its action shows lies over it by now
            (name, str(key))
            for local in map(own.get, map(txid_of, between))
            if local is not None and local.by
            for name, key in local.deeds
        }
        for name in WRITTEN:
            rows = dict(view.rows[name])
            for key, row in before.rows[name]:
                if (name, str(key)) not in foreign:
                    assert rows[key] is row, f"{row} of {name} was made anew"

    @property
    def _any_resets(self) -> bool:
        return any(event["headers"].get("control") == "reset" for event in self.events)

    # --- what happens

    def _lay(self, local: Local, view: View, synced: InOrder) -> None:
        for place in local.deeds:
            self._lay_over(local, place, view, synced)
        if local.deeds:
            self._laid.append(local)
        elif local.acted is not None and local.tx is not None:
            self._empty.append(local)

    def _lay_over(self, local: Local, place: Place, view: View, synced: InOrder) -> None:
        self._count += 1
        local.laid[place] = local.order[place] = self._count
        local.seen[place] = self._seen(local, place, view, synced)
        local.expected[place] = local.seen[place].row
        others = [other for other, at in self._changes(view) if at == place and other is not local]
        last = max(others, key=lambda other: other.order[place], default=None)
        _put_on(local, place, last)

    def _extend(self, entry: Extended, synced: InOrder) -> None:
        local = entry.local
        if entry.deeds and local not in self._laid:
            self._laid.append(local)
            local.is_open = True
        for place, deeds in entry.deeds.items():
            is_new = place not in local.deeds
            local.extend(place, deeds)
            if place not in local.deeds:
                continue
            if is_new:
                self._lay_over(local, place, entry.view, synced)
            elif local.below.get(place) in entry.view.failed:
                # An upsert outlives what it was laid over, and what a later block does to its row
                # (a removal stands on what is below) never stood on that.
                below = self._all_below(local, place, entry.view)
                _put_on(local, place, below[-1] if below else None)

    def _seen(self, local: Local, place: Place, view: View, synced: InOrder) -> Seen:
        below: Local | None = None
        for other, at in self._changes(view):
            if at == place:
                if other is local:
                    break
                below = other
        row = self._below(local, place, view, synced)
        return Seen(row, below, view.offset != "-1")

    def _put_in_order(self, order: Order, view: View) -> None:
        """What a durable part writes is sent before what waits for its action."""
        place, locals_, moved = order
        was = [local for local, at in self._changes(view) if at == place]
        assert set(was) == set(locals_)
        is_sent = [place in local.sent for local in locals_ if not local.is_brought]
        assert is_sent == sorted(is_sent, reverse=True), "what is sent lies below what is not"
        numbers = sorted(local.laid[place] for local in locals_)
        for local, number in zip(locals_, numbers, strict=True):
            local.laid[place] = number
            if local in moved:
                local.seen[place] = local.seen[place]._replace(local=None, is_known=False)

    def _rename(self, entry: Renamed, synced: InOrder) -> None:
        """What an action shows is called otherwise now, and so is what later writes do to it."""
        action = next(local for local in self._laid if local.acted and entry.new in local.assigned)
        first, last = action.laid[entry.old], self._back_at.get(action, self._count)
        pending = [local for local, place in self._changes(entry.view) if place == entry.old]
        of_it: list[Local] = []
        for local in pending:
            if first <= local.laid[entry.old] <= last:
                inserts_at = None if local is action else local.inserts_at(entry.old)
                if inserts_at != 0:
                    of_it.append(local)
                if inserts_at is not None:
                    break  # from here on, it is another row
        assert {local for local in entry.locals if local in pending} == set(of_it), f"{entry}"
        for local in entry.locals:
            local.rename(entry.old, entry.new)
        for local in pending:
            if entry.old in local.deeds and local.below.get(entry.old) in entry.locals:
                del local.below[entry.old]
                local.seen[entry.old] = local.seen[entry.old]._replace(local=None)
        for local in entry.locals:
            local.seen[entry.new] = self._seen(local, entry.new, entry.view, synced)

    def _check_made(self, entry: Made, synced: InOrder) -> None:
        """The events of an action are those that it would be sent as."""
        local, view = entry.local, entry.view
        if not local.deeds or local in view.failed:
            return
        self._send(local, view, synced)
        if local.makes_no_sense or local.is_unexpected:
            assert entry.events is None
        else:
            assert entry.events == local.expected_events(), (entry, local.expected_events())
        local.sent.clear()

    def _send(self, local: Local, view: View, synced: InOrder) -> None:
        local.sent.clear()
        below_it = {other for place in local.deeds for other in self._all_below(local, place, view)}
        assert not any(other.is_open for other in (local, *below_it)), "it was not committed"
        for place, deeds in local.deeds.items():
            below = self._below(local, place, view, synced)
            if below is None and all(deed.kind == "update" for deed in deeds):
                local.makes_no_sense = True
            if not local.is_expected(place, below):
                local.is_unexpected = True
        if not local.makes_no_sense and not local.is_unexpected:
            end, is_loaded = self.ends[view.offset], view.offset != "-1"
            never_were = view.failed | {other for other in self._laid if other.is_released}
            sent = {
                place: Sent(
                    local.made_of(place, below),
                    below,
                    end,
                    is_loaded,
                    local.undoes(place, below, never_were),
                    self._below(local, place, view, synced, without=local.by),
                )
                for place in local.deeds
                for below in [self._below(local, place, view, synced)]
            }
            local.sent.update(sent)

    # --- what became of it

    def _check_outcome(self, local: Local) -> None:
        tx, places = local.tx, self._places.get(local.tx.txid, [])
        assert tx._outcome.durable.done()
        assert tx._outcome.synced.done()
        if tx.status in FAILED:
            is_unknown = isinstance(tx.error, TransactionUnresolved)
            assert not places or is_unknown or local.fails_late, "it is on the stream"
            self._check_failure(local, tx.error)
        else:
            assert tx.status in ("durable", "synced")
            assert not local.is_too_large
        if places:
            first = places[0]
            assert places == list(range(first, first + len(places))), "it is on the stream twice"
            on_stream = [said(self.events[place]) for place in places]
            expected = local.put_there()
            assert on_stream == expected, (on_stream, expected)
        if tx.status not in FAILED and not local.is_released:
            assert places, f"{tx} is not on the stream"
            assert not any(below.tx.status in FAILED for below in local.stands_on)
        if local.is_brought:
            assert not tx.conflict
        elif tx.status == "synced":
            self._check_conflict(local, places[0])
            self._check_showed(local)

    def _check_showed(self, local: Local) -> None:
        """No value showed between what was written and what is on the stream."""
        for place, rows in local.showed.items():
            if not local.tx.conflict and not self._any_resets:
                confirmed = local.sent[place].row
                assert all(local.stays(place, row, confirmed) for row in rows), (place, rows)

    def _check_failure(self, local: Local, error: Any) -> None:
        if isinstance(error, RolledBack):
            assert local.is_open
            return
        assert type(error) in (TransactionFailed, TransactionUnresolved, RowChanged)
        if isinstance(error, RowChanged):
            assert local.is_unexpected
            return
        cause = error.__cause__
        if isinstance(cause, RowChanged) and local.is_brought and local.is_unexpected:
            return  # its events could not be made
        if local.is_open and type(cause) is StreamDBError:
            assert "closed before it was committed" in str(cause)
            return
        if isinstance(cause, ActionFailed):
            assert local.acted is not None
            assert local.acted.raised
        elif isinstance(cause, DatabaseClosed):
            assert self.is_closed or local.resolves
        elif isinstance(cause, TransactionFailed) and _is_of_inner(local, cause):
            assert type(error) is TransactionUnresolved or not isinstance(
                cause, TransactionUnresolved
            )
        elif isinstance(cause, TransactionFailed):
            # What an action has written itself comes back below what the action shows, and what
            # was made on the one lies on the other then.
            stands_on = {one for below in local.stands_on for one in (below, *below.by)}
            assert any(one.tx.error is cause or one.tx.status in FAILED for one in stands_on)
        elif isinstance(cause, StreamClosed):
            assert self.has_ended
        elif isinstance(cause, ConnectionFailed):  # a stream that has ended does not say more
            assert self.has_ended
            assert type(error) is TransactionUnresolved
        elif isinstance(cause, MissingKey):
            assert local.makes_no_sense
        else:
            assert isinstance(cause, BadRequest | PayloadTooLarge), repr(cause)
            assert self.refusals or local.is_too_large

    def _check_conflict(self, local: Local, index: int) -> None:
        """It undoes what somebody else wrote if it says so, and only then."""
        if self._any_resets:
            return  # with what is loaded, what was in between is not seen
        fold = NaiveFold()
        fold.apply_all(self.events[:index])
        own = {other.tx.txid for other in self._laid if not other.has_other_rows}
        brought = {other.tx.txid for other in self._laid if other.is_brought}
        has_changed = any(
            fold.rows[name].get(key) not in (sent.base, sent.or_base)
            for (name, key), sent in local.sent.items()
        )
        was_written = any(
            (NAMES_OF_TYPES.get(event["type"]), event["key"]) == (name, str(key))
            for (name, key), sent in local.sent.items()
            for event in self.events[sent.end : index]
            if txid_of(event) not in own
            # What an action has shown may be made of an older row when it comes.
            or (txid_of(event) in brought and said(event)[2] != sent.base)
        )
        undoes = any(sent.undoes for sent in local.sent.values())
        # What comes with the first load is not seen one after the other.
        is_of_load = not any(sent.is_loaded for sent in local.sent.values())
        is_conflict = undoes or has_changed
        assert local.tx.conflict or not is_conflict or is_of_load, f"{local}: there was a conflict"
        assert was_written or undoes or not local.tx.conflict, f"{local}: there was no conflict"


FAILED = ("failed", "unresolved")


def _put_on(local: Local, place: Place, below: Local | None) -> None:
    local.below.pop(place, None)
    if below is not None:
        local.below[place] = below


def _is_of_inner(local: Local, cause: TransactionFailed) -> bool:
    """Tell whether a durable part has raised why what it wrote itself has failed."""
    inner = None if local.acted is None else local.acted.inner
    return inner is not None and inner.tx is not None and inner.tx.error is cause
