"""Commands over connections that break: what they say is what happened."""

import asyncio
import json

import pytest
from tests.faults import (
    Busy,
    CutAnswer,
    CutRequest,
    DeliverTwice,
    Fault,
    Fine,
    LoseAnswer,
    Refuse,
    proxy,
)
from tests.runtime.cli.running import Commands

from streamdb.cli.exits import Exit
from streamdb_server import Serving

FAULTS = [
    Refuse(),
    CutRequest(100),
    CutAnswer(0),
    CutAnswer(20),
    LoseAnswer(),
    Busy(500),
    Busy(503),
    DeliverTwice(),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_what_is_read_is_stored_once(
    anywhere: Commands, server: Serving, name: str, fault: Fault
) -> None:
    anywhere.succeed("create", server.url + name)
    lines = [str(number) for number in range(5)]
    async with proxy(server.url, [fault, Fine(), fault, fault]) as between:
        done = await asyncio.to_thread(
            anywhere.run, "append", between.url(name), stdin="\n".join(lines).encode()
        )
    assert (done.code, done.out[:17]) == (Exit.FINE, "appended 5 values")
    assert anywhere.succeed("read", server.url + name) == lines


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_arguments_are_stored_or_not_or_it_says_that_it_is_unknown(
    anywhere: Commands, server: Serving, name: str, fault: Fault
) -> None:
    anywhere.succeed("create", server.url + name)
    async with proxy(server.url, [Fine(), fault]) as between:
        done = await asyncio.to_thread(anywhere.run, "append", between.url(name), "1", "2")
    stored = anywhere.succeed("read", server.url + name)
    if isinstance(fault, DeliverTwice):
        assert (done.code, stored) == (Exit.FINE, ["1", "2"] * 2)  # it has no number
    elif fault == Busy(503):  # a server that says so did nothing
        assert (done.code, stored) == (Exit.FINE, ["1", "2"])
    else:
        assert done.code == Exit.NO_ANSWER
        assert "whether the data was stored is unknown" in done.err
        assert stored in ([], ["1", "2"])


@pytest.mark.parametrize("command", ["read", "tail", "head", "append", "close", "delete"])
async def test_a_server_that_never_answers(
    anywhere: Commands, server: Serving, name: str, command: str
) -> None:
    async with proxy(server.url, [Refuse()] * 99) as between:
        error = await asyncio.to_thread(anywhere.fail, Exit.NO_ANSWER, command, between.url(name))
    assert "gave up after 3 tries" in error


async def test_create_does_not_claim_to_know_what_a_lost_answer_said(
    anywhere: Commands, server: Serving, name: str
) -> None:
    async with proxy(server.url, [LoseAnswer(), Fine(), LoseAnswer()]) as between:
        done = await asyncio.to_thread(anywhere.run, "create", between.url(name))
        assert done.code == Exit.FINE
        assert "whether this command created it is unknown" in done.out
        done = await asyncio.to_thread(anywhere.run, "create", "--json", between.url(name))
        assert json.loads(done.out)["created"] is None
