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


def _parts(text: bytes) -> list[bytes] | None:
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
