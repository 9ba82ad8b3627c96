"""What the functions of a query say: called once with its columns, checked, and taken apart."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, TypeGuard, cast

from streamdb.errors import ExpressionError
from streamdb.expr.columns import Columns
from streamdb.expr.expression import is_expression
from streamdb.expr.nodes import Node, OrderTerm, SlotNode, aggregates_in
from streamdb.expr.ordering import Ordering
from streamdb.expr.shape import Shape, Slot, value_slot

_CONDITION: Final = 'return a condition on columns, as in `lambda m: m.role == "assistant"`'


def condition_of(function: Callable[..., Any], shape: Shape, method: str) -> Node:
    """Return the condition that a function of columns gives.

    Raises:
        ExpressionError: it is no function of the columns, or gives no expression.
    """
    answer = _answer(function, shape, method)
    if not is_expression(answer):
        raise _no_condition(answer, method)
    return _of_one_row(answer.node, method)


def values_of(
    function: Callable[..., Any], shape: Shape, method: str
) -> tuple[tuple[Node, Slot], ...]:
    """Return the values that a function of columns gives, with the slots that they make.

    Raises:
        ExpressionError: as above, or it gives nothing.
    """
    answers = _as_tuple(_answer(function, shape, method))
    if not answers:
        raise ExpressionError(
            f"the function of `{method}` returned an empty tuple: return a column, or several, "
            "as in `lambda m: (m.id, m.role)`"
        )
    return tuple(_value(answer, shape, method) for answer in answers)


def expressions_of(function: Callable[..., Any], shape: Shape, method: str) -> tuple[Node, ...]:
    """Return the expressions that a function of columns gives: single values, no whole rows.

    Raises:
        ExpressionError: as above, or one is a whole row.
    """
    found = values_of(function, shape, method)
    for node, slot in found:
        if isinstance(node, SlotNode) and slot is shape.slots[node.slot] and not slot.is_value:
            raise ExpressionError(
                f"`{method}` takes values, and the function returned the whole row of {node}: "
                "name its columns, as in `lambda m: (m.id, m.role)`"
            )
    return tuple(node for node, _ in found)


def terms_of(function: Callable[..., Any], shape: Shape) -> tuple[OrderTerm, ...]:
    """Return what a function of columns orders by.

    Raises:
        ExpressionError: it is no function of the columns, or gives nothing to order by.
    """
    answers = _as_tuple(_answer(function, shape, "order_by"))
    if not answers:
        raise ExpressionError(
            "the function of `order_by` returned an empty tuple: return a column, or several, "
            "as in `lambda m: (m.created_at.desc(), m.id)`"
        )
    return tuple(map(_term, answers))


def check_parameters(
    function: Callable[..., Any], shape: Shape, method: str, *, given: str
) -> None:
    """Check that a function takes one argument for each slot; what has no signature passes.

    Raises:
        ExpressionError: it takes others, or is no function.
    """
    if not callable(function):
        raise ExpressionError(
            f"`{method}` takes a function of {given}, not {type(function).__name__}: "
            f"write `{_lambda(shape)}`"
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*shape.slots)
    except TypeError:
        count = len(shape.slots)
        raise ExpressionError(
            f"`{method}` calls its function with {given}: {count} argument"
            f"{'s' if count > 1 else ''} ({shape.names()}), and it takes `{signature}`: "
            f"write `{_lambda(shape)}`"
        ) from None


def _lambda(shape: Shape) -> str:
    initials = [slot.name[:1].lower() for slot in shape.slots]
    is_clear = len({*initials}) == len(initials) and all(map(str.isidentifier, initials))
    return f"lambda {', '.join(initials if is_clear else 'abcde'[: len(initials)])}: ..."


def _answer(function: Callable[..., Any], shape: Shape, method: str) -> object:
    check_parameters(function, shape, method, given="the columns of its slots")
    answer: object = function(*shape.columns())
    if inspect.iscoroutine(answer):
        answer.close()
        raise ExpressionError(
            f"`{method}` takes a plain function of columns, no `async def`: it is called once, to "
            f"learn what is asked; {_CONDITION}"
        )
    return answer


def _as_tuple(answer: object) -> tuple[object, ...]:
    return cast("tuple[object, ...]", answer) if isinstance(answer, tuple) else (answer,)


def _value(answer: object, shape: Shape, method: str) -> tuple[Node, Slot]:
    if is_expression(answer):
        return answer.node, value_slot(str(answer.node))
    if _is_row(answer):
        number = answer.__slot__
        return SlotNode(number, shape.slots[number].name), shape.slots[number]
    raise _no_expression(answer, method)


def _is_row(answer: object) -> TypeGuard[Columns[Any]]:
    return isinstance(answer, Columns)


def _term(answer: object) -> OrderTerm:
    if isinstance(answer, Ordering):
        term = answer.term
    elif is_expression(answer):
        term = OrderTerm(answer.node)
    else:
        raise _no_expression(answer, "order_by")
    _of_one_row(term.node, "order_by")
    return term


def _of_one_row(node: Node, method: str) -> Node:
    for aggregate in aggregates_in(node):
        raise ExpressionError(
            f"`{aggregate}` is of many rows, and `{method}` is asked of one: group them first, "
            f"`.group_by(...).agg(lambda m: {aggregate})`, and then `.having(...)`, or order by "
            "what `agg` made; `.agg(...)` alone is about all rows"
        )
    return node


def _no_condition(answer: object, method: str) -> ExpressionError:
    if isinstance(answer, bool):
        return ExpressionError(
            f"the function of `{method}` returned the plain value {answer}, not an expression of "
            "columns: write `.is_null()` instead of `is None`, `.in_([...])` instead of `in`, `&`, "
            "`|`, `~` instead of `and`, `or`, `not`, and use the columns that the function is given"
        )
    return ExpressionError(
        f"the function of `{method}` returned {answer!r} ({type(answer).__name__}), not an "
        f"expression: {_CONDITION}"
    )


def _no_expression(answer: object, method: str) -> ExpressionError:
    return ExpressionError(
        f"the function of `{method}` returned {answer!r} ({type(answer).__name__}), where an "
        "expression of columns has to stand: return a column, or several in a tuple, as in "
        "`lambda m: (m.id, m.role)`; what Python computes of a row is the matter of `map`"
    )
