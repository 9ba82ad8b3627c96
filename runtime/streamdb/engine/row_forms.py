"""How executors spell rows and keys, the oracle included.

Whatever is here the oracle cannot find wrong. So it holds only what has to be one thing for all,
as users see it: how functions are called with slots, what a row may not be, and which key a group
has. Each is a function of one row or of one tuple of values; nothing here follows a change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from streamdb.engine.executor import Item, Key
from streamdb.engine.plan import Group
from streamdb.errors import ExpressionError
from streamdb.expr.evaluate import evaluator
from streamdb.expr.nodes import Node
from streamdb.expr.shape import Shape, value_slot

NAN: Final = float("nan")


def over_slots(function: Callable[..., Any], shape: Shape) -> Callable[[Item], Any]:
    """Return the function of a row that calls a user's function of its slots."""
    if shape.is_tuple:
        return lambda item: function(*item)
    return function


def selection(
    values: tuple[Node, ...], make: Callable[..., Any] | None, shape: Shape
) -> Callable[[Item], Any]:
    """Return the function from a row to its values, or to what is made of them."""
    readers = [evaluator(value, shape) for value in values]
    if make is None:
        return lambda item: tuple(read(item) for read in readers)
    return lambda item: make(*(read(item) for read in readers))


def not_none(item: Any, key: Key) -> Item:
    """Refuse a row that is None.

    Raises:
        ExpressionError: it is.
    """
    if item is None:
        raise ExpressionError(
            f"the function that makes the row of {key!r} returned None: a row is never None; "
            "leave rows out by `filter`, and look for a forgotten `return`"
        )
    return item


def slots(item: Item, shape: Shape) -> tuple[Any, ...]:
    """Return the slots of a row."""
    return item if shape.is_tuple else (item,)


def group_shape(node: Group) -> Shape:
    """Return the shape that ``values`` are expressions of: the keys, and then the aggregates."""
    named = [*map(str, node.keys), *map(str, node.aggregates)]
    return Shape(tuple(map(value_slot, named)), is_tuple=True)


def key_of_values(values: tuple[Any, ...]) -> Any:
    """Return the key of values: the only value, or the tuple of several, of none, or of one null.

    For None is no key: where a key of a join has it, there is no row.
    """
    return values[0] if len(values) == 1 and values[0] is not None else values


def canonical(value: Any) -> Any:
    """Return one object for all values that are the same in a group: NaN is no equal of itself."""
    return NAN if value != value else value


def distinct_item(item: Item, shape: Shape) -> Item:
    """Return the row that stands for all that are equal to this one."""
    return tuple(map(canonical, item)) if shape.is_tuple else canonical(item)


def distinct_key(item: Item, shape: Shape) -> Key:
    """Return the key of such a row."""
    key: Key = key_of_values(item) if shape.is_tuple else item
    return key
