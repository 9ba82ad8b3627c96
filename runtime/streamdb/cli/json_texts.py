"""Taking JSON arrays apart without reading their values: numbers keep all their digits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

_GAP: Final = re.compile(r"[ \t\n\r,]*")


def values_in(text: bytes) -> list[bytes]:
    """Return the values of a JSON array as they are written; any other value is the only one.

    >>> values_in(b'[1.50, {"a": 1e999}]'), values_in(b"1.50")
    ([b'1.50', b'{"a": 1e999}'], [b'1.50'])

    Raises:
        ValueError: it is no JSON.
    """
    import msgspec

    if not text.lstrip().startswith(b"["):
        return [text.strip()]
    try:
        return [bytes(one) for one in msgspec.json.decode(text, type=list[msgspec.Raw])]
    except msgspec.DecodeError:  # it is no JSON, or holds half a surrogate pair
        json.loads(text)
        return list(_values_of_array(text.decode()))


def _values_of_array(text: str) -> Iterator[bytes]:
    # The array is well formed; what stands between its values is space, and one comma.
    scan = json.JSONDecoder().raw_decode
    at = _behind_gap(text, text.index("[") + 1)
    while text[at] != "]":
        _, end = scan(text, at)
        yield text[at:end].encode()
        at = _behind_gap(text, end)


def _behind_gap(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return at if found is None else found.end()


def laid_out(text: bytes, indent: int | None = None) -> bytes:
    r"""Write a JSON value on one line, or with indents.

    >>> laid_out(b'{"a":\n 1.50}'), laid_out(b"[1]", 2)
    (b'{"a":1.50}', b'[\n  1\n]')
    """
    import msgspec

    try:
        return msgspec.json.format(text, indent=-1 if indent is None else indent)
    except msgspec.DecodeError:  # half a surrogate pair
        separators = (",", ": " if indent else ":")
        return json.dumps(json.loads(text), indent=indent, separators=separators).encode()
