"""Parts an array into its elements by strings and brackets alone.

So one element that no JSON parser takes (NaN, bad UTF-8, thousands of levels) leaves its neighbours
readable (INVALID-9).
"""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},]', re.DOTALL)


def array_elements(text: bytes) -> list[bytes] | None:
    """Return the texts of the elements, or None if the brackets do not close at the end.

    >>> array_elements(b'[{"n": NaN}, "],", [1, 2]]')
    [b'{"n": NaN}', b'"],"', b'[1, 2]']
    >>> array_elements(b"[ ]"), array_elements(b"[1, 2")
    ([], None)
    """
    elements: list[bytes] = []
    depth = begin = 0
    for token in _TOKEN.finditer(text):
        match token[0]:
            case b"[" | b"{":
                depth += 1
                if depth == 1:
                    begin = token.end()
            case b"]" | b"}":
                depth -= 1
                if depth == 0:
                    last = text[begin : token.start()].strip()
                    if last or elements:
                        elements.append(last)
                    return elements if token.end() == len(text) else None
            case b"," if depth == 1:
                elements.append(text[begin : token.start()].strip())
                begin = token.end()
            case _:
                pass  # a string, or a comma further in
    return None
