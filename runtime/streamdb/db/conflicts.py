"""Asking the application what is to become of a row that two have written."""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Literal, Protocol

from streamdb.collections.overlay import Conflicting
from streamdb.db.local_writes import changed_fields, has_same, is_same_json
from streamdb.db.mutations import Mutations
from streamdb.db.options import OnConflict
from streamdb.db.without_content import log_in_full, without_content
from streamdb.errors import StreamDBError
from streamdb.plain_functions import check_takes
from streamdb.state.schema import CollectionSchema

log: Final = logging.getLogger("streamdb.db")

# So often a function is asked about one conflict, as long as the row goes on being written.
_MOST_ASKED: Final = 20


class _Word(enum.Enum):
    """An answer that names a row."""

    OURS = "ours"
    THEIRS = "theirs"


_OURS: Final = _Word.OURS
_THEIRS: Final = _Word.THEIRS
_WORDS: Final[Mapping[str, _Word]] = {word.value: word for word in _Word}

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
        default: is asked about rows of collections that have no function, or says whose they are.
    """

    def __init__(
        self,
        mutations: Mutations[Any],
        deliver: Callable[[Callable[[], object]], None],
        url: str,
        default: OnConflict | None = None,
    ) -> None:
        self._mutations: Final = mutations
        self._deliver: Final = deliver
        self._url: Final = url
        self._resolvers: Final[dict[str, Resolver]] = {}
        self._default: Final = _resolver(default)

    def resolve_by(self, schema: Schema, resolver: Resolver | None) -> None:
        """Ask a function about conflicts of a collection from now on, in place of any before."""
        if resolver is None:
            self._resolvers.pop(schema.name, None)
        else:
            self._resolvers[schema.name] = resolver

    def ask(self, schema: Schema, conflicting: Conflicting) -> None:
        """Have a conflict resolved. Called in the commit that tells it."""
        if (resolver := self._resolvers.get(schema.name, self._default)) is not None:
            self._deliver(partial(self._resolve, resolver, schema, conflicting))

    def _resolve(self, resolver: Resolver, schema: Schema, conflicting: Conflicting) -> None:
        """Ask until the answer is of the row as it shows when it is written."""
        given = conflicting.ours
        for _ in range(_MOST_ASKED):
            try:
                answer = self._answer(resolver, schema, conflicting, given)
            except Exception as error:  # noqa: BLE001 - it is told without what it says
                log.error(
                    "%s: the function for conflicts of collection %r failed, and ours stands: %s",
                    self._url,
                    schema.name,
                    without_content(error),
                )
                log_in_full(log, error)
                return
            if answer is _OURS:
                return
            try:
                now = self._write(schema, conflicting, given, answer)
            except StreamDBError as error:
                told = without_content(error)
                log.warning("%s: what resolves a conflict is not written: %s", self._url, told)
                log_in_full(log, error)
                return
            if now is None:
                return
            given = now
        log.error(
            "%s: the row of key %r of collection %r was written again each time that its function "
            "for conflicts was asked, %d times: what was written last stands, and theirs is "
            "undone; does the function write that row itself?",
            self._url,
            conflicting.key,
            schema.name,
            _MOST_ASKED,
        )

    def _answer(
        self, resolver: Resolver, schema: Schema, conflicting: Conflicting, given: Any | None
    ) -> Any:
        """Return `_OURS`, `_THEIRS`, or the row that is wanted."""
        base, theirs, ours = (
            None if row is None else schema.rows.lent(row)
            for row in (conflicting.base, conflicting.theirs, given)
        )
        answer = resolver(base, theirs, ours)
        if isinstance(answer, str) and answer in _WORDS:
            return _WORDS[answer]
        what = f"the function for conflicts of collection {schema.name!r} returned"
        if not schema.rows.holds(answer):
            raise StreamDBError(
                f"{what} {type(answer).__name__}: it returns the row as it is to be, 'ours' or "
                "'theirs'"
            )
        if schema.wire_key(schema.key_of(answer)) != conflicting.key:
            raise StreamDBError(f"{what} a row of another key than {conflicting.key!r}")
        return answer

    def _write(
        self, schema: Schema, conflicting: Conflicting, given: Any | None, answer: Any
    ) -> Any | None:
        """Write what an answer changes of the row that it was given, in the row that shows.

        Returns:
            The row that shows, if what the answer changes has been changed since the function was
            given the row: then nothing is written.
        """
        mutations, key = self._mutations, conflicting.key
        wanted = conflicting.theirs if answer is _THEIRS else answer
        with mutations.holding():  # nobody writes between the look at the row and the writing
            now = mutations.shown(schema, key)
            if now is None and given is not None:
                return None  # it was removed since, and that stands
            if wanted is None:
                if given is None:
                    return None
                if not is_same_json(schema, now, given):
                    return now
                mutations.delete(schema, schema.parse_key(key))
                return None
            if given is None:
                if now is None:
                    mutations.insert(schema, wanted)
                return now
            # By a word, what was written to other fields since is not meant.
            is_meant = answer is _THEIRS and conflicting.ours is not None
            fields = changed_fields(schema, conflicting.ours if is_meant else given, wanted)
            if fields is None:
                if not is_same_json(schema, now, given):
                    return now
                mutations.upsert(schema, wanted)
            elif fields:
                if not has_same(schema, fields, now, given):
                    return now
                mutations.update(
                    schema, schema.parse_key(key), lambda row: schema.replace(row, fields)
                )
        return None


def _resolver(default: OnConflict | None) -> Resolver | None:
    if callable(default):
        check_takes(default, "on_conflict", "base", "theirs", "ours")
    if default is None or callable(default):
        return default
    word = default
    return lambda _base, _theirs, _ours: word
