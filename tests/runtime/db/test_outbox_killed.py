"""A process with an outbox dies at any moment; the long form is `outbox_campaign`."""

from __future__ import annotations

import random
from pathlib import Path

from tests.runtime.db.killed_outboxes import killings


async def test_what_was_stored_is_on_the_stream_once_and_in_order(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    try:
        async with killings(tmp_path, seed) as killing:
            for _ in range(5):
                await killing.round()
            outcome = await killing.end()
    except AssertionError as error:
        error.add_note(f"seed {seed}")
        raise
    assert outcome.on_stream >= outcome.stored
