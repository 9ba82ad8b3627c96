"""What an expression means: the naive evaluator.

It follows the tree, node by node, and does nothing else. Every faster way to evaluate is held to
it by tests, so it stays simple for ever.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from streamdb.errors import ExpressionError
from streamdb.expr.nodes import ColumnNode, ConstantNode, Node, OperationNode
from streamdb.expr.operators import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Callable

    Getter = Callable[[str], Callable[[Any], Any]]


def evaluator(node: Node, getter: Getter = attrgetter) -> Callable[[Any], Any]:
    """Return the function from a row to the value of ``node``; ``None`` is null, or unknown.

    ``getter`` makes the function that reads a column; rows need not have attributes.

    The function raises ``ExpressionError`` where the values of a row do not suit an operator,
    for instance when text is ordered with a number.
    """
    match node:
        case ColumnNode(name):
            return _reader(getter(name))
        case ConstantNode(value):
            return lambda row: value
        case OperationNode():
            return _operation(node, getter)


def _reader(get: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(row: Any) -> Any:
        value = get(row)
        return None if value is UNSET else value

    return read


def _operation(node: OperationNode, getter: Getter) -> Callable[[Any], Any]:
    _, function, handles_null = OPERATORS[node.operator]
    operands = [evaluator(operand, getter) for operand in node.operands]

    def apply(row: Any) -> Any:
        values = [operand(row) for operand in operands]
        if not handles_null and any(value is None for value in values):
            return None
        try:
            return function(*values)
        except TypeError as error:
            raise ExpressionError(f"`{node}` cannot be evaluated: {error}") from error

    return apply
