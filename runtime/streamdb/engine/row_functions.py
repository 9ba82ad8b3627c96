"""How operators get functions of rows from expressions: naive ones, or generated ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from streamdb.engine.executor import Item
from streamdb.expr.evaluate import evaluator
from streamdb.expr.nodes import Node
from streamdb.expr.shape import Shape

ValueOf: TypeAlias = Callable[[Item], Any]
ValuesOf: TypeAlias = Callable[[Item], tuple[Any, ...]]
Column: TypeAlias = Callable[[Sequence[Item]], Sequence[Any]]


class RowFunctions(NamedTuple):
    """Makers of functions of rows of a shape; all sets of them mean the same.

    Attributes:
        value_of: from an expression to the function that gives its value, None for null.
        values_of: from several expressions to the function that gives the tuple of values.
        column_of: from an expression to the function that gives its values of many rows.
    """

    value_of: Callable[[Node, Shape], ValueOf]
    values_of: Callable[[Sequence[Node], Shape], ValuesOf]
    column_of: Callable[[Node, Shape], Column]


def _values_of(nodes: Sequence[Node], shape: Shape) -> ValuesOf:
    readers = [evaluator(node, shape) for node in nodes]
    return lambda item: tuple(read(item) for read in readers)


def _column_of(node: Node, shape: Shape) -> Column:
    read = evaluator(node, shape)
    return lambda rows: list(map(read, rows))


#: Follow the tree of each expression.
NAIVE: Final = RowFunctions(evaluator, _values_of, _column_of)
