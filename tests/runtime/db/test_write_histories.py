"""Random histories of local writes; the long form is `write_campaign`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.runtime.db.write_histories import History, histories, judge, write_server
from tests.runtime.db.write_model import Kind
from tests.runtime.db.write_steps import (
    Append,
    ByHand,
    Hold,
    Pause,
    Reopen,
    Transact,
    Wait,
    Write,
)
from tests.runtime.streams.histories import in_a_hurry

from streamdb_server import Serving


@pytest.fixture(scope="module")
def server_of_writes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with write_server(tmp_path_factory.mktemp("server")) as running, in_a_hurry():
        yield running


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],  # to make one that fails smaller takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories)
async def test_rows_changes_queries_and_outcomes_equal_a_naive_model(
    server_of_writes: Serving, tmp_path_factory: pytest.TempPathFactory, history: History
) -> None:
    await judge(server_of_writes.url, Path(tmp_path_factory.getbasetemp()), history)


async def test_a_removal_by_hand_does_not_stand_on_what_failed_below_its_upsert_before(
    server_of_writes: Serving, tmp_path: Path
) -> None:
    """The judge says so, too; if the failure comes later than the removal, both fail."""
    event = {
        "type": "sensor",
        "key": "1",
        "value": {"room": "a", "celsius": 1},
        "headers": {"operation": "insert"},
    }
    nothing_held = Hold(sending=False, reading=False, persisting=False, asking=False)
    history = History(
        before=[Append([event])],
        opening=Reopen(
            form="async",
            cached=False,
            waits=True,
            is_patient=True,
            upsert_as="upsert",
            resolves="ours",
        ),
        live="sse",
        steps=[
            replace(nothing_held, sending=True),
            Transact([_write("update", is_too_large=True)], raises=False),
            ByHand("write", [_write("upsert")], raises=False),
            nothing_held,
            Pause(50),
            ByHand("write", [_write("delete")], raises=False),
            ByHand("commit", [], raises=False),
            Wait(),
        ],
        ends=None,
    )
    await judge(server_of_writes.url, tmp_path, history)


def _write(kind: Kind, *, is_too_large: bool = False) -> Write:
    return Write(
        kind=kind,
        name="sensors",
        key=1,
        text="b",
        number=2,
        names=frozenset({"text"}),
        by_function=False,
        expects="nothing",
        is_too_large=is_too_large,
    )
