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
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    TypeAlias,
    TypeVar,
    get_args,
    get_origin,
)

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from streamdb.protocol import json_text
from streamdb.types.conversion import convert
from streamdb.types.number import Number as Number  # for generated modules
from streamdb.types.spellings import SPELLINGS

T = TypeVar("T")

_NO_EXTRAS: Final[Mapping[str, Any]] = MappingProxyType({})


def _is_tag(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is Literal and get_args(field.annotation) == (
        field.default,
    )


def _require_tags(row: type[PydanticRow], schema: Any) -> None:
    """Take the defaults of tags out of what JSON is read by; constructors have their own.

    Otherwise an object without its tag is read as one with it, and written with it, too.
    """
    while schema["type"] != "model-fields":
        schema = schema["schema"]
    for name, field in schema["fields"].items():
        if field["schema"]["type"] == "default" and _is_tag(row.model_fields[name]):
            field["schema"] = field["schema"]["schema"]


class PydanticRow(BaseModel, frozen=True):
    """An object with declared properties.

    Its fields are constructed and read by their Python names and stand on the wire under their
    aliases. A field that may be absent is a :data:`Maybe` with the default None or, if it admits
    null, an :data:`Omissible` with the default ``UNSET``; given its default, it counts as absent.
    A field of one constant, with that as its default, is a *tag*: constructors fill it in, and JSON
    has to hold it.

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
    #: The fields that hold one constant, and which.
    __tags__: ClassVar[Mapping[str, Any]] = MappingProxyType({})
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
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        _require_tags(cls, handler.resolve_ref_schema(schema))
        return schema

    @classmethod
    def __pydantic_on_complete__(cls) -> None:
        fields = cls.model_fields.items()
        cls.__tags__ = MappingProxyType(
            {name: field.default for name, field in fields if _is_tag(field)}
        )
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
        for name, value in {**row.__tags__, **fields}.items()
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
    #: A type that reads from JSON only what it would itself write.
    Exactly: TypeAlias = "Annotated[T, ...]"
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

    class Exactly:
        """For type checkers ``T``; pydantic reads only what would be written as it stands.

        By itself it takes ``true`` for the constant 1, and a date and a time with a space between
        for an instant: beside a boolean, or beside text, another value would be written.
        """

        def __class_getitem__(cls, item: object) -> object:
            """Return the item, annotated."""
            return Annotated[item, _Exactly()]


class _Exactly:
    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        if get_origin(source) is Literal:
            check = _constant_check(get_args(source))
            return core_schema.no_info_before_validator_function(check, schema)
        kind = dt.datetime if source is AwareDatetime else source
        return _as_text(schema, SPELLINGS[kind], partial(convert, kind=kind))


def _constant_check(constants: tuple[Any, ...]) -> Callable[[Any], Any]:
    """To Python, 1, 1.0 and True are one value; to JSON, true is another."""
    expected = {(isinstance(constant, bool), constant) for constant in constants}
    words = [json_text.encode(constant).decode() for constant in constants]
    listed = " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

    def check(value: Any) -> Any:
        is_hashable = isinstance(value, str | int | float | None)
        if not is_hashable or (isinstance(value, bool), value) not in expected:
            raise PydanticKnownError("literal_error", {"expected": listed})
        return value

    return check


def _aware(time: dt.time) -> dt.time:
    if time.tzinfo is None:
        raise ValueError("a time needs an offset from UTC")
    return time


class _FromBase64:
    """Bytes that JSON carries as base64; pydantic's own would be those of the text."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return _as_text(handler(source), SPELLINGS[bytes], base64.b64decode)


class _FromText:
    """A decimal that JSON carries as text; pydantic would take numbers, too."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return _as_text(handler(source), SPELLINGS[Decimal], Decimal)


def _as_text(schema: CoreSchema, pattern: str, parse: Callable[[str], Any]) -> CoreSchema:
    """Read values from JSON text that matches a pattern, and write them in canonical form."""
    text = core_schema.str_schema(pattern=pattern, regex_engine="python-re")
    return core_schema.json_or_python_schema(
        json_schema=core_schema.no_info_after_validator_function(parse, text),
        python_schema=schema,
        serialization=core_schema.plain_serializer_function_ser_schema(
            _canonical, when_used="json"
        ),
    )


def _canonical(value: object) -> Any:
    return msgspec.json.decode(json_text.encode([value]))[0]


#: A time of day with its offset from UTC.
AwareTime: TypeAlias = Annotated[dt.time, AfterValidator(_aware)]
#: Bytes, in JSON as base64 text.
Base64Bytes: TypeAlias = Annotated[bytes, _FromBase64()]
#: A decimal number, in JSON as text.
DecimalText: TypeAlias = Annotated[Decimal, _FromText()]
