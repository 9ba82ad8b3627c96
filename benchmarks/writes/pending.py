"""What pending writes cost by their number: more of one row, many that come back, many that fail.

Run it in the project's folder: `python -m benchmarks.writes.pending`. Both sizes are measured in
one run, one after the other and again, and the least of each counts; the ratio is what matters: one
for the first line, and not much more than that of the sizes for the others.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from streamdb import AsyncStreamDB, collection

_FEW: Final = 1_000
_MANY: Final = 8_000
_ROUNDS: Final = 3
_CALLS: Final = 100


class Row(Struct, frozen=True, gc=False):
    """A row."""

    id: str
    text: str = ""
    number: int = 0


class Database(AsyncStreamDB):
    """A database of such rows."""

    rows = collection(Row, type="row", primary_key="id")


async def one_more(db: Any, pending: int) -> float:
    """Return the seconds of an update of a row that has so many pending ones, the median."""
    await db.rows.upsert(Row("a")).synced()
    hold(db)
    for number in range(pending):
        db.rows.update("a", number=number)
    taken: list[float] = []
    for number in range(_CALLS):
        begin = time.perf_counter()
        db.rows.update("a", number=-number)
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


async def coming_back(db: Any, pending: int) -> float:
    """Return the seconds of the commit of a batch with so many own transactions."""
    taken: list[float] = []
    state = db._state
    commit = state._commit

    def timed(*arguments: Any) -> None:
        begin = time.perf_counter()
        commit(*arguments)
        taken.append(time.perf_counter() - begin)

    state._commit = timed
    transactions = [db.rows.insert(Row(str(number))) for number in range(pending)]
    for transaction in transactions:
        await transaction.synced()
    return sum(taken)


async def failing(db: Any, pending: int) -> float:
    """Return the seconds that it takes to give up so many transactions."""
    await db.rows.upsert(Row("a")).synced()
    hold(db)
    for number in range(pending):
        db.rows.update("a", number=number)
    begin = time.perf_counter()
    db._session.sender.fail_all(RuntimeError("given up"))
    return time.perf_counter() - begin


def hold(db: Any) -> None:
    """Have nothing sent any more."""

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    db._session.sender._send = never


async def measure(
    folder: Path, what: Callable[[Any, int], Awaitable[float]]
) -> tuple[float, float]:
    """Return the least seconds for few and for many."""
    best = [float("inf"), float("inf")]
    for round_ in range(_ROUNDS):
        for place, pending in enumerate((_FEW, _MANY)):
            async with AsyncExitStack() as stack:
                url = f"embedded:{folder / 'streams.db'}#{what.__name__}-{round_}-{pending}"
                db = await stack.enter_async_context(Database(url, create=True, close_timeout=0))
                gc.collect()
                best[place] = min(best[place], await what(db, pending))
    return best[0], best[1]


async def main() -> None:
    """Measure all, and print it."""
    logging.getLogger("streamdb.db").setLevel(logging.CRITICAL)  # failing is what is measured
    with tempfile.TemporaryDirectory() as name:
        for what, label in (
            (one_more, "one more write of a row"),
            (coming_back, "coming back in batches"),
            (failing, "given up at once"),
        ):
            few, many = await measure(Path(name), what)
            print(
                f"{label}: {few * 1e6:.0f} us with {_FEW} pending, {many * 1e6:.0f} us with "
                f"{_MANY}: {many / few:.1f} times"
            )


if __name__ == "__main__":
    asyncio.run(main())
