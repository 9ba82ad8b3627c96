"""What all operators have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from streamdb.engine.executor import Changes, Item, Key
from streamdb.expr.sources import Source


class Stepping(Protocol):
    """Follows the rows that come out of one edge of a plan."""

    def load(self) -> None:
        """Load the inputs, and then compute everything, once, before the first step."""
        ...

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Step the inputs, follow what they say, and return the net effect on the rows.

        Args:
            changes: what the commit did to each source that it concerns. All sources are in the
                state after it.

        Returns:
            ``(key, old, new)``, at most one for a key, and none whose old and new are the same,
            save where the row has moved in the order of arrival.
        """
        ...

    def arrival(self, key: Key, /) -> Any:
        """Return where a row stands in the order of arrival; see ``Rows.arrival``."""
        ...

    def moved(self, key: Key) -> bool:
        """Tell whether the last step moved a row in the order of arrival; see ``Rows.moved``."""
        ...


class Operator(Stepping, Protocol):
    """Keeps the rows that come out of one edge of a plan. Operators form a tree, like the plan."""

    @property
    def rows(self) -> Mapping[Key, Item]:
        """What comes out, as of the last load or step; written by the operator alone.

        Another mapping may take its place at a step, where it is a source's own.
        """
        ...
