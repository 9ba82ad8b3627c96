"""Rows that are pydantic models. Imported only when there is one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import UNSET
from pydantic import BaseModel, PydanticUserError, ValidationError

from streamdb.errors import SchemaError
from streamdb.protocol import json_text
from streamdb.state.parsing import parse
from streamdb.state.row_kinds.base import RowField, RowKind
from streamdb.state.row_kinds.pydantic_words import misfit
from streamdb.types.conversion import with_whole_numbers
from streamdb.types.faults import UNREADABLE, Misfit, refused_by_its_class

Row = TypeVar("Row")

_parser: Final = msgspec.json.Decoder[Any]()
# Whole numbers that are written otherwise; pydantic would leave them to another member of a union.
_WHOLE: Final = re.compile(rb"[0-9]\.0+(?![0-9])|[0-9][eE]")
_HUGE: Final = re.compile(rb"[0-9]{309}")  # no float holds it


class PydanticRows(RowKind[Row]):
    """Rows that are pydantic models, read by the strict rules that pydantic has for JSON.

    Generated classes, which have ``__maybe__``, are strict by themselves, and leave out what is
    None or ``UNSET`` where that means absent. Others are made strict, and leave out the fields that
    were never set (``model_fields_set``). An update that sets a field to ``UNSET`` makes it absent
    in both.
    """

    def __init__(self, row: type[Row]) -> None:
        self._model: Final = cast("type[BaseModel]", row)
        names = self._model.model_fields
        super().__init__(row, {name: _field(self._model, name) for name in names})
        self._wire_names: Final = frozenset(field.wire_name for field in self.fields.values())
        self._is_generated: Final = hasattr(row, "__maybe__")
        self._has_extras: Final = "extras" not in names and hasattr(row, "extras")

    def read(self, text: bytes | msgspec.Raw) -> Row:
        """Validate it strictly, or by the rules of JSON where pydantic is stricter."""
        if _WHOLE.search(text):
            return self.convert(parse(text))
        try:
            # The parser refuses NaN and 1e999, of which pydantic makes infinity.
            return self._validated(bytes(text), _parser.decode(text))
        except UNREADABLE:
            return self.convert(parse(text))

    def convert(self, plain: Any) -> Row:
        """Validate it as the JSON that it stands for."""
        text = json_text.encode(with_whole_numbers(plain))
        try:
            plain = _parser.decode(text)
        except msgspec.DecodeError:
            raise Misfit("half a surrogate pair, which pydantic cannot hold") from None
        return self._validated(text, plain)

    def _validated(self, text: bytes, plain: Any) -> Row:
        try:
            row: Any = self._model.model_validate_json(
                text, strict=None if self._is_generated else True, by_alias=True, by_name=False
            )
        except ValidationError as error:
            raise misfit(error, plain) from None
        except (*UNREADABLE, PydanticUserError):  # the latter: the class is not complete
            raise
        except Exception as error:  # a validator may raise anything
            raise refused_by_its_class(error) from error
        if _HUGE.search(text):
            self.write(row)  # which refuses infinity
        return cast("Row", row)

    def write(self, row: Row) -> bytes:
        """Write it in our canonical form, not in pydantic's."""
        extras = cast("BaseModel", row).__pydantic_extra__ or {}
        for name in self._wire_names.intersection(extras):
            raise Misfit(f"extras hold {name!r}, which is a declared field: set that one")
        return json_text.encode(
            cast("BaseModel", row).model_dump(
                by_alias=True, exclude_unset=not self._is_generated, warnings=False
            )
        )

    def check(self, row: Row, text: bytes) -> None:
        """See whether it comes back the same: a type or serializer of its own may lose that."""
        again = self.read(text)
        if again != row and self.write(again) != text:
            raise Misfit("it reads back as another row: look at its types and serializers")

    def replace(self, row: Row, changes: Mapping[str, Any]) -> Row:
        """Copy it; a field that is set to ``UNSET`` becomes absent."""
        fields = dict(changes)
        extras = fields.pop("extras", None) if self._has_extras else None
        if self._has_extras or self._model.model_config.get("extra") != "allow":
            self._refuse_unknown(fields)
        absent = {name for name, value in fields.items() if value is UNSET}
        fields.update((name, self._default(name)) for name in absent)
        copied = cast("BaseModel", row).model_copy(update=fields)
        copied.model_fields_set.difference_update(absent)
        if extras is not None:
            object.__setattr__(copied, "__pydantic_extra__", dict(extras))
        return cast("Row", copied)

    def _default(self, name: str) -> Any:
        field = self._model.model_fields[name]
        if field.is_required():
            raise Misfit(f"lacks the property `{self.fields[name].wire_name}`")
        return field.get_default(call_default_factory=True)

    def lent(self, row: Row) -> Row:
        """Copy it if it is not frozen."""
        if self._model.model_config.get("frozen"):
            return row
        return self._copied(row)


def _field(model: type[BaseModel], name: str) -> RowField:
    field = model.model_fields[name]
    read = name if field.validation_alias is None else field.validation_alias
    written = name if field.serialization_alias is None else field.serialization_alias
    if read != written:
        raise SchemaError(
            f"{model.__name__}.{name} is read as {read!r} and written as {written!r}: "
            "give it one `alias`"
        )
    return RowField(name, written, field.annotation)
