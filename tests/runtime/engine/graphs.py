"""A graph of live queries over two tables, as a database has it, without the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from tests.runtime.engine.things import Thing

from streamdb.collections.callbacks import run_callback
from streamdb.collections.collection import AsyncCollection
from streamdb.collections.collection_parts import CollectionParts
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.loading import LoadingRows
from streamdb.collections.origin import Standing, release
from streamdb.collections.snapshots import Snapshots
from streamdb.collections.table import Table
from streamdb.engine.base_live_query import LiveParts
from streamdb.engine.executor import Changes, Executor
from streamdb.engine.executors import executor_for
from streamdb.engine.graph import Graph
from streamdb.engine.live import AsyncLiveQuery
from streamdb.engine.plan import Plan
from streamdb.engine.viewing import Views
from streamdb.expr import columns_of
from streamdb.expr.query import Queryable
from streamdb.state.declaring import completed_declaration
from streamdb.state.schema import CollectionSchema

#: A key, and its row or None to remove it.
Write = tuple[str, Thing | None]


_COLUMNS: Final = columns_of("Thing", ["id", "a", "b"])


class Bench:
    """Two collections of things, ``left`` and ``right``, and live queries over them."""

    def __init__(
        self, make: Callable[[Plan], Executor] = executor_for, *, is_loaded: bool = True
    ) -> None:
        self.is_loaded = is_loaded
        self.end: Standing = Standing()
        self.lock: Final = CommitLock("bench")
        self.tables: Final = {name: Table() for name in ("left", "right")}
        self.graph: Final = Graph(self.lock, is_loaded=lambda: self.is_loaded, make_executor=make)
        self.graph.reading = lambda: self.end
        self.snapshots: Final = Snapshots(
            self.lock,
            lambda: (*self.tables.values(), *self.graph.mirrored_tables()),
            offset=str,
            commit=lambda: self.graph.number,
        )
        self.views: Final = Views(self.graph, self.snapshots)
        self.left: Final = self._collection("left")
        self.right: Final = self._collection("right")

    def _collection(self, name: str) -> AsyncCollection[Any, Any, Any]:
        declared = completed_declaration(
            name, row=Thing, primary_key="id", key=str, columns=_COLUMNS
        )
        return AsyncCollection(
            CollectionParts(
                schema=CollectionSchema[Any, Any](name=name, **declared),
                table=self.tables[name],
                lock=self.lock,
                snapshots=self.snapshots,
                writer=None,  # type: ignore[arg-type]  # nothing is written through it
                deliver=run_callback,
                check_started=lambda: None,
                check_goes_on=lambda: None,
                runner=self.views,
                origin=self.graph,
            )
        )

    def live(self, query: Queryable[Any, Any]) -> AsyncLiveQuery[Any, Any]:
        return AsyncLiveQuery(
            LiveParts(
                result=self.graph.add(query.as_query().node),
                views=self.views,
                deliver=run_callback,
                check_goes_on=lambda: None,
            )
        )

    def commit(self, left: Iterable[Write] = (), right: Iterable[Write] = ()) -> None:
        """Write to both in one commit."""
        with self.lock:
            writes = {self.tables["left"]: left, self.tables["right"]: right}
            deltas = {
                table: table.write([(key, row, 0) for key, row in some])
                for table, some in writes.items()
            }
            self.graph.commit({table: changes for table, changes in deltas.items() if changes})
        release(self.graph)
        self.graph.raise_interrupt()

    def load(self, left: Iterable[Thing] = (), right: Iterable[Thing] = ()) -> None:
        """Put other rows in place of all, as a first load or a reset does."""
        with self.lock:
            self.is_loaded = True
            for name, things in (("left", left), ("right", right)):
                loading = LoadingRows()
                for thing in things:
                    loading.sink.put(thing.id, thing, 0)
                self.tables[name].replace(loading)
            self.graph.commit({}, is_load=True)
        release(self.graph)

    def stop(self, status: Any, error: BaseException | None = None) -> None:
        """End as a database does."""
        with self.lock:
            self.end = Standing(status, error)
            self.graph.end(error)


def thing(key: str, a: Any = None, b: Any = None) -> Thing:
    return Thing(key, a, b)


def put(*things: Thing) -> list[Write]:
    return [(one.id, one) for one in things]


class Counting:
    """Makes executors whose loads and steps are noted, by the identity of the executor."""

    def __init__(self, make: Callable[[Plan], Executor] = executor_for) -> None:
        self._make: Final = make
        self.steps: list[int] = []
        self.loads: list[int] = []

    def __call__(self, plan: Plan) -> Executor:
        executor = self._make(plan)
        load, step = executor.load, executor.step

        def counted_load() -> None:
            self.loads.append(id(executor))
            load()

        def counted_step(changes: Any) -> Changes:
            self.steps.append(id(executor))
            return step(changes)

        executor.load, executor.step = counted_load, counted_step  # type: ignore[method-assign]
        return executor
