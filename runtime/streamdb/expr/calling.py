"""Calls the functions of a query with its columns: once, to learn what is asked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from streamdb.errors import ExpressionError
from streamdb.expr.nodes import Node, moved, slots_of
from streamdb.expr.shape import Shape

#: The number of the first slot of functions that are called now. Those that are called within one
#: have other numbers, so that nothing of the outer query is taken for the inner one's.
_first_slot: Final = ContextVar("_first_slot", default=0)
_APART: Final = 1000


class Answer(NamedTuple):
    """What a function returned, and which slots are its query's."""

    value: object
    first_slot: int
    shape: Shape

    def own(self, node: Node) -> Node:
        """Return an expression with the numbers that slots have in the query.

        Raises:
            ExpressionError: it reads columns that the function was not given.
        """
        numbers = range(self.first_slot, self.first_slot + len(self.shape.slots))
        if any(slot not in numbers for slot in slots_of(node)):
            raise ExpressionError(
                f"`{node}` reads columns of another query than this one, of {self.shape.names()}: "
                "`join` the two, and use the columns that the function is given"
            )
        return moved(node, -self.first_slot) if self.first_slot else node


def called(function: Callable[..., Any], shape: Shape, method: str) -> Answer:
    """Call a function with the columns of each slot.

    Raises:
        ExpressionError: it takes others, is ``async def``, or is no function.
    """
    check_parameters(function, shape, method, given="the columns of its slots")
    first_slot = _first_slot.get()
    token = _first_slot.set(first_slot + _APART)
    try:
        value: object = function(*shape.columns(first_slot))
    finally:
        _first_slot.reset(token)
    if inspect.iscoroutine(value):
        value.close()
        raise ExpressionError(
            f"`{method}` takes a plain function of columns, no `async def`: it is called once, to "
            "learn what is asked"
        )
    return Answer(value, first_slot, shape)


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
