"""The short way of an event that comes alone, as nearly all do that others write in a session.

It does what folding a batch and committing it does, where nothing of that needs to be worked out
first: such an event is never refused, and no write of this program is concerned.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, Final, TypeAlias

from msgspec import UNSET

from streamdb.collections.changes import Delta
from streamdb.collections.table import Table
from streamdb.state.fold import key_reader
from streamdb.state.typed_events import Event

#: What an event did, to which table, if it did anything; and the txids that it carries.
Applied: TypeAlias = tuple[dict[Table, list[Delta]], list[str]]


class LoneEvents:
    """Carries out events that come alone.

    Args:
        tables: the rows of each collection, by its name.
    """

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables: Final = tables
        self._routes: Final[dict[type[Any], _Route | None]] = {}

    def apply(self, event: Any, ordinal: int, own: Container[str]) -> Applied | None:
        """Carry an event out. Return None, and do nothing, if it is not that plain.

        Args:
            event: the only one of its batch, as a page decoder gives it.
            ordinal: of the event.
            own: the ids of this program's own transactions.
        """
        kind: type[Any] = event.__class__
        if kind not in self._routes:
            self._routes[kind] = self._route_of(kind)
        route = self._routes[kind]
        if route is None:
            return None
        table, key_of = route
        headers, key, row = event.headers, event.key, event.value
        if headers.offset is not UNSET or headers.timestamp is not UNSET:
            return None
        if (txid := headers.txid) is not UNSET and txid in own:
            return None
        if headers.operation == "delete":
            row = None
        elif row is UNSET or (key := key_of(row)) != event.key:
            return None
        if (deltas := table.put(key, row, ordinal)) is None:
            return None
        return {table: deltas} if deltas else {}, [] if txid is UNSET else [txid]

    def _route_of(self, kind: type[Any]) -> _Route | None:
        """Return where the rows of a class of events go; None if they are not ready for it."""
        if not issubclass(kind, Event) or not kind.is_typed or kind.schema is None:
            return None
        if kind.rows is not None:
            return None
        return self._tables[kind.schema.name], key_reader(kind.schema)


# A table, and what reads the key of a row: a plain tuple, which is unpacked for every event.
_Route: TypeAlias = tuple[Table, Callable[[Any], str]]
