"""Values that depend on conditions."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, cast, overload

from streamdb.errors import ExpressionError
from streamdb.expr.expression import Expr, is_expression
from streamdb.expr.surface.operand import node_of, operation


class PlainValue(Protocol):
    """What is no expression: comparing an expression gives no bool."""

    def __eq__(self, other: object, /) -> bool: ...


T = TypeVar("T", bound=PlainValue)
R = TypeVar("R")


@overload
def case(
    *branches: tuple[Expr[bool, Any], Expr[T, R] | T], else_: Expr[T, R] | T
) -> Expr[T, R | T]: ...
@overload
def case(*branches: tuple[Expr[bool, Any], Expr[T, Any] | T]) -> Expr[T, T | None]: ...
def case(*branches: tuple[Expr[bool, Any], object], else_: object = None) -> Expr[Any, Any]:
    """Return the value beside the first condition that is true, or ``else_``: null if not given.

    Only the value that is returned is evaluated.

    Raises:
        ExpressionError: a branch is no pair of a condition and a value, or there is none.

    >>> from streamdb.expr import UntypedColumns
    >>> m = UntypedColumns()
    >>> case((m.tokens > 1000, "long"), (m.tokens > 0, "short"), else_="empty")
    case((tokens > 1000, 'long'), else_=case((tokens > 0, 'short'), else_='empty'))
    """
    if not branches:
        raise ExpressionError("`case` takes pairs, as in `case((m.tokens > 9, 1), else_=0)`")
    result: Expr[Any, Any] = Expr(node_of(else_))
    for branch in reversed(branches):
        result = Expr(operation("case", *_pair(branch), result))
    return result


def _pair(branch: object) -> tuple[Expr[Any, Any], object]:
    if isinstance(branch, tuple):
        condition, *values = cast("tuple[object, ...]", branch or (None,))
        if is_expression(condition) and len(values) == 1:
            return condition, values[0]
    raise ExpressionError(
        f"{branch!r} is no pair of a condition and a value, as `case` takes them: "
        "`case((m.tokens > 9, 1), else_=0)`"
    )
