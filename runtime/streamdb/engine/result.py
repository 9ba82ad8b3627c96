"""What a live query holds, inside of the engine: a source that others can be derived from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from streamdb.collections.collector import collector_paused
from streamdb.collections.origin import Standing
from streamdb.collections.watchers import Ended, Watcher, Watchers
from streamdb.engine.difference import difference, ordered_difference
from streamdb.engine.executor import Changes, Executor, Item, Key
from streamdb.engine.keys import key_column, key_finder, key_parser
from streamdb.engine.mirror import Mirror
from streamdb.engine.plan import Plan, sources
from streamdb.engine.planning import plan_of
from streamdb.expr.opaque import OpaqueTuple
from streamdb.expr.query_tree import QueryNode
from streamdb.expr.shape import Shape, Slot
from streamdb.expr.sources import Indexes

if TYPE_CHECKING:
    from streamdb.engine.graph import Graph

_NO_ROWS: Final[Mapping[Key, Item]] = MappingProxyType({})


class Result:
    """The rows of one live query; a :class:`~streamdb.expr.sources.Source` and its ``table``.

    Written by its graph, under the lock of the database.

    Args:
        query: what is asked, of sources of this database alone.
        make_executor: what runs a plan.
        origin: the graph.
    """

    def __init__(
        self, query: QueryNode, make_executor: Callable[[Plan], Executor], origin: Graph
    ) -> None:
        plan = plan_of(query)
        self.query: Final = query
        self.origin: Final = origin
        self.sources: Final = sources(plan)
        self.parents: Final = tuple(s for s in self.sources if isinstance(s, Result | Mirror))
        self.mirrors: Final = frozenset(_mirrors(self.parents))
        self.shape: Final = plan.shape
        self.is_ordered: Final = plan.is_ordered
        self.name: Final = f"live query of {', '.join(s.name for s in self.sources)}"
        self.slot: Final = _slot(plan.shape, self.name)
        self.key_column: Final = key_column(plan.root)
        self._find_key: Final = key_finder(plan.root.node)
        #: See ``Source``.
        self.parse_key: Final = key_parser(plan.root.node)
        self.watchers: Final = Watchers()
        #: What made it fail, its own fault or that of what it is derived from.
        self.failure: BaseException | None = None
        self.is_closed = False
        #: True if it asks rows of other places alone, and the streams of all have ended.
        self.has_ended = False
        #: The number of the commit that changed it last.
        self.changed_at = 0
        #: See ``Rows``.
        self.indexes: Indexes | None = None
        self.plan: Final = plan
        #: What has its rows; None before the first load, and after a failure.
        self.executor: Executor | None = None
        self._make_executor: Final = make_executor

    def __repr__(self) -> str:
        return f"<the {self.name}>"

    # --- a source

    @property
    def table(self) -> Result:
        """Its rows."""
        return self

    @property
    def rows(self) -> Mapping[Key, Item]:
        """All rows, as the plan has them; none before the first load."""
        return _NO_ROWS if self.executor is None else self.executor.rows

    def arrival(self, key: Key) -> Any:
        """See ``Rows``."""
        return self._running.arrival(key)

    def moved(self, key: Key) -> bool:
        """See ``Rows``."""
        return self._running.moved(key)

    @property
    def is_ready(self) -> bool:
        """True once its rows were computed, and as long as nothing failed."""
        return self.executor is not None

    @property
    def _running(self) -> Executor:
        assert self.executor is not None  # noqa: S101 - nobody knows a key of it before
        return self.executor

    def key_of(self, value: Any) -> Any:
        """See ``Source``; it takes any key that users see."""
        return self._find_key(value)

    @property
    def standing(self) -> Standing:
        """How it stands: its own end, or that of the database."""
        if self.failure is not None:
            return Standing("error", self.failure)
        if self.is_closed:
            return Standing("closed")
        reading = self.origin.standing
        return Standing("ended") if reading.status is None and self.has_ended else reading

    def check_readable(self) -> None:
        """See ``WatchedSource``."""
        self.origin.check_started()
        if self.failure is not None:
            raise self.failure
        for mirror in self.mirrors:
            mirror.check_readable()

    def watch(self, watcher: Watcher, ended: Ended) -> Callable[[], None]:
        """Call ``watcher`` after every commit that changes rows; return how to stop."""
        return self.watchers.add(watcher, ended)

    # --- commits

    @property
    def is_over(self) -> bool:
        """True if it does not move on any more."""
        return self.is_closed or self.failure is not None

    def load(self) -> Changes:
        """Compute all rows anew. Raises whatever its functions do.

        Returns:
            The difference, if anybody watches: those that are derived from it are computed anew,
            too, and do not look at it.
        """
        before, executor = self.executor, self._make_executor(self.plan)
        with collector_paused():
            executor.load()
        self.executor = executor
        if self.indexes is not None:
            self.indexes.forget()
        if not self.watchers:
            return ()
        rows_before = _NO_ROWS if before is None else before.rows
        if executor.positions is None:
            return difference(rows_before, executor.rows)
        order = () if before is None else tuple(before.positions or ())
        return ordered_difference(rows_before, order, executor.rows, executor.positions)

    def fail(self, error: BaseException) -> None:
        """End in failure."""
        self.failure = error
        self.executor = self.indexes = None

    def close(self) -> None:
        """Move on no more; the rows stay."""
        self.is_closed = True
        self.watchers.end(None)


def _mirrors(parents: Iterable[Result | Mirror]) -> Iterator[Mirror]:
    """Yield the rows of other places that are asked, directly or not."""
    for parent in parents:
        if isinstance(parent, Mirror):
            yield parent
        else:
            yield from parent.mirrors


def _slot(shape: Shape, name: str) -> Slot:
    """Return what queries of a live query see: its only slot, or the tuples of several."""
    return shape.slots[0] if len(shape.slots) == 1 else Slot(name, OpaqueTuple)
