"""From a user's function of columns to a test of rows."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar, overload

from streamdb.errors import ExpressionError
from streamdb.expr.asking import condition_of
from streamdb.expr.evaluate import evaluator
from streamdb.expr.operators import truth
from streamdb.expr.shape import Shape, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamdb.expr.columns import Columns
    from streamdb.expr.expression import Expr
    from streamdb.expr.nodes import Node
    from streamdb.expr.shape import Getter

Cols = TypeVar("Cols", bound="Columns[Any]")


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
    is_class = isinstance(columns, type)
    name = columns.__name__ if is_class else type(columns).__name__
    slot = Slot(name, columns if is_class else lambda _: columns, getter)
    shape = Shape((slot,), is_tuple=False)
    return test_of(condition_of(function, shape, "where"), shape)


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
