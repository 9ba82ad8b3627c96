"""``Extensible[T]``: objects with declared fields and further properties of one type."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from inspect import get_annotations
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    NoReturn,
    Self,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
    get_origin,
)

import msgspec
from msgspec import NODEFAULT, UNSET, Struct

from streamdb.types.conversion import convert, resolved, takes_null
from streamdb.types.faults import UNREADABLE, Misfit, explain, pointer_to

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class _HasFields:
    """Tells type checkers that annotations are fields, `extras` of the class below included."""


class Extensible(_HasFields, Generic[T]):
    """Base of objects with declared fields and further properties, each of type ``T``.

    Fields are declared as in a msgspec struct and given by keyword; instances are immutable. The
    further properties are in ``extras``, by their names on the wire; there they stand beside the
    declared ones.

    >>> class Metadata(Extensible[float]):
    ...     source: str
    ...     created_by: str = msgspec.field(name="createdBy", default="nobody")
    >>> row = convert({"source": "lab", "createdBy": "ann", "celsius": 20.5}, Metadata)
    >>> row
    Metadata(source='lab', created_by='ann', extras={'celsius': 20.5})
    >>> row.__to_plain__()
    {'source': 'lab', 'createdBy': 'ann', 'celsius': 20.5}

    Like a struct, it takes any values when it is made, and is checked when it is written. A field
    is absent, and not written, if it holds ``UNSET``, or its default None where its type knows no
    null (``note: Maybe[str] = None``); every other value is written. ``extras`` must not hold a
    declared property.

    Raises:
        TypeError: a field is missing or unknown; when the class is made: a field is named
            ``extras``.
    """

    #: The declared fields as msgspec knows them.
    __record__: ClassVar[type[Struct]] = Struct

    if TYPE_CHECKING:
        extras: Mapping[str, T] = msgspec.field(default_factory=dict[str, T])
    else:

        def __init__(self, /, *, extras=None, **fields):
            _fill(self, self.__record__(**fields), {} if extras is None else extras)

    def __init_subclass__(cls) -> None:
        """Gather the fields."""
        super().__init_subclass__()
        fields = {name: vars(cls).get(name, NODEFAULT) for name in get_annotations(cls)}
        if "extras" in fields:
            raise TypeError(f"{cls.__name__}: `extras` is taken; call the field `extras_`")
        cls.__record__ = msgspec.defstruct(
            cls.__name__,
            [
                (name, kind) if fields[name] is NODEFAULT else (name, kind, fields[name])
                for name, kind in get_annotations(cls).items()
            ],
            bases=(cls.__record__,),
            module=cls.__module__,  # where forward references are looked up
            frozen=True,
            kw_only=True,
        )
        for name in set(cls.__record__.__struct_fields__).intersection(vars(cls)):
            delattr(cls, name)  # instances hold their values themselves

    @classmethod
    def __from_plain__(cls, plain: Any) -> Self:
        """Make an instance of a JSON object. Raises Misfit if it is none of this class."""
        try:
            record = convert(plain, cls.__record__)
        except UNREADABLE as error:
            raise _misfit(error) from None
        declared = cls.__record__.__struct_encode_fields__
        extras = {name: value for name, value in plain.items() if name not in declared}
        kind = type_of_extras(cast("Any", cls))
        if kind is not Any:
            extras = {name: _convert_extra(name, value, kind) for name, value in extras.items()}
        return _fill(object.__new__(cls), record, extras)

    def __to_plain__(self) -> dict[str, Any]:
        """Return the properties by their names on the wire; their values are as they are.

        Raises:
            ValueError: ``extras`` holds a declared property.
        """
        record = type(self).__record__
        values, absent_if_none = vars(self), _absent_if_none(record)
        plain = {
            wire_name: values[name]
            for name, wire_name in zip(
                record.__struct_fields__, record.__struct_encode_fields__, strict=True
            )
            if values[name] is not UNSET and not (values[name] is None and name in absent_if_none)
        }
        for name in self.extras:
            if name in record.__struct_encode_fields__:
                raise ValueError(f"extras hold {name!r}, which is a declared field: set that one")
        return {**plain, **self.extras}

    def __replace__(self, /, **changes: Any) -> Self:
        """Return a copy with other values in some fields."""
        return type(self)(**{**vars(self), **changes})

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return vars(self) == vars(other)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: make a changed copy instead")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: make a changed copy instead")


def record_of(kind: Any) -> type[Struct] | None:
    """Return the struct that declares the fields of a struct or extensible class, None of others.

    >>> class Metadata(Extensible[float]):
    ...     source: str
    >>> record_of(Metadata).__struct_fields__, record_of(int)
    (('source',), None)
    """
    if not isinstance(kind, type):
        return None
    if issubclass(kind, Extensible):
        return kind.__record__
    return kind if issubclass(kind, Struct) else None


AnExtensible = TypeVar("AnExtensible", bound=Extensible[Any])


def _fill(instance: AnExtensible, record: Struct, extras: Mapping[str, Any]) -> AnExtensible:
    values = vars(instance)
    for name in record.__struct_fields__:
        values[name] = getattr(record, name)
    values["extras"] = extras
    return instance


def _convert_extra(name: str, value: Any, kind: Any) -> Any:
    try:
        return convert(value, kind)
    except UNREADABLE as error:
        raise _misfit(error, at=pointer_to([name])) from None


def _misfit(error: Exception, at: str = "") -> Misfit:
    reason, pointer = explain(error)
    private, _ = explain(error, private=True)
    return Misfit(reason, at + pointer, private=private)


@cache
def _absent_if_none(record: type[Struct]) -> frozenset[str]:
    return frozenset(
        field.name
        for field in msgspec.structs.fields(record)
        if field.default is None and not takes_null(field.type)
    )


@cache
def type_of_extras(cls: type[Extensible[Any]]) -> Any:
    """Return the type of the further properties."""
    for base in cls.__mro__:
        for written in vars(base).get("__orig_bases__", ()):
            if get_origin(written) is Extensible:
                kind = get_args(written)[0]
                names = vars(sys.modules[base.__module__])
                return Any if isinstance(kind, TypeVar) else resolved(kind, names)
    return Any
