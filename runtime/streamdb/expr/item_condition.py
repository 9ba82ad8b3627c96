"""Conditions of the items of a list that is in a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from streamdb.errors import ExpressionError
from streamdb.expr.evaluate import item_evaluator
from streamdb.expr.nodes import Node, SlotNode, slots_of

#: The item itself, in a slot that no query has.
ITEM: Final = SlotNode(-1, "item")


@dataclass(frozen=True, slots=True)
class ItemCondition:
    """A constant of an expression: the function from an item to whether a condition is true of it.

    Attributes:
        node: the condition; it reads the item alone.

    Raises:
        ExpressionError: it reads columns of the row as well.
    """

    node: Node
    _evaluate: Callable[[Any], Any] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if slots_of(self.node) - {ITEM.slot}:
            raise ExpressionError(
                f"`{self.node}` is asked of the items of a list, and reads a column of the row: "
                "it may only use the item that the function is given"
            )
        object.__setattr__(self, "_evaluate", item_evaluator(self.node))

    def __call__(self, item: Any) -> Any:
        """Return what is true of an item; None if that is unknown."""
        return self._evaluate(item)

    def __repr__(self) -> str:
        return f"lambda item: {self.node}"
