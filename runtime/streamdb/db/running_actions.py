"""Actions that the application is bringing onto the stream, by its own ways.

Until it is done, later writes of the same rows wait: they make no sense on the stream before what
they stand on, and fail with it. Other writes go on, and so does what would wait in a circle: an
action may wait for all that it writes itself, and for actions that it begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from streamdb.db.drafts import Draft
from streamdb.db.local_writes import LocalWrite, Place
from streamdb.db.state import Came
from streamdb.errors import (
    ConnectionFailed,
    NotReached,
    TransactionFailed,
    TransactionUnresolved,
)


@dataclass(slots=True, eq=False)
class RunningAction:
    """One of them.

    Attributes:
        name: of the action.
        draft: what it shows.
        stands_on: earlier transactions that write rows that it writes, too.
        is_released: whether nothing of it shows any more, by the word of `persist`.
        is_over: set when `persist` has ended.
    """

    name: str
    draft: Draft
    stands_on: list[Draft] = field(default_factory=list[Draft])
    is_released: bool = False
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def txid(self) -> str:
        """Of its transaction."""
        return self.draft.outcome.txid

    @property
    def is_forgotten(self) -> bool:
        """Whether it shows, and nothing can come in its place: nobody knows how that is called."""
        draft = self.draft
        return (
            draft.is_brought
            and bool(draft.writes)
            and not (self.is_released or draft.outcome.is_txid_known)
        )

    def failure(self, error: BaseException) -> TransactionFailed:
        """Return what its transaction is told if `persist` raised."""
        what = f"transaction {self.txid}: persist of the action {self.name!r} raised"
        is_unknown = isinstance(error, ConnectionFailed) and not isinstance(error, NotReached)
        if is_unknown or isinstance(error, TransactionUnresolved):
            return TransactionUnresolved(f"{what}, and its outcome is unknown: {error}")
        return TransactionFailed(f"{what} {type(error).__name__}: {error}")


class RunningActions:
    """All of a database, oldest first.

    Args:
        queue: transactions that are queued, in order.
    """

    def __init__(self, queue: Iterable[Draft]) -> None:
        self._queue: Final = queue
        self._by_txid: Final[dict[str, RunningAction]] = {}

    def __iter__(self) -> Iterator[RunningAction]:
        """Iterate over them."""
        return iter(self._by_txid.values())

    def __contains__(self, txid: str) -> bool:
        """Tell whether that of a transaction is one."""
        return txid in self._by_txid

    def get(self, txid: str) -> RunningAction | None:
        """Return that of a transaction, None if it is none."""
        return self._by_txid.get(txid)

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._by_txid)

    def add(self, action: RunningAction, in_flight: Iterable[Draft]) -> None:
        """Note that one begins, beside the transactions that are on their way."""
        draft = action.draft
        running = (other.draft for other in self._by_txid.values())
        action.stands_on = [
            other
            for other in dict.fromkeys(chain(in_flight, running))
            if other.number < draft.number
            and other.outcome.txid not in draft.by
            and _share_rows(draft, other)
            and not self._waits(other, draft.by, self._queue)
        ]
        self._by_txid[action.txid] = action

    def remove(self, action: RunningAction) -> None:
        """Note that one is over."""
        self._by_txid.pop(action.txid, None)
        action.is_over.set()

    def hold_back(self, draft: Draft, waiting: Sequence[Draft]) -> bool:
        """Tell of a queued transaction whether it waits, as those do that are ``waiting`` before.

        What an action writes while it runs does not wait for that action, nor for what does. What
        one shows and hands over has had its turn, and does not wait for what waits for it.
        """
        never = (*draft.by, draft.outcome.txid)
        is_behind = any(other.outcome.txid == draft.behind for other in waiting)  # without a gap
        return (
            draft.waits
            or is_behind
            or any(
                not self._waits(other, never, chain(waiting, (draft,), self._queue))
                for other in self._before(draft, waiting)
            )
        )

    def _before(self, draft: Draft, queued: Iterable[Draft]) -> Iterator[Draft]:
        """Iterate over what a transaction waits for, if that much is ``queued`` before it."""
        for action in self._by_txid.values():
            other = action.draft
            is_earlier = other.number < draft.number and draft not in other.after
            is_of_another = other.is_brought and action.txid not in draft.by
            if is_earlier and is_of_another and _share_rows(draft, other):
                yield other
        for other in queued:
            if other.outcome.txid == draft.behind or _share_rows(draft, other):
                yield other

    def _waits(self, draft: Draft, actions: Iterable[str], queued: Iterable[Draft]) -> bool:
        """Tell whether one waits for one of some actions, through whatever others.

        Args:
            draft: a queued transaction, an open one, or that of an action.
            actions: their txids; those that are over do not count.
            queued: all that is queued, in order.
        """
        running = self._by_txid.keys() & set(actions)
        if not running:
            return False
        queue = [other for other in queued if not other.outcome.is_given_up]
        seen, left = set[Draft](), [draft]
        while left:
            one = left.pop()
            if one.outcome.txid in running:
                return True
            if one not in seen:
                seen.add(one)
                left += self._awaited(one, queue)
        return False

    def _awaited(self, draft: Draft, queue: Sequence[Draft]) -> Iterator[Draft]:
        """Iterate over what one waits for. An action may wait for all that it has begun."""
        if (action := self._by_txid.get(draft.outcome.txid)) is not None:
            yield from (other for other in action.stands_on if not self._is_over(other))
            of_actions = (running.draft for running in self._by_txid.values())
            yield from (other for other in chain(queue, of_actions) if action.txid in other.by)
        if draft in queue:
            yield from draft.open_before
            yield from self._before(draft, queue[: queue.index(draft)])
        elif draft.is_open:  # it will be queued behind these
            yield from self._before(draft, [other for other in queue if draft not in other.after])

    def _is_over(self, draft: Draft) -> bool:
        return draft.outcome.is_settled and draft.outcome.txid not in self._by_txid

    async def turn(self, action: RunningAction) -> None:
        """Wait until what an action stands on is on the stream, or has failed."""
        for draft in action.stands_on:
            if (other := self._by_txid.get(draft.outcome.txid)) is not None:
                await other.is_over.wait()
            await _settled(draft.outcome.durable)


def gone_with(draft: Draft, showing: Iterable[Place], came: Came) -> Iterator[Place]:
    """Iterate over the rows of an action that show of it no more when events with its txid come.

    Those that the events write go. The others stay, for their events may come later, but where the
    application may have written a new row instead: then those go that are here alone, in the
    collection of that row if there are any.

    Args:
        draft: of the action.
        showing: those that show of it.
        came: the rows that the events write.
    """
    left: list[Place] = []
    for place in showing:
        if place in came:
            yield place
        elif _is_here_alone(draft.writes[place]):
            left.append(place)
    instead = {place[0] for place, is_new in came.items() if is_new and place not in draft.writes}
    if instead:
        ours = [place for place in left if place[0] in instead]
        yield from left if instead - {name for name, _ in ours} else ours


def _is_here_alone(write: LocalWrite) -> bool:
    """Tell of a write of an action whether there was no such row before."""
    return write.base is None and write.kind != "delete"


def _share_rows(one: Draft, other: Draft) -> bool:
    return not one.writes.keys().isdisjoint(other.writes)


async def _settled(future: Future[None]) -> None:
    """Wait until a future is done, however it ends."""
    waiting = asyncio.wrap_future(future)
    waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.wait([waiting])
