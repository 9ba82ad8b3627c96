"""The long form of the tests that kill a process with a cache: 200 rounds.

Run it in the project's folder: `python -m tests.runtime.db.cache_campaign [COUNT [SEED]]`.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.campaigns import count_and_seed
from tests.runtime.db.killed_caches import killings

DEFAULT_COUNT = 200


async def main() -> None:
    """Run the campaign."""
    count, seed = count_and_seed(DEFAULT_COUNT)
    began_at = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with killings(Path(folder), seed) as killing:
            outcomes = [await killing.round() for _ in range(count)]
    shown, writes = (sum(getattr(one, name) for one in outcomes) for name in ("shown", "writes"))
    lost = sorted(Counter(one.lost for one in outcomes).items())
    print(
        f"{count} rounds: {shown} commits seen, {writes} writes of the cache; nothing that was in "
        f"it lost, nothing doubled ({time.monotonic() - began_at:.0f} s)"
    )
    print("commits read again, in so many rounds:", ", ".join(f"{n}: {times}" for n, times in lost))


if __name__ == "__main__":
    asyncio.run(main())
