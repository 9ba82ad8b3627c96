"""Keys of rows by a value: what finds the rows that have it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from streamdb.engine.executor import Key
from streamdb.errors import ExpressionError
from streamdb.expr.nodes import Node


class HashIndex:
    """Keeps the keys by value.

    Args:
        nodes: the expressions of what rows are found by, for messages.

    >>> index = HashIndex([])
    >>> index.load(["k1", "k2"], ["a", "a"])
    >>> index.move("k2", "a", "b")
    >>> list(index.partners("a")), list(index.partners("b"))
    (['k1'], ['k2'])
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes: Final = nodes
        self._keys: Final[dict[Any, dict[Key, None]]] = {}

    def load(self, keys: Iterable[Key], values: Iterable[Any]) -> None:
        """Put every key to the others of the same value."""
        by_value = self._keys
        try:
            for key, value in zip(keys, values, strict=True):
                if value is None:
                    continue
                found = by_value.get(value)
                if found is None:
                    by_value[value] = {key: None}
                else:
                    found[key] = None
        except TypeError as error:
            raise self._refusal(error) from error

    def move(self, key: Key, old: Any, new: Any) -> None:
        """Move the key to others, unless both values are equal."""
        if old is new or old == new:
            return
        try:
            if new is not None:
                self._keys.setdefault(new, {})[key] = None
        except TypeError as error:
            raise self._refusal(error) from error
        if old is not None:
            keys = self._keys[old]
            del keys[key]
            if not keys:
                del self._keys[old]

    def candidates(self, value: Any) -> Iterable[Key]:
        """Return what is there; a join asks before it moves anything."""
        return self.partners(value)

    def partners(self, value: Any) -> Collection[Key]:
        """Look the value up."""
        try:
            return self._keys.get(value, ())
        except TypeError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: TypeError) -> ExpressionError:
        named = ", ".join(f"`{node}`" for node in self._nodes)
        return ExpressionError(f"rows cannot be joined by the values of {named}: {error}")
