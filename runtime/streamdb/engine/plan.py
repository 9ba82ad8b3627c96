"""How a query is run: nodes that keep state, and between them the steps that need none.

Where, filter, map and select look at one row at a time and leave its key as it is. A run of them is
a sequence of *steps* on the way into the node that keeps state: executors do them in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from streamdb.expr.nodes import AggregateNode, Node, OrderTerm
from streamdb.expr.query_tree import JoinKind
from streamdb.expr.shape import Shape
from streamdb.expr.sources import Source


@dataclass(frozen=True, slots=True, eq=False)
class Where:
    """Keeps rows of which a condition is true."""

    condition: Node
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """Keeps rows for which a function of the slots returns something true."""

    function: Callable[..., Any]
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Puts what a function of the slots returns in place of a row."""

    function: Callable[..., Any]
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Select:
    """Puts values in place of a row: their tuple, or what ``make`` makes of them."""

    values: tuple[Node, ...]
    make: Callable[..., Any] | None
    shape: Shape


#: One step; its ``shape`` is that of the rows that come in.
Step: TypeAlias = Where | Filter | Map | Select


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """The way from a node to what uses its rows.

    Attributes:
        node: where rows come from.
        steps: what is done with each, in order.
        shape: of the rows that come out.
    """

    node: PlanNode
    steps: tuple[Step, ...]
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """The rows of a source."""

    source: Source


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """See :class:`~streamdb.expr.query_tree.JoinNode`; rows are the tuples of both sides' slots."""

    left: Edge
    right: Edge
    pairs: tuple[tuple[Node, Node], ...]
    residual: Node | None
    how: JoinKind
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Union:
    """See :class:`~streamdb.expr.query_tree.UnionNode`."""

    branches: tuple[Edge, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """See :class:`~streamdb.expr.query_tree.GroupNode`; rows are tuples of keys and values."""

    input: Edge
    keys: tuple[Node, ...]
    aggregates: tuple[AggregateNode, ...]
    values: tuple[Node, ...]
    is_global: bool


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """See :class:`~streamdb.expr.query_tree.DistinctNode`."""

    input: Edge


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """See :class:`~streamdb.expr.query_tree.OrderNode`.

    Attributes:
        then: steps after the window was cut out; they keep the order.
    """

    input: Edge
    terms: tuple[OrderTerm, ...]
    limit: int | None
    offset: int
    then: tuple[Step, ...]


PlanNode: TypeAlias = Scan | Join | Union | Group | Distinct | Order


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A whole query.

    Attributes:
        root: its rows; if its node is an order, ``steps`` is empty.
        shape: of its rows.
    """

    root: Edge
    shape: Shape

    @property
    def is_ordered(self) -> bool:
        """Whether the rows have positions."""
        return isinstance(self.root.node, Order)


def inputs(node: PlanNode) -> tuple[Edge, ...]:
    """Return the ways into a node."""
    match node:
        case Scan():
            return ()
        case Join(left, right):
            return left, right
        case Union(branches):
            return branches
        case Group() | Distinct() | Order():
            return (node.input,)


def walk(node: PlanNode) -> Iterator[PlanNode]:
    """Iterate over a node and all below it, inputs before what they go into."""
    for edge in inputs(node):
        yield from walk(edge.node)
    yield node


def sources(plan: Plan) -> tuple[Source, ...]:
    """Return the sources of a plan, each once."""
    found = {id(n.source): n.source for n in walk(plan.root.node) if isinstance(n, Scan)}
    return tuple(found.values())
