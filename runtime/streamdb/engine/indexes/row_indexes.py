"""The indexes of one source: which there are, and how they follow its rows.

Nobody asks for an index to be made. Loads of queries that had to look at all rows, and could have
looked at a few, are counted; when they have taken about as long as making the index does, it is
made. It does not follow commits as they happen, for most happen while nobody asks: changes are
noted, and taken in when somebody does. An index is dropped that nobody has asked while a good part
of the rows changed. So what indexes cost stays in proportion to what they save.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from streamdb.engine.executor import Changes, Item, Key
from streamdb.engine.indexes import paying
from streamdb.engine.indexes.ordered_index import OrderedIndex
from streamdb.engine.indexes.value_index import ValueIndex
from streamdb.errors import ExpressionError
from streamdb.expr.nodes import ColumnNode
from streamdb.expr.shape import Getter

_Kind = TypeVar("_Kind", ValueIndex, OrderedIndex)
_Found = TypeVar("_Found")
_Name: TypeAlias = tuple[type[ValueIndex | OrderedIndex], ColumnNode]


@dataclass(slots=True)
class _Kept:
    """An index.

    Attributes:
        asked_at: how many changes those of the source had taken in when it last found rows.
        has_served: whether it ever did.
        misses: how often it was gone through for nothing.
    """

    index: ValueIndex | OrderedIndex
    asked_at: int
    has_served: bool = False
    misses: int = 0


class RowIndexes:
    """The indexes of one source, for those who load queries; under the lock of its rows.

    >>> from functools import partial
    >>> from operator import attrgetter
    >>> from types import SimpleNamespace
    >>> from streamdb.expr.nodes import ColumnNode
    >>> rows = {str(n): SimpleNamespace(x=n % 10) for n in range(2000)}
    >>> indexes = RowIndexes()
    >>> def look() -> int | None:
    ...     found = partial(ValueIndex.keys_of, value=7)
    ...     return indexes.find(ValueIndex, ColumnNode("x"), attrgetter, rows, found)
    >>> [keys if keys is None else len(keys) for keys in (look() for _ in range(9))]
    [None, None, None, None, None, None, None, None, 200]
    """

    def __init__(self) -> None:
        self._kept: Final[dict[_Name, _Kept]] = {}
        self._scans: Final[Counter[_Name]] = Counter()
        #: How many rows there were when an index of them was of no use.
        self._refused: Final[dict[_Name, int]] = {}
        self._log: Final[list[Changes]] = []
        self._logged = 0
        self._most = 0
        self._followed = 0

    def note(self, changes: Changes) -> None:
        """Note what a commit has done to the rows: ``(key, old, new)`` of each."""
        if self._kept and changes:  # a log of nothing would never end
            self._log.append(changes)
            self._logged += len(changes)
            if self._logged > self._most:
                self.forget()

    def forget(self) -> None:
        """Drop all indexes: nobody asks them, or the rows are others now."""
        self._kept.clear()
        self._scans.clear()
        self._refused.clear()
        self._log.clear()
        self._logged = 0

    def find(
        self,
        kind: type[_Kind],
        column: ColumnNode,
        getter: Getter,
        rows: Mapping[Key, Item],
        found: Callable[[_Kind], _Found | None],
        *,
        may_make: bool = True,
        goes_through: bool = False,
    ) -> _Found | None:
        """Return what an index finds among the rows as they are now.

        None if there is no such index, or not yet, or if it finds nothing of use.

        Args:
            kind: which index.
            column: by whose values it finds rows.
            getter: makes what reads a column of a row.
            rows: all of them.
            found: asks it, and returns None if that is of no use.
            may_make: whether who asks will look at all rows without it, which is counted.
            goes_through: whether to find nothing of use takes time, too; an index that only does
                so is of no use.
        """
        name = (kind, column)
        if self._logged:
            self._follow(len(rows))
        kept = self._kept.get(name)
        if kept is None and may_make and self._pays(name, len(rows)):
            kept = self._make(name, getter, rows)
        if kept is None:
            return None
        assert isinstance(kept.index, kind)  # noqa: S101 - the name says so
        answer = found(kept.index)
        if answer is not None:
            kept.asked_at, kept.has_served = self._followed, True
        elif goes_through and not kept.has_served:
            kept.misses += 1
            if kept.misses > paying.SCANS_BEFORE:
                self._drop(name, refused_at=len(rows))
        return answer

    def _pays(self, name: _Name, count: int) -> bool:
        """Count a look at all rows, and tell whether there were enough of them."""
        if not self.could_make(*name, count):
            return False
        self._scans[name] += 1
        return self._scans[name] > paying.SCANS_BEFORE

    def could_make(
        self, kind: type[ValueIndex | OrderedIndex], column: ColumnNode, count: int
    ) -> bool:
        """Tell whether looks at all rows may lead to an index that there is not.

        One that was of no use is made again once there are twice as many rows: what most of the
        first ones have, few of the later ones may have.
        """
        name = (kind, column)
        refused = self._refused.get(name)
        return name not in self._kept and (refused is None or count >= refused * paying.GROWN_BY)

    def _make(self, name: _Name, getter: Getter, rows: Mapping[Key, Item]) -> _Kept | None:
        kind, column = name
        index = kind(column, getter(column.name))
        try:
            index.load(rows)
        except _UNFIT:
            self._refused[name] = len(rows)
            return None
        self._refused.pop(name, None)
        self._most = paying.FEW_CHANGES + len(rows) // paying.CHANGED_OF
        kept = self._kept[name] = _Kept(index, self._followed)
        return kept

    def _follow(self, count: int) -> None:
        """Take in what has been noted, but for indexes that have served nobody for long."""
        self._followed += self._logged
        try:
            for name, kept in list(self._kept.items()):
                try:
                    if self._followed - kept.asked_at > self._most:
                        self._drop(name, refused_at=None if kept.has_served else count)
                    else:
                        for changes in self._log:
                            kept.index.follow(changes)
                except _UNFIT:
                    self._drop(name, refused_at=count)
        except BaseException:  # an interrupt: who knows what an index has taken in
            self.forget()
            raise
        self._log.clear()
        self._logged = 0

    def _drop(self, name: _Name, *, refused_at: int | None) -> None:
        del self._kept[name]
        self._scans.pop(name, None)
        if refused_at is not None:
            self._refused[name] = refused_at


#: What is raised by values that have no hash, or do not compare.
_UNFIT: Final = (ExpressionError, TypeError, ValueError, ArithmeticError)
