"""From plain parsed JSON to typed values: the one place where types of ours join in.

msgspec asks a *hook* about every class that it does not know. Ours asks the class itself: one that
has a class method ``__from_plain__`` makes its own values. The way back, ``__to_plain__``, is asked
for by :mod:`streamdb.protocol.json_text`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, get_type_hints

import msgspec

from streamdb.errors import SchemaError
from streamdb.protocol import json_text
from streamdb.types.faults import UNREADABLE, refused_by_its_class
from streamdb.types.microseconds import cut


def dec_hook(kind: Any, plain: Any) -> Any:
    """Make a value of a class that msgspec does not know; pass it wherever msgspec decodes.

    What is no class of ours is left as it is: msgspec then says that it is no such value.
    """
    from_plain = getattr(kind, "__from_plain__", None)
    return plain if from_plain is None else from_plain(plain)


def convert(plain: Any, kind: Any) -> Any:
    """Turn plain JSON into a value of a type, by the strict rules of JSON.

    Of instants and times, what is finer than microseconds is cut off.

    Raises:
        msgspec.ValidationError: it does not fit.
        Misfit: a class refused it by an error that msgspec does not know.
        RecursionError: it is nested too deeply.

    >>> convert({"1": [2]}, dict[int, list[int]])
    {1: [2]}
    """
    try:
        return msgspec.convert(cut(plain, kind), kind, str_keys=True, dec_hook=dec_hook)
    except (*UNREADABLE, SchemaError):
        raise
    except Exception as error:  # a `__post_init__` may raise anything
        raise refused_by_its_class(error) from error


def with_whole_numbers(plain: Any) -> Any:
    """Write whole numbers without a fraction, as JSON Schema counts them: 1.0 is an integer.

    >>> with_whole_numbers({"n": [1.0, 1.5]})
    {'n': [1, 1.5]}

    Raises:
        ValueError: a number that no float holds, such as 1e999.
    """
    if isinstance(plain, float):
        if math.isinf(plain):
            raise ValueError("number out of range")
        return int(plain) if plain.is_integer() else plain
    if json_text.is_object(plain):
        return {name: with_whole_numbers(item) for name, item in plain.items()}
    if json_text.is_array(plain):
        return [with_whole_numbers(item) for item in plain]
    return plain


def takes_null(kind: Any) -> bool:
    """Tell whether null is a value of a type.

    >>> takes_null(int), takes_null(int | None)
    (False, True)
    """
    try:
        convert(None, kind)
    except UNREADABLE:
        return False
    return True


def resolved(annotation: Any, names: Mapping[str, Any]) -> Any:
    """Return a type without forward references, looked up in the names of a module.

    Raises:
        NameError: there is no such name (yet).

    >>> resolved(list["Later"], {"Later": int})
    list[int]
    """
    holder = SimpleNamespace(__annotations__={"it": annotation})
    return get_type_hints(holder, dict(names), include_extras=True)["it"]
