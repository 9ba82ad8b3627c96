"""Rows that msgspec reads by itself: structs, dataclasses, typed dicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import (
    Any,
    Final,
    NotRequired,
    Required,
    TypeGuard,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import UNSET

from streamdb.near_miss import no_such
from streamdb.protocol import json_text
from streamdb.state.parsing import parse
from streamdb.state.row_kinds.base import RowField, RowKind
from streamdb.state.row_kinds.quick_copies import QuickCopy, quick_copy
from streamdb.state.unknown_fields import has_unknown, unknown_place
from streamdb.types.conversion import convert, dec_hook, takes_null, with_whole_numbers
from streamdb.types.extensible import Extensible, record_of
from streamdb.types.faults import Misfit, pointer_to
from streamdb.types.microseconds import holds_instants, is_fine
from streamdb.types.names import make_names_known
from streamdb.types.strict_twin import StrictTwin, strict_twin

Row = TypeVar("Row")


class NativeRows(RowKind[Row]):
    """What these kinds share: a page is decoded straight into them."""

    @cached_property
    def in_page(self) -> Any:
        """The class itself."""
        make_names_known(self.row)
        return self.row

    @cached_property
    def decoder(self) -> msgspec.json.Decoder[Row]:
        """What msgspec reads rows by."""
        return msgspec.json.Decoder(self.in_page, dec_hook=dec_hook)

    @cached_property
    def twin(self) -> StrictTwin | None:
        """What reads these rows, and refuses undeclared properties."""
        return strict_twin(self.in_page)

    @cached_property
    def _twin_decoder(self) -> msgspec.json.Decoder[Row] | None:
        if self.twin is None:
            return None
        return msgspec.json.Decoder(self.twin.type, dec_hook=dec_hook)

    @cached_property
    def _holds_instants(self) -> bool:
        return holds_instants(self.in_page)

    def read(self, text: bytes | msgspec.Raw) -> Row:
        """Read a row in one call, or by the rules of JSON where msgspec reads otherwise."""
        if self._holds_instants and is_fine(text):
            return self.convert(parse(text))
        return self.read_coarse(text)

    def read_coarse(self, text: bytes | msgspec.Raw) -> Row:
        """Read a row as :meth:`read` does; no instant in the text is finer than microseconds."""
        try:
            return self.decoder.decode(text)
        except Exception:  # noqa: BLE001 - a `__post_init__` may raise anything
            return self.convert(parse(text))

    def read_known(self, text: bytes | msgspec.Raw) -> Row | None:
        """Read a row as :meth:`read_coarse` does; None if the text holds more than the row shows.

        It may be a row of the twin, yet to be restored.

        Raises one of ``UNREADABLE`` if it does not fit the class.
        """
        if self._twin_decoder is not None:
            try:  # `suppress` takes as long as the decoder
                return self._twin_decoder.decode(text)
            except Exception:  # noqa: BLE001, S110 - a `__post_init__` may raise anything
                pass
        row = self.read_coarse(text)
        return row if self.shows_all(row, text) else None

    def check(self, row: Row, text: bytes) -> None:
        """Read it back, all of it; what we write is never finer than microseconds."""
        if self.read_known(text) is None:
            self._refuse_undeclared(text, self.read_coarse(text))

    def _refuse_undeclared(self, text: bytes, again: Row) -> None:
        """Raise if a dict or an instance of a subclass holds more than the class declares."""
        plain = parse(text)
        try:
            if not has_unknown(plain, again):
                return
        except RecursionError:  # too deep to tell
            return
        way, declared = unknown_place(plain, again)
        if len(way) == 1:
            declared = [field.wire_name for field in self.fields.values()]
        reason = "its class declares no property"
        if way and declared:
            reason = no_such(reason, str(way[-1]), declared, listed_as="It declares")
        raise Misfit(reason, pointer_to(way))

    def convert(self, plain: Any) -> Row:
        """Convert it by msgspec."""
        return cast("Row", convert(with_whole_numbers(plain), self.in_page))

    def with_key(self, row: Row, name: str, key: str | int) -> Row:
        """Convert the key alone."""
        return self.replace(row, {name: convert(key, self.fields[name].type)})


class StructRows(NativeRows[Row]):
    """Rows that are msgspec structs, or of a class based on ``Extensible``."""

    def __init__(self, row: type[Row]) -> None:
        record = record_of(row)
        assert record is not None  # noqa: S101 - how the kind is chosen
        fields = [
            RowField(field.name, field.encode_name, field.type)
            for field in msgspec.structs.fields(record)
        ]
        super().__init__(row, {field.name: field for field in fields})
        # The record of an extensible class is frozen, as its instances are.
        self.is_frozen = record.__struct_config__.frozen
        self.is_only_fields = record is row and not hasattr(row, "__post_init__")

    @cached_property
    def quick_copy(self) -> QuickCopy[Row] | None:
        """What copies them, if they are of plain values."""
        return quick_copy(self.in_page) if self.is_only_fields else None

    def replace(self, row: Row, changes: Mapping[str, Any]) -> Row:
        """Copy it."""
        copied: Any = row
        if isinstance(row, Extensible):
            self._refuse_unknown([name for name in changes if name != "extras"])
            return cast("Row", copied.__replace__(**changes))
        self._refuse_unknown(changes)
        return cast("Row", msgspec.structs.replace(copied, **changes))


class DataclassRows(NativeRows[Row]):
    """Rows that are dataclasses.

    A field may be absent if its default is ``UNSET``, or None where its type knows no null
    (``note: Maybe[str] = None``). The latter holds for the row itself, not for dataclasses in it.
    """

    def __init__(self, row: type[Row]) -> None:
        types = get_type_hints(row, include_extras=True)
        declared = dataclasses.fields(cast("Any", row))
        names = [field.name for field in declared]
        super().__init__(row, {name: RowField(name, name, types[name]) for name in names})
        self.is_frozen = cast("Any", row).__dataclass_params__.frozen
        self._absent_if_none: Final = frozenset(
            field.name
            for field in declared
            if field.default is None and not takes_null(types[field.name])
        )

    def write(self, row: Row) -> bytes:
        """Leave out what is absent."""
        # Those of a subclass, too: they cannot be read, and are refused by `check`.
        names = [field.name for field in dataclasses.fields(cast("Any", row))]
        values = {name: getattr(row, name) for name in names}
        return json_text.encode(
            {
                name: value
                for name, value in values.items()
                if value is not UNSET and not (value is None and name in self._absent_if_none)
            }
        )

    def replace(self, row: Row, changes: Mapping[str, Any]) -> Row:
        """Copy it."""
        self._refuse_unknown(changes)
        return cast("Row", dataclasses.replace(cast("Any", row), **changes))


class TypedDictRows(NativeRows[Row]):
    """Rows that are dicts whose keys are declared by a ``TypedDict``."""

    def __init__(self, row: type[Row]) -> None:
        types = get_type_hints(row, include_extras=True)
        super().__init__(
            row, {name: RowField(name, name, _bare(kind)) for name, kind in types.items()}
        )

    def holds(self, value: object) -> TypeGuard[Row]:
        """Take any dict; what it holds is checked when it is written."""
        return isinstance(value, dict)

    def replace(self, row: Row, changes: Mapping[str, Any]) -> Row:
        """Copy it; a field that is set to ``UNSET`` goes."""
        self._refuse_unknown(changes)
        return cast("Row", changed_dict(row, changes))

    def getter(self, name: str) -> Callable[[Any], Any]:
        """Read a key, None if it is absent."""
        return item_getter(name)


def changed_dict(row: Any, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a dict with other values; a key that is set to ``UNSET`` goes.

    >>> changed_dict({"a": 1, "b": 2}, {"a": UNSET, "c": 3})
    {'b': 2, 'c': 3}
    """
    changed = {**row, **changes}
    return {name: value for name, value in changed.items() if value is not UNSET}


def item_getter(name: str) -> Callable[[Any], Any]:
    """Return the function that reads a key of a dict, None if it is absent."""

    def get(row: Any) -> Any:
        return row.get(name)

    return get


def _bare(kind: Any) -> Any:
    """Leave out ``Required`` and ``NotRequired``, which msgspec knows nowhere but outermost."""
    return get_args(kind)[0] if get_origin(kind) in (Required, NotRequired) else kind
