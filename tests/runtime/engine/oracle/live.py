"""A live query as a source of other ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.runtime.engine.judging import Judged, MakeExecutor

from streamdb.engine.executor import Changes, Item, Key
from streamdb.engine.plan import Plan
from streamdb.expr.query_tree import SourceNode
from streamdb.expr.shape import Shape, Slot
from streamdb.expr.sources import Indexes, Source


class LiveSource:
    """What an executor keeps, as a source of rows of a shape."""

    def __init__(self, name: str, shape: Shape) -> None:
        self.name: Final = name
        self.shape: Final = shape
        self.key_column: Final[str | None] = None
        self.indexes: Indexes | None = None
        self._judged: Judged | None = None

    def load(self, plan: Plan, make: MakeExecutor) -> None:
        """Begin anew, with a plan and the executor that ``make`` makes of it."""
        self._judged = Judged(plan, make)
        self._judged.load()
        if self.indexes is not None:
            self.indexes.forget()

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Follow a commit, and return what those are told who ask this source."""
        told = self._running.step(changes)
        changes = [
            (key, old, new)
            for key, old, new, *_ in told
            if old is not new or (new is not None and self.moved(key))
        ]
        if self.indexes is not None:
            self.indexes.note(changes)
        return changes

    @property
    def _running(self) -> Judged:
        assert self._judged is not None
        return self._judged

    # --- a source

    @property
    def slot(self) -> Slot:
        return self.shape.slots[0]

    @property
    def table(self) -> LiveSource:
        return self

    @property
    def node(self) -> SourceNode:
        return SourceNode(self, self.shape)

    @property
    def rows(self) -> Mapping[Key, Item]:
        return self._running.executor.rows

    def arrival(self, key: Any) -> Any:
        return self._running.executor.arrival(key)

    def moved(self, key: Any) -> bool:
        return self._running.executor.moved(key)

    def key_of(self, value: Any) -> Any:
        raise AssertionError("it has no column of keys")

    def parse_key(self, key: Any) -> Any:
        return key
