"""What is asked of every kind of row."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, Generic, NamedTuple, TypeGuard, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET

from streamdb.expr.kinds import Kind
from streamdb.near_miss import no_such
from streamdb.protocol import json_text
from streamdb.state.parsing import parse
from streamdb.state.row_kinds.quick_copies import QuickCopy
from streamdb.state.unknown_fields import has_unknown
from streamdb.state.value_kinds import kinds_of_type
from streamdb.types.faults import UNREADABLE, pointer_to
from streamdb.types.members import members_of

Row = TypeVar("Row")

_IMMUTABLE: Final = (
    str,
    int,
    float,
    bytes,
    dt.date,
    dt.time,
    dt.timedelta,
    Decimal,
    Enum,
    UUID,
    type(None),
    msgspec.UnsetType,
)

_plain_decoder: Final = msgspec.json.Decoder[Any]()


def _plain(text: bytes | msgspec.Raw) -> Any:
    try:
        return _plain_decoder.decode(text)
    except msgspec.DecodeError:  # perhaps half a surrogate pair
        return parse(text)


class RowField(NamedTuple):
    """A declared field: its attribute or key in Python, its name on the wire, its type."""

    name: str
    wire_name: str
    type: Any


class RowKind(Generic[Row]):
    """What is done with rows of one class.

    Attributes:
        row: the class.
        fields: what it declares, by their names in Python.
        in_page: the type that msgspec decodes for a value within a page of events; ``Raw`` or a
            plain object if the row is then made of it one by one.
        is_its_contract: whether reading a row asks its JSON Schema anyway.
        is_frozen: whether the fields of a row cannot be set; what they hold may still change.
        is_only_fields: whether two rows of just this class are the same JSON if their fields are.
        quick_copy: writes a row and reads it back, if that is so simple that it is quick.
    """

    in_page: Any = msgspec.Raw
    is_its_contract = False
    is_frozen = False
    is_only_fields = False

    @cached_property
    def quick_copy(self) -> QuickCopy[Row] | None:
        """None but where rows are of plain values."""
        return None

    def __init__(self, row: type[Row], fields: Mapping[str, RowField]) -> None:
        self.row: Final = row
        self.fields: Final = fields

    def holds(self, value: object) -> TypeGuard[Row]:
        """Tell whether a value is a row of this class, whatever it holds."""
        return isinstance(value, self.row)

    def read(self, text: bytes | msgspec.Raw) -> Row:
        """Read a row from JSON text, by the rules of JSON where the class is stricter.

        That is: ``1.0`` is an integer, and a lone surrogate is text (INVALID-9).

        Raises one of ``UNREADABLE`` if the value does not fit the class, or is not JSON.
        """
        raise NotImplementedError

    def convert(self, plain: Any) -> Row:
        """Turn plain parsed JSON into a row, by the same rules as :meth:`read`."""
        raise NotImplementedError

    def shows_all(self, row: Row, text: bytes | msgspec.Raw) -> bool:
        """Tell whether a row shows all properties in the text that it was read from."""
        try:
            return not has_unknown(_plain(text), row)
        except UNREADABLE:  # nobody can tell: too deep, or a number that only JSON can hold
            return False

    def write(self, row: Row) -> bytes:
        """Write a row as JSON text, unchecked.

        Raises:
            ValueError, TypeError, RecursionError: it holds what JSON has no form for.
        """
        return json_text.encode(row)

    def members(self, row: Row) -> Mapping[str, Any]:
        """Return what a row holds, by the names on the wire; absent ones may be ``UNSET``."""
        value: Any = row
        return value if json_text.is_object(value) else members_of(value) or {}

    def unwritable(self, row: Row) -> str:
        """Return the pointer to the first member that JSON has no form for, empty if none is."""
        for name, member in self.members(row).items():
            if member is UNSET:
                continue
            try:
                json_text.encode({name: member})
            except (*UNREADABLE, TypeError):
                return pointer_to([name])
        return ""

    def check(self, row: Row, text: bytes) -> None:
        """Check what was written of a row. Raises one of ``UNREADABLE``."""
        self.read(text)

    def replace(self, row: Row, changes: Mapping[str, Any]) -> Row:
        """Return a copy of a row with other values in some fields, unchecked.

        Raises one of ``UNREADABLE`` if the class cannot make such a row at all.

        Raises:
            TypeError: it has no such field.
        """
        raise NotImplementedError

    def with_key(self, row: Row, name: str, key: str | int) -> Row:
        """Return a copy of a row with another key.

        Raises one of ``UNREADABLE`` if the row may not have it.
        """
        return self.read(self.write(self.replace(row, {name: key})))

    def lent(self, row: Row) -> Row:
        """Return a row for the user's code to work on; a copy, if anything in it can be changed."""
        held = self.members(row).values()
        if self.is_frozen and all(isinstance(member, _IMMUTABLE) for member in held):
            return row
        try:
            return copy.deepcopy(row)
        except RecursionError:  # Python nests some hundred copies; text is copied without
            return self.read(self.write(row))

    def kinds(self, name: str | None) -> frozenset[Kind] | None:
        """Return of what kinds the values of a field are, by its name in Python.

        None if its type does not say it, and where None asks for the row itself.
        """
        declared = None if name is None else self.fields.get(name)
        return None if declared is None else kinds_of_type(declared.type)

    def getter(self, name: str) -> Callable[[Any], Any]:
        """Return the function that reads a field of a row."""
        return attrgetter(name)

    @cached_property
    def getters(self) -> Mapping[str, Callable[[Any], Any]]:
        """The functions that read the fields of a row, by their names."""
        return {name: self.getter(name) for name in self.fields}

    def _refuse_unknown(self, names: Iterable[str], known: Collection[str] | None = None) -> None:
        fields = self.fields if known is None else known
        for name in names:
            if name not in fields:
                what = f"{self.row.__name__} has no field"
                raise TypeError(no_such(what, name, fields, listed_as="Its fields"))
