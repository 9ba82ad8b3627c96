"""A write that the server refuses, or answers with an error for ever, and its neighbours."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.faults import AnswerTo, Proxy, proxy
from tests.runtime.chat_schema import AsyncChat, message
from tests.runtime.db.held import held_writes

from streamdb import (
    AsyncTransaction,
    ConnectionFailed,
    ProducerFenced,
    ProducerGap,
    StreamClosed,
    StreamError,
    TransactionFailed,
    UnexpectedStatus,
)
from streamdb.protocol.answers import may_be_of_the_body
from streamdb_server import Serving

BAD = "not by our policy"


@asynccontextmanager
async def between(
    server: Serving, url: str, **options: Any
) -> AsyncIterator[tuple[Proxy, AsyncChat]]:
    """A database behind a proxy."""
    name = url.removeprefix(server.url)
    async with proxy(server.url) as one, AsyncChat(one.url(name), create=True, **options) as db:
        yield one, db


def in_one_request(db: AsyncChat) -> list[AsyncTransaction]:
    """Write four rows, the third of which the server does not like."""
    with held_writes(db):
        return [db.messages.insert(message(n, BAD if n == 2 else "fine")) for n in range(4)]


async def outcomes(transactions: list[AsyncTransaction]) -> list[int | None]:
    """Return why each failed, as a status; None for those that did not."""
    told: list[int | None] = []
    for transaction in transactions:
        try:
            await transaction
        except TransactionFailed as failure:
            told.append(getattr(failure.__cause__, "status", -1))
        else:
            told.append(None)
    return told


@pytest.mark.parametrize("status", [400, 403, 409, 413, 418, 422, 451])
async def test_what_is_refused_takes_no_neighbour_with_it(
    status: int, server: Serving, http_url: str
) -> None:
    async with between(server, http_url) as (proxy, db):
        proxy.trouble_posts(itertools.repeat(AnswerTo(BAD.encode(), status)))
        assert await outcomes(in_one_request(db)) == [None, None, status, None]
        await db.messages.insert(message("after")).synced()
        assert db.messages.keys() == ["0", "1", "3", "after"]


@pytest.mark.parametrize("status", [401, 404, 405, 410])
async def test_what_is_said_of_the_stream_is_said_of_all(
    status: int, server: Serving, http_url: str
) -> None:
    async with between(server, http_url) as (proxy, db):
        proxy.trouble_posts(itertools.repeat(AnswerTo(BAD.encode(), status)))
        before = len(proxy.heads)
        assert await outcomes(in_one_request(db)) == [status] * 4
        posts = [head for head in proxy.heads[before:] if head.startswith(b"POST")]
        assert len(posts) == 1


@pytest.mark.parametrize(
    "error",
    [
        StreamClosed("closed", final_offset="1", status=409),
        ProducerFenced("fenced", epoch=2),
        ProducerGap("gap", expected=1, received=2, url=None),
        ConnectionFailed("gone"),
        UnexpectedStatus("the server failed", status=500),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_says_nothing_of_the_data(error: StreamError) -> None:
    assert not may_be_of_the_body(error)
