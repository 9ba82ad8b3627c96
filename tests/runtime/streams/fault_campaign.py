"""The long form of the tests over faults: 1,000 random histories each of reader, producer and both.

Run it in the project's folder: `python -m tests.runtime.streams.fault_campaign [COUNT [SEED]]`. It
prints the seed and every history that fails, for a seed does not repeat what the scheduler does.
One that hangs says where.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from hypothesis.strategies import SearchStrategy
from tests.campaigns import count_and_seed, run_histories
from tests.runtime.streams import histories
from tests.runtime.streams.histories import LONGEST, history_server, in_a_hurry

DEFAULT_COUNT = 1000
History = TypeVar("History")


def main() -> None:
    """Run the campaign."""
    count, start = count_and_seed(DEFAULT_COUNT)
    with tempfile.TemporaryDirectory() as folder, history_server(Path(folder)) as server:

        def run(
            name: str,
            judge: Callable[[str, History], Awaitable[None]],
            drawn: SearchStrategy[History],
        ) -> None:
            async def judged(history: History) -> None:
                await judge(server.url, history)

            took = run_histories(judged, drawn, count=count, start=start, longest=LONGEST)
            print(f"{count} histories of {name}: nothing lost or left ({took:.0f} s)", flush=True)

        with in_a_hurry():
            run("a reader", histories.judge_read, histories.read_histories)
            run("a producer", histories.judge_write, histories.write_histories)
            run("both", histories.judge_both, histories.both_histories)


if __name__ == "__main__":
    main()
