"""Structs that notice what others pass over: properties that they do not declare.

msgspec skips such properties without a word, unless a struct forbids them; and one that forbids
them cannot read what newer programs write. So a page is read by a *twin* of the struct, a subclass
that forbids them at every depth. What it has read becomes an instance of the struct itself by a
change of its ``__class__``: the memory stays as it is.
"""

from __future__ import annotations

import collections.abc
import datetime as dt
import enum
import functools
import operator
import types
import uuid
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain, compress, repeat
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, cast, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from streamdb.errors import SchemaError
from streamdb.protocol.json_text import is_object
from streamdb.types.any_of import is_any_of
from streamdb.types.extensible import record_of, type_of_extras

_SCALARS: Final = (
    *(str, int, float, bool, bytes, Decimal, uuid.UUID, enum.Enum),
    *(dt.datetime, dt.date, dt.time, dt.timedelta),
    *(types.NoneType, msgspec.UnsetType, msgspec.Raw),
)
_CONTAINERS: Final = (
    *(list, tuple, collections.abc.Sequence, collections.abc.MutableSequence),
    *(dict, collections.abc.Mapping, collections.abc.MutableMapping),
)


class StrictTwin:
    """The twin of a struct.

    Attributes:
        type: what to decode in the place of the struct.

    >>> class Note(Struct, frozen=True):
    ...     text: str
    >>> twin = strict_twin(Note)
    >>> msgspec.json.decode(b'{"text":"hi","color":"red"}', type=twin.type)
    Traceback (most recent call last):
    ...
    msgspec.ValidationError: Object contains unknown field `color`
    >>> note = msgspec.json.decode(b'{"text":"hi"}', type=twin.type)
    >>> twin.restore([note])
    >>> type(note) is Note
    True
    """

    def __init__(self, kind: Any, originals: Mapping[type, _Original]) -> None:
        self.type: Final = kind
        self._originals: Final = originals
        self._classes: Final = {twin: original.type for twin, original in originals.items()}
        self._holding_twins: Final = {
            original.type: original.holding_twins
            for original in originals.values()
            if original.holding_twins
        }

    @classmethod
    def of_all(cls, twins: Iterable[StrictTwin]) -> StrictTwin:
        """Make one that restores the values of all of these."""
        return cls(Any, {twin: one for each in twins for twin, one in each._originals.items()})

    def restore(self, values: Sequence[object]) -> None:
        """Make values that were just read instances of what their twins stand for.

        The values are those of the twin; what is none is left as it is.
        """
        get = self._classes.get
        # By functions in C from end to end: every row that is read goes through here.
        classes = list(map(get, map(type, values)))
        twins = cast("Iterable[Struct]", compress(values, classes))
        deque(map(force_setattr, twins, repeat("__class__"), filter(None, classes)), maxlen=0)
        if self._holding_twins:
            self._restore_fields(values)

    def restore_one(self, value: Any) -> None:
        """Restore one value, as :meth:`restore` does."""
        if (class_ := self._classes.get(value.__class__)) is not None:
            force_setattr(value, "__class__", class_)
        if self._holding_twins:
            self._restore_fields([value])

    def _restore_fields(self, values: Sequence[object]) -> None:
        holders: defaultdict[type, list[object]] = defaultdict(list)
        for value in values:
            if type(value) in self._holding_twins:
                holders[type(value)].append(value)
        for class_, of_class in holders.items():
            for name in self._holding_twins[class_]:
                self._restore_inside(list(map(attrgetter(name), of_class)))

    def _restore_inside(self, values: Sequence[Any]) -> None:
        """Restore what stands in fields, perhaps in containers."""
        self.restore(values)
        arrays = (value for value in values if type(value) in (list, tuple))
        maps = (value.values() for value in values if is_object(value))
        inside = list(chain.from_iterable(chain(arrays, maps)))
        if inside:
            self._restore_inside(inside)


def strict_twin(kind: type[Any]) -> StrictTwin | None:
    """Make the twin of a struct.

    What has no undeclared properties, an ``Extensible`` without structs for instance, is its own.

    None if there can be none: a struct that leads back to itself, holds others in sets, where
    their hashes are kept, or in classes that msgspec asks a hook about; one with a metaclass, an
    ``__init_subclass__`` or a ``__post_init__`` of its own, which would see twins; one that stands
    for an array; dataclasses and typed dicts.
    """
    builder = _Builder()
    try:
        return StrictTwin(builder.type_with_twins(kind), builder.originals)
    except _NoTwin:
        return None


