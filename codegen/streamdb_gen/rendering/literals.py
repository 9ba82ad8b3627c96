"""Values of a spec as Python literals: the same bytes on every Python, which ``repr`` is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from streamdb_gen.rendering.characters import escape_character, escape_hidden
from streamdb_gen.rendering.marked import Code

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]

_SHORT_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def lit(value: Json) -> Code:
    r"""Write a JSON value as a Python literal.

    >>> lit({"a": [1, True, None, "say \"hi\""]})
    '{"a": [1, True, None, \'say "hi"\']}'
    """
    match value:
        case None | bool():
            return Code(str(value))
        case str():
            return _text(value)
        case int():
            return Code(format(value, "d"))
        case float():
            if not math.isfinite(value):
                raise ValueError("JSON has no infinite number and no NaN")
            return Code(float.__repr__(value))
        case Mapping():
            pairs = (f"{_text(key)}: {lit(item)}" for key, item in value.items())
            return Code("{" + ", ".join(pairs) + "}")
        case Sequence():
            return Code("[" + ", ".join(lit(item) for item in value) + "]")


def _text(value: str) -> Code:
    return quoted(value, escape_character)


def quoted(value: str, escape: Callable[[str], str]) -> Code:
    """Quote text as formatters do: double quotes, unless single ones need fewer escapes.

    ``escape`` writes one hidden character as an escape of the language.
    """
    quote = "'" if value.count('"') > value.count("'") else '"'
    escaped = value.replace("\\", "\\\\").replace(quote, "\\" + quote)
    for character, short in _SHORT_ESCAPES.items():
        escaped = escaped.replace(character, short)
    return Code(quote + escape_hidden(escaped, escape=escape) + quote)
