"""A copy of rows that belong elsewhere: to another database, or to a local collection.

Those change under another lock. So a database that asks them keeps a table of its own, which moves
on in its own commits; what happens to the original waits in an inbox until then.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from streamdb.collections.origin import Standing, WatchedSource
from streamdb.collections.table import Table, Write
from streamdb.engine.executor import Changes


class Mail(NamedTuple):
    """What happened to an original.

    Attributes:
        mirror: where the copy is, if anybody still asks it.
        writes: what makes the copy the same.
        end: how the original ended, if it did.
    """

    mirror: weakref.ref[Mirror]
    writes: Sequence[Write]
    end: Standing | None = None


class Mirror:
    """The rows of a source of another place: a :class:`~streamdb.expr.sources.Source` itself.

    Rows arrive in the order of the original; later ones in the order in which they come.

    Args:
        original: the source.
        post: is given what happens to it, under its lock.
    """

    def __init__(self, original: WatchedSource, post: Callable[[Mail], None]) -> None:
        self.name: Final = original.name
        self.slot: Final = original.slot
        self.key_column: Final = original.key_column
        self.table: Final = Table()
        self.original: Final = original
        this: weakref.ref[Mirror] = weakref.ref(self)

        def note(changes: Changes) -> None:
            post(Mail(this, _writes(original, changes)))

        def note_end(error: BaseException | None) -> None:
            post(Mail(this, (), original.standing if error is None else Standing("error", error)))

        with original.origin.lock:
            rows, arrival = original.table.rows, original.table.arrival
            ordered = sorted(rows, key=arrival)
            self.table.write([(key, rows[key], 0) for key in ordered])
            self.is_ready = original.is_ready
            #: How the original stood when this was brought up to date.
            self.standing = original.standing
            #: Follows it no more.
            self.stop: Final = original.watch(note, note_end)
        weakref.finalize(self, self.stop).atexit = False

    def __repr__(self) -> str:
        return repr(self.original)

    def key_of(self, value: Any) -> Any:
        """See ``Source``."""
        return self.original.key_of(value)

    def parse_key(self, key: Any) -> Any:
        """See ``Source``."""
        return self.original.parse_key(key)

    @property
    def failure(self) -> BaseException | None:
        """What ended the original, if a fault did."""
        return self.standing.error

    def check_readable(self) -> None:
        """See ``WatchedSource``."""
        self.original.check_readable()

    @property
    def has_become_ready(self) -> bool:
        """Tell whether the original has become ready, and this has not taken notice yet."""
        return not self.is_ready and self.original.is_ready


def _writes(original: WatchedSource, changes: Changes) -> list[Write]:
    writes: list[Write] = []
    for key, _, new, *_ in changes:
        if new is not None and original.table.moved(key):
            writes.append((key, None, 0))
        writes.append((key, new, 0))
    return writes
