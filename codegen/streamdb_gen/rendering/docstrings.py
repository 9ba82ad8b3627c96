"""Descriptions as docstrings that stay text: no code, no markup, no doctest."""

from __future__ import annotations

import re
from typing import Final

from streamdb_gen.rendering.characters import escape_character, escape_hidden
from streamdb_gen.rendering.layout import LINE_LENGTH
from streamdb_gen.rendering.marked import Code
from streamdb_gen.rendering.prose import normalise, wrap

_QUOTES: Final = '"""'
# Three quotation marks would end the docstring; at its edges one is enough to run into them.
_RISKY_QUOTES: Final = re.compile(r'"{3,}|\A"+|"+\Z')
_DOCTEST_PROMPT: Final = re.compile(r"\A( *)>>>")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def doc(text: str, indent: int = 0) -> Code:
    r'''Write ``text`` as a docstring in a block that is ``indent`` columns deep.

    The text is kept, but for line ends, tabs and white space at the edges, for a backslash put
    before a ``>>>`` that doctest would run, and for lone surrogates, which are spelt out
    (``\ud800``). Long lines are wrapped at spaces.

    >>> print(doc('She said "yes".'))
    """She said "yes"."""
    >>> print(doc("a\nb"))
    """a
    b
    """
    '''
    first, *others = _escape(normalise(text)).split("\n")
    room = LINE_LENGTH - indent
    lines = [
        *wrap(first, room, used=len(_QUOTES)),
        *(part for o in others for part in wrap(o, room)),
    ]
    lines = [_DOCTEST_PROMPT.sub(r"\1\\\\>>>", line) for line in lines]
    if len(lines) == 1 and len(lines[0]) + 2 * len(_QUOTES) <= room:
        return Code(_QUOTES + lines[0] + _QUOTES)
    margin = "\n" + " " * indent
    body = lines[0] + "".join(margin + line if line else "\n" for line in lines[1:])
    return Code(_QUOTES + body + margin + _QUOTES)


def _escape(text: str) -> str:
    # A class cannot have half of a surrogate pair in its docstring: it is spelt out.
    text = _SURROGATE.sub(lambda half: escape_character(half[0]), text)
    text = text.replace("\\", "\\\\")
    text = _RISKY_QUOTES.sub(lambda quotes: '\\"' * len(quotes[0]), text)
    return escape_hidden(text, keep="\n")
