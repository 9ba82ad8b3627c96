"""What a query asks, as an immutable tree, without any of the typed surface.

Every node tells the shape of its rows. Expressions in a node are of the slots of its input, counted
from 0, if nothing else is said. How a tree is run is the engine's matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from streamdb.expr.nodes import AggregateNode, Node, OrderTerm
from streamdb.expr.shape import Shape
from streamdb.expr.sources import Source

JoinKind = Literal["inner", "left", "right", "full"]


@dataclass(frozen=True, slots=True, eq=False)
class SourceNode:
    """All rows of a source; keys are the source's."""

    source: Source
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class WhereNode:
    """The rows of which a condition is true; keys stay."""

    input: QueryNode
    condition: Node

    @property
    def shape(self) -> Shape:
        """That of its input."""
        return self.input.shape


@dataclass(frozen=True, slots=True, eq=False)
class FilterNode:
    """The rows for which a function of the slots returns something true; keys stay."""

    input: QueryNode
    function: Callable[..., Any]

    @property
    def shape(self) -> Shape:
        """That of its input."""
        return self.input.shape


@dataclass(frozen=True, slots=True, eq=False)
class MapNode:
    """What a function of the slots makes of each row, never None; keys stay."""

    input: QueryNode
    function: Callable[..., Any]
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class SelectNode:
    """Values of each row, as slots, or as the arguments that make an object; keys stay.

    Attributes:
        make: what is called with the values; None leaves them as the slots of a tuple.
    """

    input: QueryNode
    values: tuple[Node, ...]
    make: Callable[..., Any] | None
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class JoinNode:
    """Pairs of rows whose values are equal; a key is the pair of both keys, None where one misses.

    Attributes:
        pairs: expressions that must be equal: of the slots of ``left``, and of those of ``right``
            counted from 0. A null equals nothing.
        residual: what must be true of a pair besides, of all slots; a pair for which it is not is
            no pair, so that an outer join keeps the rows of both sides.
    """

    left: QueryNode
    right: QueryNode
    pairs: tuple[tuple[Node, Node], ...]
    residual: Node | None
    how: JoinKind
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class UnionNode:
    """The rows of several queries of one shape; a key is (number of the branch, key there)."""

    branches: tuple[QueryNode, ...]
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class GroupNode:
    """One row for all rows with equal values.

    The key is the value that it groups by, a tuple of them if they are several; a global aggregate
    has the key ``()`` and always one row. Nulls are one group, whose key is ``(None,)``: None in a
    join's key says that a row is missing.

    Attributes:
        keys: what it groups by; they are the first slots.
        aggregates: what is asked of the rows of each group.
        values: the further slots, of the slots that ``keys`` and then ``aggregates`` are.
        is_global: there is one group of all rows.
    """

    input: QueryNode
    keys: tuple[Node, ...]
    aggregates: tuple[AggregateNode, ...]
    values: tuple[Node, ...]
    is_global: bool
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class DistinctNode:
    """Each row once, of those that are equal; keys are as those of groups."""

    input: QueryNode

    @property
    def shape(self) -> Shape:
        """That of its input."""
        return self.input.shape


@dataclass(frozen=True, slots=True, eq=False)
class OrderNode:
    """The rows in order, or a part of them; keys stay. What is equal is ordered by key.

    Where, filter, map and select above it keep the order; everything else loses it.
    """

    input: QueryNode
    terms: tuple[OrderTerm, ...]
    limit: int | None = None
    offset: int = 0

    @property
    def shape(self) -> Shape:
        """That of its input."""
        return self.input.shape


QueryNode: TypeAlias = (
    SourceNode
    | WhereNode
    | FilterNode
    | MapNode
    | SelectNode
    | JoinNode
    | UnionNode
    | GroupNode
    | DistinctNode
    | OrderNode
)
