"""Random histories of local writes; the long form is `write_campaign`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.runtime.db.write_histories import History, histories, judge, write_server
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
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=histories)
async def test_rows_changes_queries_and_outcomes_equal_a_naive_model(
    server_of_writes: Serving, tmp_path_factory: pytest.TempPathFactory, history: History
) -> None:
    await judge(server_of_writes.url, Path(tmp_path_factory.getbasetemp()), history)
