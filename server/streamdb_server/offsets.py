"""Offsets: opaque tokens outside, byte positions inside (OFF-1, OFF-2).

A position is the number of content bytes stored before it, so it grows with every append (OFF-3).
The token has a fixed width, which makes plain text order the order of positions; the two groups of
digits are the shape other servers of the protocol use (OFF-14).
"""

import re
from typing import Final

_TOKEN: Final = re.compile(r"0{16}_([0-9]{16})")


def mint(position: int) -> str:
    """Return the token of a byte position.

    >>> mint(42)
    '0000000000000000_0000000000000042'
    """
    return f"{0:016d}_{position:016d}"


def parse(token: str) -> int | None:
    """Return the byte position of a token, or None if it was never minted here (OFF-12).

    >>> parse(mint(42)), parse("0"), parse("-1")
    (42, None, None)
    """
    match = _TOKEN.fullmatch(token)
    return int(match[1]) if match else None
