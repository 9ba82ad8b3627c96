"""Conditions on one side of a join, asked before its rows are paired.

A row that would go afterwards is then in no pair and in no index. What a plan means stays the same:
the oracle computes it as it was written, and this is done where executors are made.

Only conditions that raise for no row move, for there are rows now that were in no pair before.

Where the values are known that rows of one side are joined by, the other side is asked for them,
too: with ``a == b`` and ``a == 1``, rows of another ``b`` are in no pair.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from itertools import takewhile
from typing import Final, Literal, NamedTuple, TypeAlias

from streamdb.engine.never_raising import never_raises
from streamdb.engine.plan import (
    Distinct,
    Edge,
    Filter,
    Group,
    Join,
    Order,
    Plan,
    PlanNode,
    Scan,
    Step,
    Union,
    Where,
)
from streamdb.expr.joining import both, joined_by_and, side_of
from streamdb.expr.nodes import ColumnNode, ConstantNode, Node, OperationNode, SlotNode, moved
from streamdb.expr.query_tree import JoinKind

_Side: TypeAlias = Literal["left", "right"]

#: The sides whose rows a condition behind a join takes away, and does nothing else: not those that
#: may be missing, of which it is unknown then.
_BEHIND: Final[Mapping[JoinKind, tuple[_Side, ...]]] = {
    "inner": ("left", "right"),
    "left": ("left",),
    "right": ("right",),
    "full": (),
}
#: The sides of which a condition of the join itself only says which rows have partners.
_WITHIN: Final[Mapping[JoinKind, tuple[_Side, ...]]] = {
    "inner": ("left", "right"),
    "left": ("right",),
    "right": ("left",),
    "full": (),
}


class _Split(NamedTuple):
    """The parts of a condition: of either side alone, with that side's slots, and the others."""

    left: list[Node]
    right: list[Node]
    others: list[Node]


def pushed_down(plan: Plan) -> Plan:
    """Return a plan of the same rows, whose conditions stand as near to the sources as they can."""
    return replace(plan, root=_pushed(plan.root))


def _pushed(edge: Edge) -> Edge:
    node, steps = edge.node, edge.steps
    if isinstance(node, Join):
        node, steps = _through(node, steps)
    return replace(edge, node=_below(node), steps=steps)


def _below(node: PlanNode) -> PlanNode:
    match node:
        case Scan():
            return node
        case Join(left, right):
            return replace(node, left=_pushed(left), right=_pushed(right))
        case Union(branches):
            return replace(node, branches=tuple(map(_pushed, branches)))
        case Group() | Distinct() | Order():
            return replace(node, input=_pushed(node.input))


def _through(join: Join, steps: tuple[Step, ...]) -> tuple[Join, tuple[Step, ...]]:
    """Move what can be moved of a join's own condition, and of those that follow it at once."""
    behind: list[Step] = []
    for number, step in enumerate(steps):
        if not isinstance(step, Where):
            behind += steps[number:]
            break
        parts = _split(step.condition, join, _BEHIND[join.how])
        join = _with_conditions(join, parts)
        if parts.others:
            behind.append(replace(step, condition=reduce(both, parts.others)))
    if join.residual is not None:
        parts = _split(join.residual, join, _WITHIN[join.how])
        residual = reduce(both, parts.others) if parts.others else None
        join = replace(_with_conditions(join, parts), residual=residual)
    return _with_conditions(join, _known(join)), tuple(behind)


def _known(join: Join) -> _Split:
    """Return what follows for each side from the values that the other one is asked to have."""
    parts = _Split([], [], [])
    left, right = _asked_last(join.left), _asked_last(join.right)
    for one, other in join.pairs:
        if "right" in _WITHIN[join.how]:
            parts.right.extend(_of_other(one, other, left, already=right))
        if "left" in _WITHIN[join.how]:
            parts.left.extend(_of_other(other, one, right, already=left))
    return parts


def _asked_last(edge: Edge) -> list[Node]:
    """Return the conditions of the rows that come out of an edge."""
    steps = edge.node.then if isinstance(edge.node, Order) else edge.steps
    last = takewhile(lambda step: isinstance(step, Where | Filter), reversed(steps))
    return [
        part for step in last if isinstance(step, Where) for part in joined_by_and(step.condition)
    ]


def _of_other(
    one: Node, other: Node, conditions: Iterable[Node], *, already: Container[Node]
) -> Iterator[Node]:
    """Yield what conditions say of ``other`` that give values for ``one``, which is equal to it."""
    if not isinstance(other, ColumnNode | SlotNode):
        return
    for condition in conditions:
        match condition:
            case OperationNode("==" | "in" as sign, (asked, ConstantNode() as value)):
                pass
            case OperationNode("==" as sign, (ConstantNode() as value, asked)):
                pass
            case _:
                continue
        known = OperationNode(sign, (other, value))
        if asked == one and known not in already:
            yield known


def _split(condition: Node, join: Join, sides: Iterable[_Side]) -> _Split:
    border = len(join.left.shape.slots)
    parts = _Split([], [], [])
    for part in joined_by_and(condition):
        side = side_of(part, border)
        if side is None or side not in sides or not never_raises(part, join.shape):
            parts.others.append(part)
        elif side == "left":
            parts.left.append(part)
        else:
            parts.right.append(moved(part, -border))
    return parts


def _with_conditions(join: Join, parts: _Split) -> Join:
    return replace(join, left=_where(join.left, parts.left), right=_where(join.right, parts.right))


def _where(edge: Edge, conditions: list[Node]) -> Edge:
    if not conditions:
        return edge
    step = Where(reduce(both, conditions), edge.shape)
    if isinstance(edge.node, Order):  # behind the window, as in a plan
        return replace(edge, node=replace(edge.node, then=(*edge.node.then, step)))
    return replace(edge, steps=(*edge.steps, step))
