"""Asking the application what is to become of a row that two have written."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal, Protocol

from streamdb.collections.overlay import Conflicting
from streamdb.db.local_writes import changed_fields, is_same_json
from streamdb.db.mutations import Mutations
from streamdb.errors import StreamDBError
from streamdb.state.schema import CollectionSchema

log: Final = logging.getLogger("streamdb.db")

Schema = CollectionSchema[Any, Any]


class Resolver(Protocol):
    """What an application says to a conflict; see ``Collection.on_conflict``."""

    def __call__(
        self, base: Any | None, theirs: Any | None, ours: Any | None, /
    ) -> Any | Literal["ours", "theirs"]:
        """Return the row as it is to be, or whose it is."""
        ...


class Conflicts:
    """Has conflicts resolved by the functions of an application, after the commit that tells them.

    Args:
        mutations: writes what they say.
        deliver: runs a user's callback where callbacks of this database run.
        url: of the stream, for messages.
    """

    def __init__(
        self,
        mutations: Mutations[Any],
        deliver: Callable[[Callable[[], object]], None],
        url: str,
    ) -> None:
        self._mutations: Final = mutations
        self._deliver: Final = deliver
        self._url: Final = url
        self._resolvers: Final[dict[str, Resolver]] = {}

    def resolve_by(self, schema: Schema, resolver: Resolver) -> None:
        """Ask a function about conflicts of a collection from now on, in place of any before."""
        self._resolvers[schema.name] = resolver

    def ask(self, schema: Schema, conflicting: Conflicting) -> None:
        """Have a conflict resolved. Called in the commit that tells it."""
        if schema.name in self._resolvers:
            self._deliver(partial(self._resolve, schema, conflicting))

    def _resolve(self, schema: Schema, conflicting: Conflicting) -> None:
        base, theirs, ours = (
            None if row is None else schema.rows.lent(row)
            for row in (conflicting.base, conflicting.theirs, conflicting.ours)
        )
        answer = self._resolvers[schema.name](base, theirs, ours)
        if isinstance(answer, str) and answer == "ours":
            return
        if isinstance(answer, str) and answer == "theirs":
            wanted = conflicting.theirs
        else:
            wanted = answer
            self._check(schema, conflicting.key, wanted)
        try:
            self._write(schema, conflicting.key, conflicting.ours, wanted)
        except StreamDBError as error:
            log.warning("%s: what resolves a conflict is not written: %s", self._url, error)

    def _check(self, schema: Schema, key: str, answer: Any) -> None:
        what = f"the function for conflicts of collection {schema.name!r} returned"
        if not schema.rows.holds(answer):
            raise TypeError(
                f"{what} {type(answer).__name__}: it returns the row as it is to be, 'ours' or "
                "'theirs'"
            )
        if schema.wire_key(schema.key_of(answer)) != key:
            raise ValueError(f"{what} a row of another key than {key!r}")

    def _write(self, schema: Schema, key: str, ours: Any | None, wanted: Any | None) -> None:
        """Write what is to become of a row of ours, as far as that is not out of date by now."""
        mutations = self._mutations
        with mutations.holding():
            now = mutations.shown(schema, key)
            if wanted is None:
                if now is not None and ours is not None and is_same_json(schema, now, ours):
                    mutations.delete(schema, schema.parse_key(key))
            elif ours is None:
                if now is None:
                    mutations.insert(schema, wanted)
            elif now is not None:
                fields = changed_fields(schema, ours, wanted)
                if fields is None and is_same_json(schema, now, ours):
                    mutations.upsert(schema, wanted)
                elif fields:
                    mutations.update(
                        schema,
                        schema.parse_key(key),
                        lambda row: schema.replace(row, fields),
                    )
