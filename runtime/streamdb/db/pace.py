"""Transactions that show at once and are sent when a rhythm says so.

Whatever else writes a row of one that waits has it sent before, so that what shows is what the
stream will hold; so has closing the database.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from streamdb.db.drafts import Draft
from streamdb.db.local_writes import LocalWrite, Place
from streamdb.db.mutations import Mutations
from streamdb.db.rhythms import Moments, Rhythm


class Pace:
    """What waits of one rhythm, and what is on its way. Called while `Mutations.holding`.

    Args:
        mutations: where transactions show, and are sent.
        rhythm: says when.
        later: calls a function on the loop in so many seconds.
        settled: told of every transaction that has its outcome, on any thread.
    """

    def __init__(
        self,
        mutations: Mutations[Any],
        rhythm: Rhythm,
        later: Callable[[float, Callable[[], object]], None],
        settled: Callable[[Draft], object] = lambda _: None,
    ) -> None:
        self._mutations: Final = mutations
        self._rhythm: Final = rhythm
        self._later: Final = later
        self._settled: Final = settled
        self._waiting: Final[list[Draft]] = []
        self._on_its_way: Final[dict[str, Draft]] = {}
        self._first = self._last = 0.0
        self._sent = -math.inf
        self._is_timed = False

    @property
    def unsettled(self) -> list[Draft]:
        """All that waits or is on its way."""
        return [*self._on_its_way.values(), *self._waiting]

    def take(self, writes: Mapping[Place, LocalWrite], make: Callable[[], Draft]) -> Draft:
        """Have writes show, as part of the transaction that waits or of a new one; return it."""
        self._mutations.make_way(writes, self)
        waiting = self._waiting
        draft = waiting[-1] if waiting and self._rhythm.joins else None
        if draft is not None and not _fit(draft, writes):
            self.release()
            draft = None
        now = time.monotonic()
        is_new = draft is None
        if draft is None:
            if not waiting:
                self._first = now
            draft = make()
            draft.holder = self
            waiting.append(draft)
            draft.outcome.when_settled(partial(self._settle, draft))
        self._last = now
        self._mutations.show_held(draft, writes, is_new=is_new)
        if draft.holder is None:  # there is nothing to write to any more
            return draft
        for place in writes:
            if place in draft.writes:
                self._mutations.holders[place] = self
            else:
                self._let_go_of([place])
        if not draft.writes:  # all that it did was undone again
            self.drop(draft)
            draft.outcome.advance("synced")
        if not self._is_timed:  # else nothing is due before it is looked at: writing puts off
            self._plan()
        return draft

    def release(self) -> None:
        """Send all that waits."""
        while self._waiting:
            self._send_first()

    def drop(self, draft: Draft) -> None:
        """Forget a transaction that has failed."""
        if draft in self._waiting:
            self._waiting.remove(draft)
            draft.holder = None
            self._let_go_of(draft.writes)

    def _send_first(self) -> None:
        draft = self._waiting[0]
        self.drop(draft)
        if not draft.outcome.is_settled:
            self._on_its_way[draft.outcome.txid] = draft
        self._first = self._sent = time.monotonic()
        self._mutations.send_held(draft)

    def _plan(self) -> None:
        """Send what is due, and see to it that the rest is looked at in time."""
        while self._waiting:
            now = time.monotonic()
            due = self._rhythm.due(Moments(self._first, self._last, self._sent))
            if not self._rhythm.joins and self._on_its_way:
                return  # its outcome comes first
            if due > now:
                if not self._is_timed:
                    self._is_timed = True
                    self._later(due - now, self._look)
                return
            self._send_first()

    def _look(self) -> None:
        with self._mutations.holding():
            self._is_timed = False
            self._plan()

    def _settle(self, draft: Draft, _: object) -> None:
        with self._mutations.holding():
            self._on_its_way.pop(draft.outcome.txid, None)
            self._settled(draft)
            if not self._rhythm.joins:
                self._sent = time.monotonic()
                self._plan()

    def _let_go_of(self, places: Iterable[Place]) -> None:
        holders, waiting = self._mutations.holders, [draft.writes for draft in self._waiting]
        for place in places:
            if not waiting or not any(place in writes for writes in waiting):
                holders.pop(place, None)


def _fit(draft: Draft, writes: Mapping[Place, LocalWrite]) -> bool:
    """Tell whether a transaction can take in further writes."""
    if draft.writes.keys().isdisjoint(writes):
        return True
    for place, write in writes.items():
        before = draft.writes.get(place)
        if before is not None and not before.takes(write):
            return False
    return True
