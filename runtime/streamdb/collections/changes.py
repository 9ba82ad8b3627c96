"""What happened to a collection: keyed deltas inside, typed changes for users.

A delta is ``(key, old or None, new or None)``, at most one for a key and commit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from msgspec import Struct

Row = TypeVar("Row", covariant=True)
Key = TypeVar("Key", covariant=True)

ChangeKind = Literal["insert", "update", "delete", "move"]


#: The net effect of one commit on one key: that, the row before or None, the row after or None.
#: Rows are compared by identity. A plain tuple, for a named one takes longer to unpack.
Delta: TypeAlias = tuple[str, Any | None, Any | None]


class Change(Struct, Generic[Row, Key], frozen=True):
    """One row that appeared, changed or went, or that moved in an ordered result.

    The changes of an ordered result apply one after the other, in their order: each takes the row
    out of the list at ``old_index``, and then puts it in at ``new_index``.

    Attributes:
        kind: ``insert``, ``update``, ``delete`` or ``move``.
        key: the row's key, of its declared type.
        old: the row before; None for an insert.
        new: the row after; None for a delete; the same as before for a move.
        old_index: where the row was, from 0; None for an insert, and where there is no order.
        new_index: where the row is, from 0; None for a delete, and where there is no order.
    """

    kind: ChangeKind
    key: Key
    old: Row | None
    new: Row | None
    old_index: int | None = None
    new_index: int | None = None


Changes = tuple[Change[Row, Key], ...]
Test = Callable[[Any], bool]


def filtered(deltas: Sequence[Delta], test: Test | None) -> Sequence[Delta]:
    """Keep what a watcher of some rows sees: one that leaves them is gone for it (Q38).

    Queries have to know of rows that only stand elsewhere now, users need not.
    """
    if test is None:
        if len(deltas) == 1:  # as in most commits
            return deltas if deltas[0][1] is not deltas[0][2] else []
        return [delta for delta in deltas if delta[1] is not delta[2]]
    seen = (
        (
            key,
            old if old is not None and test(old) else None,
            new if new is not None and test(new) else None,
        )
        for key, old, new in deltas
    )
    return [delta for delta in seen if delta[1] is not delta[2]]


def changes_of(deltas: Iterable[Delta], parse_key: Callable[[str], Any]) -> Changes[Any, Any]:
    """Turn deltas into what users see."""
    return tuple(  # of a list and no generator: most are of one change
        [Change(kind_of(old, new), parse_key(key), old, new) for key, old, new in deltas]
    )


def kind_of(old: object | None, new: object | None) -> ChangeKind:
    """Say what happened to a row; of rows without an order, none is ever the same as before."""
    if old is None:
        return "insert"
    if new is None:
        return "delete"
    return "move" if old is new else "update"


class Buffer:
    """What a reader of changes has not taken yet: filled by commits, emptied by the reader.

    They may be on any threads.

    Args:
        wake: called when there may be more.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self.ended = False
        self.error: BaseException | None = None

    def push(self, changes: Any, /) -> None:
        """Add the changes of a commit."""
        raise NotImplementedError

    def end(self, error: BaseException | None) -> None:
        """No more will come; the reader still gets what is pending, then the error if any."""
        with self._lock:
            self.ended, self.error = True, self.error or error
        self._wake()

    def take(self) -> Sequence[tuple[Any, ...]]:
        """Return what is pending, and begin anew."""
        raise NotImplementedError


class ChangeBuffer(Buffer):
    """One net delta for a key, relative to what its reader took last.

    So a slow reader costs memory by keys, not by commits: insert and then delete is nothing,
    delete and then insert is an update. A test that raises ends it, and the reader learns why.
    """

    def __init__(self, wake: Callable[[], None], test: Test | None = None) -> None:
        super().__init__(wake)
        self._test = test
        self._pending: dict[str, tuple[Any | None, Any | None]] = {}

    def push(self, deltas: Sequence[Delta]) -> None:
        """Add the deltas of a commit."""
        if self.ended:
            return
        try:
            seen_by_reader = filtered(deltas, self._test)
        except Exception as error:  # noqa: BLE001 - it is the reader's own test that failed
            self.end(error)
            return
        with self._lock:
            for key, old, new in seen_by_reader:
                seen = self._pending.pop(key, (old, None))[0]
                if seen is not new:
                    self._pending[key] = (seen, new)
            is_empty = not self._pending
        if not is_empty:
            self._wake()

    def take(self) -> list[Delta]:
        """Return what is pending, and begin anew."""
        with self._lock:
            pending, self._pending = self._pending, {}
        return [(key, old, new) for key, (old, new) in pending.items()]


def net_deltas(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Delta]:
    """Compare two whole states of a collection."""
    gone = [(key, old, None) for key, old in before.items() if key not in after]
    came = [(key, before.get(key), new) for key, new in after.items() if before.get(key) is not new]
    return gone + came
