"""Values of a spec as TypeScript: the counterpart of :mod:`streamdb_gen.rendering.literals`."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from streamdb_gen.rendering.characters import columns, escape_hidden
from streamdb_gen.rendering.documents import (
    SOFT_LINE,
    Document,
    Fill,
    Hang,
    Indent,
    Line,
    bracketed,
    group,
)
from streamdb_gen.rendering.literals import Json, quoted
from streamdb_gen.rendering.marked import Code, code

# The tables of Unicode 3.2, frozen for IDNA, are part of every Python.
_FROZEN: Final = unicodedata.ucd_3_2_0
_STARTS: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl"})
_CONTINUES: Final = _STARTS | {"Mn", "Mc", "Nd", "Pc"}
# Inside of an HTML page these would end or change the script that the text is in.
_MARKUP: Final = re.compile(r"<(?=/script|script|!--)", re.IGNORECASE)
# A key shorter than this gains nothing if its value goes on the next line.
_SHORT_KEY: Final = 5


def lit(value: str | int | float | bool | None) -> Code:
    r"""Write a scalar.

    >>> lit('say "hi"'), lit("</script>"), lit(1e-7), lit(None)
    ('\'say "hi"\'', '"\\x3c/script>"', '1e-7', 'null')
    """
    match value:
        case None:
            return Code("null")
        case bool():
            return Code("true" if value else "false")
        case str():
            return Code(_MARKUP.sub(r"\\x3c", quoted(value, escape_character)))
        case int():
            return Code(format(value, "d"))
        case float():
            return _number(value)


def value_document(value: Json) -> Document:
    """A JSON value, laid out as prettier does."""
    match value:
        case None | bool() | str() | int() | float():
            return lit(value)
        case Mapping():
            return _object(value)
        case Sequence():
            return _array(value)


def property_name(name: str) -> Code:
    """The name of a property, quoted if it has to be.

    >>> property_name("createdAt"), property_name("sent at")
    ('createdAt', '"sent at"')
    """
    return Code(name) if _is_identifier(name) else lit(name)


def key_name(name: str) -> Code:
    """The name of a property in an object that is written out.

    >>> key_name("createdAt"), key_name("__proto__")
    ('createdAt', '["__proto__"]')
    """
    # Without the brackets it would set the prototype of the object.
    return code("[{}]", lit(name)) if name == "__proto__" else property_name(name)


def property_document(name: Code, value: Json) -> Document:
    """A property of an object, without the comma behind it."""
    document = value_document(value)
    if _stays_behind(name, value):
        return (name, code(": "), document)
    return (name, code(":"), Hang(document))


def escape_character(character: str) -> str:
    r"""The shortest JavaScript escape of one character: ``\x00``, ``\u202e`` or ``\u{e0001}``."""
    number = ord(character)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\u{{{number:x}}}"


def _is_identifier(name: str) -> bool:
    """Whether a name needs no quotes, as prettier sees it: by ECMAScript 5."""
    is_plain = escape_hidden(name) == name and max(name, default="\U00010000") <= "\uffff"
    return (
        is_plain
        and (name[0] in "$_" or _FROZEN.category(name[0]) in _STARTS)
        and all(character == "$" or _FROZEN.category(character) in _CONTINUES for character in name)
    )


def _number(value: float) -> Code:
    if not math.isfinite(value):
        raise ValueError("JSON has no infinite number and no NaN")
    mantissa, _, exponent = float.__repr__(value).partition("e")
    digits = mantissa.removesuffix(".0")
    return Code(f"{digits}e{int(exponent)}" if exponent else digits)


def _array(items: Sequence[Json]) -> Document:
    if not items:
        return code("[]")
    numbers = tuple(
        lit(item) for item in items if isinstance(item, int | float) and not isinstance(item, bool)
    )
    if len(numbers) == len(items) > 1:
        return group((code("["), Indent((SOFT_LINE, Fill(numbers))), SOFT_LINE, code("]")))
    listed = map(value_document, items)
    return bracketed(code("["), listed, code("]"), broken=_is_table(items))


def _object(members: Mapping[str, Json]) -> Document:
    if not members:
        return code("{{}}")
    properties = (property_document(key_name(key), value) for key, value in members.items())
    return bracketed(code("{{"), properties, code("}}"), edge=Line())


def _stays_behind(name: Code, value: Json) -> bool:
    """Whether a value goes on the line of its name, be it ever so long."""
    if isinstance(value, str):
        return columns(name) < _SHORT_KEY
    return isinstance(value, int | float) and not lit(value).startswith("-")


def _is_table(items: Sequence[Json]) -> bool:
    """Whether prettier puts each item on lines of its own, be they ever so short."""
    kinds = (Mapping, list)
    return len(items) > 1 and any(
        all(isinstance(item, kind) and len(item) > 1 for item in items) for kind in kinds
    )
