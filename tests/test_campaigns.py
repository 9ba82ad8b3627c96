"""Long runs tell how far they are, which histories failed, and how many were judged in all."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys

import pytest
from hypothesis import strategies as st
from tests.campaigns import run_histories


async def judge(number: int) -> None:
    await asyncio.sleep(0)
    assert number % 50, f"{number} is round"


def test_progress_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    odd = st.integers(0, 10_000).map(lambda number: number * 2 + 1)
    run_histories(judge, odd, count=600, start=7, longest=60)
    told = re.findall(r"seed 7: (\d+) of 600 histories", capfd.readouterr().out)
    assert told == ["250", "500"]


def test_failing_histories_are_told_as_they_were_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    """So a run shows several failures, and takes no time to make one smaller."""
    drawn: list[int] = []

    async def noting(number: int) -> None:
        drawn.append(number)
        await judge(number)

    with pytest.raises(SystemExit, match=r"seed 7: \d of 100 histories failed"):
        run_histories(noting, st.integers(1, 1000), count=100, start=7, longest=60)
    assert len(drawn) == 100
    told = re.findall(r"AssertionError\(.* in (\d+)\n", capfd.readouterr().out)
    assert [int(number) for number in told] == [number for number in drawn if number % 50 == 0]
    assert told


def test_a_run_ends_when_it_has_failed_often() -> None:
    with pytest.raises(SystemExit, match="seed 7: 10 of 10 histories failed"):
        run_histories(judge, st.integers(0, 9).map(lambda n: n * 50), count=99, start=7, longest=60)


def test_fewer_histories_than_asked_for_are_not_taken_for_as_many() -> None:
    with pytest.raises(SystemExit, match=r"seed 7: no more than 3 of 99 histories"):
        run_histories(judge, st.integers(1, 3), count=99, start=7, longest=60)


def test_jobs_share_the_count() -> None:
    command = [sys.executable, "-m", "tests.runtime.db.database_campaign", "3", "7", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.findall(r"^(\d) histories: .* as they must be", done.stdout, re.MULTILINE) in (
        ["1", "2", "3"],
        ["2", "1", "3"],
    )
    assert done.stdout.endswith(", 2 jobs)\n")
