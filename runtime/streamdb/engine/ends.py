"""When a live query ends because what it asks does: rows of other places, or other live queries."""

from __future__ import annotations

from streamdb.engine.mirror import Mirror
from streamdb.engine.result import Result
from streamdb.errors import DatabaseClosed, QueryClosed
from streamdb.expr.sources import Source


def check_goes_on(parent: Result | Mirror) -> None:
    """Raise if what a new query asks was closed, for it would never be up to date."""
    source = parent.original if isinstance(parent, Mirror) else parent
    if isinstance(source, Result) and source.is_closed:
        raise QueryClosed(f"{source!r}, which this one asks, is closed: make it anew")
    if isinstance(parent, Mirror) and parent.standing.status == "closed":
        raise DatabaseClosed(f"the database of {parent!r}, which this query asks, is closed")


def end_with_sources(result: Result) -> None:
    """End a query if all that it asks is of other places whose streams have ended."""
    if all(s.has_ended if isinstance(s, Result) else _is_ended(s) for s in result.sources):
        result.has_ended = True
        result.watchers.end(None)


def _is_ended(source: Source) -> bool:
    return isinstance(source, Mirror) and source.standing.status == "ended"
