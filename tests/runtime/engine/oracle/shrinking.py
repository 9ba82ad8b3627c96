"""Making a world smaller that an executor does not get right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from tests.runtime.engine.oracle.live import LiveSource
from tests.runtime.engine.oracle.worlds import Live, World

from streamdb.expr.query_tree import (
    DistinctNode,
    FilterNode,
    JoinNode,
    OrderNode,
    QueryNode,
    SourceNode,
    UnionNode,
    WhereNode,
)
from streamdb.expr.sources import Source

T = TypeVar("T")


def shrunk(world: World, fails: Callable[[World], bool]) -> World:
    """Return a world that fails as well, as small as simple cuts make it."""
    while True:
        smaller = next(filter(fails, _smaller(world)), None)
        if smaller is None:
            return world
        world = smaller


def _smaller(world: World) -> Iterator[World]:
    for lives in _shorter(world.lives):
        known = {live.source for live in lives}
        if all(not isinstance(s, LiveSource) or s in known for s in _asked(lives)):
            yield replace(world, lives=lives)
    for commits in _shorter(world.commits):
        yield replace(world, commits=commits)
    for number, live in enumerate(world.lives):
        is_asked = live.source in _asked(world.lives)
        queries = {one.source: one.query for one in world.lives}
        for query in _simpler(live.query, queries, is_root=not is_asked):
            source = live.source if is_asked else LiveSource(live.source.name, query.shape)
            yield replace(world, lives=_with(world.lives, number, Live(source, query)))
    for number, commit in enumerate(world.commits):
        for table, writes in commit.items():
            for fewer in _shorter(writes):
                changed = {**commit, table: fewer}
                yield replace(world, commits=_with(world.commits, number, changed))
    for number, rows in enumerate(world.start):
        for items in _shorter(tuple(rows.items())):
            yield replace(world, start=_with(world.start, number, dict(items)))


def _shorter(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Leave out half of the items, a quarter, and so on."""
    size = len(items)
    while size := size // 2 if size > 1 else 0:
        for begin in range(0, len(items), size):
            yield [*items[:begin], *items[begin + size :]]
    if len(items) == 1:
        yield []


def _with(items: Sequence[T], number: int, item: T) -> list[T]:
    return [*items[:number], item, *items[number + 1 :]]


def _asked(lives: Sequence[Live]) -> set[Source]:
    return {source for live in lives for source in _sources(live.query)}


def _sources(query: QueryNode) -> Iterator[Source]:
    if isinstance(query, SourceNode):
        yield query.source
    for inner in _inputs(query):
        yield from _sources(inner)


def _simpler(
    query: QueryNode, queries: dict[LiveSource, QueryNode], *, is_root: bool
) -> Iterator[QueryNode]:
    """Return simpler queries; unless it is the root, of the same shape."""
    if is_root:
        yield from _inputs(query)
    match query:
        case SourceNode(LiveSource() as source):
            yield queries[source]
        case WhereNode() | FilterNode() | DistinctNode() | OrderNode() if not is_root:
            yield query.input
        case UnionNode(branches):
            yield from branches if not is_root else ()
            yield from (replace(query, branches=tuple(b)) for b in _shorter(branches) if b)
        case JoinNode(_, _, pairs, residual):
            yield from (replace(query, pairs=tuple(fewer)) for fewer in _shorter(pairs))
            if residual is not None:
                yield replace(query, residual=None)
        case _:
            pass
    if isinstance(query, OrderNode):
        yield from (replace(query, terms=tuple(fewer)) for fewer in _shorter(query.terms))
        if query.offset:
            yield replace(query, offset=0)
        if query.limit is not None:
            yield replace(query, limit=None)
    inputs = _inputs(query)
    for number, inner in enumerate(inputs):
        for simpler in _simpler(inner, queries, is_root=False):
            yield _with_inputs(query, _with(inputs, number, simpler))


def _inputs(query: QueryNode) -> Sequence[QueryNode]:
    match query:
        case SourceNode():
            return ()
        case JoinNode(left, right):
            return left, right
        case UnionNode(branches):
            return branches
        case _:
            return (query.input,)


def _with_inputs(query: QueryNode, inputs: Sequence[QueryNode]) -> QueryNode:
    match query:
        case SourceNode():
            return query
        case JoinNode():
            return replace(query, left=inputs[0], right=inputs[1])
        case UnionNode():
            return replace(query, branches=tuple(inputs))
        case _:
            return replace(query, input=inputs[0])
