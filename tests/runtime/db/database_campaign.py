"""The long form of the model of databases: 10,000 random histories against a naive fold.

Run it in the project's folder: `python -m tests.runtime.db.database_campaign [COUNT [SEED]]`. It
prints the seed and every history that fails, for a seed does not repeat what the scheduler does.
One that hangs says where.
"""

from __future__ import annotations

import asyncio
import faulthandler
import tempfile
import time
from pathlib import Path

from tests.campaigns import count_and_seed, run_examples
from tests.runtime.db.database_histories import LONGEST, History, histories, judge
from tests.runtime.streams.histories import history_server, in_a_hurry

DEFAULT_COUNT = 10_000


def main() -> None:
    """Run the campaign."""
    count, start = count_and_seed(DEFAULT_COUNT)
    began_at = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as name,
        history_server(Path(name)) as server,
        in_a_hurry(),
    ):

        def one(history: History) -> None:
            faulthandler.dump_traceback_later(LONGEST - 5)
            try:
                asyncio.run(judge(server.url, Path(name), history))
            except BaseException as error:
                print(f"{error!r} in {history}", flush=True)
                raise
            finally:
                faulthandler.cancel_dump_traceback_later()

        run_examples(one, histories, count=count, start=start)
    took = time.monotonic() - began_at
    print(f"{count} histories: state, order, offset and observers as they must be ({took:.0f} s)")


if __name__ == "__main__":
    main()
