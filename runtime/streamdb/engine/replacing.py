"""The same question of other sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from streamdb.expr.query_tree import JoinNode, QueryNode, SourceNode, UnionNode
from streamdb.expr.sources import Source


def with_sources(query: QueryNode, replacement: Callable[[Source], Source]) -> QueryNode:
    """Return the query that asks what ``replacement`` returns for each source."""
    match query:
        case SourceNode(source):
            return dataclasses.replace(query, source=replacement(source))
        case JoinNode(left, right):
            return dataclasses.replace(
                query,
                left=with_sources(left, replacement),
                right=with_sources(right, replacement),
            )
        case UnionNode(branches):
            asked = tuple(with_sources(branch, replacement) for branch in branches)
            return dataclasses.replace(query, branches=asked)
        case _:
            return dataclasses.replace(query, input=with_sources(query.input, replacement))


def sources_of(query: QueryNode) -> tuple[Source, ...]:
    """Return the sources that a query asks, each once."""
    found: dict[int, Source] = {}

    def note(source: Source) -> Source:
        found[id(source)] = source
        return source

    with_sources(query, note)
    return tuple(found.values())
