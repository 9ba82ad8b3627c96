"""Orders and windows of one table: the first load, and what a change costs inside of the query.

Run it in the project's folder: `python -m benchmarks.ordering [ROWS [CHANGES]]`. Each kind of
change is followed by both executors, one after the other, and beside them stands what the naive
evaluator takes to compute the query anew, which it would do for each change.
"""

from __future__ import annotations

import datetime as dt
import gc
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from streamdb.engine.compiled import Compiled
from streamdb.engine.executor import Change, Executor
from streamdb.engine.interpreted import Interpreted
from streamdb.engine.naive import evaluate
from streamdb.engine.plan import Plan
from streamdb.engine.planning import plan_of
from streamdb.expr.nodes import ColumnNode, OrderTerm
from streamdb.expr.query_tree import OrderNode, SourceNode
from streamdb.expr.shape import Slot, row_shape
from streamdb.expr.sources import Indexes

_BEGIN: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_SHAPE: Final = row_shape()


class Message(Struct, frozen=True, gc=False):
    id: str
    content: str
    tokens: int
    created_at: dt.datetime


@dataclass(eq=False)
class Table:
    """A source of the engine that is its own table."""

    rows: dict[str, Message]
    name: str = "messages"
    slot: Slot = field(default=_SHAPE.slots[0])
    key_column: str | None = "id"
    indexes: Indexes | None = None

    @property
    def table(self) -> Table:
        return self

    def arrival(self, key: str) -> int:
        return 0

    def moved(self, key: str) -> bool:
        return False

    def key_of(self, value: Any) -> Any:
        return value

    def parse_key(self, key: str) -> str:
        return key


def _ordered(table: Table, term: OrderTerm, limit: int | None = None) -> Plan:
    return plan_of(OrderNode(SourceNode(table, _SHAPE), (term,), limit))


CREATED_AT: Final = ColumnNode("created_at")
CASES: Final[dict[str, Callable[[Table], Plan]]] = {
    "top 50, latest first": lambda t: _ordered(t, OrderTerm(CREATED_AT, True, False), 50),
    "all, by time": lambda t: _ordered(t, OrderTerm(CREATED_AT)),
    "all, latest first": lambda t: _ordered(t, OrderTerm(CREATED_AT, True, False)),
    "all, by tokens (ties)": lambda t: _ordered(t, OrderTerm(ColumnNode("tokens"))),
    "all, by text": lambda t: _ordered(t, OrderTerm(ColumnNode("content"))),
}


def _message(number: int, moment: float) -> Message:
    return Message(
        f"message-{number}",
        f"{random.randrange(10**6)} words",
        random.randrange(1000),
        _BEGIN + dt.timedelta(seconds=moment),
    )


def _changes(kind: str, table: Table, count: int) -> Iterator[Change]:
    """Make changes, each of which is undone at once by the next one, so that the rows stay."""
    keys = random.sample(sorted(table.rows), count)
    size = len(table.rows)
    for number, key in enumerate(keys):
        row = table.rows[key]
        moment = random.random() * size
        match kind:
            case "a new row in the middle":
                new = _message(size + number, moment)
                yield new.id, None, new
                yield new.id, new, None
                continue
            case "a new row at the end":
                new = _message(size + number, size + number)
                yield new.id, None, new
                yield new.id, new, None
                continue
            case "a row that stays":
                other = replace(row, id=row.id)
            case _:
                new = _message(number, moment)
                other = replace(new, id=row.id)
        yield key, row, other
        yield key, other, row


KINDS: Final = ("a new row in the middle", "a new row at the end", "a row that stays", "a move")


def _measured(executor: Executor, table: Table, kind: str, count: int) -> float:
    """Return the median of seconds that a change takes."""
    took = list[float]()
    for change in _changes(kind, table, count):
        key, _, new = change
        if new is None:
            del table.rows[key]
        else:
            table.rows[key] = new
        changes: dict[Any, Any] = {table: [change]}
        began = time.perf_counter()
        executor.step(changes)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def _loaded(make: Callable[[Plan], Executor], plan: Plan) -> tuple[Executor, float]:
    """Return an executor, and the seconds of the processor that its load took."""
    executor = make(plan)
    gc.collect()
    began = time.process_time()
    executor.load()
    return executor, time.process_time() - began


def main() -> None:
    """Print a table for each case."""
    given = [*map(int, sys.argv[1:])]
    size, count = (*given, *(100_000, 1_000)[len(given) :])
    random.seed(7)
    rows = [_message(number, random.random() * size) for number in range(size)]
    for name, make_plan in CASES.items():
        table = Table({row.id: row for row in rows})
        plan = make_plan(table)
        began = time.process_time()
        evaluate(plan.root)
        anew = time.process_time() - began
        print(f"{name}, {size} rows; computed anew in {anew * 1e3:.0f} ms")
        for make in (Interpreted, Compiled):
            executor, loaded = _loaded(make, plan)
            print(f"  {make.__name__:12} first load {loaded * 1e3:7.1f} ms")
            for kind in KINDS:
                one = _measured(executor, table, kind, count)
                print(f"    {kind:24} {one * 1e6:6.2f} µs, 1/{anew / one:,.0f} of anew")


if __name__ == "__main__":
    main()
