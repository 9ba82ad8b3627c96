"""What is asked of collections: a tree, and what runs it.

There is one class for queries of any number of slots; what type checkers are told of them stands in
``queries.pyi``, written by ``python -m tests.runtime.expr.query_stub``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Final, Protocol

from streamdb.errors import NotConnected
from streamdb.expr.asking import answers_of
from streamdb.expr.grouping import grouped
from streamdb.expr.nodes import Node
from streamdb.expr.query_tree import QueryNode, SourceNode
from streamdb.expr.queryable import Queryable as Queryable
from streamdb.expr.shape import Shape
from streamdb.expr.sources import Source
from streamdb.expr.windows import without_order
from streamdb.near_miss import near_miss

#: What collections and live queries have, and queries have not.
_OF_LIVE: Final = frozenset(
    ("changes", "close", "error", "get", "items", "keys", "status", "subscribe", "values")
)
_HOLDS_NO_ROWS: Final = (
    "a query says what is asked and holds no rows; write `query.fetch()` for the rows as they are "
    "now, or `db.live(query)` for what is kept up to date, read and watched like a collection"
)


class QueryRunner(Protocol):
    """Runs queries: what a database hands to its collections."""

    def fetch(self, query: QueryNode, /) -> list[Any]:
        """Return the rows as they are now, as users see them, in order if there is one."""
        ...

    def explain(self, query: QueryNode, /) -> str:
        """Describe how the query is run."""
        ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Query(Queryable[Any, Any]):
    """What is asked of collections; immutable, so it may be kept, shared and built upon.

    Attributes:
        node: the tree of what is asked.
        runner: what runs it, handed on from the collection that it begins at.
    """

    node: QueryNode
    runner: QueryRunner | None

    def __class_getitem__(cls, types: Any) -> GenericAlias:
        return GenericAlias(cls, types)  # however many: see `queries.pyi`

    def __repr__(self) -> str:
        return f"<Query of {self.shape.names()}>"

    if not TYPE_CHECKING:  # checkers would take every name for a method

        def __getattr__(self, name):
            if name.startswith("_"):
                raise AttributeError(name)  # asked for by the language, not by a user
            raise AttributeError(f"{self!r} has no {name!r}: {_instead(name)}")

        def __getitem__(self, index):  # Python iterates by it, too
            raise TypeError(f"{self!r}[{index!r}]: {_HOLDS_NO_ROWS}")

    @property
    def shape(self) -> Shape:
        """What its rows are made of."""
        return self.node.shape

    def as_query(self) -> Query:
        """Return the query itself."""
        return self

    def with_node(self, node: QueryNode, *others: Query) -> Query:
        """Return the query that asks something else, made of this one and of others."""
        runners = (query.runner for query in (self, *others))
        return Query(node, next(filter(None, runners), None))

    def grouped_by(self, keys: tuple[Node, ...]) -> Grouped:
        """Return the rows in groups; without keys, in one."""
        return Grouped(self, keys)

    def checked_runner(self) -> QueryRunner:
        """Return what runs it. Raises NotConnected if there is nothing that can."""
        if self.runner is None:
            raise NotConnected(
                f"{self!r} begins at a collection that belongs to no database, so nothing runs it: "
                "begin at a collection of a database"
            )
        return self.runner


class Grouped:
    """Rows in groups, to be asked by ``agg``."""

    __slots__ = ("_keys", "_query")

    def __init__(self, query: Query, keys: tuple[Node, ...]) -> None:
        self._query: Final = query
        self._keys: Final = keys

    def __class_getitem__(cls, types: Any) -> GenericAlias:
        return GenericAlias(cls, types)  # see `queries.pyi`

    if not TYPE_CHECKING:  # as above

        def __getattr__(self, name):
            if name.startswith("_"):
                raise AttributeError(name)
            raise AttributeError(
                f"groups have no {name!r} before they are made into rows: write "
                f"`.group_by(...).agg(lambda m: fn.count()).{name}(...)`"
            )

    def agg(self, values: Callable[..., Any]) -> Query:
        """Make one row of each group: its keys, and aggregates or what is computed of them."""
        query = self._query
        answers = answers_of(values, query.shape)
        return query.with_node(grouped(without_order(query.node), self._keys, answers))


def _instead(name: str) -> str:
    if name in _OF_LIVE:
        return _HOLDS_NO_ROWS
    methods = [known for known in dir(Queryable) if not known.startswith("_")]
    near = near_miss(name, methods)
    return f"did you mean `.{near}`?" if near else f"it has {', '.join(methods)}"


def query_of(source: Source, runner: QueryRunner | None) -> Query:
    """Return the query for all rows of a source."""
    return Query(SourceNode(source, Shape((source.slot,), is_tuple=False)), runner)
