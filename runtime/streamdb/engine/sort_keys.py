"""What rows are compared by: for each row one tuple that Python itself puts in the right order.

Of each term the tuple has one part: the value itself, its inversion if the order is descending, or
a mark where there is no value or none that compares. Then comes what breaks ties, and then the key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from operator import neg
from typing import Any, Final, TypeAlias, cast

from streamdb.engine.executor import Item, Key
from streamdb.engine.key_order import key_order
from streamdb.engine.naive import Row, in_order
from streamdb.engine.sorted_rows import Entry, SortedRows
from streamdb.errors import ExpressionError
from streamdb.expr.evaluate import evaluator
from streamdb.expr.nodes import OrderTerm
from streamdb.expr.shape import Shape

EntryOf: TypeAlias = Callable[[Key, Item], Entry]
#: Makes that function from terms and a shape; and from whether all keys are text, for then a tie
#: is broken by the key itself, which costs least.
MakeEntryOf: TypeAlias = Callable[[Sequence[OrderTerm], Shape, bool], EntryOf]


def entry_of(terms: Sequence[OrderTerm], shape: Shape, keys_are_text: bool) -> EntryOf:
    """Return the function from a key and a row to the entry of the row.

    It raises ExpressionError as evaluation does.
    """
    parts = [part_of(term, evaluator(term.node, shape)) for term in terms]
    if keys_are_text:
        return lambda key, item: (*[part(item) for part in parts], key)
    return lambda key, item: (*[part(item) for part in parts], key_order(key), key)


class SortKeys:
    """Makes entries of :class:`~streamdb.engine.sorted_rows.SortedRows` from rows.

    Args:
        terms: what rows are ordered by, perhaps nothing.
        shape: of the rows.
        make: makes the function that makes the entries.

    Attributes:
        are_text: whether entries are those of keys that are text: so they are as long as all are.
        entry: returns the entry of a key and its row.
    """

    def __init__(
        self, terms: Sequence[OrderTerm], shape: Shape, make: MakeEntryOf = entry_of
    ) -> None:
        self._terms: Final = tuple(terms)
        self._shape: Final = shape
        self._make: Final = make
        self.are_text = True
        self.entry: EntryOf = make(terms, shape, True)

    def choose(self, keys: Iterable[Key]) -> None:
        """See what the keys of a first load are."""
        if not all(type(key) is str for key in keys):
            self.take_any()

    def take_any(self, rows: SortedRows | None = None) -> None:
        """Make entries of keys of any kind from now on, and of rows that have others, too."""
        self.are_text = False
        self.entry = self._make(self._terms, self._shape, False)
        if rows is not None:
            rows.fill(list(map(self.renewed, rows.entries.values())))

    def renewed(self, entry: Entry) -> Entry:
        """Return the entry of a key of any kind for one of a key that is text."""
        *parts, key = entry
        return (*parts, key_order(key), key)

    def mixture(self, rows: Iterable[tuple[Key, Item]], error: TypeError) -> ExpressionError:
        """Return what is wrong with rows whose entries did not compare: it names the term."""
        try:
            # The oracle says which term it is: it sorts by one after the other.
            all_rows = [Row(key, item, None) for key, item in rows]
            in_order(all_rows, self._terms, self._shape, tie=lambda row: key_order(row.key))
        except ExpressionError as said:
            return said
        terms = ", ".join(map(str, self._terms))
        return ExpressionError(f"rows cannot be ordered by `{terms}`: {error}")


# --- parts ----------------------------------------------------------------------------------


class _Mark:
    """Stands before (negative) or after (positive) all values, by its distance from them."""

    __slots__ = ("_place",)

    def __init__(self, place: int) -> None:
        self._place: Final = place

    def __lt__(self, other: object) -> bool:
        return self._place < (other._place if isinstance(other, _Mark) else 0)

    def __gt__(self, other: object) -> bool:
        return self._place > (other._place if isinstance(other, _Mark) else 0)


_NULL_FIRST: Final = _Mark(-2)
_NULL_LAST: Final = _Mark(2)
# NaN is after all numbers, so before them in a descending order.
_NAN_FIRST: Final = _Mark(-1)
_NAN_LAST: Final = _Mark(1)
#: Compares as greater than all that can stand in an entry.
AFTER_ALL: Final[object] = _Mark(3)


def marks_of(term: OrderTerm) -> tuple[object, object]:
    """Return what stands for null and for NaN in the order of a term."""
    null = _NULL_FIRST if term.nulls_first else _NULL_LAST
    return null, _NAN_FIRST if term.descending else _NAN_LAST


def part_of(term: OrderTerm, read: Callable[[Item], Any]) -> Callable[[Item], Any]:
    """Return the function from a row to what it is compared by in one term."""
    null, nan = marks_of(term)

    def part(item: Item) -> Any:
        value = read(item)
        if value is None:
            return null
        if value != value:
            return nan
        return inverted(value) if term.descending else value

    return part


def inverted(value: Any) -> Any:
    """Return something that compares with others of its kind the other way round.

    What does not compare with each other does not compare when inverted.

    >>> sorted(["b", "", "ab", "a"], key=inverted), sorted([1, 2.5, True, -3], key=inverted)
    (['b', 'ab', 'a', ''], [2.5, 1, True, -3])
    """
    invert = _INVERSIONS.get(value.__class__)
    return _inversion_of_kind(value.__class__)(value) if invert is None else invert(value)


def _inversion_of_kind(kind: type[Any]) -> Callable[[Any], Any]:
    """Return how values of a subclass are inverted, such as those of an enumeration of texts."""
    return next((_INVERSIONS[base] for base in kind.__mro__ if base in _INVERSIONS), Inverted)


class Inverted:
    """A value that compares the other way round: for what has no faster inversion."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value: Final = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Inverted) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: object) -> bool:
        if isinstance(other, Inverted):
            return bool(other.value < self.value)
        return NotImplemented


# UTF-8 orders text as code points do, and has no byte above 0xF4.
_COMPLEMENTS: Final = bytes(0xFE - byte if byte < 0xFE else 0 for byte in range(256))
_END: Final = b"\xff"  # after everything, so that a text comes before its own beginning


def _inverted_text(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass").translate(_COMPLEMENTS) + _END


_LAST_NAIVE: Final = dt.datetime.max
_FIRST_NAIVE: Final = dt.datetime.min
_FIRST_AWARE: Final = dt.datetime.min.replace(tzinfo=dt.UTC)


def _inverted_datetime(value: dt.datetime) -> dt.datetime | dt.timedelta:
    """Keep those with and without an offset apart, which do not compare."""
    if value.tzinfo is None:
        return _LAST_NAIVE - (value - _FIRST_NAIVE)
    return _FIRST_AWARE - value


def _inverted_date(value: dt.date) -> dt.date:
    return dt.date.fromordinal(dt.date.max.toordinal() + 1 - value.toordinal())


_INVERSIONS: Final = cast(
    "dict[type[Any], Callable[[Any], Any]]",
    {
        int: neg,
        float: neg,
        bool: neg,
        Decimal: Decimal.copy_negate,  # `-` would round to the precision of the context
        str: _inverted_text,
        dt.datetime: _inverted_datetime,
        dt.date: _inverted_date,
    },
)
