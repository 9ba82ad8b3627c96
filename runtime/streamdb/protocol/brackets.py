"""Parts arrays and objects into their members by strings and brackets alone.

So one element that no JSON parser takes (NaN, bad UTF-8, thousands of levels) leaves its neighbours
readable (INVALID-9).
"""

from __future__ import annotations

import re
from typing import Final

_STRING: Final = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_MEMBER: Final = re.compile(rb"(?P<name>" + _STRING + rb")\s*:\s*(?P<value>.*)", re.DOTALL)
_TOKEN: Final = re.compile(_STRING + rb"|[\[\]{},]", re.DOTALL)


def array_elements(text: bytes) -> list[bytes] | None:
    """Return the texts of the elements, or None if the brackets do not close at the end.

    >>> array_elements(b'[{"n": NaN}, "],", [1, 2]]')
    [b'{"n": NaN}', b'"],"', b'[1, 2]']
    >>> array_elements(b"[ ]"), array_elements(b"[1, 2")
    ([], None)
    """
    return _parts(text) if text.startswith(b"[") else None


def object_members(text: bytes) -> dict[bytes, bytes] | None:
    """Return the texts of the values of an object by the texts of their names, or None.

    >>> object_members(b'{"n": NaN, "type" : "a:b"}')
    {b'"n"': b'NaN', b'"type"': b'"a:b"'}
    >>> object_members(b"[1]"), object_members(b'{"n" 1}')
    (None, None)
    """
    parts = _parts(text) if text.startswith(b"{") else None
    members = [_MEMBER.fullmatch(part) for part in parts or ()]
    found = {member["name"]: member["value"] for member in members if member is not None}
    return None if parts is None or None in members else found


def elements_from(text: bytes, begin: int, enough: int) -> tuple[list[bytes], int] | None:
    """Return elements of an array from where one of them begins, ``enough`` bytes or a few more.

    Returns:
        The elements, and where the next one begins, which is the text's end after the last one;
        None if the brackets do not close at the end.

    >>> elements_from(b"[1, [2, 3], 4, 5]", 1, 6)
    ([b'1', b'[2, 3]'], 11)
    >>> elements_from(b"[1, [2, 3], 4, 5]", 11, 100)
    ([b'4', b'5'], 17)
    """
    elements: list[bytes] = []
    depth, last_begin = 1, begin
    for token in _TOKEN.finditer(text, begin):
        match token[0]:
            case b"[" | b"{":
                depth += 1
            case b"]" | b"}":
                depth -= 1
                if depth == 0:
                    last = text[last_begin : token.start()].strip()
                    if last or last_begin > 1:
                        elements.append(last)
                    return (elements, len(text)) if token.end() == len(text) else None
            case b"," if depth == 1:
                elements.append(text[last_begin : token.start()].strip())
                last_begin = token.end()
                if last_begin - begin > enough:
                    return elements, last_begin
            case _:
                pass  # a string, or a comma further in
    return None


def _parts(text: bytes) -> list[bytes] | None:
    found = elements_from(text, 1, len(text))
    return None if found is None else found[0]
