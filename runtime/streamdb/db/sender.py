"""Sends the transactions of a database, in their order, and tells each its outcome."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from streamdb.db.mutations import Draft
from streamdb.errors import (
    BadRequest,
    ConnectionFailed,
    NotReached,
    PayloadTooLarge,
    StreamDBError,
    StreamError,
    TransactionFailed,
    TransactionUnresolved,
)
from streamdb.protocol import json_text
from streamdb.protocol.writing import ProducerState
from streamdb.streams.async_stream import AsyncStream

log: Final = logging.getLogger("streamdb.db")

# A POST holds what has queued up while the one before was in flight, up to about this much.
_BODY_BYTES: Final = 1024 * 1024
_REFUSED_ALONE: Final = (BadRequest, PayloadTooLarge)


class Sender:
    """A queue of transactions, and the idempotent producer that takes them to the stream."""

    def __init__(self, url: str) -> None:
        #: Called with every transaction that came back or failed.
        self.settled: Callable[[Draft], None] = lambda _: None
        self._url: Final = url
        self._producer: Final = ProducerState(str(uuid.uuid4()))
        self._in_flight: Final[dict[str, Draft]] = {}
        self._queue: Final[deque[Draft]] = deque()
        self._drained: Final = asyncio.Event()
        self._drained.set()
        self._no_echo: BaseException | None = None

    def enqueue(self, draft: Draft) -> None:
        """Queue a transaction; it is sent in its turn."""
        self._in_flight[draft.outcome.txid] = draft
        self._queue.append(draft)
        self._drained.clear()

    async def drain(self) -> None:
        """Wait until nothing is on its way."""
        await self._drained.wait()

    async def send_to(self, stream: AsyncStream) -> None:
        """Send what is queued, and what is meanwhile."""
        while self._queue:
            drafts = self._take_queued()
            try:
                await self._send(stream, drafts)
            except Exception as error:
                log.exception("%s: writing failed", self._url)
                for draft in drafts:
                    self.fail(draft, error)
        self._drained.set()

    def is_in_flight(self, txid: str) -> bool:
        """Tell whether a transaction of this database is yet to come back."""
        return txid in self._in_flight

    def came_back(self, txids: Iterable[str]) -> None:
        """Note what a commit held of this database's own transactions."""
        for txid in txids:
            draft = self._in_flight.pop(txid, None)
            if draft is not None:
                draft.outcome.advance("synced")
                self.settled(draft)

    def expect_no_echo(self, reason: BaseException) -> None:
        """Nothing will come back any more: let go of what waits for it, now and later."""
        self._no_echo = reason
        for draft in list(self._in_flight.values()):
            if draft.outcome.status == "durable":
                self._lose_echo(draft, reason)

    def fail_all(self, reason: BaseException) -> None:
        """Give up everything that has not come back."""
        self._queue.clear()
        self._drained.set()
        for draft in list(self._in_flight.values()):
            self.fail(draft, reason)

    def fail(self, draft: Draft, error: BaseException) -> None:
        """Tell a transaction that it failed, or that its outcome will stay unknown."""
        outcome = draft.outcome
        # Only an answer that refuses it tells that what was sent is not on the stream.
        is_unknown = isinstance(error, ConnectionFailed) and not isinstance(error, NotReached)
        is_refused = isinstance(error, StreamError) and not is_unknown
        failure = (
            TransactionFailed(f"transaction {outcome.txid} is not on the stream: {error}")
            if is_refused or outcome.status != "sent"
            else TransactionUnresolved(
                f"transaction {outcome.txid}: its outcome is unknown: {error}"
            )
        )
        failure.__cause__ = error
        self._in_flight.pop(outcome.txid, None)
        if outcome.fail(failure):
            log.error("%s: %s", self._url, failure)
        elif outcome.status == "durable":
            outcome.lose_echo(error)
        self.settled(draft)

    def _take_queued(self) -> list[Draft]:
        drafts: list[Draft] = []
        size = 0
        while self._queue and (not drafts or size < _BODY_BYTES):
            draft = self._queue.popleft()
            drafts.append(draft)
            size += sum(map(len, draft.events))
        return drafts

    async def _send(self, stream: AsyncStream, drafts: list[Draft]) -> None:
        """Write transactions in one request; each gets its outcome."""
        for draft in drafts:
            draft.outcome.advance("sent")
        body = json_text.frame(event for draft in drafts for event in draft.events)
        try:
            await stream.append_once(self._producer, body)
        except StreamDBError as error:
            if isinstance(error, _REFUSED_ALONE) and len(drafts) > 1:
                # One of them is at fault; the others must not suffer. A refused batch has used
                # no sequence number up (PROD-8).
                for draft in drafts:
                    await self._send(stream, [draft])
                return
            for draft in drafts:
                self.fail(draft, error)
        else:
            for draft in drafts:
                draft.outcome.advance("durable")
                if self._no_echo is not None:
                    self._lose_echo(draft, self._no_echo)

    def _lose_echo(self, draft: Draft, reason: BaseException) -> None:
        """Let go of a transaction that is on the stream and will not be seen coming back."""
        self._in_flight.pop(draft.outcome.txid, None)
        draft.outcome.lose_echo(reason)
        self.settled(draft)
