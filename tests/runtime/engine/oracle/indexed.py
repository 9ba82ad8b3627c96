"""A random world whose queries are loaded anew after each commit, by indexes that follow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import pytest
from tests.runtime.engine.judging import equal
from tests.runtime.engine.oracle.graphs import judge_in_graph
from tests.runtime.engine.oracle.worlds import World

from streamdb.engine import window
from streamdb.engine.compiled import Compiled
from streamdb.engine.executor import Changes, Executor
from streamdb.engine.indexes import paying
from streamdb.engine.plan import Plan
from streamdb.engine.result import Result
from streamdb.expr.sources import Source


@contextmanager
def eager_indexes() -> Iterator[None]:
    """Have an index made and asked whenever one could be; windows are filled often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paying, "LEAST_ROWS", 0)
        patch.setattr(paying, "SCANS_BEFORE", 0)
        patch.setattr(paying, "FOUND_OF", 1)
        patch.setattr(paying, "PASSED_OF", 1)
        patch.setattr(window, "_SPARE", 1)
        yield


def judge_indexed(world: World) -> int:
    """Let all happen, alone and in a graph, and return how often queries moved."""
    with eager_indexes():
        return world.judge(_Reloaded) + judge_in_graph(world, _Reloaded)


def assert_loaded_alike(result: Result) -> None:
    """Load the query of a live one by indexes, and compare it with that."""
    assert result.executor is not None
    with eager_indexes():
        _assert_loaded_alike(result.plan, result.executor)


class _Reloaded(Compiled):
    """An executor that another one is held to, which is loaded after each step."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._plan: Final = plan
        self._step: Final = self.step
        self.step = self._step_and_load  # type: ignore[misc]  # of this executor alone

    def _step_and_load(self, changes: Mapping[Source, Changes]) -> Changes:
        told = self._step(changes)
        _assert_loaded_alike(self._plan, self)
        return told


def _assert_loaded_alike(plan: Plan, executor: Executor) -> None:
    loaded = Compiled(plan)
    loaded.load()
    assert loaded.rows.keys() == executor.rows.keys(), "loaded anew, there are other keys"
    for key, row in executor.rows.items():
        assert equal(loaded.rows[key], row), f"loaded anew, {key!r} is another row"
    if executor.positions is not None:
        assert list(loaded.positions or ()) == list(executor.positions), "loaded in another order"
