"""Paced writes: blocks whose writes show at once and are sent when their rhythm says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from streamdb.collections.transaction import (
    AsyncTransaction,
    BaseTransaction,
    Outcome,
    Transaction,
    take_up,
)
from streamdb.db.drafts import Draft
from streamdb.db.entered_blocks import EnteredBlocks
from streamdb.db.mutations import Mutations
from streamdb.db.pace import Pace
from streamdb.db.rhythms import Debounce, InTurn, Rhythm, Throttle
from streamdb.errors import TransactionFailed

Tx = TypeVar("Tx", bound=BaseTransaction)

_RHYTHMS: Final = (Debounce, Throttle, InTurn)


class BasePaced(Generic[Tx]):
    """What both forms share: the block, which is a plain ``with`` in both."""

    def __init__(
        self,
        mutations: Mutations[Tx],
        rhythm: Rhythm,
        later: Callable[[float, Callable[[], object]], None],
        wrap: Callable[[Outcome], Tx],
    ) -> None:
        if not isinstance(cast("Any", rhythm), _RHYTHMS):
            raise TypeError(
                f"paced() takes debounce(...), throttle(...) or in_turn(...), not {rhythm!r}"
            )
        self._rhythm: Final = rhythm
        self._mutations: Final = mutations
        self._wrap: Final = wrap
        self._pace: Final = Pace(mutations, rhythm, later, self._note)
        self._entered: Final = EnteredBlocks[Tx]("paced block")
        self._failed: Outcome | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._rhythm}>"

    def __enter__(self) -> Tx:
        """Begin a transaction, as ``db.transaction()`` does."""
        return self._entered.enter(self._block())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        """Have its writes show; they are sent in time. If the block raised, there are none."""
        return self._entered.left().__exit__(kind, error, traceback)

    @contextmanager
    def _block(self) -> Generator[Tx]:
        with self._mutations.gathering("a paced block") as draft:
            transaction = self._wrap(draft.outcome)
            draft.parts.append(transaction)
            yield transaction
        if not draft.writes:
            draft.outcome.advance("synced")
            return
        with self._mutations.holding():
            self._mutations.follow_renamed(draft)
            taken = self._pace.take(draft.writes, lambda: Draft(draft.outcome))
        for part in draft.parts:
            take_up(part, taken.outcome)

    def _note(self, draft: Draft) -> None:
        if draft.outcome.error is not None:
            self._failed = self._failed or draft.outcome

    def _release(self) -> list[Tx]:
        """Send all that waits, and return what is on its way."""
        with self._mutations.holding():
            unsettled = self._pace.unsettled
            self._pace.release()
        return [self._wrap(draft.outcome) for draft in unsettled]

    def _raise_failure(self) -> None:
        with self._mutations.holding():
            failed, self._failed = self._failed, None
        if failed is not None and failed.error is not None:
            failed.is_asked = True
            raise failed.error

    if not TYPE_CHECKING:  # checkers know that there are no such methods

        async def __aenter__(self):
            raise TypeError("nothing is awaited here: use `with`, and after it `await tx`")

        async def __aexit__(self, *_):
            """Never called."""


class AsyncPaced(BasePaced[AsyncTransaction]):
    """A rhythm for writes of an async database; made by :meth:`AsyncStreamDB.paced`."""

    async def flush(self) -> None:
        """Send at once what waits, and wait until all is on the stream. Cancelling ends the wait.

        Raises:
            TransactionFailed: something that was written since the last flush is not; the first.
        """
        for transaction in self._release():
            with suppress(TransactionFailed):
                await transaction
        self._raise_failure()


class Paced(BasePaced[Transaction]):
    """A rhythm for writes of a blocking database; made by :meth:`StreamDB.paced`.

    Several threads may use it at once.
    """

    def flush(self, timeout: float | None = None) -> None:
        """Send at once what waits, and wait until all is on the stream.

        Raises:
            TransactionFailed: something that was written since the last flush is not; the first.
            WaitTimeout: it takes longer than so many seconds. Nothing is taken back.
            WouldDeadlock: called on streamdb's own thread.
        """
        end = None if timeout is None else time.monotonic() + timeout
        for transaction in self._release():
            with suppress(TransactionFailed):
                transaction.result(None if end is None else max(0.0, end - time.monotonic()))
        self._raise_failure()
