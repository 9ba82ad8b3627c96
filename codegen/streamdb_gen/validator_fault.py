"""Whether the validator that checks what types cannot say takes a schema at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

import jsonschema_rs

from streamdb_gen.json_source import JsonValue

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


@lru_cache(maxsize=10_000)
def is_pattern(text: str) -> bool:
    r"""Whether a text is a regular expression of ECMA-262.

    >>> is_pattern(r"^\p{L}+$"), is_pattern("(")
    (True, False)
    """
    return _fault({"$schema": _DRAFT, "pattern": text}) is None


def validator_faults(document: JsonValue, pointers: Sequence[str]) -> dict[str, str]:
    """Why no validators can be made of schemas of a document, by the pointers of those."""
    if not isinstance(document, dict):
        return dict.fromkeys(pointers, "it is no object")
    # Mostly there is no fault, and what the schemas refer to is compiled once.
    references: list[JsonValue] = [
        {"$ref": f"#{quote(pointer, errors='surrogatepass')}"} for pointer in pointers
    ]
    if not references or _fault({**document, "$schema": _DRAFT, "allOf": references}) is None:
        return {}
    found = {
        pointer: _fault(
            {**document, "$schema": _DRAFT, "$ref": f"#{quote(pointer, errors='surrogatepass')}"}
        )
        for pointer in pointers
    }
    return {pointer: fault for pointer, fault in found.items() if fault is not None}


def _fault(schema: dict[str, Any]) -> str | None:
    try:
        jsonschema_rs.validator_for(schema)
    except (ValueError, RecursionError) as error:
        return str(error).splitlines()[0]
    return None
