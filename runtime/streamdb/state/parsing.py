"""JSON text to plain values, where msgspec is stricter than JSON and JSON Schema are."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec


def parse(text: bytes | msgspec.Raw) -> Any:
    r"""Parse JSON text by the standard library, which takes a lone surrogate for text.

    >>> parse(rb'"\ud83d"') == chr(0xD83D)
    True

    Raises one of ``UNREADABLE`` for anything else that is not JSON in UTF-8, NaN included, and for
    numbers that no float holds (1e999), which could not be written again.
    """
    return json.loads(bytes(text).decode(), parse_constant=_refuse_constant, parse_float=_finite)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"not JSON: {name}")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("number out of range")
    return number
