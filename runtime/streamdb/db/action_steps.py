"""What the durable part of an action can do with it, see ``action_transactions``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamdb.db.mutations import Mutations
from streamdb.db.running_actions import RunningAction
from streamdb.errors import StreamDBError
from streamdb.state.events import ChangeEvent


@dataclass(frozen=True, slots=True)
class ActionSteps:
    """The steps of one action, on any thread.

    Attributes:
        action: which.
        mutations: of its database.
        send: has it sent as it is.
    """

    action: RunningAction
    mutations: Mutations[Any]
    send: Callable[[RunningAction], None]

    @property
    def txid(self) -> str:
        """Of its transaction."""
        return self.action.txid

    def events(self) -> list[ChangeEvent[Any]]:
        """Return what shows as events. Raises StreamDBError."""
        if self.action.is_released:
            raise StreamDBError(f"transaction {self.txid} was released: nothing of it shows")
        return self.mutations.preview(self.action.draft)

    def release(self) -> None:
        """Have nothing of it show any more. Raises StreamDBError if it was sent."""
        if not self.action.draft.is_brought:
            raise StreamDBError(f"transaction {self.txid} was sent: it shows until it comes back")
        self.action.is_released = True
        self.mutations.roll_back([self.action.draft])

    def hand_over(self) -> None:
        """Have it sent as it is. Raises StreamDBError if it was released."""
        if self.action.is_released:
            raise StreamDBError(f"transaction {self.txid} was released: nothing of it shows")
        self.send(self.action)
