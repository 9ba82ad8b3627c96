"""Notes which own transactions have come back from the stream, and takes back what shows of them.

The rows that they wrote are the stream's by then. What an action shows goes as its events come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from streamdb.collections.overlay import Conflicting, Gone
from streamdb.db.drafts import Draft
from streamdb.db.pending_writes import PendingWrites
from streamdb.db.running_actions import RunningActions, gone_with
from streamdb.db.state import Came, CameBack


class ReturnedWrites:
    """What the commits of a database bring back of its own transactions.

    Args:
        in_flight: by txid, those that are yet to come back; each is taken out when it has.
        running: the actions that are under way.
        pending: what shows of them.
    """

    def __init__(
        self, in_flight: dict[str, Draft], running: RunningActions, pending: PendingWrites
    ) -> None:
        self._in_flight: Final = in_flight
        self._running: Final = running
        self._pending: Final = pending
        #: Told of an action that is over and of which events have come back, though not of all
        #: that it shows; calls `take_rest_back` when all that is on the stream was read.
        self.on_partly_back: Callable[[Draft], None] = lambda _: None
        #: Has a conflict resolved.
        self.resolve: Callable[[str, Conflicting], None] = lambda _name, _conflicting: None
        self._conflicts: list[tuple[str, Conflicting]] = []
        self._back: list[Draft] = []
        self._partly_back: list[Draft] = []

    def gone_with(
        self, txids: Iterable[str], came_of: Callable[[str], Came | None]
    ) -> Mapping[str, Collection[Gone]]:
        """Return what shows of actions no more when events with their txids come, by collection.

        Args:
            txids: of the events of own transactions.
            came_of: returns the rows that events with a txid write; None if there are no others.
        """
        gone: dict[str, dict[Gone, None]] = {}
        for txid in dict.fromkeys(txids):
            draft = self._in_flight.get(txid)
            if draft is not None and draft.is_brought:
                showing, came = self._pending.showing(draft), came_of(txid)
                places = showing if came is None else gone_with(draft, showing, came)
                for name, key in places:
                    gone.setdefault(name, {})[key, txid] = None
        return gone

    def came_back(self, came: CameBack) -> None:
        """Note what a commit held of this database's own transactions."""
        for name, conflicting in came.conflicts:
            draft = self._in_flight.get(conflicting.txid)
            if draft is not None:
                draft.outcome.conflict = True
                self._conflicts.append((name, conflicting))
        for name, came_as in came.renamed:
            draft = self._in_flight.get(came_as.txid)
            if draft is not None:
                draft.came_as[name, came_as.old] = came_as.new
        for txid in came.whole:
            self._is_back(self._in_flight.get(txid))
        for txid, events in Counter(came.events.values()).items():
            draft = self._in_flight.get(txid)
            if draft is not None and draft.is_brought:
                self._is_partly_back(draft)
            elif draft is not None:
                draft.unseen -= events
                if draft.unseen <= 0:
                    self._is_back(draft)

    def _is_partly_back(self, draft: Draft) -> None:
        """Note that events with the txid of an action have come."""
        if not self._pending.showing(draft):
            self._is_back(draft)
            return
        is_first, draft.is_partly_back = not draft.is_partly_back, True
        self._partly_back.append(draft)
        if is_first and draft.outcome.txid not in self._running:
            self.on_partly_back(draft)

    def _is_back(self, draft: Draft | None) -> None:
        if draft is not None:
            del self._in_flight[draft.outcome.txid]
            self._back.append(draft)
            draft.has_come_back = True
            if draft.outcome.txid not in self._running:  # who waits for one, waits for all of it
                draft.outcome.advance("synced")

    def take_rest_back(self, draft: Draft) -> None:
        """Have nothing of an action show any more: what will ever come in its place has come."""
        if draft.outcome.txid in self._in_flight:
            self._is_back(draft)
            self._forget_rest()

    def after_commit(self) -> None:
        """See to what a commit has left behind, when its watchers are told."""
        self._forget_rest()
        conflicts, self._conflicts = self._conflicts, []
        for name, conflicting in conflicts:
            self.resolve(name, conflicting)

    def _forget_rest(self) -> None:
        """Take back what still shows of what came back: events that readers could not apply."""
        partly, self._partly_back = self._partly_back, []
        back, self._back = self._back, []
        if left := [draft for draft in back if self._is_left(draft)]:
            self._pending.roll_back(left)
        actions = dict.fromkeys(draft for draft in (*partly, *back) if draft.is_brought)
        if actions:
            self._pending.renamed.follow(actions, self._in_flight)

    def _is_left(self, draft: Draft) -> bool:
        """Tell of what came back whether something of it shows, or waits to be sent."""
        return draft.is_open or draft.holder is not None or bool(self._pending.showing(draft))
