"""The oracle: what a plan means, computed from scratch by the shortest code that says it.

Every other executor is held to it by tests, so it stays simple for ever, and what it shares with
them is in ``row_forms``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, NamedTuple

from streamdb.engine.executor import Item, Key
from streamdb.engine.key_order import key_order
from streamdb.engine.plan import (
    Distinct,
    Edge,
    Filter,
    Group,
    Join,
    Map,
    Order,
    PlanNode,
    Scan,
    Select,
    Step,
    Union,
    Where,
)
from streamdb.engine.row_forms import (
    canonical,
    distinct_item,
    distinct_key,
    group_shape,
    key_of_values,
    not_none,
    over_slots,
    selection,
    slots,
)
from streamdb.errors import ExpressionError
from streamdb.expr.aggregates import AGGREGATES, keeps_nulls
from streamdb.expr.conditions import test_of
from streamdb.expr.evaluate import evaluator
from streamdb.expr.nodes import AggregateNode, OrderTerm
from streamdb.expr.shape import Shape


class Row(NamedTuple):
    """A row with its key and its place in the order of arrival."""

    key: Key
    item: Item
    arrival: Any


def evaluate(edge: Edge) -> list[Row]:
    """Return the rows of a plan; in order if its node is an order, else in any order."""
    return list(_stepped(_rows(edge.node), edge.steps))


def _rows(node: PlanNode) -> Iterable[Row]:
    match node:
        case Scan(source):
            table = source.table
            return [Row(key, item, table.arrival(key)) for key, item in table.rows.items()]
        case Join():
            return _joined(node)
        case Union(branches):
            return [
                Row((number, key), item, (number, arrival))
                for number, branch in enumerate(branches)
                for key, item, arrival in evaluate(branch)
            ]
        case Group():
            return _grouped(node)
        case Distinct(edge):
            return _distinct(edge)
        case Order():
            return _stepped(_ordered(node), node.then)


# --- steps ----------------------------------------------------------------------------------


def _stepped(rows: Iterable[Row], steps: Iterable[Step]) -> Iterable[Row]:
    for step in steps:
        rows = _one_step(rows, step)
    return rows


def _one_step(rows: Iterable[Row], step: Step) -> Iterator[Row]:
    match step:
        case Where(condition, shape):
            test = test_of(condition, shape)
            return (row for row in rows if test(row.item))
        case Filter(function, shape):
            call = over_slots(function, shape)
            return (row for row in rows if call(row.item))
        case Map(function, shape):
            call = over_slots(function, shape)
            return (row._replace(item=not_none(call(row.item), row.key)) for row in rows)
        case Select(values, make, shape):
            select = selection(values, make, shape)
            return (row._replace(item=not_none(select(row.item), row.key)) for row in rows)


# --- nodes ----------------------------------------------------------------------------------


def _joined(node: Join) -> Iterator[Row]:
    left, right = evaluate(node.left), evaluate(node.right)
    left_values = [evaluator(pair[0], node.left.shape) for pair in node.pairs]
    right_values = [evaluator(pair[1], node.right.shape) for pair in node.pairs]
    fits = None if node.residual is None else test_of(node.residual, node.shape)
    met_left, met_right = set[Key](), set[Key]()
    for one in left:
        for other in right:
            values = [
                (read(one.item), read_other(other.item))
                for read, read_other in zip(left_values, right_values, strict=True)
            ]
            item = (*slots(one.item, node.left.shape), *slots(other.item, node.right.shape))
            if any(a is None or b is None or a != b for a, b in values):
                continue
            if fits is None or fits(item):
                met_left.add(one.key)
                met_right.add(other.key)
                yield Row((one.key, other.key), item, ((0, one.arrival), (0, other.arrival)))
    missing: tuple[Any, ...]
    if node.how in ("left", "full"):
        missing = (None,) * len(node.right.shape.slots)
        for one in left:
            if one.key not in met_left:
                item = (*slots(one.item, node.left.shape), *missing)
                yield Row((one.key, None), item, ((0, one.arrival), (-1,)))
    if node.how in ("right", "full"):
        missing = (None,) * len(node.left.shape.slots)
        for other in right:
            if other.key not in met_right:
                item = (*missing, *slots(other.item, node.right.shape))
                yield Row((None, other.key), item, ((-1,), (0, other.arrival)))


def _grouped(node: Group) -> Iterator[Row]:
    shape = node.input.shape
    readers = [evaluator(key, shape) for key in node.keys]
    groups: dict[Hashable, tuple[tuple[Any, ...], list[Row]]] = {}
    if node.is_global:
        groups[()] = ((), [])
    for row in evaluate(node.input):
        keys = tuple(canonical(read(row.item)) for read in readers)
        groups.setdefault(key_of_values(keys), (keys, []))[1].append(row)
    asked = [aggregated(aggregate, shape) for aggregate in node.aggregates]
    inner = group_shape(node)
    values = [evaluator(value, inner) for value in node.values]
    for key, (keys, rows) in groups.items():
        rows.sort(key=lambda row: row.arrival)
        answers = (*keys, *(ask(rows) for ask in asked))
        yield Row(key, (*keys, *(value(answers) for value in values)), key_order(key))


def aggregated(node: AggregateNode, shape: Shape) -> Callable[[list[Row]], Any]:
    """Return the function from rows in order of arrival to the value of an aggregate."""
    aggregate = AGGREGATES[node.aggregate]
    read = None if node.operand is None else evaluator(node.operand, shape)

    def ask(rows: list[Row]) -> Any:
        rows = in_order(rows, node.by, shape, tie=lambda row: row.arrival) if node.by else rows
        values = [1 if read is None else read(row.item) for row in rows]
        if not keeps_nulls(node):
            values = [value for value in values if value is not None]
        try:
            return aggregate.function(values, *node.options)
        except (TypeError, ValueError, ArithmeticError) as error:
            if aggregate.calls_users:
                raise
            raise ExpressionError(f"`{node}` cannot be evaluated: {error}") from error

    return ask


def _distinct(edge: Edge) -> Iterator[Row]:
    found: dict[Hashable, Item] = {}
    for row in evaluate(edge):
        item = distinct_item(row.item, edge.shape)
        found.setdefault(distinct_key(item, edge.shape), item)
    return (Row(key, item, key_order(key)) for key, item in found.items())


def _ordered(node: Order) -> list[Row]:
    rows = in_order(
        evaluate(node.input), node.terms, node.input.shape, tie=lambda row: key_order(row.key)
    )
    end = None if node.limit is None else node.offset + node.limit
    return rows[node.offset : end]


def in_order(
    rows: Iterable[Row], terms: tuple[OrderTerm, ...], shape: Shape, tie: Callable[[Row], Any]
) -> list[Row]:
    """Sort rows: by the last thing first, for sorting is stable."""
    ordered = sorted(rows, key=tie)
    for term in reversed(terms):
        read = evaluator(term.node, shape)

        def rank(row: Row, term: OrderTerm = term, read: Callable[[Any], Any] = read) -> Any:
            value = read(row.item)
            if value is None:
                return (term.nulls_first is term.descending, 0, 0)
            return (term.nulls_first is not term.descending, value != value, value)

        try:
            ordered.sort(key=rank, reverse=term.descending)
        except TypeError as error:
            raise ExpressionError(f"rows cannot be ordered by `{term}`: {error}") from error
    return ordered
