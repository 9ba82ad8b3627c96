"""The kinds of classes that rows may be of, and what is asked of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, Generic, NamedTuple, TypeGuard, TypeVar, cast

import msgspec

from streamdb.errors import SchemaError
from streamdb.protocol import json_text
from streamdb.state.parsing import parse, with_whole_numbers
from streamdb.types.conversion import convert, dec_hook
from streamdb.types.extensible import Extensible, record_of
from streamdb.types.faults import UNREADABLE

Row = TypeVar("Row")


class RowField(NamedTuple):
    """One declared field of a row: its attribute, its name on the wire, its type."""

    name: str
    wire_name: str
    type: Any


class RowKind(Generic[Row]):
    """What is done with rows of one class.

    Attributes:
        row: the class.
        fields: what it declares.
        in_page: the type that msgspec decodes for a value within a page of events.
    """

    def __init__(self, row: type[Row]) -> None:
        self.row: Final = row
        self.fields: Final = _fields_of(row)
        self.in_page: Final[Any] = row
        self._decoder: Final[msgspec.json.Decoder[Row]] = msgspec.json.Decoder(
            row, dec_hook=dec_hook
        )

    def holds(self, value: object) -> TypeGuard[Row]:
        """Tell whether a value is a row of this class, whatever it holds."""
        return isinstance(value, self.row)

    def read(self, text: bytes | msgspec.Raw) -> Row:
        """Read a row from JSON text, by the rules of JSON where msgspec is stricter.

        That is: ``1.0`` is an integer, and a lone surrogate is text (INVALID-9).

        Raises one of ``UNREADABLE`` if the value does not fit the class, or is not JSON.
        """
        try:
            return self._decoder.decode(text)
        except UNREADABLE:
            return self.convert(parse(text))

    def convert(self, plain: object) -> Row:
        """Turn plain parsed JSON into a row, by the same rules as :meth:`read`."""
        return cast("Row", convert(with_whole_numbers(plain), self.row))

    def write(self, row: Row) -> bytes:
        """Write a row as JSON text, unchecked.

        Raises:
            ValueError, TypeError, RecursionError: it holds what JSON has no form for.
        """
        return json_text.encode(row)

    def replace(self, row: Row, changes: Mapping[str, Any]) -> Row:
        """Return a copy of a row with other values in some fields.

        Raises:
            TypeError: it has no such field.
        """
        copied: Any = row
        if isinstance(row, Extensible):
            return cast("Row", copied.__replace__(**changes))
        return cast("Row", msgspec.structs.replace(copied, **changes))

    def getter(self, name: str) -> Callable[[Row], Any]:
        """Return the function that reads a field of a row."""
        return attrgetter(name)


def _fields_of(row: type[Any]) -> Sequence[RowField]:
    record = record_of(row)
    if record is None:
        raise SchemaError(f"{row!r} is no class of rows: use a msgspec struct, or Extensible")
    return [
        RowField(field.name, field.encode_name, field.type)
        for field in msgspec.structs.fields(record)
    ]
