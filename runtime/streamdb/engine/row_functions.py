"""How operators get functions of rows from expressions: naive ones, or generated ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from streamdb.engine.executor import Item
from streamdb.expr.conditions import test_of
from streamdb.expr.evaluate import evaluator
from streamdb.expr.nodes import Node
from streamdb.expr.shape import Shape

ValueOf: TypeAlias = Callable[[Item], Any]
ValuesOf: TypeAlias = Callable[[Item], tuple[Any, ...]]
Test: TypeAlias = Callable[[Item], bool]


class RowFunctions(NamedTuple):
    """Makers of functions of rows of a shape; all sets of them mean the same.

    Attributes:
        value_of: from an expression to the function that gives its value, None for null.
        values_of: from several expressions to the function that gives the tuple of values.
        is_true_of: from a condition to the test whether it is true.
    """

    value_of: Callable[[Node, Shape], ValueOf]
    values_of: Callable[[Sequence[Node], Shape], ValuesOf]
    is_true_of: Callable[[Node, Shape], Test]


def _values_of(nodes: Sequence[Node], shape: Shape) -> ValuesOf:
    readers = [evaluator(node, shape) for node in nodes]
    return lambda item: tuple(read(item) for read in readers)


#: Follow the tree of each expression.
NAIVE: Final = RowFunctions(evaluator, _values_of, test_of)
