"""The long form of the oracle: 100,000 steps of random queries, by every kind of executor.

Run it in the project's folder: `python -m tests.runtime.engine.oracle_campaign [COMMITS [SEED]]`.
It prints the seed, and of a world where an executor is wrong the smallest that it finds: rows,
plans and commits. One world is judged by `python -m tests.runtime.engine.oracle_campaign 1 SEED`.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from tests.campaigns import count_and_seed
from tests.runtime.engine.oracle.campaigns import judge

_DEFAULT_COUNT: Final = 100_000
_STEPS_OF_A_QUERY: Final = 50


def main() -> None:
    """Run the campaign."""
    logging.disable()  # queries that have no answer say so in graphs
    count, start = count_and_seed(_DEFAULT_COUNT)
    began_at = time.monotonic()
    steps = queries = number = 0
    while steps < count or queries < count // _STEPS_OF_A_QUERY:
        more_steps, more_queries = judge(str(start + number))
        steps, queries, number = steps + more_steps, queries + more_queries, number + 1
    took = time.monotonic() - began_at
    print(f"{steps} steps of {queries} queries: all as the naive evaluator has it ({took:.0f} s)")


if __name__ == "__main__":
    main()
