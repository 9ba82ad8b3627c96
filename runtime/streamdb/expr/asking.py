"""What the functions of a query say of its columns, checked and taken apart."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeGuard, cast

from streamdb.errors import ExpressionError
from streamdb.expr.calling import Answer, called
from streamdb.expr.checking import check, check_condition, check_order, kinds_of
from streamdb.expr.columns import Columns
from streamdb.expr.expression import is_expression
from streamdb.expr.missing import may_miss
from streamdb.expr.nodes import Node, OrderTerm, SlotNode, aggregates_in
from streamdb.expr.opaque import Opaque
from streamdb.expr.ordering import Ordering
from streamdb.expr.shape import Shape, Slot, value_slot

_CONDITION: Final = 'return a condition on columns, as in `lambda m: m.role == "assistant"`'


def condition_of(function: Callable[..., Any], shape: Shape, method: str) -> Node:
    """Return the condition that a function of columns gives.

    Raises:
        ExpressionError: it is no function of the columns, or gives no expression.
    """
    answer = called(function, shape, method)
    if not is_expression(answer.value):
        raise _no_condition(answer.value, method)
    node = _of_one_row(answer.own(answer.value.node), method)
    check_condition(node, shape.kinds)
    return node


def values_of(
    function: Callable[..., Any], shape: Shape, method: str
) -> tuple[tuple[Node, Slot], ...]:
    """Return the values that a function of columns gives, with the slots that they make.

    Raises:
        ExpressionError: as above, or it gives nothing.
    """
    values = _values(function, shape, method)
    for node, _ in values:
        _of_one_row(node, method)
    return values


def keys_of(function: Callable[..., Any], shape: Shape) -> tuple[Node, ...]:
    """Return what a function of columns groups by.

    Raises:
        ExpressionError: as above, or there is a whole row in it.
    """
    nodes = _expressions(function, shape, "group_by")
    return tuple(_of_one_row(node, "group_by") for node in nodes)


def answers_of(function: Callable[..., Any], shape: Shape) -> tuple[Node, ...]:
    """Return what a function of columns asks of groups.

    Raises:
        ExpressionError: as above.
    """
    return _expressions(function, shape, "agg")


def terms_of(function: Callable[..., Any], shape: Shape) -> tuple[OrderTerm, ...]:
    """Return what a function of columns orders by.

    Raises:
        ExpressionError: it is no function of the columns, or gives nothing to order by.
    """
    answer = called(function, shape, "order_by")
    return tuple(_term(part, answer) for part in _parts(answer, "order_by"))


def _values(
    function: Callable[..., Any], shape: Shape, method: str
) -> tuple[tuple[Node, Slot], ...]:
    answer = called(function, shape, method)
    return tuple(_value(part, answer, shape, method) for part in _parts(answer, method))


def _parts(answer: Answer, method: str) -> tuple[object, ...]:
    """Return what is in the tuple, or the only thing."""
    value = answer.value
    parts = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    if not parts:
        raise ExpressionError(
            f"the function of `{method}` returned an empty tuple: return a column, or several, "
            "as in `lambda m: (m.id, m.role)`"
        )
    return parts


def _expressions(function: Callable[..., Any], shape: Shape, method: str) -> tuple[Node, ...]:
    """Return single values, no whole rows."""
    found = _values(function, shape, method)
    for node, slot in found:
        if not slot.is_value:
            raise ExpressionError(
                f"`{method}` takes values, and the function returned the whole row of {node}: "
                "name its columns, as in `lambda m: (m.id, m.role)`"
            )
    return tuple(node for node, _ in found)


def _value(part: object, answer: Answer, shape: Shape, method: str) -> tuple[Node, Slot]:
    if is_expression(part):
        node = answer.own(part.node)
        check(node, shape.kinds)
        slot = value_slot(str(node), kinds_of(node, shape.kinds))
        return node, slot.nullable() if may_miss(node, shape) else slot
    if _is_row(part):
        answer.own(SlotNode(part.__slot__, "a row"))  # which raises if it is another query's
        number = part.__slot__ - answer.first_slot
        return SlotNode(number, shape.slots[number].name), shape.slots[number]
    raise _no_expression(part, method)


def _is_row(part: object) -> TypeGuard[Columns[Any]]:
    return isinstance(part, Columns)


def _term(part: object, answer: Answer) -> OrderTerm:
    if isinstance(part, Ordering):
        term = part.term
    elif is_expression(part):
        term = OrderTerm(part.node)
    else:
        raise _no_expression(part, "order_by")
    node = _of_one_row(answer.own(term.node), "order_by")
    check(node, answer.shape.kinds)
    check_order(node, answer.shape.kinds)
    return replace(term, node=node)


def _of_one_row(node: Node, method: str) -> Node:
    for aggregate in aggregates_in(node):
        raise ExpressionError(
            f"`{aggregate}` is of many rows, and `{method}` is asked of one: group them first, "
            f"`.group_by(...).agg(lambda m: {aggregate})`, and then `.having(...)`, or order by "
            "what `agg` made; `.agg(...)` alone is about all rows"
        )
    return node


def _instead_of_row(row: Columns[Any]) -> str:
    if isinstance(row, Opaque):
        return f"it is one of {row.__made__}"
    return "name a column, as in `lambda m: m.id`"


def _no_condition(answer: object, method: str) -> ExpressionError:
    if isinstance(answer, bool):
        return ExpressionError(
            f"the function of `{method}` returned the plain value {answer}, not an expression of "
            "columns: write `.is_null()` instead of `is None`, `.in_([...])` instead of `in`, `&`, "
            "`|`, `~` instead of `and`, `or`, `not`, and use the columns that the function is given"
        )
    if _is_row(answer):
        return ExpressionError(
            f"the function of `{method}` returned a whole row, not an expression: {_CONDITION}"
        )
    if inspect.ismethod(answer):
        return ExpressionError(
            f"the function of `{method}` returned the method `{answer.__name__}` and did not call "
            f"it: write `{answer.__self__!r}.{answer.__name__}()`"
        )
    return ExpressionError(
        f"the function of `{method}` returned {answer!r} ({type(answer).__name__}), not an "
        f"expression: {_CONDITION}"
    )


def _no_expression(answer: object, method: str) -> ExpressionError:
    if _is_row(answer):
        return ExpressionError(
            f"the function of `{method}` returned a whole row, where an expression of columns has "
            f"to stand: {_instead_of_row(answer)}"
        )
    return ExpressionError(
        f"the function of `{method}` returned {answer!r} ({type(answer).__name__}), where an "
        "expression of columns has to stand: return a column, or several in a tuple, as in "
        "`lambda m: (m.id, m.role)`; what Python computes of a row is the matter of `map`"
    )
