"""What changed between two states of a result that was computed anew."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from streamdb.engine.executor import Changes, Item, Key
from streamdb.engine.same import same_row


def difference(before: Mapping[Key, Item], after: Mapping[Key, Item]) -> Changes:
    """Return the changes of an unordered result."""
    gone = [(key, old, None) for key, old in before.items() if key not in after]
    came = [
        (key, old, new) for key, new in after.items() if not same_row(old := before.get(key), new)
    ]
    return gone + came


def ordered_difference(
    before: Mapping[Key, Item],
    order_before: Sequence[Key],
    after: Mapping[Key, Item],
    order_after: Iterable[Key],
    *,
    told: Container[Key] = (),
) -> Changes:
    """Return the changes of an ordered result, with positions, as `executor` says they apply.

    First what is gone, from the end; then the new order from its beginning, of which the part
    before each row is in place already. Those to be ``told`` are among the changes, even if nothing
    has changed. Takes O(n log n).

    >>> ordered_difference({"a": 1, "b": 2, "c": 3}, "abc", {"c": 3, "b": 9, "d": 4}, "cbd")
    [('a', 1, None, 0, None), ('c', 3, 3, 1, 0), ('b', 2, 9, 1, 1), ('d', None, 4, None, 2)]
    """
    changes: list[tuple[Key, Item, Item, int | None, int | None]] = [
        (key, before[key], None, index, None)
        for index, key in reversed(list(enumerate(order_before)))
        if key not in after
    ]
    kept = [key for key in order_before if key in after]
    places = {key: place for place, key in enumerate(kept)}
    waiting = _Counter(len(kept))
    for index, key in enumerate(order_after):
        new = after[key]
        if key not in places:
            changes.append((key, None, new, None, index))
            continue
        old, old_index = before[key], index + waiting.before(places[key])
        waiting.remove(places[key])
        is_same = same_row(old, new)
        if old_index != index or not is_same or key in told:
            # One object, if it is the same row: that is how a pure move is known.
            changes.append((key, old, old if is_same else new, old_index, index))
    return changes


class _Counter:
    """How many of so many places are still taken before one of them: a binary indexed tree."""

    def __init__(self, size: int) -> None:
        self._sums = [place & -place for place in range(size + 1)]

    def before(self, place: int) -> int:
        total = 0
        while place:
            total += self._sums[place]
            place &= place - 1
        return total

    def remove(self, place: int) -> None:
        place += 1
        while place < len(self._sums):
            self._sums[place] -= 1
            place += place & -place
