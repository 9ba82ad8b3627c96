"""JSON text to plain values, where msgspec is stricter than JSON and JSON Schema are."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def parse(text: bytes | msgspec.Raw) -> Any:
    r"""Parse JSON text by the standard library, which takes a lone surrogate for text.

    >>> parse(rb'"\ud83d"') == chr(0xD83D)
    True

    Raises one of ``UNREADABLE`` for anything else that is not JSON in UTF-8, NaN included.
    """
    return json.loads(bytes(text).decode(), parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
