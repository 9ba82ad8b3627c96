"""What a query can begin at, and how it is built; each method returns a new query."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from streamdb.errors import ExpressionError, NotOneRow
from streamdb.expr.asking import condition_of, keys_of, terms_of, values_of
from streamdb.expr.calling import check_parameters
from streamdb.expr.joining import join, joined_shape
from streamdb.expr.opaque import opaque_shape
from streamdb.expr.query_tree import (
    DistinctNode,
    FilterNode,
    GroupNode,
    JoinKind,
    MapNode,
    OrderNode,
    QueryNode,
    WhereNode,
)
from streamdb.expr.selecting import constructed, name_of, selected
from streamdb.expr.shape import Shape
from streamdb.expr.unions import union
from streamdb.expr.windows import (
    check_count,
    ordered,
    windowed,
    with_fewer_rows,
    without_order,
)
from streamdb.plain_functions import refuse_async

if TYPE_CHECKING:
    from streamdb.expr.query import Grouped, Query

Row = TypeVar("Row")
Cols = TypeVar("Cols")

_PLAIN_FUNCTION: Final = "await in what reads the rows, or in an effect"


class Queryable(Generic[Row, Cols]):
    """What a query can begin at: a collection, a live query, or a query.

    Methods that take a function of *columns* call it once, with what stands for each slot, to learn
    what is asked; `filter` and `map` take functions of *rows* and call them again and again.

    >>> from msgspec import Struct
    >>> from streamdb import LocalCollection, fn
    >>> class Message(Struct, frozen=True):
    ...     id: str
    ...     author: str
    ...     tokens: int
    >>> messages = LocalCollection(Message, key="id")
    >>> for id, author, tokens in [("m1", "ada", 3), ("m2", "bob", 5), ("m3", "ada", 4)]:
    ...     messages.insert(Message(id, author, tokens))
    >>> many = messages.where(lambda m: m.tokens > 3)
    >>> many.select(lambda m: (m.id, m.author)).fetch()
    [('m2', 'bob'), ('m3', 'ada')]
    >>> messages.order_by(lambda m: m.tokens.desc()).limit(2).map(lambda m: m.id).fetch()
    ['m2', 'm3']
    >>> by_author = messages.group_by(lambda m: m.author).agg(lambda m: fn.sum(m.tokens))
    >>> by_author.where(lambda author, tokens: tokens > 5).fetch()
    [('ada', 7)]
    >>> pairs = messages.join(many, on=lambda m, n: m.author == n.author, how="left")
    >>> pairs.where(lambda m, n: m.id != n.id).map(lambda m, n: (m.id, n and n.id)).fetch()
    [('m1', 'm3')]
    """

    __slots__ = ()

    def as_query(self) -> Query:
        """Return the query for all rows."""
        raise NotImplementedError

    # --- one row at a time

    def where(self, condition: Callable[..., Any]) -> Query:
        """Keep the rows of which a condition is true, so not those where it is unknown.

        ::

            db.messages.where(lambda m: (m.role == "assistant") & m.note.is_null())
        """
        query = self.as_query()
        node = condition_of(condition, query.shape, "where")
        return query.with_node(with_fewer_rows(query.node, partial(WhereNode, condition=node)))

    def filter(self, function: Callable[..., bool]) -> Query:
        """Keep the rows for which a function of the rows of all slots returns true.

        It may be called at any time, for any row, and has to say the same of the same row; it sees
        no index. Where an expression can say it, use ``where``.
        """
        query = self.as_query()
        _check_function(function, query.shape, "filter")
        return query.with_node(with_fewer_rows(query.node, partial(FilterNode, function=function)))

    def select(self, *arguments: Callable[..., Any]) -> Query:
        """Put values in place of rows: ``select(columns)``, or ``select(make, columns)``.

        The values become the slots of the query, or the positional arguments of ``make``, which may
        be a class. What it makes is opaque: no condition can be asked of it.

        ::

            db.messages.select(lambda m: (m.id, m.content))
            db.messages.select(Line, lambda m: (m.author, m.content))
        """
        query = self.as_query()
        match arguments:
            case (columns,):
                values = values_of(columns, query.shape, "select")
                return query.with_node(selected(query.node, values))
            case (make, columns):
                values = values_of(columns, query.shape, "select")
                return query.with_node(constructed(query.node, make, values))
            case _:
                raise ExpressionError(
                    "`select` takes a function of columns, `select(lambda m: (m.a, m.b))`, or what "
                    "is made of them and that, `select(Class, lambda m: (m.a, m.b))`"
                )

    def map(self, function: Callable[..., Any]) -> Query:
        """Put what a function makes of the rows of all slots in place of them.

        It may be called at any time, and has to make the same of the same row, never None. The new
        rows are opaque: ``where`` and the like go before it.
        """
        query = self.as_query()
        _check_function(function, query.shape, "map")
        return query.with_node(MapNode(query.node, function, opaque_shape(name_of(function))))

    # --- several queries

    def join(
        self, other: Queryable[Any, Any], on: Callable[..., Any], how: JoinKind = "inner"
    ) -> Query:
        """Put rows of both side by side where ``on`` is true of them.

        ``on`` takes the columns of all slots of both. It has an equality between them, or several
        joined by ``&``, each side of which may be computed; null equals nothing. What else it asks
        is no filter: a left join keeps each row of the left, whatever ``on`` says.

        ::

            db.messages.join(db.users, on=lambda m, u: m.user_id == u.id, how="left")

        Args:
            other: a collection or any query, of five slots at most together with this one.
            on: the condition.
            how: ``inner``, or ``left``, ``right``, ``full``: which rows stay that meet no other. In
                what they miss, functions of rows see None, and expressions null.
        """
        query = self.as_query()
        other_query = _as_query(other, "join")
        shape = joined_shape(query.shape, other_query.shape, how)
        # The condition sees rows that are there; what misses comes of it.
        condition = condition_of(on, query.shape.joined(other_query.shape), "join")
        left, right = without_order(query.node), without_order(other_query.node)
        return query.with_node(join(left, right, condition, how, shape), other_query)

    def union(self, *others: Queryable[Any, Any]) -> Query:
        """Take the rows of this and of others, which have the same columns; equal ones stay."""
        query, *more = self.as_query(), *(_as_query(other, "union") for other in others)
        nodes = tuple(without_order(branch.node) for branch in (query, *more))
        return query.with_node(union(nodes), *more)

    # --- groups

    def group_by(self, keys: Callable[..., Any]) -> Grouped:
        """Put the rows together of which the keys are equal; go on with ``agg``.

        ::

            (db.chunks.group_by(lambda c: c.message_id)
               .agg(lambda c: (fn.collect(c), fn.min(c.created_at), fn.count())))
        """
        query = self.as_query()
        return query.grouped_by(keys_of(keys, query.shape))

    def agg(self, values: Callable[..., Any]) -> Query:
        """Make one row of all rows, however many: aggregates, or what is computed of them."""
        return self.as_query().grouped_by(()).agg(values)

    def having(self, condition: Callable[..., Any]) -> Query:
        """Keep the groups of which a condition is true; it takes the columns that ``agg`` made."""
        query = self.as_query()
        if not _is_of_groups(query.node):
            raise ExpressionError(
                "`having` is asked of groups, right after `agg`, and there are none: write `where`"
            )
        node = condition_of(condition, query.shape, "having")
        return query.with_node(with_fewer_rows(query.node, partial(WhereNode, condition=node)))

    def distinct(self) -> Query:
        """Keep one row of those that are equal: selected values, or what ``map`` made."""
        query = self.as_query()
        if any(slot.getter is not None for slot in query.shape.slots):
            raise ExpressionError(
                f"`distinct` of whole rows ({query.shape.names()}) leaves all, for each has a key "
                "of its own: `select` the columns first that are to differ"
            )
        return query.with_node(DistinctNode(without_order(query.node)))

    # --- order

    def order_by(self, terms: Callable[..., Any]) -> Query:
        """Order the rows by one or several things; rows alike in all are ordered by their key.

        An order that was there before is replaced, unless something was cut out of it. Nulls come
        first, and last where the direction is ``desc()``, if nothing else is said. Text is ordered
        by code point.

        ::

            db.messages.order_by(lambda m: (m.created_at.desc(), m.id)).limit(50)
        """
        query = self.as_query()
        return query.with_node(ordered(query.node, terms_of(terms, query.shape)))

    def limit(self, count: int) -> Query:
        """Keep so many of the ordered rows; a limit that was there before is replaced."""
        check_count(count, "limit")
        query = self.as_query()
        return query.with_node(windowed(query.node, "limit", limit=count))

    def offset(self, count: int) -> Query:
        """Leave out so many of the ordered rows; an offset that was there before is replaced."""
        check_count(count, "offset")
        query = self.as_query()
        return query.with_node(windowed(query.node, "offset", offset=count))

    # --- answers

    def fetch(self) -> list[Any]:
        """Return the rows as they are now: of several slots, tuples.

        They are in order if ``order_by`` said so, and in no order to rely on otherwise.

        Raises:
            ExpressionError: values of a row do not suit an operator.
        """
        query = self.as_query()
        return query.checked_runner().fetch(query.node)

    def first(self) -> Any:
        """Return the first row, or None; which one that is follows from the order alone."""
        return next(iter(self.fetch()), None)

    def one(self) -> Any:
        """Return the only row.

        Raises:
            NotOneRow: there is none, or there are several.
        """
        rows = self.fetch()
        if len(rows) != 1:
            raise NotOneRow(
                f"one() found {len(rows)} rows; `first()` takes one of several, or none"
            )
        return rows[0]

    def explain(self) -> str:
        """Describe how the query is run."""
        query = self.as_query()
        return query.checked_runner().explain(query.node)


def _as_query(other: Any, method: str) -> Query:
    if not isinstance(other, Queryable):
        raise ExpressionError(
            f"`{method}` takes collections and queries, not {what_is_no_query(other)}"
        )
    return other.as_query()


def what_is_no_query(other: object) -> str:
    """Return what messages call it, with what to write instead where that is known."""
    name = type(other).__name__
    return f"{name}: write `.agg(...)` behind `group_by`" if name == "Grouped" else name


def _check_function(function: Callable[..., Any], shape: Shape, method: str) -> None:
    refuse_async(function, method, _PLAIN_FUNCTION)
    check_parameters(function, shape, method, given="the rows of its slots")


def _is_of_groups(query: QueryNode) -> bool:
    while isinstance(query, WhereNode | FilterNode | OrderNode):
        query = query.input
    return isinstance(query, GroupNode)
