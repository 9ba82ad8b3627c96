"""The long form of the model of local writes: 10,000 random histories against a naive model.

Run it in the project's folder: `python -m tests.runtime.db.write_campaign [COUNT [SEED [JOBS]]]`.
It prints the seed and every history that fails, for a seed does not repeat what the scheduler does.
One that hangs says where. A history waits more than it computes: with several jobs, processes with
seeds of their own share the count, and a core.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.campaigns import count_and_seed, run_histories
from tests.runtime.db.write_histories import LONGEST, History, histories, judge, write_server
from tests.runtime.streams.histories import in_a_hurry

DEFAULT_COUNT = 10_000


def main() -> None:
    """Run the campaign."""
    count, start = count_and_seed(DEFAULT_COUNT)
    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    if jobs > 1:
        share = -(-count // jobs)
        command = [sys.executable, "-m", "tests.runtime.db.write_campaign", str(share)]
        running = [subprocess.Popen([*command, str(start + job)]) for job in range(jobs)]
        sys.exit(max(each.wait() for each in running))
    logging.getLogger("streamdb.db").setLevel(logging.CRITICAL)  # failing is what writes do here
    with (
        tempfile.TemporaryDirectory() as name,
        write_server(Path(name)) as server,
        in_a_hurry(),
    ):

        async def judged(history: History) -> None:
            await judge(server.url, Path(name), history)

        took = run_histories(judged, histories, count=count, start=start, longest=LONGEST)
    print(f"{count} histories: rows, changes, queries and outcomes as they must be ({took:.0f} s)")


if __name__ == "__main__":
    main()
