"""The late joiner: connects when all is said, and has the whole session at once.

It keeps a cache: run again, it goes on from there. Written with the blocking classes. Run by
``demo.py``.
"""

import sys
import time

from agent_session import AgentSession
from digest import digest
from parent import report


def main(url: str, last_txid: str, cache: str) -> None:
    """Catch up and report the state."""
    started = time.perf_counter()
    with AgentSession(url, cache=cache) as db:
        milliseconds = (time.perf_counter() - started) * 1000
        db.await_txid(last_txid, timeout=20)
        report(
            digest=digest(db.collections),
            events=db.metrics.events,
            cached=db.metrics.cached,
            rows=sum(len(collection) for collection in db.collections.values()),
            milliseconds=milliseconds,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
