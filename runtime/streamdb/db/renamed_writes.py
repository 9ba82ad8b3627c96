"""Local writes of rows that are called otherwise by now: those that actions show until they come.

The application says so, or the row comes by another key. What was written since by the temporary
key is of the same row, and follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from streamdb.collections.overlay import RowChange
from streamdb.db.drafts import Draft
from streamdb.db.local_writes import Place
from streamdb.db.open_transactions import OpenTransactions
from streamdb.db.state import DatabaseState
from streamdb.errors import MissingKey
from streamdb.state.schema import CollectionSchema


class RenamedWrites:
    """What has renamed rows of one database.

    Args:
        state: the rows.
        open_transactions: those that are committed by hand, and were not yet.
        showing: returns the rows that show by what a transaction does to them.
    """

    def __init__(
        self,
        state: DatabaseState,
        open_transactions: OpenTransactions,
        showing: Callable[[Draft], list[Place]],
    ) -> None:
        self._state: Final = state
        self._open: Final = open_transactions
        self._showing: Final = showing
        #: Whether a row was ever renamed.
        self.were_any = False
        #: Has transactions sent that are held and write some rows.
        self.make_way: Callable[[Iterable[Place]], None] = lambda _: None
        #: Told of a transaction that writes a row by another key now.
        self.on_renamed: Callable[[Draft], None] = lambda _: None

    def rename(
        self,
        action: Draft,
        schema: CollectionSchema[Any, Any],
        old: str,
        new: str,
        drafts: Mapping[str, Draft],
    ) -> None:
        """Have a row that an action shows, and what later writes do to it, be of another key.

        Of an action that has failed meanwhile, or is of unknown outcome, nothing is.

        Args:
            action: that shows it, or did until it came back.
            schema: of the collection.
            old: the key by which the action wrote it.
            new: the key that it is to have.
            drafts: the transactions on their way.

        Raises:
            MissingKey: the action wrote no row of that key.
        """
        with self._state.committing():
            place = schema.name, old
            if place not in action.writes and place not in action.called:
                raise MissingKey(
                    f"map_key: the action has written no row of key {old!r} of collection "
                    f"{schema.name!r}"
                )
            if action.outcome.is_given_up:
                return  # it shows no more, so a row that has its key by now is another one
            _, now = action.called.get(place, place)  # another action may have said so before
            if now == new:
                return
            later, is_taken = self._written_meanwhile(action, schema, now, drafts)
            self._rename(schema, now, new, later, action)
            if not is_taken:
                self._state.tables[schema.name].note_renamed(old, new)

    def follow(self, actions: Iterable[Draft], drafts: Mapping[str, Draft]) -> None:
        """Have later writes reach rows that came back by another key than actions gave them.

        Args:
            actions: that came back, or some rows of them.
            drafts: the transactions on their way.
        """
        with self._state.committing():
            for action in actions:
                showing = self._showing(action)
                for place, write in action.writes.items():
                    if place in action.back_at or place in showing:
                        continue
                    name, old = place
                    table = self._state.tables[name]
                    action.back_at[place] = table.overlay.count
                    if (new := action.came_as.get(place)) is None:
                        continue
                    self.were_any = True
                    later, is_taken = self._written_meanwhile(action, write.schema, old, drafts)
                    if later:
                        self._rename(write.schema, old, new, later)
                    if is_taken:
                        table.forget_renamed(old)

    def _written_meanwhile(
        self,
        action: Draft,
        schema: CollectionSchema[Any, Any],
        key: str,
        drafts: Mapping[str, Draft],
    ) -> tuple[list[Draft], bool]:
        """Return what writes a row of an action, that was written while the action showed.

        What was written before or after that is of another row, which is called so by right. So is
        what was inserted when the row of the action had been removed, and what was done to that.
        And what was sent by the key is called so on the stream.

        Returns:
            The transactions, and whether the key was taken by another row since.
        """
        place = schema.name, key
        overlay = self._state.tables[schema.name].overlay
        own = overlay.find(key, action.outcome.txid)
        last = action.back_at.get(place, overlay.count)
        found: list[Draft] = []
        for each in overlay.of(key):
            draft = drafts.get(each.txid)
            if draft is None:
                continue
            if draft.number < action.number if own is None else each.number <= own.number:
                continue
            if each.number > last or draft.writes[place].kind == "insert":
                return found, True
            if each.made is not None:
                continue
            found.append(draft)
            if draft.writes[place].is_another:
                return found, True
        return found, False

    def _rename(
        self,
        schema: CollectionSchema[Any, Any],
        old: str,
        new: str,
        drafts: Iterable[Draft],
        action: Draft | None = None,
    ) -> None:
        """Have transactions, and the action if it is given, write a row by another key."""
        self.were_any = True
        before, after = (schema.name, old), (schema.name, new)
        self.make_way([before])
        moved: dict[str, RowChange] = {}
        left: dict[str, RowChange] = {}
        for draft in dict.fromkeys((*(() if action is None else (action,)), *drafts)):
            txid = draft.outcome.txid
            draft.rename(before, new, is_its_own=draft is action)
            if draft.is_open:
                self._open.note(draft)
            moved[txid] = draft.writes[after].change()
            if before in draft.writes:
                left[txid] = draft.writes[before].change()
            self.on_renamed(draft)
        table = self._state.tables[schema.name]
        deltas = table.rename(old, new, moved, left)
        for txid in left.keys() - ({action.outcome.txid} if action is not None else set()):
            if (pending := table.overlay.find(old, txid)) is not None:
                pending.seen = None  # it has removed the row that it saw, which is elsewhere now
        self._state.show_local({schema.name: deltas})
