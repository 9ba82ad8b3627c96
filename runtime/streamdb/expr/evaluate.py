"""What an expression means: the naive evaluator.

It follows the tree, node by node, and does nothing else. Every faster way to evaluate is held to
it by tests, so it stays simple for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from streamdb.errors import ExpressionError
from streamdb.expr.nodes import (
    AggregateNode,
    ColumnNode,
    ConstantNode,
    Node,
    OperationNode,
    SlotNode,
)
from streamdb.expr.operators import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamdb.expr.shape import Shape


def evaluator(node: Node, shape: Shape) -> Callable[[Any], Any]:
    """Return the function from a row of that shape to the value of ``node``.

    ``None`` is null, or unknown. Everything of a slot that is missing is null.

    The function raises ``ExpressionError`` where the values of a row do not suit an operator,
    for instance when text is ordered with a number.
    """
    match node:
        case ColumnNode(name, number):
            getter = shape.slots[number].getter
            if getter is None:
                raise ExpressionError(f"{shape.slots[number].name} has no columns, so no {name!r}")
            return _reader(getter(name), _slot_reader(number, shape))
        case SlotNode(number):
            return _slot_reader(number, shape)
        case ConstantNode(value):
            return lambda row: value
        case OperationNode():
            return _operation(node, shape)
        case AggregateNode():
            raise ExpressionError(f"`{node}` is of many rows: it stands only inside of `agg`")


def _slot_reader(number: int, shape: Shape) -> Callable[[Any], Any]:
    if shape.is_tuple:
        return lambda row: row[number]
    return lambda row: row


def _reader(get: Callable[[Any], Any], slot: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(row: Any) -> Any:
        held = slot(row)
        value = None if held is None else get(held)
        return None if value is UNSET else value

    return read


def _operation(node: OperationNode, shape: Shape) -> Callable[[Any], Any]:
    _, function, handles_null = OPERATORS[node.operator]
    operands = [evaluator(operand, shape) for operand in node.operands]

    def apply(row: Any) -> Any:
        values = [operand(row) for operand in operands]
        if not handles_null and any(value is None for value in values):
            return None
        try:
            return function(*values)
        except TypeError as error:
            raise ExpressionError(f"`{node}` cannot be evaluated: {error}") from error

    return apply
