"""The long form of the tests over faults: 1,000 random histories each of reader, producer and both.

Run it in the project's folder: `python -m tests.runtime.streams.fault_campaign [COUNT [SEED]]`. It
prints the seed and every history that fails, for a seed does not repeat what the scheduler does.
One that hangs says where.
"""

from __future__ import annotations

import asyncio
import faulthandler
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from hypothesis.strategies import SearchStrategy
from tests.campaigns import count_and_seed, run_examples
from tests.runtime.streams import histories
from tests.runtime.streams.histories import history_server, in_a_hurry

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
            began_at = time.monotonic()

            async def judged(history: History) -> None:
                await judge(server.url, history)

            def one(history: History) -> None:
                faulthandler.dump_traceback_later(histories.LONGEST - 5)
                try:
                    asyncio.run(judged(history))
                except BaseException as error:
                    print(f"{error!r} in {history}", flush=True)
                    raise
                finally:
                    faulthandler.cancel_dump_traceback_later()

            run_examples(one, drawn, count=count, start=start)
            took = time.monotonic() - began_at
            print(f"{count} histories of {name}: nothing lost or left ({took:.0f} s)", flush=True)

        with in_a_hurry():
            run("a reader", histories.judge_read, histories.read_histories)
            run("a producer", histories.judge_write, histories.write_histories)
            run("both", histories.judge_both, histories.both_histories)


if __name__ == "__main__":
    main()
