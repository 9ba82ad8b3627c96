"""The long form of the model of local writes: 10,000 random histories against a naive model.

Run it in the project's folder: `python -m tests.runtime.db.write_campaign [COUNT [SEED [JOBS]]]`.
It prints the seed, how far it is, and every history that fails, for a seed does not repeat what the
scheduler does. One that hangs says where.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from tests.campaigns import run_campaign, run_histories
from tests.runtime.db.write_histories import History, histories, judge, write_server
from tests.runtime.streams.histories import LONGEST, in_a_hurry

DEFAULT_COUNT = 10_000


def main() -> None:
    """Run the campaign."""
    logging.getLogger("streamdb").setLevel(logging.CRITICAL)  # failing is what writes do here
    run_campaign(
        "tests.runtime.db.write_campaign",
        _run,
        default_count=DEFAULT_COUNT,
        verdict="rows, changes, queries and outcomes as they must be",
    )


def _run(count: int, start: int) -> float:
    with (
        tempfile.TemporaryDirectory() as name,
        write_server(Path(name)) as server,
        in_a_hurry(),
    ):

        async def judged(history: History) -> None:
            await judge(server.url, Path(name), history)

        return run_histories(judged, histories, count=count, start=start, longest=LONGEST)


if __name__ == "__main__":
    main()
