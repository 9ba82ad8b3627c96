"""The long form of the model of databases: 10,000 random histories against a naive fold.

Run it in the project's folder:
`python -m tests.runtime.db.database_campaign [COUNT [SEED [JOBS]]]`. It prints the seed, how far it
is, and every history that fails, for a seed does not repeat what the scheduler does. One that hangs
says where.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.campaigns import run_campaign, run_histories
from tests.runtime.db.database_histories import History, histories, judge
from tests.runtime.streams.histories import LONGEST, history_server, in_a_hurry

DEFAULT_COUNT = 10_000


def main() -> None:
    """Run the campaign."""
    run_campaign(
        "tests.runtime.db.database_campaign",
        _run,
        default_count=DEFAULT_COUNT,
        verdict="state, order, offset and observers as they must be",
    )


def _run(count: int, start: int) -> float:
    with (
        tempfile.TemporaryDirectory() as name,
        history_server(Path(name)) as server,
        in_a_hurry(),
    ):

        async def judged(history: History) -> None:
            await judge(server.url, Path(name), history)

        return run_histories(judged, histories, count=count, start=start, longest=LONGEST)


if __name__ == "__main__":
    main()
