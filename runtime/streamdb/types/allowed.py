"""Which constants a type allows at a place: for errors about a value that is none of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import msgspec

from streamdb.types.extensible import record_of

_REFUSED: Final = ("invalid value", "invalid enum value")  # as msgspec begins to say so
_LONGEST: Final = 200


def with_allowed(reason: str, pointer: str, kind: Any) -> str:
    """Add to the reason of an error what the type allows there, where it allows constants.

    >>> class Text(msgspec.Struct, tag_field="kind", tag="text"): ...
    >>> class Image(msgspec.Struct, tag_field="kind", tag="image"): ...
    >>> with_allowed("invalid value 'x'", "/0/kind", list[Text | Image])
    'invalid value \\'x\\'; allowed: "text", "image"'
    """
    if not reason.startswith(_REFUSED):
        return reason
    allowed = dict.fromkeys(_constants(_at([kind], pointer)))
    return f"{reason}; allowed: {listed(allowed)}" if allowed else reason


def listed(values: Iterable[Any]) -> str:
    """List constants as JSON, but not for ever.

    >>> listed(["a", 1, None]), len(listed(range(10_000))) < 300
    ('"a", 1, null', True)
    """
    texts = [json.dumps(value, ensure_ascii=False, default=str) for value in values]
    shown: list[str] = []
    for text in texts:
        if len(", ".join([*shown, text])) > _LONGEST:
            return ", ".join([*shown, f"… ({len(texts)} in all)"])
        shown.append(text)
    return ", ".join(shown)


def _at(kinds: list[Any], pointer: str) -> list[Any]:
    """Return the types that values at a place may be of."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        kinds = [inner for kind in kinds for one in _members(kind) for inner in _step(one, name)]
    return kinds


def _members(kind: Any) -> Iterator[Any]:
    """Take a union apart; other types are one of one."""
    origin = get_origin(kind)
    if origin in (Annotated, Required, NotRequired):
        yield from _members(get_args(kind)[0])
    elif origin in (Union, UnionType):
        for member in get_args(kind):
            yield from _members(member)
    elif (choice := getattr(kind, "__choice__", None)) is not None:  # it is an AnyOf
        for member in choice.types:
            yield from _members(member)
    else:
        yield kind


def _step(kind: Any, name: str) -> Iterator[Any]:
    record = record_of(kind)
    origin, inside = get_origin(kind), get_args(kind)
    if record is not None:
        config = record.__struct_config__
        if name == config.tag_field:
            yield Literal[config.tag]
        for field in msgspec.structs.fields(record):
            if field.encode_name == name:
                yield field.type
    elif (models := getattr(kind, "model_fields", None)) is not None:  # of pydantic
        for own_name, model in models.items():
            if (model.alias or own_name) == name:
                yield model.annotation
    elif dataclasses.is_dataclass(kind) or is_typeddict(kind):
        with suppress(NameError):  # of a type that is not defined yet
            types = get_type_hints(kind, include_extras=True)
            if name in types:
                yield types[name]
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield inside[1]
    elif origin is tuple and inside[-1:] != (...,):
        if name.isdecimal() and len(name) < 4 and int(name) < len(inside):
            yield inside[int(name)]
    elif isinstance(origin, type) and issubclass(origin, Sequence):
        yield inside[0]


def _constants(kinds: Iterable[Any]) -> Iterator[Any]:
    for kind in kinds:
        for member in _members(kind):
            if get_origin(member) is Literal:
                yield from get_args(member)
