"""Functions of rows, generated from expressions: what operators are made with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from streamdb.engine.compiled.expressions import DEEPEST, Expressions, depth
from streamdb.engine.compiled.source_code import SourceCode
from streamdb.engine.executor import Item
from streamdb.engine.row_functions import RowFunctions
from streamdb.expr.evaluate import evaluator
from streamdb.expr.nodes import Node, SlotNode
from streamdb.expr.shape import Shape

Value = TypeVar("Value")

_ROW: Final = "row"
_ROWS: Final = "rows"


def value_of(node: Node, shape: Shape) -> Callable[[Item], Any]:
    """Return what :func:`~streamdb.expr.evaluate.evaluator` does, only faster.

    >>> from streamdb.expr import UntypedColumns
    >>> from streamdb.expr.shape import row_shape
    >>> from types import SimpleNamespace
    >>> is_long = value_of((UntypedColumns().tokens > 100).node, row_shape())
    >>> is_long(SimpleNamespace(tokens=101)), is_long(SimpleNamespace(tokens=None))
    (True, None)
    """
    slowly = evaluator(node, shape)
    if depth(node) > DEEPEST:
        return slowly
    code = SourceCode()
    return _function(code, Expressions(code, shape, slot_sources(_ROW, shape)).value(node), slowly)


def values_of(nodes: Sequence[Node], shape: Shape) -> Callable[[Item], tuple[Any, ...]]:
    """Return the function from a row to the values of several expressions."""
    slow = [evaluator(node, shape) for node in nodes]

    def slowly(row: Item) -> tuple[Any, ...]:
        return tuple(read(row) for read in slow)

    if max(map(depth, nodes), default=0) > DEEPEST:
        return slowly
    code = SourceCode()
    expressions = Expressions(code, shape, slot_sources(_ROW, shape))
    values = "".join(f"{expressions.value(node)}, " for node in nodes)
    return _function(code, f"({values})", slowly)


def column_of(node: Node, shape: Shape) -> Callable[[Sequence[Item]], Sequence[Any]]:
    """Return the function from rows to the values of an expression, one for each row."""
    if isinstance(node, SlotNode) and not shape.is_tuple:
        return lambda rows: rows
    slow = evaluator(node, shape)

    def slowly(rows: Sequence[Item]) -> Sequence[Any]:
        return list(map(slow, rows))

    if depth(node) > DEEPEST:
        return slowly
    code = SourceCode()
    value = Expressions(code, shape, slot_sources(_ROW, shape)).value(node)
    return _function(code, f"[{value} for {_ROW} in {_ROWS}]", slowly, _ROWS)


def slot_sources(row: str, shape: Shape) -> list[str]:
    """Return the source that reads each slot of a row."""
    if shape.is_tuple:
        return [f"{row}[{number}]" for number in range(len(shape.slots))]
    return [row]


def _function(
    code: SourceCode, result: str, slowly: Callable[[Any], Value], parameter: str = _ROW
) -> Callable[[Any], Value]:
    """Return the function with that result; what is wrong with a row is said by the slow one."""
    code.indent("try:")
    code.line(f"return {result}")
    code.dedent()
    code.indent("except (TypeError, ValueError, ArithmeticError):")
    code.line(f"{code.bind(slowly)}({parameter})")
    code.line("raise")
    function: Callable[[Any], Value] = code.function(parameter)
    return function


#: Generated.
GENERATED: Final = RowFunctions(value_of, values_of, column_of)
