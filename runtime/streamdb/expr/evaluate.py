"""What an expression means: the naive evaluator.

It follows the tree, node by node, and does nothing else. Every faster way to evaluate is held to
it by tests, so it stays simple for ever.
"""

from __future__ import annotations

from functools import partial
from operator import itemgetter
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
    return _evaluator(node, partial(_reader_of_row, shape=shape))


def item_evaluator(node: Node) -> Callable[[Any], Any]:
    """Return the function from an item to the value of ``node``, all of whose slots are the item.

    It raises what an ``evaluator`` raises.
    """
    return _evaluator(node, lambda leaf: _itself)


def _itself(row: Any) -> Any:
    return row


def _evaluator(
    node: Node, reader: Callable[[ColumnNode | SlotNode], Callable[[Any], Any]]
) -> Callable[[Any], Any]:
    match node:
        case ColumnNode() | SlotNode():
            return reader(node)
        case ConstantNode(value):
            return lambda row: value
        case OperationNode(operands=operands):
            return _operation(node, [_evaluator(operand, reader) for operand in operands])
        case AggregateNode():
            raise ExpressionError(f"`{node}` is of many rows: it stands only inside of `agg`")


def _reader_of_row(node: ColumnNode | SlotNode, shape: Shape) -> Callable[[Any], Any]:
    slot = itemgetter(node.slot) if shape.is_tuple else _itself
    if isinstance(node, SlotNode):
        return slot
    holder = shape.slots[node.slot]
    if holder.getter is None:
        raise ExpressionError(f"{holder.name} has no columns, so no {node.name!r}")
    return _column_reader(holder.getter(node.name), slot)


def _column_reader(get: Callable[[Any], Any], slot: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(row: Any) -> Any:
        held = slot(row)
        value = None if held is None else get(held)
        return None if value is UNSET else value

    return read


def _operation(node: OperationNode, operands: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    operator = OPERATORS[node.operator]

    def apply(row: Any) -> Any:
        if operator.is_lazy:
            return operator.function(*(partial(operand, row) for operand in operands))
        values = [operand(row) for operand in operands]
        if not operator.handles_null and any(value is None for value in values):
            return None
        return operator.function(*values)

    def apply_or_say_where(row: Any) -> Any:
        try:
            return apply(row)
        except ExpressionError:  # from further in, where it says more
            raise
        except (TypeError, ValueError, ArithmeticError) as error:
            raise ExpressionError(f"`{node}` cannot be evaluated: {error}") from error

    return apply_or_say_where
