"""What generated pydantic rows are made of; needs pydantic (extra ``pydantic``).

The classes here are pydantic models that judge JSON as JSON Schema does, and whose constructors
take what those of msgspec rows take. Without further arguments, their
:meth:`~pydantic.BaseModel.model_validate_json` reads JSON and their
:meth:`~pydantic.BaseModel.model_dump_json` writes it; on streams they are written in the canonical
form of :mod:`streamdb.protocol.json_text`.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, TypeAlias, TypeVar

from msgspec import UNSET, UnsetType
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from streamdb import formats
from streamdb.protocol import json_text

T = TypeVar("T")

_NO_EXTRAS: Final[Mapping[str, Any]] = MappingProxyType({})


class PydanticRow(BaseModel, frozen=True):
    """An object with declared properties.

    Its fields are constructed and read by their Python names and stand on the wire under their
    aliases. A field that may be absent is a :data:`Maybe` with the default None or, if it admits
    null, an :data:`Omissible` with the default ``UNSET``; given its default, it counts as absent.

    >>> class Note(PydanticRow, frozen=True):
    ...     sent_by: Annotated[str, Field(alias="sentBy")]
    ...     text: Maybe[str] = None
    >>> Note(sent_by="ada").model_dump_json()
    '{"sentBy":"ada"}'
    >>> Note.model_validate_json('{"sentBy": "ada", "text": "hi"}')
    Note(sent_by='ada', text='hi')
    """

    model_config = ConfigDict(
        strict=True,
        allow_inf_nan=False,
        regex_engine="python-re",
        serialize_by_alias=True,
        protected_namespaces=(),
    )

    #: The fields that hold None when they are absent.
    __maybe__: ClassVar[frozenset[str]] = frozenset()
    #: The fields' names on the wire.
    __wire_names__: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def __init__(self, /, **fields: Any) -> None:
        """Take fields by their Python names, and check them.

        Raises:
            TypeError: there is no field of a name.
            pydantic.ValidationError: a value does not fit its field.
        """
        super().__init__(**_on_the_wire(type(self), fields))

    # Pydantic reads JSON past a constructor that is marked so, as it does past its own.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # pydantic's own marker

    def __json__(self) -> bytes:
        """Return the row as it stands on a stream."""
        return json_text.encode(self.model_dump(warnings=False))

    @classmethod
    def __pydantic_on_complete__(cls) -> None:
        fields = cls.model_fields.items()
        cls.__wire_names__ = MappingProxyType(
            {name: name if field.alias is None else field.alias for name, field in fields}
        )
        cls.__maybe__ = frozenset(
            name for name, field in fields if not field.is_required() and field.default is None
        )


class ExtensiblePydanticRow(PydanticRow, frozen=True, extra="allow"):
    """An object that keeps the properties that are not declared, in ``extras``.

    A class gives their type by ``__pydantic_extra__``, as pydantic has it.

    >>> class Counts(ExtensiblePydanticRow, frozen=True):
    ...     name: str
    ...     __pydantic_extra__: dict[str, int]
    >>> counts = Counts.model_validate_json('{"name": "words", "the": 7}')
    >>> counts.extras, Counts(name="words", extras={"the": 7}) == counts
    (mappingproxy({'the': 7}), True)
    """

    # Each class declares `extras` for type checkers, with its own type.
    if not TYPE_CHECKING:

        def __init__(self, /, *, extras: Mapping[str, Any] = _NO_EXTRAS, **fields: Any) -> None:
            """Take fields by their Python names, and ``extras`` by their names on the wire.

            Raises:
                TypeError: there is no field of a name, or one of the extras is a field.
                pydantic.ValidationError: a value does not fit its field.
            """
            declared = _sorted(extras.keys() & set(self.__wire_names__.values()))
            if declared:
                raise TypeError(f"{type(self).__name__}: {declared} is declared, and no extra")
            super(PydanticRow, self).__init__(**extras, **_on_the_wire(type(self), fields))

        __init__.__pydantic_base_init__ = True

        @property
        def extras(self) -> Mapping[str, Any]:
            """The properties that are not declared."""
            return MappingProxyType(self.__pydantic_extra__)


def _on_the_wire(row: type[PydanticRow], fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are there, by their names on the wire; pydantic would ignore unknown ones."""
    names = row.__wire_names__
    if unknown := _sorted(fields.keys() - names.keys()):
        raise TypeError(f"{row.__name__} has no field {unknown}; it has {_sorted(names)}")
    return {
        names[name]: value
        for name, value in fields.items()
        if value is not UNSET and not (value is None and name in row.__maybe__)
    }


def _sorted(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


# --- the types of fields ------------------------------------------------------------------------


def _is_none(value: object) -> bool:
    return value is None


def _is_unset(value: object) -> bool:
    return value is UNSET


if TYPE_CHECKING:
    #: A field that may be absent, and then holds None; null on the wire is an error.
    Maybe: TypeAlias = "T | None"
    #: A field that may be absent, and then holds ``UNSET``.
    Omissible: TypeAlias = "T | UnsetType"
else:

    class Maybe:
        """For type checkers ``T | None``; for pydantic ``T``, left out when it is None."""

        def __class_getitem__(cls, item: object) -> object:
            """Return the item, annotated."""
            return Annotated[item, Field(exclude_if=_is_none)]

    class Omissible:
        """For type checkers ``T | UnsetType``; for pydantic ``T``, left out when it is unset."""

        def __class_getitem__(cls, item: object) -> object:
            """Return the item, annotated."""
            return Annotated[item, Field(exclude_if=_is_unset)]


def _aware(time: dt.time) -> dt.time:
    if time.tzinfo is None:
        raise ValueError("a time needs an offset from UTC")
    return time


def _text(pattern: str) -> CoreSchema:
    python = formats.python_form(pattern)
    return core_schema.str_schema(pattern=python, regex_engine="python-re")


class _FromBase64:
    """Bytes that JSON carries as base64; pydantic's own would be those of the text."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(
                base64.b64decode, _text(formats.BASE64)
            ),
            python_schema=handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(
                _base64_of, when_used="json"
            ),
        )


class _FromText:
    """A decimal that JSON carries as text; pydantic would take numbers, too."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(
                Decimal, _text(formats.DECIMAL)
            ),
            python_schema=handler(source),
            serialization=core_schema.to_string_ser_schema(when_used="json"),
        )


def _base64_of(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


#: A time of day with its offset from UTC.
AwareTime: TypeAlias = Annotated[dt.time, AfterValidator(_aware)]
#: Bytes, in JSON as base64 text.
Base64Bytes: TypeAlias = Annotated[bytes, _FromBase64()]
#: A decimal number, in JSON as text.
DecimalText: TypeAlias = Annotated[Decimal, _FromText()]
