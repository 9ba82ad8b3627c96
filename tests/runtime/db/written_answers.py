"""What the application of a random history says to conflicts, and what has to be written then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from tests.runtime.db.write_model import Deed, Laid, Local
from tests.runtime.db.write_steps import Resolution

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

    def _written(self, schema: Any, key: str, ours: Any, wanted: Any) -> None:
        opened, local = self._opened, Local(resolves=True)
        with opened.db._state.committing():
            opened.trace.append(Laid(local, opened.view()))
            place = schema.name, schema.parse_key(key)
            deed = _deed(dict(opened.collection(place[0]).items()).get(place[1]), ours, wanted)
            if deed is not None:
                local.add(place, deed)
            self._writer.tx = None
            try:
                self._write(schema, key, ours, wanted)
            except BaseException:
                local.deeds.clear()
                raise
            local.tx = self._writer.tx
            if local.tx is not None:
                opened.locals.append(local)
            is_written = local.tx is not None and local.tx.status != "synced"
            assert is_written is (deed is not None), f"{local.tx} for {deed}"


def _deed(now: Any, ours: Any, wanted: Any) -> Deed | None:
    """Return what makes a row what it is to be, as far as it says anything of the row of now."""
    if wanted is None:
        return Deed("delete") if now is not None and now == ours else None
    if ours is None:
        return Deed("insert", wanted) if now is None else None
    fields = changed(now, changed(ours, msgspec.structs.asdict(wanted)))
    return None if now is None or not fields else Deed("update", fields=fields)


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
