r"""Patterns of JSON Schema, which are ECMA-262's, in Python's dialect of regular expressions.

The validator `jsonschema` takes them for Python's. There `\d` and `\w` know the digits and letters
of all scripts, `$` also stands before a line end, and `\p` is an error.
"""

from __future__ import annotations

import re
from typing import Final

from tests.agreement.cases import Json

_TOKEN: Final = re.compile(r"\\p\{\w+\}|\\.|[\[\]$]", re.DOTALL)
_IN_CLASS: Final = {r"\d": "0-9", r"\w": "A-Za-z0-9_"}
_OUTSIDE: Final = {
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[A-Za-z0-9_]",
    r"\W": "[^A-Za-z0-9_]",
    r"\p{L}": r"[^\W\d_]",
    "$": r"\Z",
}
_DATA: Final = frozenset({"const", "default", "enum", "examples"})


def with_python_patterns(schema: Json) -> Json:
    """A copy of a schema."""
    if isinstance(schema, list):
        return [with_python_patterns(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _translated(key, value) for key, value in schema.items()}


def _translated(key: str, value: Json) -> Json:
    if key in _DATA:
        return value
    if key == "pattern" and isinstance(value, str):
        return python_pattern(value)
    if key == "patternProperties" and isinstance(value, dict):
        return {python_pattern(name): with_python_patterns(s) for name, s in value.items()}
    return with_python_patterns(value)


def python_pattern(pattern: str) -> str:
    r"""Translate one pattern.

    >>> python_pattern(r"^[\d$]\w$")
    '^[0-9$][A-Za-z0-9_]\\Z'
    """
    is_in_class = False

    def written(token: re.Match[str]) -> str:
        nonlocal is_in_class
        if token[0] in "[]":
            is_in_class = token[0] == "["
        return (_IN_CLASS if is_in_class else _OUTSIDE).get(token[0], token[0])

    return _TOKEN.sub(written, pattern)
