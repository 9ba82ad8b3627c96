"""Loads of queries by a look at all rows and by an index, and what an index costs.

Run it in the project's folder: `python -m benchmarks.indexes [ROWS]`. Beside the load by an index
stands how much less it takes than a look at all rows, and by how many looks the index is paid;
``engine/indexes/paying.py`` has its limits from here.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from streamdb import LocalCollection
from streamdb.engine.indexes import paying

_ROUNDS: Final = 5
_CHANGES: Final = 1000


class Message(Struct, frozen=True, gc=False):
    id: str
    session: str
    tokens: int
    created_at: float


Messages = LocalCollection[Message, Any, Any]
CASES: Final[dict[str, Callable[[Messages], Any]]] = {
    "one of 1,000 sessions": lambda c: c.where(lambda m: m.session == "session 7"),
    "its latest 50": lambda c: (
        c.where(lambda m: m.session == "session 7")
        .order_by(lambda m: m.created_at.desc())
        .limit(50)
    ),
    "a thousandth, by range": lambda c: c.where(lambda m: m.tokens.between(100, 109)),
    "the latest 50": lambda c: c.order_by(lambda m: m.created_at.desc()).limit(50),
    "the latest 50 of half": lambda c: (
        c.where(lambda m: m.tokens < 5000).order_by(lambda m: m.created_at.desc()).limit(50)
    ),
}


def main() -> None:
    """Print a line for each case."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rows = [_message(number) for number in range(size)]
    for name, query in CASES.items():
        messages = _filled(rows)
        print(f"{name:24} {_measured(messages, query(messages).fetch)}")


def _measured(messages: Messages, load: Callable[[], object]) -> str:
    with _patched(LEAST_ROWS=sys.maxsize):
        looks = min(_took(load) for _ in range(_ROUNDS))
        unindexed = _of_a_write(messages)
    with _patched(SCANS_BEFORE=0):
        made = _took(load)
        asked = min(_took(load) for _ in range(_ROUNDS))
        indexed = _of_a_write(messages)
        followed = (_took(load) - asked) / _CHANGES
    return (
        f"all rows {looks * 1e3:6.1f} ms, by index {asked * 1e3:5.2f} ms "
        f"({looks / asked:,.0f} times less), made in {made / looks:.0f} looks; a write "
        f"{unindexed * 1e6:.1f} µs, with the index {indexed * 1e6:.1f} and "
        f"{followed * 1e6:.1f} when it is asked"
    )


def _message(number: int) -> Message:
    session = f"session {random.randrange(1000)}"
    return Message(f"message {number}", session, random.randrange(10_000), random.random())


def _filled(rows: list[Message]) -> Messages:
    messages = LocalCollection(Message, key="id")
    with messages.batch():
        for row in rows:
            messages.insert(row)
    return messages


def _of_a_write(messages: Messages) -> float:
    """Return the seconds of a write of a row, each of which is a commit."""
    old = random.sample(list(messages), _CHANGES)
    rows = [replace(_message(0), id=row.id) for row in old]

    def write() -> None:
        for row in rows:
            messages.upsert(row)

    return _took(write) / _CHANGES


def _took(do: Callable[[], object]) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began


@contextmanager
def _patched(**limits: int) -> Iterator[None]:
    before = {name: getattr(paying, name) for name in limits}
    vars(paying).update(limits)
    yield
    vars(paying).update(before)


if __name__ == "__main__":
    random.seed(7)
    main()
