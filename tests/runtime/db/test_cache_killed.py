"""A process with a cache dies at any moment; the long form is `cache_campaign`."""

from __future__ import annotations

import random
from pathlib import Path

from tests.runtime.db.killed_caches import killings


async def test_nothing_is_lost_or_doubled_and_nothing_read_again(tmp_path: Path) -> None:
    """B6; what is read again is what was not in the file yet."""
    seed = random.randrange(2**32)
    async with killings(tmp_path, seed) as killing:
        for number in range(6):
            try:
                await killing.round()
            except AssertionError as error:
                error.add_note(f"round {number} of seed {seed}")
                raise
