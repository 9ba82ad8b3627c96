"""Which characters are shown as themselves in source code and which only as an escape.

The table is frozen here on purpose: Python's own (``str.isprintable``, ``unicodedata``) changes
with every release, and generated files must not.
"""

from __future__ import annotations

import re
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


def escape_hidden(text: str, *, keep: str = "") -> str:
    r"""Write every hidden character of ``text``, but those in ``keep``, as a Python escape.

    >>> print(escape_hidden("a\u202eb\x00"))
    a\u202eb\x00
    """
    return _HIDDEN.sub(
        lambda match: match[0] if match[0] in keep else escape_character(match[0]), text
    )


def escape_character(character: str) -> str:
    r"""The shortest Python escape of one character: ``\x00``, ``\u202e`` or ``\U000e0001``."""
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