class _NoTwin(Exception):
    pass


class _Original(NamedTuple):
    """What a twin stands for, and which of its fields may hold other twins."""

    type: type[Struct]
    holding_twins: tuple[str, ...]


class _Builder:
    def __init__(self) -> None:
        self.originals: Final[dict[type, _Original]] = {}
        self._twins: Final[dict[type[Struct], type[Struct] | None]] = {}
        self._hooked: Final[set[type]] = set()

    def _twin_of(self, kind: type[Struct]) -> type[Struct]:
        if kind not in self._twins:
            self._twins[kind] = None  # in the making
            self._twins[kind] = self._make(kind)
        twin = self._twins[kind]
        if twin is None:
            raise _NoTwin
        return twin

    def _make(self, kind: type[Struct]) -> type[Struct]:
        config = kind.__struct_config__
        if type(kind) is not type(Struct) or config.array_like or _watches_subclasses(kind):
            raise _NoTwin
        fields = msgspec.structs.fields(kind)
        twins = {field.name: self.type_with_twins(field.type) for field in fields}
        changed = [field for field in fields if twins[field.name] is not field.type]
        if config.forbid_unknown_fields and not changed:
            return kind
        if hasattr(kind, "__post_init__"):  # it would see twins, and could keep them
            raise _NoTwin
        twin = msgspec.defstruct(
            kind.__name__,
            [(field.name, twins[field.name], _settings(field)) for field in changed],
            bases=(kind,),
            module=kind.__module__,
            kw_only=True,
            tag_field=config.tag_field,
            tag=config.tag,
            forbid_unknown_fields=True,
        )
        self.originals[twin] = _Original(kind, tuple(field.name for field in changed))
        return twin

    def type_with_twins(self, kind: Any) -> Any:
        """Put twins in the place of the structs in a type; return the very type if it has none."""
        origin, args = get_origin(kind), get_args(kind)
        if kind is Any or origin is Literal:
            return kind
        if isinstance(kind, type) and origin is None:
            if issubclass(kind, Struct):
                return self._twin_of(kind)
            if issubclass(kind, _SCALARS) or kind in _CONTAINERS:
                return kind
            return self._own_twin(kind)
        if origin is Annotated:
            inner = self.type_with_twins(args[0])
            return kind if inner is args[0] else Annotated[(inner, *args[1:])]
        if not args:
            raise _NoTwin
        inside = tuple(arg if arg is ... else self.type_with_twins(arg) for arg in args)
        if all(map(operator.is_, inside, args)):
            return kind
        if origin in (Union, types.UnionType):
            return functools.reduce(_or, inside)
        if origin in _CONTAINERS:
            return cast("Any", origin)[inside]
        raise _NoTwin

    def _own_twin(self, kind: Any) -> Any:
        """Return a class that msgspec asks a hook about, if it holds no structs."""
        if kind not in self._hooked:
            self._hooked.add(kind)  # it may lead back to itself
            record = record_of(kind)
            if record is not None:
                inside = [field.type for field in msgspec.structs.fields(record)]
                inside.append(type_of_extras(kind))
            elif is_any_of(kind):
                inside = _members_of_union(kind)
            else:
                raise _NoTwin
            if any(self.type_with_twins(part) is not part for part in inside):
                raise _NoTwin
        return kind


def _members_of_union(kind: Any) -> list[Any]:
    try:
        members: list[Any] = kind.__choice__.types
    except SchemaError as error:  # it will be told when the first value comes
        raise _NoTwin from error
    return members


def _or(left: Any, right: Any) -> Any:
    return left | right


def _settings(field: msgspec.structs.FieldInfo) -> Any:
    return cast("Any", msgspec.field)(  # its overloads know no settings of unknown kinds
        name=field.encode_name, default=field.default, default_factory=field.default_factory
    )


def _watches_subclasses(kind: type) -> bool:
    return any("__init_subclass__" in vars(base) for base in kind.__mro__ if base is not object)
