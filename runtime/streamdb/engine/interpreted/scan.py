"""The rows of a source as they are: nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from streamdb.engine.executor import Changes, Item, Key
from streamdb.expr.sources import Source


class ScanOperator:
    """Hands through what a source holds and what happened to it."""

    def __init__(self, source: Source) -> None:
        self._source: Final = source
        #: Returns where a row stands in the order of arrival.
        self.arrival: Final[Callable[[Key], Any]] = source.table.arrival
        self._is_concerned = False

    @property
    def rows(self) -> Mapping[Key, Item]:
        """The source's own."""
        return self._source.table.rows

    def load(self) -> None:
        """Do nothing: the source is there."""

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Return the changes of the source."""
        self._is_concerned = self._source in changes
        return changes.get(self._source, ())

    def moved(self, key: Key) -> bool:
        """Ask the source, if the last step was about it at all."""
        return self._is_concerned and self._source.table.moved(key)
