"""Long runs of property tests: many examples from one seed, with nothing kept between runs."""

from __future__ import annotations

import asyncio
import faulthandler
import random
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

_PROGRESS: Final = 250  # histories from one line of progress to the next
_ENOUGH: Final = 10  # failures of a run


def count_and_seed(default_count: int) -> tuple[int, int]:
    """The two arguments of a campaign's command, `[COUNT [SEED]]`; the seed is printed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else default_count
    start = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    print(f"seed {start}", flush=True)
    return count, start


def run_campaign(
    module: str, run: Callable[[int, int], float], *, default_count: int, verdict: str
) -> None:
    """Run a campaign of histories by its command, `[COUNT [SEED [JOBS]]]`, and say what it showed.

    A history waits more than it computes. With several jobs, processes with the next seeds share
    the count; the campaign fails if one of them does.

    Args:
        module: of the campaign, by which another process runs it.
        run: judges so many histories from a seed, and returns the seconds that it took.
        default_count: how many, unless the command says so.
        verdict: what is true of all histories if none fails.
    """
    count, start = count_and_seed(default_count)
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    if jobs == 1:
        took, by = run(count, start), ""
    else:
        took, by = _run_jobs(module, count, start, jobs), f", {jobs} jobs"
    print(f"{count} histories: {verdict} ({took:.0f} s{by})", flush=True)


def _run_jobs(module: str, count: int, start: int, jobs: int) -> float:
    began_at = time.monotonic()
    running: list[subprocess.Popen[bytes]] = []
    try:
        for job in range(jobs):
            share = count // jobs + (job < count % jobs)
            command = [sys.executable, "-m", module, str(share), str(start + job)]
            running.append(subprocess.Popen(command))
        failed = sum(each.wait() != 0 for each in running)
    finally:
        for each in running:
            each.kill()
    if failed:
        sys.exit(f"{failed} of {jobs} jobs failed")
    return time.monotonic() - began_at


def run_histories(
    judge: Callable[[T], Coroutine[Any, Any, None]],
    histories: SearchStrategy[T],
    *,
    count: int,
    start: int,
    longest: float,
) -> float:
    """Judge so many histories, each on a loop of its own; return the seconds that it took.

    One that fails is printed as it was drawn, for a seed does not repeat what the scheduler does,
    and trying to make it smaller takes minutes. The run goes on until some have failed, for they
    may fail for several reasons. One that takes nearly ``longest`` seconds says where it hangs.

    Raises:
        SystemExit: some have failed, or there are no more histories that are different.
    """
    began_at = time.monotonic()
    judged = failed = 0

    def one(history: T) -> None:
        nonlocal judged, failed
        if failed == _ENOUGH:
            return
        faulthandler.dump_traceback_later(longest - 5)
        try:
            asyncio.run(judge(history))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - what pytest raises is no Exception
            failed += 1
            print("".join(traceback.format_exception(error, limit=-4)), end="")
            print(f"{error!r} in {history}", flush=True)
        finally:
            faulthandler.cancel_dump_traceback_later()
        judged += 1
        if judged % _PROGRESS == 0:
            took = time.monotonic() - began_at
            print(f"seed {start}: {judged} of {count} histories ({took:.0f} s)", flush=True)

    run_examples(one, histories, count=count, start=start)
    if failed:
        sys.exit(f"seed {start}: {failed} of {judged} histories failed")
    if judged < count:
        sys.exit(f"seed {start}: no more than {judged} of {count} histories were found")
    return time.monotonic() - began_at


def run_examples(
    judge: Callable[[T], None], examples: SearchStrategy[T], *, count: int, start: int
) -> None:
    """Judge so many examples; one that raises is made smaller first, then raises."""

    @seed(start)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(examples)
    def campaign(example: T) -> None:
        judge(example)

    campaign()
