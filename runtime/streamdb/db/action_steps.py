"""What the durable part of an action can do with it, see ``action_transactions``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from streamdb.collections.base_collection import BaseCollection
from streamdb.db.drafts import Draft
from streamdb.db.pending_writes import PendingWrites
from streamdb.db.running_actions import RunningAction
from streamdb.errors import StreamDBError
from streamdb.state.events import ChangeEvent
from streamdb.state.schema import StateSchema


@dataclass(frozen=True, slots=True)
class ActionSteps:
    """The steps of one action, on any thread.

    Attributes:
        action: which.
        pending: what shows of the transactions of its database.
        send: has it sent as it is.
        drafts: the transactions on their way, by their txid.
        collections: of the database, by their name.
        schema: of the database.
    """

    action: RunningAction
    pending: PendingWrites
    send: Callable[[RunningAction], None]
    drafts: Mapping[str, Draft]
    collections: Mapping[str, BaseCollection[Any, Any, Any, Any]]
    schema: StateSchema

    @property
    def txid(self) -> str:
        """Of its transaction."""
        self.action.draft.outcome.is_txid_known = True
        return self.action.txid

    def events(self) -> list[ChangeEvent[Any]]:
        """Return what shows as events. Raises StreamDBError."""
        if self.action.is_released:
            raise StreamDBError(f"transaction {self.txid} was released: nothing of it shows")
        self.action.draft.outcome.is_txid_known = True
        return self.pending.preview(self.action.draft)

    def release(self) -> None:
        """Have nothing of it show any more. Raises StreamDBError if it was sent."""
        if not self.action.draft.is_brought:
            raise StreamDBError(f"transaction {self.txid} was sent: it shows until it comes back")
        self.action.is_released = True
        self.pending.release(self.action.draft)

    def map_key(
        self, collection: BaseCollection[Any, Any, Any, Any], temporary: Any, assigned: Any
    ) -> None:
        """Have a row that it shows be of another key. Raises MissingKey, TypeError, ValueError."""
        if not isinstance(cast("Any", collection), BaseCollection):
            raise TypeError(
                "map_key takes the collection of the row itself, such as db.messages, not "
                f"{type(collection).__name__}"
            )
        for name, own in self.collections.items():
            if own is collection:
                schema = self.schema.by_name[name]
                old, new = schema.wire_key(temporary), schema.wire_key(assigned)
                if old != new:
                    self.pending.renamed.rename(self.action.draft, schema, old, new, self.drafts)
                return
        raise ValueError(f"map_key: {collection!r} is a collection of another database")

    def hand_over(self) -> None:
        """Have it sent as it is. Raises StreamDBError if it was released."""
        if self.action.is_released:
            raise StreamDBError(f"transaction {self.txid} was released: nothing of it shows")
        self.send(self.action)
