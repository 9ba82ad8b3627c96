"""The short form of `ten_clients`: a second and a half of it, at two seeds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runtime.db.ten_clients import run_clients
from tests.runtime.streams.histories import in_a_hurry


@pytest.mark.parametrize("seed", [1, 2])
async def test_all_show_what_the_stream_holds(
    tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")  # failing is what some writes do here
    with in_a_hurry():
        counts = await run_clients(1.5, seed, tmp_path)
    assert counts["transactions stored"] > 0
    assert counts["rows of writers stored"] > 0
    assert counts["events on the stream"] > 0
    assert sum(times for what, times in counts.items() if what.startswith("fault ")) > 0
