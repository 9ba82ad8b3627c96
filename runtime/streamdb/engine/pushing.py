"""Conditions on one side of a join, asked before its rows are paired.

A row that would go afterwards is then in no pair and in no index. What a plan means stays the same:
the oracle computes it as it was written, and this is done where executors are made.

Only conditions that raise for no row move, for there are rows now that were in no pair before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Final, Literal, NamedTuple, TypeAlias

from streamdb.engine.plan import (
    Distinct,
    Edge,
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
from streamdb.expr.checking import kinds_of
from streamdb.expr.joining import both, joined_by_and, side_of
from streamdb.expr.kinds import Kind
from streamdb.expr.nodes import ColumnNode, ConstantNode, Node, OperationNode, SlotNode, moved
from streamdb.expr.query_tree import JoinKind
from streamdb.expr.shape import Shape

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
_EQUALITIES: Final = frozenset(("==", "!=", "in", "not_in"))
_NULL_TESTS: Final = frozenset(("is_null", "is_not_null"))
_LOGIC: Final = frozenset(("&", "|", "~"))
_ORDERINGS: Final = frozenset(("<", "<=", ">", ">=", "between"))
#: Whose values all compare with one another.
_ORDERED_KINDS: Final[tuple[frozenset[Kind] | None, ...]] = (
    frozenset(("number",)),
    frozenset(("text",)),
)


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
    return join, tuple(behind)


def _split(condition: Node, join: Join, sides: Iterable[_Side]) -> _Split:
    border = len(join.left.shape.slots)
    parts = _Split([], [], [])
    for part in joined_by_and(condition):
        side = side_of(part, border)
        if side is None or side not in sides or not _never_raises(part, join.shape):
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


def _never_raises(node: Node, shape: Shape) -> bool:
    if not isinstance(node, OperationNode):
        return False
    operator, operands = node.operator, node.operands
    if operator in _LOGIC:
        return all(_never_raises(operand, shape) for operand in operands)
    if not all(isinstance(one, ColumnNode | SlotNode | ConstantNode) for one in operands):
        return False
    if operator in _ORDERINGS:
        kinds = [kinds_of(operand, shape.kinds) for operand in operands]
        return kinds[0] in _ORDERED_KINDS and all(one == kinds[0] for one in kinds)
    return operator in _EQUALITIES | _NULL_TESTS
