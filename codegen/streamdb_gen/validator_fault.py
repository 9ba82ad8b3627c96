"""Whether the validator that checks what types cannot say takes a schema at all."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

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


def validator_fault(document: JsonValue, pointer: str) -> str | None:
    """Why no validator can be made of the schema at a place of a document; None if one can."""
    if not isinstance(document, dict):
        return "it is no object"
    return _fault({**document, "$schema": _DRAFT, "$ref": f"#{pointer}"})


def _fault(schema: dict[str, Any]) -> str | None:
    try:
        jsonschema_rs.validator_for(schema)
    except (ValueError, RecursionError) as error:
        return str(error).splitlines()[0]
    return None
