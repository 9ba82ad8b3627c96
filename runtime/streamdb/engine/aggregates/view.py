"""What ``fn.collect`` gives: a sequence that stays as it is while its group goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar, cast, overload

from streamdb.engine.same import same_value

T = TypeVar("T", covariant=True)


class View(Sequence[T]):
    """The first so many items of a list to which others may only append.

    It equals the tuple and the list of the same items, and has the hash of that tuple.

    >>> items = ["a", "b"]
    >>> view = View(items, 2)
    >>> items.append("c")
    >>> view, view[-1], view == ("a", "b"), view[:1]
    (('a', 'b'), 'b', True, ('a',))
    """

    __slots__ = ("_items", "_length")

    def __init__(self, items: Sequence[T], length: int) -> None:
        self._items: Final = items
        self._length: Final = length

    def is_same_from(self, start: int, items: Sequence[object]) -> bool:
        """Tell whether it has as many items as these, and from one on the same ones."""
        if len(items) != self._length:
            return False
        for index in range(start, self._length):
            if not same_value(self._items[index], items[index]):
                return False
        return True

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            return tuple(self._items[at] for at in range(*index.indices(self._length)))
        if not -self._length <= index < self._length:
            raise IndexError(f"there is no item {index} among {self._length}")
        return self._items[index if index >= 0 else index + self._length]

    def __iter__(self) -> Iterator[T]:
        return islice(self._items, self._length)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, View | tuple | list):
            return NotImplemented
        those = cast("Sequence[Any]", other)
        return self is other or (len(those) == self._length and tuple(self) == tuple(those))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))
