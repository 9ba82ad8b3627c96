"""What all executors have in common: a plan that is loaded once and then stepped by commits.

A change is the plain tuple ``(key, old, new)``, None where there is no row; there is at most one
for a key and commit, and none whose old and new are the same (see ``same``), save where the row has
moved in the order of arrival: derived queries have to know, users need not. There, old and new are
one object, which is how such changes are known. A change of an ordered plan is ``(key, old, new,
old_index, new_index)``: applied one after the other, in their order, to the list of rows before the
commit (remove at ``old_index``, then insert at ``new_index``; None where there is no row), they
give the list after it. There, too, old and new are one object if the row is the same: a pure move,
or less than that.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from streamdb.expr.sources import Source

Key: TypeAlias = Hashable
#: A row inside the engine: never None. Of a tuple shape, the tuple of its slots.
Item: TypeAlias = Any
#: (key, old, new), or of an ordered plan (key, old, new, old_index, new_index).
Change: TypeAlias = tuple[Any, ...]
Changes: TypeAlias = Sequence[Change]


class Positions(Protocol):
    """The keys of an ordered plan, by position."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Key:
        """Return the key at an index from 0; O(log n) or better. Raises IndexError."""
        ...

    def __iter__(self) -> Iterator[Key]: ...
    def index(self, key: Key) -> int:
        """Return where a key stands. Raises KeyError."""
        ...


class Executor(Protocol):
    """Keeps the rows of one plan."""

    @property
    def rows(self) -> Mapping[Key, Item]:
        """What the plan gives, by key, as of the last load or step.

        The mapping stays the same object; nobody but the executor writes it.
        """
        ...

    @property
    def positions(self) -> Positions | None:
        """The keys in order, if the plan is ordered."""
        ...

    def load(self) -> None:
        """Compute everything from the sources as they are now, once, before the first step."""
        ...

    def step(self, changes: Mapping[Source, Changes], /) -> Changes:
        """Follow a commit and return its net effect on the rows.

        Args:
            changes: what happened to each source of the plan that changed. The sources' tables
                are in the state after the commit already, all of them.

        Raises:
            Exception: whatever a function of the query raises; the executor is of no use then.
        """
        ...

    def arrival(self, key: Key) -> Any:
        """Return where a row stands in the order of arrival; see ``Rows.arrival``."""
        ...

    def moved(self, key: Key) -> bool:
        """Tell whether the last step moved a row in the order of arrival; see ``Rows.moved``."""
        ...
