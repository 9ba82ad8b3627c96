"""Keys under which rows were inserted here, before a server gave them others."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Final

_REMEMBERED: Final = 10_000


class RenamedKeys:
    """By what key a row is known that was known by another one; the last ten thousand.

    >>> renamed = RenamedKeys()
    >>> renamed.add("new-1", "m17")
    >>> renamed.now("new-1", {"m17"}), renamed.now("m18", {"m17"})
    ('m17', 'm18')
    >>> renamed.now("new-1", {"m17", "new-1"})  # another row is called so
    'new-1'
    >>> renamed.forget(["new-1"])  # from here on, even when that row is gone
    >>> renamed.now("new-1", {"m17"})
    'new-1'
    """

    def __init__(self) -> None:
        self._keys: Final[dict[str, str]] = {}
        #: The keys that lead to other ones, as they are at any time; none if nothing was renamed.
        self.keys: Final = self._keys.keys()

    def add(self, old: str, new: str) -> None:
        """Note that a row has another key."""
        self._keys.pop(new, None)  # who has a name is called so
        self._keys.pop(old, None)
        self._keys[old] = new
        if len(self._keys) > _REMEMBERED:
            del self._keys[next(iter(self._keys))]

    def forget(self, keys: Iterable[str]) -> None:
        """Note that there are rows of these keys: whoever has a name is called so."""
        for key in keys:
            self._keys.pop(key, None)

    def copy(self) -> RenamedKeys:
        """Return the same, to go on with."""
        other = RenamedKeys()
        other._keys.update(self._keys)
        return other

    def now(self, key: str, there: Container[str]) -> str:
        """Return what a row is called now.

        Args:
            key: what it was called.
            there: the keys of rows that are there, which are called what they are called.
        """
        while key not in there and key in self._keys:
            key = self._keys[key]
        return key
