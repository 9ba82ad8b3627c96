"""What a join's condition says: which values must be equal, and what must be true besides."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Final, Literal, get_args

from streamdb.errors import ExpressionError
from streamdb.expr.nodes import Node, OperationNode, moved, slots_of
from streamdb.expr.query_tree import JoinKind, JoinNode, QueryNode
from streamdb.expr.shape import MOST_SLOTS, Shape

_KINDS: Final[tuple[JoinKind, ...]] = get_args(JoinKind)


def joined_shape(left: Shape, right: Shape, how: JoinKind) -> Shape:
    """Return the shape of the pairs of a join.

    Raises:
        ExpressionError: it has too many slots, or there is no such join.
    """
    if how not in _KINDS:
        raise ExpressionError(f"there is no join of the kind {how!r}: how= is one of {_KINDS}")
    count = len(left.slots) + len(right.slots)
    if count > MOST_SLOTS:
        raise ExpressionError(
            f"this join has {count} slots ({left.names()}, {right.names()}), and a query has "
            f"{MOST_SLOTS} at most: `select` the values that you need, or `map` the rows to one "
            "object, before the join"
        )
    return Shape(
        (
            *(slot.nullable() if how in ("right", "full") else slot for slot in left.slots),
            *(slot.nullable() if how in ("left", "full") else slot for slot in right.slots),
        ),
        is_tuple=True,
    )


def join(
    left: QueryNode, right: QueryNode, condition: Node, how: JoinKind, shape: Shape
) -> JoinNode:
    """Return the join of two queries by a condition on the slots of both.

    Of the conditions that ``&`` joins, the equalities that have one side of each query make pairs;
    the others have to be true besides.

    Raises:
        ExpressionError: there is no such equality.
    """
    border = len(left.shape.slots)
    pairs: list[tuple[Node, Node]] = []
    others: list[Node] = []
    for part in joined_by_and(condition):
        pair = _pair(part, border)
        if pair is None:
            others.append(part)
        else:
            pairs.append(pair)
    if not pairs:
        raise _no_equality(condition, left.shape, right.shape)
    residual = reduce(both, others) if others else None
    return JoinNode(left, right, tuple(pairs), residual, how, shape)


def joined_by_and(condition: Node) -> Iterator[Node]:
    """Yield the conditions that all have to be true for one to be true."""
    match condition:
        case OperationNode("&", (left, right)):
            yield from joined_by_and(left)
            yield from joined_by_and(right)
        case _:
            yield condition


def both(left: Node, right: Node) -> Node:
    """Return the condition that two others are true."""
    return OperationNode("&", (left, right))


def _pair(condition: Node, border: int) -> tuple[Node, Node] | None:
    """Return both sides of an equality, the left query's first, if it is one between the two."""
    match condition:
        case OperationNode("==", (one, other)):
            sides = side_of(one, border), side_of(other, border)
            if sides == ("left", "right"):
                return one, moved(other, -border)
            if sides == ("right", "left"):
                return other, moved(one, -border)
        case _:
            pass
    return None


def side_of(node: Node, border: int) -> Literal["left", "right"] | None:
    """Return which side of a join an expression reads alone; that of slots before the border."""
    slots = slots_of(node)
    if not slots or min(slots) < border <= max(slots):
        return None
    return "left" if max(slots) < border else "right"


def _no_equality(condition: Node, left: Shape, right: Shape) -> ExpressionError:
    read = slots_of(condition)
    slots = (*left.slots, *right.slots)
    names = ", ".join(slots[number].name for number in sorted(read))
    is_one_sided = not (min(read, default=0) < len(left.slots) <= max(read, default=0))
    what = f"reads {names or 'no slot'} alone" if is_one_sided else "has no equality between them"
    return ExpressionError(
        f"a join needs an equality between {left.names()} and {right.names()}, and `{condition}` "
        f"{what}: write `on=lambda a, b: a.b_id == b.id`, further conditions joined by `&`"
    )
