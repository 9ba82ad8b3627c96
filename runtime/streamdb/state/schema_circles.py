"""Ways from one thing to the next: those that lead back to where they began, and their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def circle(starts: Iterable[T], onward: Callable[[T], Iterable[T]]) -> list[T] | None:
    """Return the steps of one circle, None if there is none; each step is looked at once.

    >>> circle("a", {"a": "bc", "b": "", "c": "da", "d": ""}.__getitem__)
    ['a', 'c']
    """
    finished: set[T] = set()
    for start in starts:
        way: dict[T, Iterator[T]] = {} if start in finished else {start: iter(onward(start))}
        while way:
            last, steps = next(reversed(way.items()))
            step = next((one for one in steps if one not in finished), None)
            if step is None:
                finished.add(last)
                del way[last]
            elif step in way:
                steps_so_far = list(way)
                return steps_so_far[steps_so_far.index(step) :]
            else:
                way[step] = iter(onward(step))
    return None


def inner_first(starts: Iterable[T], onward: Callable[[T], Iterable[T]]) -> Iterator[T]:
    """Return each step once, after all that it leads to; there must be no circle.

    >>> "".join(inner_first("a", {"a": "bc", "b": "d", "c": "d", "d": ""}.__getitem__))
    'dcba'
    """
    begun: set[T] = set()
    finished: set[T] = set()
    pending = list(starts)
    while pending:
        step = pending[-1]
        if step in begun:
            pending.pop()
            if step not in finished:
                finished.add(step)
                yield step
        else:
            begun.add(step)
            pending += (one for one in onward(step) if one not in begun)
