"""From a user's function of columns to a test of rows."""

from __future__ import annotations

import inspect
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from streamdb.errors import ExpressionError
from streamdb.expr.evaluate import evaluator
from streamdb.expr.expression import Expr, is_expression
from streamdb.expr.operators import truth
from streamdb.expr.shape import row_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamdb.expr.columns import Columns
    from streamdb.expr.nodes import Node
    from streamdb.expr.shape import Getter, Shape

Cols = TypeVar("Cols", bound="Columns[Any]")

_EXAMPLE: Final = 'return a condition on columns, as in `lambda m: m.role == "assistant"`'


@overload
def predicate(
    columns: type[Cols], function: Callable[[Cols], Expr[bool, Any]], /, getter: Getter = ...
) -> Callable[[Any], bool]: ...
@overload
def predicate(
    columns: Cols, function: Callable[[Cols], Expr[bool, Any]], /, getter: Getter = ...
) -> Callable[[Any], bool]: ...
def predicate(
    columns: Any, function: Callable[[Any], Expr[bool, Any]], /, getter: Getter = attrgetter
) -> Callable[[Any], bool]:
    """Build the expression once and return the test of rows: true where the expression is true.

    Where it is false or unknown, the row does not pass. Which row type the test takes is what
    ``columns`` say; the caller knows it, so the result is typed by whoever keeps it. ``getter``
    makes the function that reads a column of such a row; by default, an attribute.

    Raises:
        ExpressionError: the function returned something else than an expression. The returned
            test raises it too, when the values of a row do not suit an operator.

    >>> from streamdb.expr import Columns, NullableColumn
    >>> from types import SimpleNamespace
    >>> class TaskColumns(Columns[SimpleNamespace]):
    ...     done: "NullableColumn[bool]"
    >>> is_open = predicate(TaskColumns, lambda task: ~task.done)
    >>> is_open(SimpleNamespace(done=False)), is_open(SimpleNamespace(done=None))
    (True, False)
    """
    expression = condition(columns() if isinstance(columns, type) else columns, function)
    return test_of(expression.node, row_shape(getter))


def test_of(node: Node, shape: Shape) -> Callable[[Any], bool]:
    """Return the test of rows of that shape: true where the condition is, so not where unknown."""
    evaluate = evaluator(node, shape)

    def test(row: object) -> bool:
        value = evaluate(row)
        try:
            return truth(value) is True
        except TypeError as error:
            raise ExpressionError(f"`{node}` is no condition: {error}") from error

    return test


def condition(columns: Cols, function: Callable[[Cols], Expr[bool, Any]], /) -> Expr[bool, Any]:
    """Call ``function`` with ``columns`` and return its expression.

    Raises:
        ExpressionError: it returned something else.
    """
    if not callable(function):
        raise ExpressionError(
            f"a condition is a function of columns, not {type(function).__name__}: {_EXAMPLE}"
        )
    expression: object = function(columns)
    if inspect.iscoroutine(expression):
        expression.close()
        raise ExpressionError(f"a condition is a plain function, no `async def`: {_EXAMPLE}")
    if not is_expression(expression):
        raise _no_expression(expression)
    return expression


def _no_expression(result: object) -> ExpressionError:
    if isinstance(result, bool):
        return ExpressionError(
            f"the function returned the plain value {result}, not an expression of columns: "
            "write `.is_null()` instead of `is None`, `.in_([...])` instead of `in`, `&`, `|`, "
            "`~` instead of `and`, `or`, `not`, and use the columns that the function is given"
        )
    return ExpressionError(
        f"the function returned {result!r} ({type(result).__name__}), not an expression: {_EXAMPLE}"
    )
