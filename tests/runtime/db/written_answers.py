"""What the application of a random history says to conflicts, and what has to be written then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from tests.runtime.db.write_model import Deed, Laid, Local
from tests.runtime.db.write_steps import Resolution

from streamdb.db.conflicts import _WORDS

if TYPE_CHECKING:
    from tests.runtime.db.written_database import Opened


class Answers:
    """Has a database ask about conflicts, not before it may, and notes what comes of it."""

    def __init__(self, opened: Opened, how: Resolution) -> None:
        #: The transactions of conflicts that the application was asked about.
        self.asked: Final[set[str]] = set()
        self._opened: Final = opened
        self._waiting: list[tuple[Any, Any]] = []
        conflicts = opened.db._conflicts
        self._ask, self._write = conflicts.ask, conflicts._write
        self._writer = _Writer(conflicts._mutations)
        conflicts._mutations = self._writer
        conflicts.ask, conflicts._write = self._asked, self._written
        for name in opened.db.collections:
            opened.db.collections[name].on_conflict(_RESOLVERS[how])

    def go_on(self) -> None:
        """Have it asked what it was not asked yet."""
        with self._opened.lock:
            waiting, self._waiting = self._waiting, []
        for schema, conflicting in waiting:
            self._ask(schema, conflicting)

    def _asked(self, schema: Any, conflicting: Any) -> None:
        self.asked.add(conflicting.txid)
        if self._opened.hold.asking:
            self._waiting.append((schema, conflicting))
        else:
            self._ask(schema, conflicting)

    def _written(self, schema: Any, conflicting: Any, given: Any, answer: Any) -> Any:
        opened, local = self._opened, Local(resolves=True)
        with opened.db._state.committing():
            opened.trace.append(Laid(local, opened.view()))
            place = schema.name, schema.parse_key(conflicting.key)
            now = dict(opened.collection(place[0]).items()).get(place[1])
            deed, is_asked_again = _deed(now, conflicting, given, answer)
            if deed is not None:
                local.add(place, deed)
            self._writer.tx = None
            try:
                given_next = self._write(schema, conflicting, given, answer)
            except BaseException:
                local.deeds.clear()
                raise
            local.tx = self._writer.tx
            if local.tx is not None:
                opened.locals.append(local)
            is_written = local.tx is not None and local.tx.status != "synced"
            assert is_written is (deed is not None), f"{local.tx} for {deed}"
            assert given_next == (now if is_asked_again else None)
            return given_next


def _deed(now: Any, conflicting: Any, given: Any, answer: Any) -> tuple[Deed | None, bool]:
    """Return what makes a row what it is to be, and whether the row is another one by now.

    Args:
        now: the row.
        conflicting: what the application is asked about.
        given: the row that it was given as its own.
        answer: what it says.
    """
    is_theirs = answer is _WORDS["theirs"]
    wanted = conflicting.theirs if is_theirs else answer
    if now is None or given is None:
        is_new = now is None and given is None and wanted is not None
        return Deed("insert", wanted) if is_new else None, now is not None and wanted is not None
    if wanted is None:
        return Deed("delete") if now == given else None, now != given
    ours = conflicting.ours if is_theirs and conflicting.ours is not None else given
    fields = changed(ours, msgspec.structs.asdict(wanted))
    if any(getattr(now, name) != getattr(given, name) for name in fields):
        return None, True
    fields = changed(now, fields)
    return Deed("update", fields=fields) if fields else None, False


class _Writer:
    """Writes what resolves a conflict, and keeps the transaction."""

    def __init__(self, mutations: Any) -> None:
        self.tx: Any = None
        self.holding = mutations.holding
        self.shown = mutations.shown
        self._mutations = mutations

    def __getattr__(self, kind: str) -> Any:
        """Return what writes so."""
        write = getattr(self._mutations, kind)

        def kept(*arguments: Any) -> None:
            self.tx = write(*arguments)

        return kept


def laid_over(row: Any, fields: dict[str, Any]) -> Any:
    """Return a row with other fields."""
    return msgspec.structs.replace(row, **fields)


def changed(row: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that a row has not got already: those are what an update changes."""
    return {name: value for name, value in fields.items() if getattr(row, name, None) != value}


def _both(base: Any, theirs: Any, ours: Any) -> Any:
    """Return ours with what they changed and we did not."""
    if base is None or theirs is None or ours is None:
        return "ours" if theirs is None else "theirs"
    fields = msgspec.structs.asdict(theirs)
    by_them = {name: value for name, value in fields.items() if value != getattr(base, name)}
    own = {name for name in fields if getattr(ours, name) != getattr(base, name)}
    return laid_over(ours, {name: value for name, value in by_them.items() if name not in own})


_RESOLVERS: Final[dict[Resolution, Any]] = {
    "ours": lambda *_: "ours",
    "theirs": lambda *_: "theirs",
    "both": _both,
}
