"""Expressions that make no sense of any row, seen before there is one: by the kinds of values.

Kinds of constants and of most results are known as an expression is built; those of columns once it
is known whose columns they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import TypeAlias, cast

from streamdb.errors import ExpressionError
from streamdb.expr.aggregates import AGGREGATES
from streamdb.expr.kinds import DAY, INSTANT, ORDERED, TRUTH, Kind, are_comparable, kind_of
from streamdb.expr.nodes import (
    AggregateNode,
    ColumnNode,
    ConstantNode,
    Node,
    OperationNode,
    SlotNode,
    children,
)
from streamdb.expr.operators import OPERATORS

#: The kinds that the values of an expression may be of; None if nobody knows.
Kinds: TypeAlias = frozenset[Kind] | None
#: Knows those of columns and slots.
KindsOfColumn: TypeAlias = Callable[[ColumnNode | SlotNode], Kinds]


def kinds_of(node: Node, of_column: KindsOfColumn) -> Kinds:
    """Return the kinds that the values of an expression may be of, null left out."""
    match node:
        case ColumnNode() | SlotNode():
            return of_column(node)
        case ConstantNode(value):
            return _known(kind_of(value))
        case OperationNode(operator, operands):
            if pairs := OPERATORS[operator].pairs:
                left, right = (kinds_of(operand, of_column) for operand in operands)
                return left and right and _given(pairs, left, right)
            return _known(OPERATORS[operator].gives)
        case AggregateNode(aggregate, operand):
            if AGGREGATES[aggregate].gives_a_value and operand is not None:
                return kinds_of(operand, of_column)
            return _known(AGGREGATES[aggregate].gives)


def check_condition(node: Node, of_column: KindsOfColumn) -> None:
    """Check a condition, and all that it is made of.

    Raises:
        ExpressionError: it is known to be none, or to make no sense.
    """
    check(node, of_column)
    kinds = kinds_of(node, of_column)
    if kinds is not None and kinds.isdisjoint(TRUTH):
        raise ExpressionError(
            f"`{node}` is no condition but {_named(kinds)}: compare it with something, "
            "or ask `.is_not_null()`"
        )


def check(node: Node, of_column: KindsOfColumn) -> None:
    """Check an expression, and all that it is made of.

    Raises:
        ExpressionError: it is known to make no sense.
    """
    for child in children(node):
        check(child, of_column)
    match node:
        case OperationNode():
            check_operation(node, of_column)
        case AggregateNode(aggregate, operand, by):
            if operand is not None and (taken := AGGREGATES[aggregate].takes):
                _check_taken(node, operand, kinds_of(operand, of_column), taken)
            for term in by:
                check_order(term.node, of_column)
        case _:
            pass


def check_order(node: Node, of_column: KindsOfColumn) -> None:
    """Check that rows can be ordered by an expression.

    Raises:
        ExpressionError: its values have no order.
    """
    kinds = kinds_of(node, of_column)
    if kinds is not None and kinds.isdisjoint(ORDERED):
        raise ExpressionError(
            f"`{node}` is {_named(kinds)}, and these have no order: order by something in it, as "
            f"in `{node}['name']`"
        )


def check_operation(node: OperationNode, of_column: KindsOfColumn) -> None:
    """Check that an operator takes operands of such kinds.

    Raises:
        ExpressionError: it is known not to.
    """
    operator = OPERATORS[node.operator]
    operands = [(operand, kinds_of(operand, of_column)) for operand in node.operands]
    for (operand, kinds), taken in zip(operands, operator.takes, strict=False):
        _check_taken(node, operand, kinds, taken)
    if operator.pairs:
        _check_pair(node, operands, operator.pairs)
    if operator.compares:
        _check_comparable(node, operands)
    if operator.chooses:
        choices = cast("tuple[object, ...]", cast("ConstantNode", node.operands[1]).value)
        nodes = map(ConstantNode, choices)
        _check_comparable(node, [operands[0], *((c, _known(kind_of(c.value))) for c in nodes)])


def _check_taken(node: Node, operand: Node, kinds: Kinds, taken: frozenset[Kind]) -> None:
    if kinds is not None and kinds.isdisjoint(taken):
        raise ExpressionError(
            f"`{node}` makes no sense: `{operand}` is {_named(kinds)}, and there is no such "
            f"operation on that, only on {_named(taken)}"
        )


def _check_pair(
    node: OperationNode,
    operands: Sequence[tuple[Node, Kinds]],
    taken: Mapping[tuple[Kind, Kind], Kind],
) -> None:
    (left, left_kinds), (right, right_kinds) = operands
    for operand, kinds, place in ((left, left_kinds, 0), (right, right_kinds, 1)):
        _check_taken(node, operand, kinds, frozenset(pair[place] for pair in taken))
    if left_kinds and right_kinds and not _given(taken, left_kinds, right_kinds):
        raise ExpressionError(
            f"`{node}` makes no sense: `{left}` is {_named(left_kinds)}, and `{right}` "
            f"{_named(right_kinds)}{_instead_of(left_kinds | right_kinds)}"
        )


def _instead_of(kinds: frozenset[Kind]) -> str:
    """Return what to write where values of such kinds do not go together."""
    if kinds == INSTANT:
        return ": write `dt.datetime.now(dt.UTC)`, or `tzinfo=dt.UTC`, for an instant in UTC"
    if kinds & INSTANT and "date" in kinds:
        return ": write `.date()` of the instant"
    if kinds & INSTANT and "text" in kinds:
        return ": write `dt.datetime.fromisoformat(...)` for an instant that is written as a text"
    if "date" in kinds and "text" in kinds:
        return ": write `dt.date.fromisoformat(...)` for a date that is written as a text"
    if kinds & DAY and "number" in kinds:
        return ": write `dt.timedelta(...)` for a duration"
    return ""


def _check_comparable(node: OperationNode, operands: Sequence[tuple[Node, Kinds]]) -> None:
    (first, kinds), *others = operands
    for other, other_kinds in others:
        if not (kinds is None or other_kinds is None) and not any(
            are_comparable(one, another) for one, another in product(kinds, other_kinds)
        ):
            raise ExpressionError(
                f"`{node}` compares values that are never alike: `{first}` is {_named(kinds)}, "
                f"and `{other}` {_named(other_kinds)}{_instead_of(kinds | other_kinds)}"
            )


def _given(
    pairs: Mapping[tuple[Kind, Kind], Kind], left: frozenset[Kind], right: frozenset[Kind]
) -> frozenset[Kind]:
    """Return the kinds of what values of such kinds give together."""
    return frozenset(pairs[pair] for pair in product(left, right) if pair in pairs)


def _known(kind: Kind | None) -> Kinds:
    return None if kind is None else frozenset((kind,))


def _named(kinds: frozenset[Kind]) -> str:
    return " or ".join(f"{'an' if kind[0] == 'i' else 'a'} {kind}" for kind in sorted(kinds))
