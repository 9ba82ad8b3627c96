"""Transactions that are filled over time, and committed or rolled back by hand.

What is written shows at the end of each block. Whatever else writes these rows waits until the
transaction is committed, and goes with it if it is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from streamdb.collections.transaction import (
    AsyncTransaction,
    CheckMayWait,
    Outcome,
    Transaction,
)
from streamdb.db.drafts import Draft
from streamdb.db.entered_blocks import EnteredBlocks
from streamdb.db.mutations import Mutations
from streamdb.errors import RolledBack, StreamDBError, TransactionFailed


class OpenDraft:
    """What both forms do with a transaction that is open, on any thread.

    Args:
        mutations: of the database.
        roll_back: has it fail, with what stands on it, where commits run.
    """

    def __init__(
        self, mutations: Mutations[Any], roll_back: Callable[[Draft, TransactionFailed], None]
    ) -> None:
        self._mutations: Final = mutations
        self._roll_back: Final = roll_back
        self._draft: Final = mutations.new_draft()
        self._draft.is_open = True
        self._is_new = True
        self._is_given_up = False
        self.entered: Final = EnteredBlocks[None]("block of a transaction by hand")

    @property
    def outcome(self) -> Outcome:
        """What becomes of it."""
        return self._draft.outcome

    def commit(self) -> None:
        """Queue it. Raises StreamDBError."""
        self._mutations.check_no_block("commit")
        with self._mutations.holding():
            if self._is_given_up or self.outcome.is_given_up:
                return  # whoever waits for it is told
            self._check_open()
            self._mutations.send_open(self._draft)

    def roll_back(self) -> None:
        """Have it fail, soon if the caller is not where commits run. Raises StreamDBError."""
        self._mutations.check_no_block("rollback")
        with self._mutations.holding():
            if self._is_given_up or self.outcome.is_given_up:
                return
            self._check_open()
            self._is_given_up = True
        self._roll_back(
            self._draft, RolledBack(f"transaction {self.outcome.txid} was rolled back by hand")
        )

    @contextmanager
    def block(self) -> Generator[None]:
        """Gather writes of this task or thread, which show when the block ends.

        Raises:
            StreamDBError: the transaction is open no more, or what waits for it has written a row.
        """
        self._check_open()
        with self._mutations.adding_to(self._draft) as part:
            yield
        with self._mutations.holding():
            self._check_open()
            self._mutations.show_open(self._draft, part, is_new=self._is_new)
            self._is_new = False

    def _check_open(self) -> None:
        outcome = self.outcome
        if outcome.status != "open" or self._is_given_up:
            is_over = self._is_given_up or outcome.is_given_up
            done = "has failed" if is_over else "was committed"
            raise StreamDBError(
                f"transaction {outcome.txid} {done} already: begin another one"
            ) from outcome.error


class _Blocks:
    """The blocks of both forms, which are plain ``with`` blocks."""

    _open: OpenDraft
    _instead = "commit it, or roll it back"

    def __enter__(self) -> Self:
        """Write more: what the block writes shows when it ends; if it raises, nothing of it."""
        self._open.entered.enter(self._open.block())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Have it show.

        Raises:
            StreamDBError: a row was written since by what waits for this transaction, or that has
                ended.
        """
        self._open.entered.left().__exit__(kind, error, traceback)

    if not TYPE_CHECKING:  # checkers know that there are no such methods

        async def __aenter__(self):
            raise TypeError("nothing is awaited here: use `with tx:`, and then `await tx.commit()`")

        async def __aexit__(self, *_):
            """Never called."""


class AsyncManualTransaction(_Blocks, AsyncTransaction):
    """A transaction that is open until it is committed; made by :meth:`AsyncStreamDB.begin`."""

    def __init__(self, draft: OpenDraft) -> None:
        super().__init__(draft.outcome)
        self._open = draft

    def commit(self) -> Self:
        """Send it in its turn; ``await tx.commit()`` to know that it is on the stream.

        Raises:
            StreamDBError: it was committed before, or the caller is in a block.
        """
        self._open.commit()
        return self

    def rollback(self) -> None:
        """Have nothing of it show any more, nor what stands on it. It has failed, `RolledBack`.

        It may have failed before.

        Raises:
            StreamDBError: it was committed, or the caller is in a block.
        """
        self._open.roll_back()


class ManualTransaction(_Blocks, Transaction):
    """A transaction that is open until it is committed; made by :meth:`StreamDB.begin`."""

    def __init__(self, draft: OpenDraft, check_may_wait: CheckMayWait) -> None:
        super().__init__(draft.outcome, check_may_wait)
        self._open = draft

    def commit(self) -> Self:
        """Send it in its turn; ``tx.commit().result()`` to know that it is on the stream.

        See :meth:`AsyncManualTransaction.commit`.
        """
        self._open.commit()
        return self

    def rollback(self) -> None:
        """Have nothing of it show any more; see :meth:`AsyncManualTransaction.rollback`."""
        self._open.roll_back()
        with suppress(TransactionFailed):
            self._wait_for(self._outcome.durable, None)
