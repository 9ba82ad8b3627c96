"""JSON text to plain values, where msgspec is stricter than JSON and JSON Schema are."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from streamdb.protocol import json_text


def parse(text: bytes | msgspec.Raw) -> Any:
    r"""Parse JSON text by the standard library, which takes a lone surrogate for text.

    >>> parse(rb'"\ud83d"') == chr(0xD83D)
    True

    Raises one of ``UNREADABLE`` for anything else that is not JSON in UTF-8, NaN included.
    """
    return json.loads(bytes(text).decode(), parse_constant=_refuse_constant)


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


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
