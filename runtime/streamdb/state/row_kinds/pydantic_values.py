"""Values of hand-written pydantic models: their canonical form, and whether they came back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from typing import Any, Final, TypeGuard

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from streamdb.protocol import json_text

# What has a canonical form of ours.
_CANONICAL: Final = (dt.datetime, dt.time, Decimal)


def in_canonical_form(plain: Any, python: Any) -> Any:
    """Take pydantic's JSON, but instants, times and decimals as Python has them.

    So they get the canonical form of :mod:`streamdb.protocol.json_text`. One that a serializer of
    the model's own writes otherwise stays as that has it.

    >>> noon = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)
    >>> in_canonical_form({"at": "2026-01-02T12:00:00Z", "p": "x"}, {"at": noon, "p": b"x"})
    {'at': datetime.datetime(2026, 1, 2, 12, 0, tzinfo=datetime.timezone.utc), 'p': 'x'}
    """
    if isinstance(python, _CANONICAL):
        return python if plain == to_jsonable_python(python) else plain
    if json_text.is_object(plain) and _is_map(python):
        values = list(python.values())
        if len(values) == len(plain):
            pairs = zip(plain.items(), values, strict=True)
            return {name: in_canonical_form(item, value) for (name, item), value in pairs}
        names = python.keys()  # computed fields may be in one of them alone
        return {
            name: in_canonical_form(item, python[name]) if name in names else item
            for name, item in plain.items()
        }
    if json_text.is_array(plain) and _is_sequence(python) and len(plain) == len(python):
        return [in_canonical_form(*pair) for pair in zip(plain, python, strict=True)]
    return plain


def first_difference(value: Any, again: Any) -> list[str | int] | None:
    """Return the way to the first place where one value is not what the other one is; None if none.

    A list may come back for a tuple, and a model for one of a subclass with the same fields.

    >>> first_difference({"a": (1, 2)}, {"a": [1, 2]}), first_difference({"a": [1]}, {"a": [2]})
    (None, ['a', 0])
    """
    if isinstance(value, BaseModel) and isinstance(again, BaseModel):
        return _first_in_maps(_held(value), _held(again))
    if _is_map(value) and _is_map(again):
        return _first_in_maps(value, again)
    if _is_sequence(value) and _is_sequence(again) and len(value) == len(again):
        return _first_of(enumerate(zip(value, again, strict=True)))
    if _is_set(value) and _is_set(again):
        return None if set(value) == set(again) else []
    return None if value == again or _has_no_equality(value, again) else []


def _first_in_maps(value: Mapping[Any, Any], again: Mapping[Any, Any]) -> list[str | int] | None:
    for name in value.keys() ^ again.keys():
        return [str(name)]
    return _first_of((str(name), (item, again[name])) for name, item in value.items())


def _first_of(pairs: Any) -> list[str | int] | None:
    for step, (value, again) in pairs:
        inside = first_difference(value, again)
        if inside is not None:
            return [step, *inside]
    return None


def _held(model: BaseModel) -> Mapping[str, Any]:
    """What a model holds, by the names on the wire."""
    fields = type(model).model_fields.items()
    held = {field.serialization_alias or name: getattr(model, name) for name, field in fields}
    return {**held, **(model.__pydantic_extra__ or {})}


def _has_no_equality(value: object, again: object) -> bool:
    """Two instances of a class that cannot compare them: what they are written as has to do."""
    if type(value) is not type(again) or type(value).__eq__ is not object.__eq__:
        return False
    return bool(to_jsonable_python(value) == to_jsonable_python(again))


def _is_map(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _is_set(value: object) -> TypeGuard[Set[Any]]:
    return isinstance(value, Set)
