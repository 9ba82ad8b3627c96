"""Long runs of property tests: many examples from one seed, with nothing kept between runs."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import TypeVar

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
