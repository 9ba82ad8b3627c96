"""The rows of a load, sorted out by what they are grouped by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

from streamdb.engine.executor import Item

#: Rows, and their arrivals.
_Entering: TypeAlias = tuple[Sequence[Item], Sequence[Any]]


def rows_by_key(
    keys: Iterable[Any], rows: Collection[Item], arrivals: Sequence[Any] | None
) -> Iterable[tuple[Any, _Entering]]:
    """Return for each key the rows that have it, and their arrivals.

    Args:
        keys: of the rows.
        rows: in any order, which stays the same.
        arrivals: of the rows; if they do not matter None, and then anything stands for them.

    Raises:
        TypeError: a key has no hash.

    >>> list(rows_by_key("aba", [1, 2, 3], [10, 20, 30]))
    [('a', ([1, 3], [10, 30])), ('b', ([2], [20]))]
    """
    found = defaultdict[Any, list[Any]](list)
    if arrivals is None:
        for key, row in zip(keys, rows, strict=True):
            found[key].append(row)
        return [(key, (there, there)) for key, there in found.items()]
    # Both in one list, which is made once for each key; they are taken apart by slices.
    for key, row, arrival in zip(keys, rows, arrivals, strict=True):
        there = found[key]
        there.append(row)
        there.append(arrival)
    return [(key, (there[::2], there[1::2])) for key, there in found.items()]
