"""Long runs of property tests: many examples from one seed, with nothing kept between runs."""

from __future__ import annotations

import asyncio
import faulthandler
import random
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


def count_and_seed(default_count: int) -> tuple[int, int]:
    """The two arguments of a campaign's command, `[COUNT [SEED]]`; the seed is printed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else default_count
    start = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32)
    print(f"seed {start}", flush=True)
    return count, start


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


def run_histories(
    judge: Callable[[T], Coroutine[Any, Any, None]],
    histories: SearchStrategy[T],
    *,
    count: int,
    start: int,
    longest: float,
) -> float:
    """Judge so many histories, each on a loop of its own; return the seconds that it took.

    One that fails is printed, for a seed does not repeat what the scheduler does; one that takes
    nearly ``longest`` seconds says where it hangs.
    """
    began_at = time.monotonic()

    def one(history: T) -> None:
        faulthandler.dump_traceback_later(longest - 5)
        try:
            asyncio.run(judge(history))
        except BaseException as error:
            print(f"{error!r} in {history}", flush=True)
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()

    run_examples(one, histories, count=count, start=start)
    return time.monotonic() - began_at
