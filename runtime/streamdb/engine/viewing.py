"""What a caller sees of live queries and of queries that are run once: now, or in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final

from streamdb.collections.snapshots import Snapshot, Snapshots
from streamdb.engine.executor import Executor, Item, Key
from streamdb.engine.explain import explain
from streamdb.engine.graph import Graph
from streamdb.engine.mirror import Mirror
from streamdb.engine.plan import Plan
from streamdb.engine.planning import plan_of
from streamdb.engine.replacing import sources_of, with_sources
from streamdb.engine.result import Result
from streamdb.expr.query_tree import QueryNode
from streamdb.expr.shape import Shape
from streamdb.expr.sources import Indexes, Rows, Source
from streamdb.query_functions import check_caller, running_functions


class Views:
    """Reads live queries, and runs others once; the ``QueryRunner`` of a database's collections.

    What a snapshot shows of a live query that has moved on is computed from the tables as they
    were: so a snapshot makes no commit dearer.
    """

    def __init__(
        self,
        graph: Graph,
        snapshots: Snapshots,
    ) -> None:
        self._graph: Final = graph
        self._snapshots: Final = snapshots

    def of(self, result: Result) -> Executor | None:
        """Return what has the rows of a live query that the caller sees. Called under the lock.

        Raises:
            NotConnected: nothing has connected the database yet, or another one that it asks.
            Exception: what made the live query fail.
        """
        snapshot = self._snapshots.current
        if snapshot is not None and result.changed_at > snapshot.commit:
            return self._computed(result, snapshot)
        result.check_readable()
        return result.executor

    def fetch(self, query: QueryNode, /) -> list[Any]:
        """Return the rows that a query has now, as users see them; in order if there is one."""
        check_caller("fetch()")
        self._graph.check_started()
        query = with_sources(query, self._graph.own_source)
        snapshot = self._snapshots.current
        with self._graph.lock:
            for source in sources_of(query):
                if isinstance(source, Result):
                    self.of(source)  # raises if it has failed
                elif isinstance(source, Mirror):
                    source.check_readable()
            if snapshot is not None:
                query = with_sources(query, lambda source: self._kept(source, snapshot))
            plan = plan_of(query)
            executor = self._loaded(plan)
            return [row for _, row in items_of(executor, plan.shape)]

    def explain(self, query: QueryNode, /) -> str:
        """Describe how a query is run."""
        return explain(plan_of(query))

    def _computed(self, result: Result, snapshot: Snapshot) -> Executor:
        executor: Executor | None = snapshot.computed.get(result)
        if executor is None:
            query = with_sources(result.query, lambda source: self._kept(source, snapshot))
            executor = snapshot.computed[result] = self._loaded(plan_of(query))
        return executor

    def _loaded(self, plan: Plan) -> Executor:
        executor = self._graph.make_executor(plan)
        with running_functions:
            executor.load()
        return executor

    def _kept(self, source: Source, snapshot: Snapshot) -> Source:
        if isinstance(source, Result):
            is_old = source.changed_at > snapshot.commit
            if not is_old:
                return source
            return _Kept(source, _ComputedRows(self._computed(source, snapshot)))
        rows = snapshot.rows.get(source.table)  # type: ignore[call-overload]  # no table is no key
        return source if rows is None else _Kept(source, rows)


class _Kept:
    """A source as it was."""

    def __init__(self, source: Source, rows: Rows) -> None:
        self.name: Final = source.name
        self.slot: Final = source.slot
        self.key_column: Final = source.key_column
        self.key_of: Final = source.key_of
        self.parse_key: Final = source.parse_key
        self.table: Final = rows


class _ComputedRows:
    """The rows of a live query as it was."""

    def __init__(self, executor: Executor) -> None:
        self.rows: Final = executor.rows
        self.arrival: Final = executor.arrival
        self.moved: Final = executor.moved
        self.indexes: Indexes | None = None


def items_of(executor: Executor, shape: Shape) -> list[tuple[Key, Any]]:
    """Return keys, and rows as users see them, in order if there is one."""
    rows, positions = executor.rows, executor.positions
    show = shown_row(shape)
    if positions is None:
        return [(key, show(row)) for key, row in rows.items()]
    return [(key, show(rows[key])) for key in positions]


def shown_row(shape: Shape) -> Callable[[Item], Any]:
    """Return what makes users' rows: the tuples of several slots, or what the only one holds."""
    return itemgetter(0) if is_wrapped(shape) else lambda row: row


def is_wrapped(shape: Shape) -> bool:
    """Tell whether rows of a plan are tuples of one, of which users see what is in them."""
    return shape.is_tuple and len(shape.slots) == 1
