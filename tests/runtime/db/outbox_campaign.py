"""The long form of the tests that kill a process with an outbox: 100 rounds.

Run it in the project's folder: `python -m tests.runtime.db.outbox_campaign [COUNT [SEED]]`.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from tests.campaigns import count_and_seed
from tests.runtime.db.killed_outboxes import killings

DEFAULT_COUNT = 100


async def main() -> None:
    """Run the campaign."""
    count, seed = count_and_seed(DEFAULT_COUNT)
    began_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with killings(Path(folder), seed) as killing:
            for number in range(count):
                await killing.round()
                if number % 10 == 9:
                    print(f"{number + 1} rounds", flush=True)
            outcome = await killing.end()
    print(
        f"{count} rounds: {outcome.written} transactions written, {outcome.stored} told to be "
        f"stored, {outcome.acknowledged} told to be acknowledged, {outcome.on_stream} on the "
        f"stream: each once, whole, in order ({time.monotonic() - began_at:.0f} s)"
    )


if __name__ == "__main__":
    asyncio.run(main())
