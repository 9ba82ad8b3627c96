"""Sources, live queries of them and of each other, and what happens to the sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, NamedTuple

from tests.runtime.engine.judging import MakeExecutor, Unjudged
from tests.runtime.engine.oracle.histories import Commit, history
from tests.runtime.engine.oracle.live import LiveSource
from tests.runtime.engine.oracle.queries import Queries, Query
from tests.runtime.engine.oracle.schemas import RandomSource

from streamdb.engine.executor import Changes
from streamdb.engine.explain import explain
from streamdb.engine.plan import sources
from streamdb.engine.planning import plan_of
from streamdb.expr.query_tree import QueryNode
from streamdb.expr.sources import Source

_DEEPEST: Final = 5


class Live(NamedTuple):
    """A live query: what it asks, and what it is for those that ask it."""

    source: LiveSource
    query: QueryNode


@dataclass(frozen=True)
class World:
    """All that it takes to repeat what an executor did wrong.

    Attributes:
        tables: the sources.
        start: the rows of each at the beginning.
        lives: the live queries, each of tables and of live queries before it.
        commits: what is written.
    """

    tables: Sequence[RandomSource]
    start: Sequence[dict[Any, Any]]
    lives: Sequence[Live]
    commits: Sequence[Commit]

    def judge(self, make: MakeExecutor) -> int:
        """Let all happen, comparing each query after each commit; return how often one moved.

        Raises:
            AssertionError: a query is not what the naive evaluator says.
            Exception: an executor raised it where the naive evaluator has an answer.
        """
        for table, rows in zip(self.tables, self.start, strict=True):
            table.reset(rows)
        asked = [(live, plan) for live, query in self.lives for plan in [plan_of(query)]]
        steps = 0
        try:
            for live, plan in asked:
                live.load(plan, make)
            for commit in self.commits:
                changes = dict[Source, Changes]()
                for number, writes in commit.items():
                    _put(changes, self.tables[number], self.tables[number].write(writes))
                for live, plan in asked:
                    its_changes = {s: changes[s] for s in sources(plan) if s in changes}
                    if its_changes:
                        _put(changes, live, live.step(its_changes))
                        steps += 1
        except Unjudged:
            pass  # what is derived from it has no answer either
        return steps

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for table, rows in zip(self.tables, self.start, strict=True):
            key = f", its key is `{table.key_column}`" if table.key_column else ""
            yield f"{table.name}: {dict(table.columns_by_name)}{key}"
            yield from (f"    {row}" for row in rows.values())
        for live, query in self.lives:
            yield f"{live.name}:"
            yield from (f"    {line}" for line in explain(plan_of(query)).splitlines())
        for number, commit in enumerate(self.commits):
            yield f"commit {number}:"
            for source, writes in commit.items():
                name = self.tables[source].name
                yield from (
                    f"    {name} {key!r}: {'gone' if row is None else row}" for key, row in writes
                )


def world(seed: str, commits: int) -> World:
    """Return the world of a seed."""
    random = Random(seed)
    names = random.sample(("users", "orders", "items"), random.choice((1, 2, 2, 3)))
    sizes = [random.randint(3, 10) for _ in names]
    is_large = random.random() < 0.05
    if is_large:
        sizes[0] = 200  # more than windows keep
    tables = [RandomSource(random, *each) for each in zip(names, sizes, strict=True)]
    known = [Query(table.node, (dict(table.columns_by_name),)) for table in tables]
    lives = list[Live]()
    for number in range(random.choice((1, 1, 2, 3))):
        queries = Queries(random, known, with_joins=not is_large)
        query = queries.query(random.randint(1, 3 if is_large else _DEEPEST))
        source = LiveSource(f"live{number}", query.node.shape)
        lives.append(Live(source, query.node))
        # The last ones are asked more often, so that there are chains.
        known += [Query(source.node, query.slots, query.has_order_of_keys)] * (number + 1)
    start, happens = history(random, tables, commits)
    return World(tables, start, lives, happens)


def _put(changes: dict[Source, Changes], source: Source, some: Changes) -> None:
    if some:
        changes[source] = some
