"""Which characters are shown as themselves in source code and which only as an escape.

The table is frozen here on purpose: Python's own (``str.isprintable``, ``unicodedata``) changes
with every release, and generated files must not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

# Control, bidirectional, zero-width, invisible and surrogate characters, and the spaces that look
# like the plain one: what a reader or an editor would not see, or would see in the wrong place.
_HIDDEN_RANGES: Final = (
    (0x00, 0x1F),
    (0x7F, 0xA0),
    (0xAD, 0xAD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x1680, 0x1680),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2000, 0x200F),
    (0x2028, 0x202F),
    (0x205F, 0x206F),
    (0x3164, 0x3164),
    (0xD800, 0xDFFF),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0xFFFE, 0xFFFF),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_HIDDEN: Final = re.compile(
    "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in _HIDDEN_RANGES) + "]"
)
_MARKS: Final = ("\u0300", "\u036f")
_EMOJI: Final = ("\U0001f300", "\U0001faff")
# The tables of Unicode 3.2, frozen for IDNA, are part of every Python.
_WIDTH: Final = unicodedata.ucd_3_2_0.east_asian_width


def escape_hidden(text: str, *, keep: str = "", escape: Callable[[str], str] | None = None) -> str:
    r"""Write every hidden character of ``text``, but those in ``keep``, as an escape.

    Without ``escape`` the escapes are Python's.

    >>> print(escape_hidden("a\u202eb\x00"))
    a\u202eb\x00
    """
    write = escape or escape_character
    return _HIDDEN.sub(lambda match: match[0] if match[0] in keep else write(match[0]), text)


def escape_character(character: str) -> str:
    r"""The shortest Python escape of one character: ``\x00``, ``\u202e`` or ``\U000e0001``."""
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def columns(text: str) -> int:
    r"""How many columns a text without hidden characters takes where all are equally wide.

    >>> columns("text"), columns("日本"), columns("e\u0301")
    (4, 4, 1)
    """
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if _MARKS[0] <= character <= _MARKS[1]:
        return 0
    is_wide = _WIDTH(character) in "WF" or _EMOJI[0] <= character <= _EMOJI[1]
    return 2 if is_wide else 1
