"""What is made of the side of an outer join that may miss, seen before a row does.

Type checkers cannot see it: the columns of that side keep their types. So what a class is given is
compared with what it says that it takes.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from streamdb.errors import ExpressionError
from streamdb.expr.nodes import ColumnNode, Node, OperationNode, SlotNode
from streamdb.expr.operators import OPERATORS
from streamdb.expr.shape import Shape


def may_miss(node: Node, shape: Shape) -> bool:
    """Tell whether an expression is null for rows of which a side of a join is missing."""
    match node:
        case ColumnNode() | SlotNode():
            return shape.slots[node.slot].is_nullable
        case OperationNode(operator, operands):
            handled = OPERATORS[operator].handles_null or OPERATORS[operator].is_lazy
            return not handled and any(may_miss(operand, shape) for operand in operands)
        case _:
            return False


def check_made(
    make: Callable[..., Any], signature: inspect.Signature, nodes: Sequence[Node], shape: Shape
) -> None:
    """Check what a class, or a function with annotations, takes for values that may be missing.

    Raises:
        ExpressionError: one of them does not take None.
    """
    missing = [number for number, node in enumerate(nodes) if may_miss(node, shape)]
    if not missing:
        return
    hints = _hints(make)
    parameters = list(signature.parameters)
    for number in missing:
        name = parameters[number] if number < len(parameters) else ""
        if not takes_none(hints.get(name, Any)):
            name_of_class = getattr(make, "__name__", make)
            raise ExpressionError(
                f"`{nodes[number]}` is of a side of the join that may be missing, and "
                f"`{name_of_class}` does not take None for `{name}`: write "
                f'`.if_null(...)`, declare `{name}` as `... | None`, or join with `how="inner"`'
            )


def takes_none(hint: Any) -> bool:
    """Tell whether a value of a type may be None; of what is no plain type, nobody knows.

    >>> takes_none(str), takes_none(str | None), takes_none(object), takes_none(list[str])
    (False, True, True, False)
    """
    origin = get_origin(hint)
    if origin is Annotated:
        return takes_none(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return any(map(takes_none, get_args(hint)))
    if origin is Literal:
        return None in get_args(hint)
    kind = hint if origin is None else origin
    try:
        return not isinstance(kind, type) or isinstance(None, kind)
    except TypeError:  # a protocol that says nothing at run time
        return True


def _hints(make: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the types that are known of what is taken; nothing if they cannot be evaluated."""
    of_fields: object = make
    if isinstance(make, type) and inspect.isfunction(vars(make).get("__init__")):
        of_fields = vars(make)["__init__"]
    try:
        return get_type_hints(of_fields)
    except Exception:  # noqa: BLE001 - annotations of users may say anything
        return {}
