"""What a table notes of single rows beside the rows: what is pending, what is own, what failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# Errors of rows that nobody writes again are forgotten, the oldest first.
_REMEMBERED_ERRORS: Final = 1000
_TOLERATED_OLD: Final = 1000


@dataclass(slots=True)
class Touched:
    """What commits have touched of a table.

    Attributes:
        keys: rows that they wrote, or where something else may have changed.
        are_all: whether all rows were replaced.
    """

    keys: dict[str, None] = field(default_factory=dict[str, None])
    are_all: bool = False


class Marks:
    """Notes by the text of the key.

    >>> marks = Marks()
    >>> marks.note_own("a", 7)
    >>> marks.is_own("a", 7), marks.is_own("a", 9)
    (True, False)
    """

    __slots__ = ("errors", "own", "pending")

    def __init__(self, errors: Mapping[str, BaseException] = {}) -> None:
        #: Rows that show with changes that have not come back.
        self.pending: set[str] = set()
        #: The ordinals of events that this database wrote, where they are the last ones or were.
        self.own: dict[str, int] = {}
        #: Why the last write of a row failed, until one comes back.
        self.errors = dict(errors)

    def copy(self) -> Marks:
        """Return those of now."""
        copied = Marks(self.errors)
        copied.pending, copied.own = self.pending.copy(), self.own.copy()
        return copied

    def is_own(self, key: str, ordinal: int) -> bool:
        """Tell whether the event of that ordinal, the row's last one, was written here."""
        return self.own.get(key) == ordinal

    def note_own(self, key: str, ordinal: int) -> None:
        """Note that a write of a row has come back."""
        self.own[key] = ordinal
        self.errors.pop(key, None)

    def note_failure(self, key: str, error: BaseException) -> None:
        """Note that a write of a row has failed."""
        self.errors.pop(key, None)
        self.errors[key] = error
        if len(self.errors) > _REMEMBERED_ERRORS:
            del self.errors[next(iter(self.errors))]

    def tidy(self, rows: Mapping[str, object]) -> None:
        """Forget rows that are gone, if they are many."""
        if len(self.own) > 2 * len(rows) + _TOLERATED_OLD:
            self.own = {key: ordinal for key, ordinal in self.own.items() if key in rows}
