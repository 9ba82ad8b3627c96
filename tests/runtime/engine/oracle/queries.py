"""Random queries of every kind of node, nested in every way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from tests.runtime.engine.oracle.building import Building, ByBuilder, ByHand, selected_slot
from tests.runtime.engine.oracle.expressions import SCALARS, Expressions, SlotKind, SlotKinds
from tests.runtime.engine.oracle.functions import (
    FOLDS,
    Function,
    Made,
    Tally,
    first_present,
    reduced,
    truth_of,
)
from tests.runtime.engine.oracle.schemas import Kind

from streamdb.expr.nodes import AggregateNode, ColumnNode, Node, SlotNode, slots_of
from streamdb.expr.query_tree import JoinKind, QueryNode
from streamdb.expr.shape import MOST_SLOTS

_KINDS: Final[tuple[JoinKind, ...]] = ("inner", "left", "right", "full")
_COMPARED: Final[Sequence[tuple[Kind, Kind]]] = (
    ("int", "int"),
    ("text", "text"),
    ("number", "number"),
    ("number", "int"),
    ("bool", "bool"),
)
_BY_HAND: Final = ByHand()
_BY_BUILDER: Final = ByBuilder()


@dataclass(frozen=True, slots=True)
class Query:
    """A query, and what is known of its rows.

    Attributes:
        node: the query.
        slots: what they hold.
        has_order_of_keys: whether its keys have an order: keys that are rows have none.
    """

    node: QueryNode
    slots: SlotKinds
    has_order_of_keys: bool = True

    def with_node(self, node: QueryNode, slots: SlotKinds | None = None) -> Query:
        """Return a query on top of it whose keys are the same."""
        return replace(self, node=node, slots=self.slots if slots is None else slots)


class Queries:
    """Makes random queries of some sources, which may be live queries.

    Args:
        random: what to take choices from.
        sources: what queries begin at.
        with_joins: whether there are joins, for which the naive evaluator takes long if rows are
            many.
    """

    def __init__(
        self, random: Random, sources: Sequence[Query], *, with_joins: bool = True
    ) -> None:
        self._random: Final = random
        self._sources: Final = sources
        self._makers: Final[Sequence[tuple[Callable[[int], Query], int]]] = (
            (self._where, 3),
            (self._filter, 2),
            (self._map, 2),
            (self._select, 3),
            (self._join, 5 if with_joins else 0),
            (self._union, 2),
            (self._group, 5),
            (self._distinct, 2),
            (self._order, 4),
        )

    def query(self, depth: int) -> Query:
        """Return a query of at most so many nodes on top of each other."""
        random = self._random
        if depth == 0 or random.random() < 0.1:
            return random.choice(self._sources)
        makers, weights = zip(*self._makers, strict=True)
        make: Callable[[int], Query] = random.choices(makers, weights)[0]
        return make(depth - 1)

    # --- row by row

    def _where(self, depth: int) -> Query:
        inner = self.query(depth)
        condition = self._of(inner).condition()
        return inner.with_node(self._building.where(inner.node, condition))

    def _filter(self, depth: int) -> Query:
        inner = self.query(depth)
        function = Function(truth_of, (self._of(inner).any()[0],), inner.node.shape)
        return inner.with_node(self._building.filter(inner.node, function))

    def _map(self, depth: int) -> Query:
        inner = self.query(depth)
        if self._random.random() < 0.4:
            node, kind = self._of(inner).any()
            function = Function(first_present, (node,), inner.node.shape)
            slots: SlotKinds = (kind if kind == "text" else "opaque",)
            return inner.with_node(_BY_HAND.map(inner.node, function), slots)
        nodes, slots = self._two_values(inner)
        function = Function(Made, nodes, inner.node.shape)
        return inner.with_node(_BY_HAND.map_to_rows(inner.node, function), slots)

    def _select(self, depth: int) -> Query:
        inner = self.query(depth)
        if self._random.random() < 0.3:
            nodes, slots = self._two_values(inner)
            return inner.with_node(_BY_HAND.select_rows(inner.node, nodes), slots)
        return self._selected(inner, self._kinds(inner, self._random.choice((1, 2, 2, 3))))

    def _selected(self, inner: Query, kinds: Sequence[Kind]) -> Query:
        """Select an expression of each of some kinds; a whole row counts as opaque."""
        of = self._of(inner)
        nodes = tuple(map(of.of, kinds))
        slots = tuple(
            kind if selected_slot(inner.node, node).is_value else inner.slots[min(slots_of(node))]
            for node, kind in zip(nodes, kinds, strict=True)
        )
        return inner.with_node(self._building.select(inner.node, nodes), slots)

    def _two_values(self, inner: Query) -> tuple[tuple[Node, Node], SlotKinds]:
        of = self._of(inner)
        (x, x_kind), (y, y_kind) = of.any(), of.any()
        return (x, y), ({"x": x_kind, "y": y_kind},)

    def _kinds(self, inner: Query, count: int) -> list[Kind]:
        return [self._of(inner).any((*SCALARS, "opaque"))[1] for _ in range(count)]

    # --- several rows

    def _join(self, depth: int) -> Query:
        random = self._random
        left = self.query(depth)
        right = left if random.random() < 0.15 else self.query(max(depth - 1, 0))
        if len(left.slots) + len(right.slots) > MOST_SLOTS:
            return left
        pairs = tuple(self._pair(left, right) for _ in range(random.choice((1, 1, 1, 1, 2, 2, 0))))
        both = (*left.slots, *right.slots)
        residual = None
        if not pairs or random.random() < 0.25:
            residual = Expressions(random, both).condition()
        how = random.choice(_KINDS)
        join = self._building.join(left.node, right.node, pairs, residual, how)
        return Query(join, both, left.has_order_of_keys and right.has_order_of_keys)

    def _pair(self, left: Query, right: Query) -> tuple[Node, Node]:
        """Return expressions of one kind, or of two that may be equal; often keys."""
        random = self._random
        one, other = self._of(left), self._of(right)
        if random.random() < 0.5:
            for number, slot in enumerate(right.slots):
                if isinstance(slot, dict) and "id" in slot:
                    return one.of(slot["id"], 1), ColumnNode("id", number)
        kind, other_kind = random.choice(_COMPARED)
        return one.of(kind, 1), other.of(other_kind, 1)

    def _union(self, depth: int) -> Query:
        random = self._random
        first = self.query(depth)
        count = random.choice((1, 1, 2))
        if random.random() < 0.5:
            others = [self._same_slots(first) for _ in range(count)]
        else:
            kinds = [self._of(first).any()[1] for _ in range(random.choice((1, 2)))]
            others = [self._selected(self.query(max(depth - 1, 0)), kinds) for _ in range(count)]
            first = self._selected(first, kinds)
        branches = (first, *others)
        union = self._building.union([branch.node for branch in branches])
        return Query(union, first.slots, all(branch.has_order_of_keys for branch in branches))

    def _same_slots(self, query: Query) -> Query:
        if self._random.random() < 0.4:
            return query
        return query.with_node(self._building.where(query.node, self._of(query).condition()))

    def _distinct(self, depth: int) -> Query:
        inner = self.query(depth)
        if "opaque" in inner.slots or any("number" in _kinds(slot) for slot in inner.slots):
            # Every NaN in a row is another one, wherever it was computed.
            inner = self._selected(inner, [self._of(inner).any()[1]])
        is_of_values = all(isinstance(slot, str) for slot in inner.slots)
        return Query(self._building.distinct(inner.node), inner.slots, is_of_values)

    def _order(self, depth: int) -> Query:
        inner = self.query(depth)
        if not inner.has_order_of_keys:
            return inner
        random = self._random
        limit = random.choice((None, None, 0, 1, 2, 3, 5, 8))
        offset = random.choice((0, 0, 0, 1, 2, 5))
        terms = self._of(inner).terms()
        return inner.with_node(self._building.order(inner.node, terms, limit, offset))

    def _group(self, depth: int) -> Query:
        random = self._random
        inner = self.query(depth)
        of = self._of(inner)
        keys = [of.any() for _ in range(random.choice((0, 1, 1, 1, 2)))]
        asked = [
            self._aggregate(of, orderless=not inner.has_order_of_keys)
            for _ in range(random.choice((0, 1, 2, 2, 3)))
        ]
        inside: SlotKinds = tuple(kind for _, kind in (*keys, *asked))
        values: list[tuple[Node, Kind]] = [
            (SlotNode(len(keys) + number, str(node)), kind)
            for number, (node, kind) in enumerate(asked)
        ]
        if inside and random.random() < 0.3:
            values.append(Expressions(random, inside).any())
        values = values[: MOST_SLOTS - len(keys)]
        if not keys and not values:
            return inner
        nodes = [[node for node, _ in some] for some in (keys, asked, values)]
        group = self._building.group(inner.node, *nodes)
        return Query(group, tuple(kind for _, kind in (*keys, *values)))

    def _aggregate(self, of: Expressions, *, orderless: bool) -> tuple[AggregateNode, Kind]:
        random = self._random
        name = random.choice([name for name in _AGGREGATES if not (orderless and name in _ORDERED)])
        kinds, gives = _AGGREGATES[name]
        if name == "count" and random.random() < 0.5:
            return AggregateNode(name, None), "int"
        operand, kind = of.any(kinds)
        if kind not in kinds:
            return AggregateNode("count", None), "int"
        by = of.terms() if name in _ORDERED and random.random() < 0.4 else ()
        options: tuple[Any, ...] = ()
        if name == "string_agg":
            options = (random.choice(("", ", ")),)
        elif name == "reduce":
            options = (reduced,)
        elif name == "accumulate":
            options = (Tally,)
        elif name == "fold":
            options = FOLDS[kind]
            gives = "text" if kind == "text" else "int"
        return AggregateNode(name, operand, by, options), gives or kind

    @property
    def _building(self) -> Building:
        return self._random.choice((_BY_HAND, _BY_BUILDER))

    def _of(self, query: Query) -> Expressions:
        return Expressions(self._random, query.slots)


def _kinds(slot: SlotKind) -> Collection[Kind]:
    return () if isinstance(slot, str) else slot.values()


_ANY: Final[tuple[Kind, ...]] = (*SCALARS, "opaque")
#: What each aggregate is of, and what it gives: None is what it is of.
_AGGREGATES: Final[dict[str, tuple[tuple[Kind, ...], Kind | None]]] = {
    "count": (_ANY, "int"),
    "count_distinct": (SCALARS, "int"),
    "sum": (("int", "number"), None),
    "avg": (("int", "number"), "number"),
    "min": (SCALARS, None),
    "max": (SCALARS, None),
    "median": (("int", "number"), "number"),
    "any": (("bool",), "bool"),
    "all": (("bool",), "bool"),
    "collect": (_ANY, "opaque"),
    "string_agg": (("text",), "text"),
    "first": (_ANY, None),
    "last": (_ANY, None),
    "fold": (SCALARS, None),
    "reduce": (SCALARS, "int"),
    "accumulate": (SCALARS, "int"),
}
_ORDERED: Final = ("collect", "string_agg", "first", "last", "fold", "reduce")
