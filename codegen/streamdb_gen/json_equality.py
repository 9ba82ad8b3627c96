"""When two JSON values are the same one.

Python's `==` will not do: there `1 == True`. JSON Schema compares numbers by their value, so 1 and
1.0 are the same, and objects without regard to the order of their members (2020-12, core, 4.2.2).
"""

from __future__ import annotations

import json

from streamdb_gen.json_source import JsonValue


def identity(value: JsonValue) -> str:
    """A text that equal values have in common, and no others.

    >>> identity({"b": 1.0, "a": True}) == identity({"a": True, "b": 1})
    True
    """
    return json.dumps(_normal(value), sort_keys=True)


def are_equal(left: JsonValue, right: JsonValue) -> bool:
    """Whether two values are the same.

    >>> are_equal([1], [1.0]), are_equal([1], [True])
    (True, False)
    """
    return identity(left) == identity(right)


def integral(value: JsonValue) -> JsonValue:
    """The value; an integer if it is one in JSON Schema's eyes (``1.0``).

    >>> integral(2.0), integral(2.5), integral(True)
    (2, 2.5, True)
    """
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _normal(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    return integral(value)
