"""Which rows open transactions have written, and what waits for these to be committed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final

from streamdb.db.drafts import Draft
from streamdb.db.local_writes import Place
from streamdb.db.state import DatabaseState
from streamdb.errors import StreamDBError


class OpenTransactions:
    """Those of a database that show something. All methods are called under the lock.

    Args:
        state: the rows.
    """

    def __init__(self, state: DatabaseState) -> None:
        self._state: Final = state
        self._by_place: Final[dict[Place, list[Draft]]] = {}
        #: By txid, all transactions on their way.
        self.drafts: Mapping[str, Draft] = {}

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._by_place)

    def __iter__(self) -> Iterator[Draft]:
        """Iterate over them."""
        return iter(dict.fromkeys(chain.from_iterable(self._by_place.values())))

    def note(self, draft: Draft) -> None:
        """Note which rows one writes by now."""
        self.remove(draft)
        for place in draft.writes:
            self._by_place.setdefault(place, []).append(draft)

    def remove(self, draft: Draft) -> None:
        """Forget one, which is open no more."""
        for place, drafts in list(self._by_place.items()):
            if draft in drafts:
                drafts.remove(draft)
                if not drafts:
                    del self._by_place[place]

    def others(self, draft: Draft, places: Iterable[Place]) -> list[Draft]:
        """Return those that have written some of these rows, but for the transaction itself."""
        found = chain.from_iterable(self._by_place.get(place, ()) for place in places)
        return [other for other in dict.fromkeys(found) if other is not draft]

    def above(self, draft: Draft) -> set[str]:
        """Return what lies above a transaction on some row, and what lies above that in turn.

        All of it waits for the transaction, or makes no sense on the stream before it.
        """
        found: set[str] = set()
        look = [draft]
        while look:
            each = look.pop()
            for name, key in each.writes:
                pending = self._state.tables[name].overlay.find(key, each.outcome.txid)
                while pending is not None and (pending := pending.above) is not None:
                    if pending.txid not in found and pending.txid in self.drafts:
                        found.add(pending.txid)
                        look.append(self.drafts[pending.txid])
        return found

    def waiting(self, draft: Draft) -> list[Draft]:
        """Return what lies above a transaction, likewise, oldest first."""
        return sorted(map(self.drafts.__getitem__, self.above(draft)), key=lambda each: each.number)

    def check_not_above(self, draft: Draft, places: Collection[Place]) -> None:
        """Raise if an open transaction is to write rows that were written by what waits for it.

        Raises:
            StreamDBError: it would have to go both before and behind that.
        """
        above = self.above(draft)
        for name, key in places if above else ():
            for pending in self._state.tables[name].overlay.of(key):
                if pending.txid in above:
                    raise StreamDBError(
                        f"transaction {draft.outcome.txid}: the row of key {key!r} of collection "
                        f"{name!r} was written since by transaction {pending.txid}, which waits "
                        "for this one: commit or roll back this one first"
                    )
