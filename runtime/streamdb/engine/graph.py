"""The live queries of one database: all move on in its commits, each once, and then all are told.

One pass over those that a commit concerns brings each up to date, after all that it is derived
from; see `routes`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from streamdb.collections.changes import Delta
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.origin import (
    Followers,
    Standing,
    WatchedSource,
    is_watched_source,
    release,
)
from streamdb.collections.table import Table
from streamdb.engine.ends import check_goes_on, end_with_sources
from streamdb.engine.executor import Change, Changes, Executor
from streamdb.engine.executors import executor_for
from streamdb.engine.mirror import Mirror
from streamdb.engine.mirrors import Mirrors
from streamdb.engine.plan import Plan
from streamdb.engine.replacing import with_sources
from streamdb.engine.result import Result
from streamdb.engine.routes import Routes
from streamdb.errors import ExpressionError, StreamDBError
from streamdb.expr.query_tree import QueryNode
from streamdb.expr.sources import Source
from streamdb.query_functions import check_caller, running_functions

log: Final = logging.getLogger("streamdb.engine")

#: A query that moved on, and by which changes; None if it failed.
Settled = list[tuple[Result, Changes | None]]


class Graph:
    """Keeps live queries up to date. It is the :class:`Origin` of a database's rows.

    Args:
        lock: the database's, held by commits.
        run_here: runs a function where commits of this database may run.
        is_loaded: tells whether the first load of the database is committed.
        fire: called after a commit that is not of the database's stream.
        make_executor: what runs a plan.
    """

    def __init__(
        self,
        lock: CommitLock,
        *,
        is_loaded: Callable[[], bool],
        fire: Callable[[], None] = lambda: None,
        make_executor: Callable[[Plan], Executor] = executor_for,
    ) -> None:
        self.lock: Final = lock
        self.followers: Final = Followers()
        self.run_here: Callable[[Callable[[], None]], None] = lambda call: call()
        #: Tells how the reading of the database stands.
        self.reading: Callable[[], Standing] = Standing
        #: Raises if nothing has connected the database yet.
        self.check_connected: Callable[[], None] = lambda: None
        self.make_executor = make_executor
        #: The number of the last commit.
        self.number = 0
        self._is_loaded: Final = is_loaded
        self._fire: Final = fire
        self._sources: Final[dict[Table, Source]] = {}
        self._mirrors: Final = Mirrors(self)
        self._routes: Final = Routes()
        self._kept: Final[dict[object, Result]] = {}
        self._is_committing = False
        #: What has ended a query in the midst of a commit, until `raise_interrupt` raises it.
        self.interrupt: KeyboardInterrupt | None = None
        self._raised: list[tuple[Result, BaseException]] = []
        self._end: tuple[BaseException | None] | None = None
        self._is_end_final = False

    @property
    def is_loaded(self) -> bool:
        """Whether the first load of the database is committed."""
        return self._is_loaded()

    @property
    def standing(self) -> Standing:
        """How the reading of the database stands."""
        return self.reading()

    def check_started(self) -> None:
        """See ``Origin``."""
        self.check_connected()

    # --- which queries there are

    def add(self, query: QueryNode) -> Result:
        """Keep a query up to date from now on, as long as somebody holds the result.

        Raises:
            ExpressionError: it asks something that belongs to no database.
            StreamDBError: called by a function of a query.
        """
        check_caller("db.live()")
        query = with_sources(query, self.own_source)
        with self.lock:
            result = Result(query, self.make_executor, self)
            for parent in result.parents:
                check_goes_on(parent)
            self._routes.add(result)
            settled: Settled = []
            with running_functions:
                self._advance(result, {}, {}, set(), settled)
            self._log_raised()
            _tell(settled)
            if self._end is not None:
                result.watchers.end(self._end[0], is_final=self._is_end_final)
            else:
                end_with_sources(result)
        self.raise_interrupt()
        return result

    def mirrored_tables(self) -> list[Table]:
        """Return the copies of rows of other places."""
        return self._mirrors.tables

    def own_source(self, source: Source) -> Source:
        """Return what this database reads for a source: its own, or the copy of another one's."""
        if not is_watched_source(source):
            raise ExpressionError(
                f"{source!r} belongs to no database, so no live query can ask it: begin at a "
                "collection of a database, a live query or a LocalCollection"
            )
        watched = cast("WatchedSource", source)
        if isinstance(source, Result) and source.origin is self:
            return source
        if watched.origin is self:
            # Each form of a database has its own collections over one table.
            return self._sources.setdefault(cast("Table", source.table), source)
        return self._mirrors.of(watched)

    def keep(self, result: Result) -> Callable[[], None]:
        """Hold a result for who has subscribed to it; return how to let go."""
        token = object()
        self._kept[token] = result

        def let_go() -> None:
            self._kept.pop(token, None)

        return let_go

    def close(self, result: Result) -> None:
        """End a live query, and those that are derived from it, here and in other databases.

        Raises:
            StreamDBError: called by a function of a query.
        """
        check_caller("close() of a live query")
        with self.lock:
            self._close({result})
        release(self)

    def _close(self, closed: set[Source]) -> None:
        for result in self._routes.alive():
            if result in closed or not closed.isdisjoint(result.sources):
                closed.add(result)
                result.close()

    # --- commits

    def commit(self, deltas: Mapping[Table, Sequence[Delta]], *, is_load: bool = False) -> None:
        """Have the queries follow a commit, and then tell the watchers of tables and queries.

        Called under the lock, when the tables have moved.

        Args:
            deltas: what happened to each table, for those that changed.
            is_load: all tables were loaded anew, whatever ``deltas`` say.
        """
        self.number += 1
        sources = self._sources
        changes: dict[Source, Changes] = {}
        for table, each in deltas.items():
            if (source := sources.get(table)) is not None:
                changes[source] = each
        self._is_committing = True
        try:
            settled: Settled = []
            if changes or is_load:
                settled = self._settle(changes, set(sources.values()) if is_load else set())
            for table, changed in deltas.items():
                table.notify(changed)
            if settled:
                _tell(settled)
            while self._mirrors.were_any and self._mirrors.are_behind:
                moved, anew, ended = self._mirrors.catch_up()
                self.number += 1
                _tell(self._settle(moved, anew))
                if ended:
                    self._end_with(ended)
        except BaseException as error:  # an interrupt between functions: who knows what was done
            self._give_up(error)
            raise
        finally:
            self._is_committing = False

    def drain(self) -> None:
        """Take in what has happened to rows of other places; see ``Follower``."""
        if self._mirrors.are_behind and self._end is None:
            self.run_here(self._drain)

    def _drain(self) -> None:
        with self.lock:
            if self._is_committing:
                return  # the one under way goes on with it: a callback has changed something
            self.commit({})
        self._fire()
        release(self)
        self.raise_interrupt()

    def raise_interrupt(self) -> None:
        """Raise the KeyboardInterrupt that ended a query, now that the commit is over."""
        if self.interrupt is not None and threading.current_thread() is threading.main_thread():
            interrupt, self.interrupt = self.interrupt, None
            raise interrupt

    def _end_with(self, ended: Sequence[Mirror]) -> None:
        """End what asks rows of other places of which no more will come.

        It is not up to date any more when one of them was closed. One whose stream has ended holds
        all that there is, so what asks others beside it goes on.
        """
        closed: set[Source] = {mirror for mirror in ended if mirror.standing.status == "closed"}
        if closed:
            self._close(closed)
        for result in self._routes.alive():
            if not result.is_over:
                end_with_sources(result)

    def end(self, error: BaseException | None, *, is_final: bool = True) -> None:
        """Nothing more will come: tell the watchers, who let go of results. Under the lock.

        Args:
            error: what has ended it, if that was a fault.
            is_final: False if the stream has ended, and what is written here may still fail.
        """
        self._end, self._is_end_final = (error,), is_final
        self._mirrors.end()
        for result in self._routes.alive():
            result.watchers.end(result.failure or error, is_final=is_final)
        if is_final:
            self._kept.clear()

    def _settle(self, changes: dict[Source, Changes], anew: set[Source]) -> Settled:
        settled: Settled = []
        running_functions.depth += 1  # no `with`, which would be two calls in every commit
        try:
            for result, seen in self._routes.of(changes, anew):
                if result.failure is None and not result.is_closed:
                    self._advance(result, seen, changes, anew, settled)
        finally:
            running_functions.depth -= 1
        if self._raised:
            self._log_raised()
        return settled

    def _advance(
        self,
        result: Result,
        seen: Mapping[Source, Changes],
        changes: dict[Source, Changes],
        anew: set[Source],
        settled: Settled,
    ) -> None:
        """Bring one query up to date by what it sees; note what those see that derive from it."""
        error: BaseException | None = None
        executor = result.executor
        moved: Changes = ()
        if result.parents:
            error = next((p.failure for p in result.parents if p.failure is not None), None)
        if error is None:
            if executor is None and not self._is_loaded_below(result):
                return
            try:
                if executor is None or (anew and not anew.isdisjoint(result.sources)):
                    moved = self._loaded(result, anew)
                elif not result.parents or not seen.keys().isdisjoint(result.sources):
                    moved = executor.step(seen)
            except BaseException as raised:  # noqa: BLE001 - it fails with it
                error = self._why(result, raised)
        if error is not None:
            result.fail(error)
            anew.add(result)  # so that those that are derived from it look at it
            settled.append((result, None))
            return
        if not moved:
            return
        result.changed_at = self.number
        shown: Changes
        # Users need not know of rows that moved in the order of arrival alone, and those who derive
        # need not know of positions.
        if result.is_ordered:
            changes[result] = [c[:3] for c in moved if c[1] is not c[2] or _has_moved(result, c)]
            shown = [c for c in moved if c[3] != c[4] or c[1] is not c[2]]
        else:
            changes[result] = moved
            if len(moved) == 1:  # as in most commits
                shown = moved if moved[0][1] is not moved[0][2] else ()
            else:
                shown = [c for c in moved if c[1] is not c[2]]
        if result.indexes is not None:
            result.indexes.note(changes[result])
        settled.append((result, shown))

    def _loaded(self, result: Result, anew: set[Source]) -> Changes:
        """Load a query, and return what changed. Raises whatever its functions do."""
        anew.add(result)
        result.changed_at = self.number
        return result.load()

    def _why(self, result: Result, raised: BaseException) -> BaseException:
        """Return what a query fails with whose functions have raised something."""
        if isinstance(raised, KeyboardInterrupt):
            self.interrupt = raised
            return _interrupted(result, raised)
        self._raised.append((result, raised))
        return raised

    def _log_raised(self) -> None:
        """Log what functions have raised, now that none runs: handlers of logs may use rows."""
        raised, self._raised = self._raised, []
        for result, error in raised:
            log.error("the %s failed and is of no use any more", result.name, exc_info=error)
            error.add_note(f"raised in the {result.name}, which is of no use any more")

    def _give_up(self, cause: BaseException) -> None:
        for result in self._routes.alive():
            if not result.is_over:
                result.fail(_interrupted(result, cause))
                result.watchers.end(result.failure)

    def _is_loaded_below(self, result: Result) -> bool:
        """Tell whether all that a query asks is there."""
        return all(
            source.is_ready if isinstance(source, Result | Mirror) else self._is_loaded()
            for source in result.sources
        )


def _interrupted(result: Result, cause: BaseException) -> StreamDBError:
    error = StreamDBError(
        f"the {result.name} was interrupted while it followed a commit, so it is of no use any "
        "more: make it anew"
    )
    error.__cause__ = cause
    return error


def _has_moved(result: Result, change: Change) -> bool:
    """Tell whether a row has moved in the order of arrival."""
    return change[2] is not None and result.moved(change[0])


def _tell(settled: Settled) -> None:
    for result, changes in settled:
        if changes is None:
            result.watchers.end(result.failure)
        elif changes:
            result.watchers.notify(changes)
