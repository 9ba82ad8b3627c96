"""The rows of several branches side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.interpreted.operators import Operator
from streamdb.expr.sources import Source


class UnionOperator:
    """Puts the number of the branch before each key."""

    def __init__(self, branches: Sequence[Operator]) -> None:
        self.rows: Final[dict[Key, Item]] = {}
        self._branches: Final = branches

    def load(self) -> None:
        """Take in the rows of all branches."""
        for number, branch in enumerate(self._branches):
            branch.load()
            self.rows.update(((number, key), item) for key, item in branch.rows.items())

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Take in the changes of all branches."""
        result: list[Change] = [
            ((number, key), old, new)
            for number, branch in enumerate(self._branches)
            for key, old, new in branch.step(changes)
        ]
        for key, _, new in result:
            if new is None:
                del self.rows[key]
            else:
                self.rows[key] = new
        return result

    def arrival(self, key: Key) -> Any:
        """One branch comes after the other."""
        number, inner = _parts(key)
        return number, self._branches[number].arrival(inner)

    def moved(self, key: Key) -> bool:
        """Ask the branch."""
        number, inner = _parts(key)
        return self._branches[number].moved(inner)


def _parts(key: Any) -> tuple[int, Key]:
    """Take a key of a union apart."""
    number, inner = key
    return number, inner
