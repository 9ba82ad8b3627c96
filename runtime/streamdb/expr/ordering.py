"""What rows are ordered by, as users write it: an expression, or one with a direction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from streamdb.expr.nodes import OrderTerm


class Ordered(Protocol):
    """A type whose values have an order."""

    def __lt__(self, other: Any, /) -> bool: ...


@dataclass(frozen=True, slots=True, repr=False)
class Ordering:
    """An expression with a direction: what ``m.created_at.desc()`` gives.

    Attributes:
        term: what it stands for.
    """

    term: OrderTerm

    def nulls_first(self) -> Ordering:
        """Put rows without a value before all others."""
        return Ordering(replace(self.term, nulls_first=True))

    def nulls_last(self) -> Ordering:
        """Put rows without a value behind all others."""
        return Ordering(replace(self.term, nulls_first=False))

    def __repr__(self) -> str:
        return str(self.term)
