"""Canonical JSON: the text of a spec, the same however the file was typed.

Canonical means: equal meaning, equal text. White space, escapes and the spelling of numbers
(``1.0``, ``1e0``, ``1``) do not matter; ASCII only, so that lone surrogates survive as escapes and
no encoding can get in the way. The order of keys stays as in the file, because it is the order of
fields in the generated classes.
"""

from __future__ import annotations

import hashlib
import json

from streamdb_gen.json_source import JsonValue

_EXACT_IN_FLOAT = 2**53


def canonical_text(value: JsonValue) -> str:
    r"""A whole document: indented, with a line end at its end.

    >>> canonical_text({"b": 1.0, "a": "\u00e9"})
    '{\n  "b": 1,\n  "a": "\\u00e9"\n}\n'
    """
    return json.dumps(_normal(value), indent=2) + "\n"


def canonical_value(value: JsonValue) -> str:
    """One value on one line.

    >>> canonical_value([1, None, {"a": True}])
    '[1, null, {"a": true}]'
    """
    return json.dumps(_normal(value))


def digest(text: str) -> str:
    """The digest that generated files and releases carry."""
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


def _normal(value: JsonValue) -> JsonValue:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_IN_FLOAT:
        return int(value)
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    return value
