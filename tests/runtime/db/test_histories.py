"""Random histories of databases; the long form is `database_campaign`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.runtime.db.database_histories import History, histories, judge
from tests.runtime.streams.histories import history_server, in_a_hurry

from streamdb_server import Serving


@pytest.fixture(scope="module")
def histories_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with history_server(tmp_path_factory.mktemp("server")) as running, in_a_hurry():
        yield running


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.generate],  # to make one that fails smaller takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories)
async def test_state_order_offset_and_observers_equal_a_naive_fold(
    histories_server: Serving, tmp_path_factory: pytest.TempPathFactory, history: History
) -> None:
    """ATOM-2 to ATOM-4, UPDATE-1 to UPDATE-4, KEY-3 to KEY-6, INVALID-2, RESET-1 to RESET-8."""
    await judge(histories_server.url, Path(tmp_path_factory.getbasetemp()), history)
