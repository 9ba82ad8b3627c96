"""Random sources: columns of some kinds, and rows whose values often meet those of others."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nan
from random import Random
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct, defstruct
from msgspec.structs import replace
from tests.runtime.engine.tables import TableSource

#: What a column or a slot holds, beside nulls. A number is an integer or a float; an opaque value
#: is one that nothing is asked of.
Kind: TypeAlias = Literal["int", "number", "text", "bool", "opaque"]

# Where 1 and 1.0 are one group, either may be its key. What is computed of it is equal all the
# same, for these integers are small enough for floats.
VALUES: Final[Mapping[Kind, tuple[Any, ...]]] = {
    "int": (-2, 0, 1, 1, 2, 2, 3, 5, 2**40),
    "number": (
        -1,
        0,
        1,
        2,
        3,
        -0.0,
        0.0,
        0.1,
        0.5,
        1.0,
        2.0,
        2.5,
        10**20,
        1e16,
        1e300,
        inf,
        nan,
        nan,
    ),
    "text": ("", "1", "2", "a", "a", "b", "ab", "B", "é", "a%b_", "\U0001f600"),
    "bool": (False, True),
}
COLUMNS: Final[Mapping[str, Kind]] = {
    "i": "int",
    "j": "int",
    "n": "number",
    "m": "number",
    "s": "text",
    "t": "text",
    "f": "bool",
}


class RandomSource(TableSource):
    """A source of random rows, whose keys are texts, as those of collections are.

    Args:
        random: what to take choices from.
        name: what it is called.
        size: how many keys there are.

    Attributes:
        columns_by_name: the kind of each column.
        ids: the values that the column of the key can have.
    """

    def __init__(self, random: Random, name: str, size: int) -> None:
        self.key_kind: Final[Kind] = random.choice(("int", "text"))
        names = random.sample(list(COLUMNS), random.randint(2, 5))
        self.columns_by_name: Final = {"id": self.key_kind, **{n: COLUMNS[n] for n in names}}
        self._row_type: Final = defstruct(name.title(), list(self.columns_by_name), frozen=True)
        key_column = "id" if random.random() < 0.7 else None
        self.ids: Final = tuple(
            n if self.key_kind == "int" else "ab123"[n % 5] * (1 + n // 5) for n in range(size)
        )
        super().__init__(name, key_column=key_column)

    def key_of(self, value: Any) -> Any:
        """Return the text of a key, equal ones for equal values."""
        if self.key_kind == "text":
            return value if isinstance(value, str) else None
        is_whole = isinstance(value, int | float) and value == value and abs(value) < 1000
        return str(int(value)) if is_whole and value == int(value) else None

    def row(self, random: Random, own: Any) -> Struct:
        """Make a row, given what its key is made of."""
        values = [self.value(random, kind) for kind in self.columns_by_name.values()]
        return self._row_type(own, *values[1:])

    def value(self, random: Random, kind: Kind) -> Any:
        """Return a value, null now and then."""
        return None if random.random() < 0.2 else random.choice(VALUES[kind])

    def changed(self, random: Random, row: Struct) -> Struct:
        """Return the row with other values in some columns, perhaps in none."""
        names = random.sample(list(self.columns_by_name)[1:], random.choice((0, 1, 1, 1, 2)))
        values = {name: self.value(random, self.columns_by_name[name]) for name in names}
        return replace(row, **values)
