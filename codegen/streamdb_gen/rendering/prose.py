"""Descriptions as lines that fit, their shape kept where it carries meaning."""

from __future__ import annotations

import re
import textwrap
from typing import Final

_TAB: Final = 8
# Lines whose shape carries meaning in Markdown, and indented ones, are not filled anew.
_KEEP_SHAPE: Final = re.compile(r"[ |#>]")


def normalise(text: str) -> str:
    r"""One kind of line end, no tabs, no needless indentation, no white space at the edges.

    >>> normalise(" a \r\n    b\n      c\n")
    'a\nb\n  c'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(_TAB)
    # Any white space: doctest cuts characters off a first line that begins with a form feed.
    text = "\n".join(line.rstrip(" ") for line in text.split("\n")).strip()
    first, separator, rest = text.partition("\n")
    return first + separator + _dedent(rest)


def wrap(line: str, width: int, used: int = 0) -> list[str]:
    """Break a long line at spaces; ``used`` columns of the first one are taken.

    >>> wrap("one two three", 9)
    ['one two', 'three']
    """
    if used + len(line) <= width or _KEEP_SHAPE.match(line):
        return [line]
    filled = textwrap.wrap(
        line,
        width,
        initial_indent=" " * used,
        break_long_words=False,
        break_on_hyphens=False,
        expand_tabs=False,
    )
    return [filled[0][used:], *filled[1:]]


def _dedent(text: str) -> str:
    lines = text.split("\n")
    margin = min((len(line) - len(line.lstrip(" ")) for line in lines if line), default=0)
    return "\n".join(line[margin:] for line in lines)
