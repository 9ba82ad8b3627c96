"""The rows of a join, made of pairs; the steps behind it are done with each at once."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from streamdb.engine.executor import Item, Key
from streamdb.engine.interpreted.join_side import MakePairs, Move, Pair
from streamdb.engine.interpreted.steps import OneRow, sender
from streamdb.engine.plan import Filter, Join, Step, Where
from streamdb.expr.conditions import test_of
from streamdb.expr.shape import Shape


class Making(NamedTuple):
    """How the rows of a join are made.

    Attributes:
        by_left: makes them from rows of the left side and their partners.
        by_right: makes them from rows of the right side.
        send: does the steps with a row that stands alone; None if there are none.
        may_drop: whether nothing may be left of a pair.
        shape: of what comes out.
    """

    by_left: MakePairs
    by_right: MakePairs
    send: OneRow | None
    may_drop: bool
    shape: Shape


def may_drop(node: Join, steps: Sequence[Step]) -> bool:
    """Tell whether nothing may be left of a pair of equal values."""
    return node.residual is not None or any(isinstance(step, Where | Filter) for step in steps)


def takes_steps(node: Join) -> bool:
    """Tell whether a join may do the steps behind it, and keep nothing else.

    Not where it has to know of each pair whether it fits, though the steps have dropped it.
    """
    return node.residual is None or node.how == "inner"


def pairs_of(node: Join, steps: Sequence[Step], *, is_left: bool) -> MakePairs:
    """Return what makes rows of a join from rows of one side.

    Args:
        node: the join.
        steps: what is done with its rows.
        is_left: which side.
    """
    fits = None if node.residual is None else test_of(node.residual, node.shape)
    send = sender(steps)
    own_edge, other_edge = (node.left, node.right) if is_left else (node.right, node.left)
    own_is_tuple, other_is_tuple = own_edge.shape.is_tuple, other_edge.shape.is_tuple

    def make_pairs(
        moves: Iterable[Move],
        partners: Callable[[Any], Iterable[Key]],
        others: Mapping[Key, Item],
        skipped: Container[Key],
        made: dict[Pair, Item],
    ) -> list[Key]:
        alone = list[Key]()
        for key, _, value, row in moves:
            found = () if value is None else partners(value)
            if not found:
                alone.append(key)
                continue
            own = row if own_is_tuple else (row,)
            for partner in found:
                if partner in skipped:
                    continue
                other = others[partner]
                theirs = other if other_is_tuple else (other,)
                item = (*own, *theirs) if is_left else (*theirs, *own)
                if fits is None or fits(item):
                    pair = (key, partner) if is_left else (partner, key)
                    result = send(pair, item)
                    if result is not None:
                        made[pair] = result
        return alone

    return make_pairs
