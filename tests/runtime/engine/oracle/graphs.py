"""A random world as a database has it: tables, and live queries in a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tests.runtime.engine.judging import Judged, MakeExecutor, Unjudged, equal
from tests.runtime.engine.oracle.schemas import RandomSource
from tests.runtime.engine.oracle.worlds import World

from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.loading import LoadingRows
from streamdb.collections.table import Table
from streamdb.collections.watchers import Ended, Watcher
from streamdb.engine.executor import Changes, Executor, Item, Key, Positions
from streamdb.engine.graph import Graph
from streamdb.engine.plan import Plan
from streamdb.engine.replacing import with_sources
from streamdb.engine.result import Result
from streamdb.expr.sources import Source


def judge_in_graph(world: World, make: MakeExecutor) -> int:
    """Let all happen in a graph, with a reset in the middle; return how often a query could move.

    Each query is compared with the naive evaluator whenever it moves, and each has to be told what
    leads from its rows before to those after, whether they moved or were loaded anew.

    Raises:
        AssertionError: a query is not what the naive evaluator says, or told otherwise.
        Exception: an executor raised it where the naive evaluator has an answer.
    """
    graph = Graph(
        CommitLock("oracle"),
        is_loaded=lambda: True,
        make_executor=lambda plan: _JudgingExecutor(plan, make),
    )
    tables = [_GraphTable(source, graph) for source in world.tables]
    _load(graph, tables, world.start)
    made: dict[Source, Source] = dict(zip(world.tables, tables, strict=True))
    results = list[_Told]()
    steps = 0
    try:
        for live, query in world.lives:
            result = made[live] = graph.add(with_sources(query, made.__getitem__))
            results.append(_Told(result))
        for number, commit in enumerate(world.commits):
            deltas = {
                tables[table].table: tables[table].table.write(
                    [(key, row, 0) for key, row in writes]
                )
                for table, writes in commit.items()
            }
            with graph.lock:
                graph.commit({table: changes for table, changes in deltas.items() if changes})
            for told in results:
                told.compare()
            steps += len(results)
            if number == len(world.commits) // 2:
                _load(graph, tables, world.start)
                for told in results:
                    told.compare()
    except Unjudged:
        pass
    return steps


def _load(graph: Graph, tables: Sequence[_GraphTable], rows: Sequence[Mapping[Key, Item]]) -> None:
    with graph.lock:
        for source, some in zip(tables, rows, strict=True):
            loading = LoadingRows()
            for key, row in some.items():
                loading.sink.put(key, row, 0)
            source.table.replace(loading)
        graph.commit({}, is_load=True)


class _GraphTable:
    """A source of a graph, with the rows of a table and all else of a random source."""

    def __init__(self, source: RandomSource, graph: Graph) -> None:
        self.name: Final = source.name
        self.slot: Final = source.slot
        self.key_column: Final = source.key_column
        self.key_of: Final = source.key_of
        self.parse_key: Final = source.parse_key
        self.table: Final = Table()
        self.origin: Final = graph
        self.is_ready: Final = True

    def watch(self, watcher: Watcher, ended: Ended) -> Callable[[], None]:
        return self.table.watch(watcher, ended)


class _JudgingExecutor:
    """An executor that is judged at every load and step."""

    def __init__(self, plan: Plan, make: MakeExecutor) -> None:
        self._judged: Final = Judged(plan, make)
        self.load: Final = self._judged.load
        self.step: Final = self._judged.step

    @property
    def _executor(self) -> Executor:
        return self._judged.executor

    @property
    def rows(self) -> Mapping[Key, Item]:
        return self._executor.rows

    @property
    def positions(self) -> Positions | None:
        return self._executor.positions

    def arrival(self, key: Key) -> Any:
        return self._executor.arrival(key)

    def moved(self, key: Key) -> bool:
        return self._executor.moved(key)


class _Told:
    """What somebody knows of a live query who watches it."""

    def __init__(self, result: Result) -> None:
        self._result: Final = result
        self._rows: Final = dict(result.rows)
        self._order: Final = self._positions()
        result.watch(self._follow, lambda error: None)
        self.compare()

    def compare(self) -> None:
        """Compare it with what is there."""
        if self._result.failure is not None:
            raise self._result.failure
        assert self._rows.keys() == self._result.rows.keys(), "told of other keys"
        for key, row in self._rows.items():
            assert equal(row, self._result.rows[key]), f"told of another row of {key!r}"
        assert self._order == self._positions(), "told of another order"

    def _positions(self) -> list[Key]:
        executor = self._result.executor
        return [] if executor is None else list(executor.positions or ())

    def _follow(self, changes: Changes) -> None:
        for key, old, new, *indices in changes:
            assert equal(old, self._rows.get(key)), f"told of another old row of {key!r}"
            if new is None:
                del self._rows[key]
            else:
                self._rows[key] = new
            if indices:
                if indices[0] is not None:
                    del self._order[indices[0]]
                if indices[1] is not None:
                    self._order.insert(indices[1], key)
