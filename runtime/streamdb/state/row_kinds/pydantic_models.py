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
from streamdb.state.row_kinds.pydantic_values import first_difference, in_canonical_form
from streamdb.state.row_kinds.pydantic_words import misfit
from streamdb.types.conversion import with_whole_numbers
from streamdb.types.faults import UNREADABLE, Misfit, pointer_to, refused_by_its_class

Row = TypeVar("Row")

_parser: Final = msgspec.json.Decoder[Any]()
# Whole numbers that are written otherwise; pydantic would leave them to another member of a union.
_WHOLE: Final = re.compile(rb"[0-9]\.0+(?![0-9])|[0-9][eE]")
_TOO_DEEP: Final = "depth exceeded"  # of a serialization; pydantic has no error of its own for it
_HUGE: Final = re.compile(rb"[0-9]{309}")  # no float holds it


class PydanticRows(RowKind[Row]):
    """Rows that are pydantic models, read by the strict rules that pydantic has for JSON.

    Generated classes, which have ``__maybe__``, are strict by themselves. Others are made strict,
    and are written as ``model_dump(mode="json")`` has them, defaults too, with instants and
    decimals in our canonical form. In both, a field is left out only where it says so itself
    (``Maybe``, ``Omissible``, ``exclude_if``). An update that sets a field to ``UNSET`` gives it
    its default.
    """

    def __init__(self, row: type[Row]) -> None:
        self._model: Final = cast("type[BaseModel]", row)
        names = self._model.model_fields
        super().__init__(row, {name: _field(self._model, name) for name in names})
        self._wire_names: Final = frozenset(field.wire_name for field in self.fields.values())
        self.is_frozen = bool(self._model.model_config.get("frozen"))
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
        return json_text.encode(self._dump(row))

    def _dump(self, row: Row, **selection: Any) -> dict[str, Any]:
        try:
            return self._dumped(row, selection)
        except (ValueError, TypeError, RecursionError) as error:
            if _TOO_DEEP in str(error):
                raise RecursionError from None
            raise
        except Exception as error:  # what computes a field may raise anything
            raise refused_by_its_class(error) from error

    def _dumped(self, row: Row, selection: dict[str, Any]) -> dict[str, Any]:
        model = cast("BaseModel", row)
        python = model.model_dump(by_alias=True, warnings=False, **selection)
        if self._is_generated:
            return python
        plain = model.model_dump(
            mode="json",
            by_alias=True,
            warnings=False,
            # What is computed cannot be read back where undeclared properties are forbidden.
            exclude_computed_fields=self._model.model_config.get("extra") == "forbid",
            **selection,
        )
        return cast("dict[str, Any]", in_canonical_form(plain, python))

    def check(self, row: Row, text: bytes) -> None:
        """See whether it comes back the same: a type or serializer of its own may lose that."""
        fault = first_difference(cast("BaseModel", row), cast("BaseModel", self.read(text)))
        if fault is not None:
            raise Misfit(
                "it reads back as another row: look at its types and serializers",
                pointer_to(fault),
            )

    def unwritable(self, row: Row) -> str:
        """Ask for each field what it is written as."""
        for field in self.fields.values():
            try:
                json_text.encode(self._dump(row, include={field.name}))
            except (*UNREADABLE, TypeError):
                return pointer_to([field.wire_name])
        return ""

    def replace(self, row: Row, changes: Mapping[str, Any]) -> Row:
        """Copy it; a field that is set to ``UNSET`` becomes absent."""
        fields = dict(changes)
        extras = fields.pop("extras", None) if self._has_extras else None
        if self._has_extras or self._model.model_config.get("extra") != "allow":
            self._refuse_unknown(fields)
        absent = {name for name, value in fields.items() if value is UNSET}
        fields.update((name, self._default(row, name)) for name in absent)
        copied = cast("BaseModel", row).model_copy(update=fields)
        copied.model_fields_set.difference_update(absent)
        if extras is not None:
            object.__setattr__(copied, "__pydantic_extra__", dict(extras))
        return cast("Row", copied)

    def _default(self, row: Row, name: str) -> Any:
        field = self._model.model_fields[name]
        if field.is_required():
            raise Misfit(f"lacks the property `{self.fields[name].wire_name}`")
        known = dict(cast("BaseModel", row))
        return field.get_default(call_default_factory=True, validated_data=known)


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
