"""Sources for tests: rows by key, written by commits, which tell what they did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Final

from streamdb.engine.executor import Changes
from streamdb.expr import UntypedColumns
from streamdb.expr.query_tree import SourceNode
from streamdb.expr.shape import Slot, row_shape
from streamdb.expr.sources import Indexes, Source

#: A key, and its row or None to remove it.
Write = tuple[Any, Any]


class TableSource:
    """A source that is its own table.

    Args:
        name: what messages call it.
        rows: what it holds at the beginning.
        key_column: the column that holds the key, if there is one.
    """

    def __init__(
        self,
        name: str = "rows",
        rows: Mapping[Any, Any] | None = None,
        key_column: str | None = None,
    ) -> None:
        self.name: Final = name
        self.key_column: Final = key_column
        self.shape: Final = row_shape(name=name)
        self.indexes: Indexes | None = None
        self.reset(rows or {})

    @property
    def slot(self) -> Slot:
        return self.shape.slots[0]

    @property
    def table(self) -> TableSource:
        return self

    @property
    def node(self) -> SourceNode:
        """The query of all rows."""
        return SourceNode(self, self.shape)

    @property
    def columns(self) -> UntypedColumns[Any]:
        return UntypedColumns()

    def arrival(self, key: Any) -> int:
        return self._arrivals[key]

    def moved(self, key: Any) -> bool:
        return key in self._moved

    def key_of(self, value: Any) -> Any:
        return value

    def parse_key(self, key: Any) -> Any:
        return key

    def reset(self, rows: Mapping[Any, Any]) -> None:
        """Hold these rows and no others, as at the beginning."""
        self.rows: dict[Any, Any] = {}
        self._numbers = count()
        self._arrivals: dict[Any, int] = {}
        self._moved: set[Any] = set()
        self.write(rows.items())
        if self.indexes is not None:
            self.indexes.forget()

    def write(self, writes: Iterable[Write]) -> Changes:
        """Commit writes in their order, and return what they amount to."""
        before: dict[Any, Any] = {}
        self._moved = set()
        for key, row in writes:
            old = self.rows.get(key)
            before.setdefault(key, old)
            if row is None:
                self.rows.pop(key, None)
                self._arrivals.pop(key, None)
                continue
            if old is None:
                self._arrivals[key] = next(self._numbers)
                if before[key] is not None:
                    self._moved.add(key)
            self.rows[key] = row
        changes = [(key, old, self.rows.get(key)) for key, old in before.items()]
        net = [c for c in changes if c[1] is not c[2] or (c[2] is not None and self.moved(c[0]))]
        if self.indexes is not None:
            self.indexes.note(net)
        return net


def commit(writes: Mapping[TableSource, Iterable[Write]]) -> dict[Source, Changes]:
    """Write to several sources in one commit, and return what executors are told."""
    done = {source: source.write(some) for source, some in writes.items()}
    return {source: changes for source, changes in done.items() if changes}
