"""Values of keywords that a validator would take, and on which validators differ or are silent."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Final

from streamdb.protocol.json_text import is_array, is_object

_PIECE: Final = re.compile(r"\\.|\(\?(?![:=!<])|.", re.DOTALL)

#: The way to a value in the schema, what is wrong with it, and what to do.
Fault = tuple[tuple[str | int, ...], str, str]


def malformed(schema: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what no schema may say, beside a `$ref` of draft-07 either.

    >>> list(malformed({"type": ["string", "string"]}))
    [(('type', 1), 'this is listed twice', 'delete one of them')]
    """
    yield from _repeated("type", schema)
    factor = schema.get("multipleOf")
    if isinstance(factor, int | float) and factor <= 0:
        yield ("multipleOf",), "a number greater than 0 is expected", "correct or delete it"


def ambiguous(schema: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield lists that name something twice, and patterns that validators read in two ways.

    >>> [way for way, _, _ in ambiguous({"pattern": "(?i)yes"})]
    [('pattern',)]
    """
    yield from _repeated("required", schema)
    yield from _repeated("enum", schema)
    pattern, by_pattern = schema.get("pattern"), schema.get("patternProperties")
    if isinstance(pattern, str) and (fault := _fault_of_pattern(pattern)) is not None:
        yield ("pattern",), *fault
    for text in by_pattern if is_object(by_pattern) else ():
        if (fault := _fault_of_pattern(text)) is not None:
            yield ("patternProperties", text), *fault


def _repeated(keyword: str, schema: Mapping[str, Any]) -> Iterator[Fault]:
    seen = set[Hashable]()
    listed = schema.get(keyword)
    for index, value in enumerate(listed if is_array(listed) else ()):
        key = _comparable(value)
        if key in seen:
            yield (keyword, index), "this is listed twice", "delete one of them"
        seen.add(key)


def _fault_of_pattern(pattern: str) -> tuple[str, str] | None:
    in_class = False
    for piece in _PIECE.findall(pattern):
        if piece in ("[", "]"):
            in_class = piece == "["
        elif in_class:
            continue
        elif piece in (r"\b", r"\B"):
            reason = f"validators differ on `{piece}`, for words of letters beyond ASCII"
            hint = "write `(?<![A-Za-z0-9_])` before a word, and `(?![A-Za-z0-9_])` behind it"
            return reason, hint
        elif piece == "(?":
            return "a group like this is none of ECMA-262", "see ECMA-262, with the flag u"
    return None


def _comparable(value: Any) -> Hashable:
    """Return a value that is equal where JSON values are: 1 and 1.0 are, 1 and true are not."""
    if is_array(value):
        return "array", tuple(map(_comparable, value))
    if is_object(value):
        return "object", frozenset((name, _comparable(item)) for name, item in value.items())
    return isinstance(value, bool), value
