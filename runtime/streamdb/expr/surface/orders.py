"""Directions: what rows are ordered by."""

from __future__ import annotations

from typing import Any

from streamdb.expr.nodes import OrderTerm
from streamdb.expr.ordering import Ordered, Ordering
from streamdb.expr.surface.operand import N, Operand, V


class Orders(Operand[V, N]):
    """Ordering rows: nulls come first, and last if it is descending, unless told otherwise."""

    __slots__ = ()

    def asc(self: Orders[Ordered, Any]) -> Ordering:
        """Order from the least to the greatest."""
        return Ordering(OrderTerm(self.node))

    def desc(self: Orders[Ordered, Any]) -> Ordering:
        """Order from the greatest to the least."""
        return Ordering(OrderTerm(self.node, descending=True, nulls_first=False))

    def nulls_first(self: Orders[Ordered, Any]) -> Ordering:
        """Order ascending, with rows without a value before all others."""
        return Ordering(OrderTerm(self.node))

    def nulls_last(self: Orders[Ordered, Any]) -> Ordering:
        """Order ascending, with rows without a value behind all others."""
        return Ordering(OrderTerm(self.node, nulls_first=False))
