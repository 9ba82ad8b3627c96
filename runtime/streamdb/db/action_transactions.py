"""What the durable part of an action is given: its transaction, from the inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from streamdb.collections.base_collection import BaseCollection, Key
from streamdb.collections.transaction import AsyncTransaction, Transaction
from streamdb.state.events import ChangeEvent


class _Steps(Protocol):
    """What can be done with an action that is on its way."""

    @property
    def txid(self) -> str: ...

    def events(self) -> list[ChangeEvent[Any]]: ...

    def release(self) -> None: ...

    def map_key(
        self, collection: BaseCollection[Any, Any, Any, Any], temporary: Any, assigned: Any
    ) -> None: ...

    def hand_over(self) -> None: ...


class BaseActionTransaction:
    """What both forms share."""

    def __init__(self, steps: _Steps) -> None:
        self._steps: Final = steps

    @property
    def txid(self) -> str:
        """The id that the events of the action are to carry on the stream, in their headers.

        When one comes back, what `on_mutate` wrote to its row shows no more, in the same commit; if
        it is a new row that `on_mutate` has not written, so does what that wrote to new rows. The
        rest goes when `persist` has returned, and all that is on the stream then was read.
        """
        return self._steps.txid

    @property
    def events(self) -> Sequence[ChangeEvent[Any]]:
        """What `on_mutate` wrote, as the events that it amounts to, `txid` and all.

        Made of the rows as they stand when it is asked for. To be appended as they are, by whoever
        appends: ``event.to_json()``.

        Raises:
            MissingKey: a row that was updated has been removed meanwhile.
            StreamDBError: it shows no more, for the events have come back, or it was released.
        """
        return self._steps.events()

    def release(self) -> None:
        """Have what `on_mutate` wrote show no more: nothing with `txid` will come.

        For durable parts that bring about something else than events with `txid`. Call it when
        what they brought about shows.
        """
        self._steps.release()

    def map_key(
        self, collection: BaseCollection[Any, Key, Any, Any], temporary: Key, assigned: Key
    ) -> None:
        """Say that a server has given a row another key than the one that `on_mutate` gave it.

        The row, and what later writes do to it, is of that key from now on, in one commit, if it
        has not come back as that already. Who reads or writes it by the temporary key, reaches it.
        If the action has failed or was given up meanwhile, nothing changes.

        Args:
            collection: of the row.
            temporary: the key by which `on_mutate` inserted it.
            assigned: the key that it has on the stream.

        Raises:
            MissingKey: `on_mutate` has written no row of that temporary key.
            ValueError: the collection is of another database.
        """
        self._steps.map_key(collection, temporary, assigned)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.txid}>"


class ActionTransaction(BaseActionTransaction):
    """The transaction of an action of a blocking database, for its `persist`."""

    def __init__(self, steps: _Steps, transaction: Transaction) -> None:
        super().__init__(steps)
        self._transaction: Final = transaction

    def send(self) -> None:
        """Send what `on_mutate` wrote as it is, and wait until it is on the stream.

        From here on the action is a transaction like any other.

        Raises:
            TransactionFailed: it is not on the stream; the cause says why.
        """
        self._steps.hand_over()
        self._transaction.result()


class AsyncActionTransaction(BaseActionTransaction):
    """The transaction of an action of an async database, for its `persist`."""

    def __init__(self, steps: _Steps, transaction: AsyncTransaction) -> None:
        super().__init__(steps)
        self._transaction: Final = transaction

    async def send(self) -> None:
        """Send what `on_mutate` wrote as it is, and wait until it is on the stream.

        See :meth:`ActionTransaction.send`.
        """
        self._steps.hand_over()
        await self._transaction
