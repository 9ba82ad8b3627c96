"""What a class of rows takes and holds, by the types that it is made of."""

from __future__ import annotations

import dataclasses
import enum
import re
import sys
from typing import (
    Annotated,
    Any,
    Final,
    NewType,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import msgspec

from streamdb.cache.schema_shapes import shape_of_schema
from streamdb.types.extensible import Extensible, record_of, type_of_extras

_ADDRESS: Final = re.compile(r" at 0x[0-9a-f]+")  # of an object in memory, other in each process
_JUDGING: Final = (
    "gt",
    "ge",
    "lt",
    "le",
    "multiple_of",
    "pattern",
    "min_length",
    "max_length",
    "tz",
)


def shape_of_class(row: Any) -> str:
    """Write down what a class of rows takes and holds.

    >>> class Point(msgspec.Struct):
    ...     x: Annotated[int, msgspec.Meta(ge=0, description="to the right")]
    >>> class Place(msgspec.Struct):
    ...     x: Annotated[int, msgspec.Meta(ge=0)]
    >>> shape_of_class(Point) == shape_of_class(Place)
    True
    """
    return _ADDRESS.sub("", ascii(_Shapes().shape(row)))


class _Shapes:
    """Numbers classes by the order in which they are met, for they may lead back to themselves."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def shape(self, kind: Any) -> Any:
        if get_origin(kind) is Annotated:
            base, *notes = get_args(kind)
            return [self.shape(base), *map(_note, notes)]
        if get_origin(kind) is not None:
            return [self.shape(get_origin(kind)), *map(self.shape, get_args(kind))]
        meant = _meant_by(kind)
        if meant is None and not isinstance(kind, type):
            return repr(kind)
        if kind in self._numbers:
            return self._numbers[kind]
        self._numbers[kind] = len(self._numbers)
        return self._class(kind) if meant is None else self.shape(meant)

    def _class(self, kind: type[Any]) -> Any:
        record = record_of(kind)
        if record is not None:
            return self._record(kind, record)
        if is_typeddict(kind):
            return [sorted(kind.__required_keys__), self._annotations(kind)]
        if dataclasses.is_dataclass(kind):
            fields = dataclasses.fields(kind)
            defaults = [(one.name, _value(one.default), one.default_factory) for one in fields]
            return [defaults, self._annotations(kind)]
        if (attributes := getattr(kind, "__attrs_attrs__", None)) is not None:
            of_attrs = [(one.name, _value(one.default)) for one in attributes]
            return [of_attrs, self._annotations(kind)]
        if (optional := getattr(kind, "_field_defaults", None)) is not None:  # a NamedTuple
            return ["named", _value(optional), self._annotations(kind)]
        if (choice := getattr(kind, "__choice__", None)) is not None:  # AnyOf
            return ["any of", *map(self.shape, choice.types)]
        if issubclass(kind, enum.Enum):
            return [_value(member.value) for member in kind]
        if _is_pydantic_model(kind):
            return _shape_of_model(kind)
        return f"{kind.__module__}.{kind.__qualname__}"

    def _record(self, kind: type[Any], record: type[msgspec.Struct]) -> Any:
        config = record.__struct_config__
        fields = [
            (one.encode_name, _value(one.default), one.default_factory, self.shape(one.type))
            for one in msgspec.structs.fields(record)
        ]
        extras = (
            self.shape(type_of_extras(cast("Any", kind))) if issubclass(kind, Extensible) else None
        )
        whole = (config.tag_field, config.tag, config.array_like, config.forbid_unknown_fields)
        return [fields, extras, whole]

    def _annotations(self, kind: type[Any]) -> Any:
        hints = get_type_hints(kind, include_extras=True)
        return {name: self.shape(hint) for name, hint in hints.items()}


def _meant_by(kind: Any) -> Any:
    """Return the type behind a NewType or a ``type`` statement, None if it is neither."""
    if isinstance(kind, NewType):
        return kind.__supertype__
    # Of `typing` from Python 3.12 on, and of `typing_extensions`.
    return kind.__value__ if type(kind).__name__ == "TypeAliasType" else None


def _value(value: Any) -> Any:
    """Put what is in sets in order; theirs is another one in each process."""
    kind: Any = value.__class__
    if kind in (set, frozenset):
        return ["set", *sorted(ascii(_value(one)) for one in value)]
    if kind in (list, tuple):
        return [kind.__name__, *map(_value, value)]
    if kind is dict:
        return ["dict", *((_value(key), _value(one)) for key, one in value.items())]
    if isinstance(value, msgspec.Struct):
        names = type(value).__struct_fields__
        return [type(value).__name__, *(_value(getattr(value, name)) for name in names)]
    return value


def _note(note: Any) -> Any:
    if isinstance(note, msgspec.Meta):
        return [getattr(note, name) for name in _JUDGING]
    return repr(_value(note))


def _is_pydantic_model(kind: type[Any]) -> bool:
    pydantic = sys.modules.get("pydantic")  # whoever has such a class has imported it
    return pydantic is not None and issubclass(kind, pydantic.BaseModel)


def _shape_of_model(model: Any) -> str:
    from pydantic.json_schema import GenerateJsonSchema

    class Quiet(GenerateJsonSchema):
        def emit_warning(self, kind: Any, detail: str) -> None:
            """Say nothing: nobody sees the schema."""

    try:
        return shape_of_schema(model.model_json_schema(schema_generator=Quiet), "")
    except Exception:  # noqa: BLE001 - a type without a schema; its errors are pydantic's
        return repr(model.model_fields)
