"""The rows of a join, made of pairs; the steps behind it are done with each at once."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from streamdb.engine.executor import Change, Item, Key
from streamdb.engine.interpreted.join_side import FollowPairs, LoadPairs, Move, Pair
from streamdb.engine.interpreted.steps import OneRow, sender
from streamdb.engine.plan import Filter, Join, Step, Where
from streamdb.engine.same import is_same_row
from streamdb.expr.conditions import test_of
from streamdb.expr.shape import Shape


class Making(NamedTuple):
    """How the rows of a join are made, and what the steps behind it make of them.

    Attributes:
        load: makes all rows at first, by those of the left side.
        follow: for each side, brings rows up to date where those of that side have changed.
        send: does the steps with a row that stands alone.
        may_drop: whether nothing may be left of a pair of equal values.
        shape: of what comes out.
    """

    load: LoadPairs
    follow: tuple[FollowPairs, FollowPairs]
    send: OneRow
    may_drop: bool
    shape: Shape


def takes_steps(node: Join) -> bool:
    """Tell whether a join may do the steps behind it, and keep nothing else.

    Not where it has to know of each pair whether it fits, though the steps have dropped it.
    """
    return node.residual is None or node.how == "inner"


def may_drop(node: Join, steps: Sequence[Step]) -> bool:
    """Tell whether nothing may be left of a pair of equal values."""
    return node.residual is not None or any(isinstance(step, Where | Filter) for step in steps)


def making_of(node: Join, steps: Sequence[Step], shape: Shape) -> Making:
    """Return how the rows of a join are made.

    Args:
        node: the join.
        steps: what is done with its rows.
        shape: of what comes out.
    """
    follow = tuple(_follow_of(node, steps, shape, is_left=is_left) for is_left in (True, False))
    return Making(
        _load_of(node, steps),
        (follow[0], follow[1]),
        sender(steps),
        may_drop(node, steps),
        shape,
    )


def _load_of(node: Join, steps: Sequence[Step]) -> LoadPairs:
    make = _maker(node, steps, is_left=True)

    def load(
        moves: Iterable[Move],
        partners: Callable[[Any], Iterable[Key]],
        others: Mapping[Key, Item],
        rows: dict[Pair, Item],
    ) -> list[Key]:
        alone = list[Key]()
        rows.update(make(moves, partners, others, (), alone))
        return alone

    return load


def _follow_of(node: Join, steps: Sequence[Step], shape: Shape, *, is_left: bool) -> FollowPairs:
    make, are_tuples = _maker(node, steps, is_left=is_left), shape.is_tuple

    def follow(
        moves: Iterable[Move],
        partners: Callable[[Any], Iterable[Key]],
        others: Mapping[Key, Item],
        done: Container[Key],
        rows: dict[Pair, Item],
        before: dict[Pair, None],
        has_moved: Callable[[Pair], bool],
        changes: list[Change],
    ) -> list[Key]:
        alone = list[Key]()
        for pair, new in make(moves, partners, others, done, alone):
            before.pop(pair, None)
            old = rows.get(pair)
            if old is None or not is_same_row(old, new, are_tuples=are_tuples):
                rows[pair] = new
                changes.append((pair, old, new))
            elif has_moved(pair):
                changes.append((pair, old, old))
        return alone

    return follow


def _maker(
    node: Join, steps: Sequence[Step], *, is_left: bool
) -> Callable[..., Iterator[tuple[Pair, Item]]]:
    fits = None if node.residual is None else test_of(node.residual, node.shape)
    send = sender(steps)
    own_edge, other_edge = (node.left, node.right) if is_left else (node.right, node.left)
    own_is_tuple, other_is_tuple = own_edge.shape.is_tuple, other_edge.shape.is_tuple

    def make(
        moves: Iterable[Move],
        partners: Callable[[Any], Iterable[Key]],
        others: Mapping[Key, Item],
        done: Container[Key],
        alone: list[Key],
    ) -> Iterator[tuple[Pair, Item]]:
        for key, _, value, row in moves:
            found = () if value is None else partners(value)
            if not found:
                alone.append(key)
                continue
            own = row if own_is_tuple else (row,)
            for partner in found:
                if partner in done:
                    continue
                other = others[partner]
                theirs = other if other_is_tuple else (other,)
                item = (*own, *theirs) if is_left else (*theirs, *own)
                if fits is None or fits(item):
                    pair = (key, partner) if is_left else (partner, key)
                    result = send(pair, item)
                    if result is not None:
                        yield pair, result

    return make
