"""Values of headers that both sides check: content types and instants."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from streamdb.protocol import names

_MEDIA_TYPE: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+/[!#$%&'*+.^_`|~0-9a-z-]+")
_PRINTABLE: Final = re.compile(r"[\t\x20-\x7e]*")
# Python's own parser takes more than RFC 3339 does.
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def names_media_type(content_type: str) -> bool:
    """Tell whether a content type begins with ``type/subtype`` (CT-2).

    >>> names_media_type("Text/Plain; charset=utf-8"), names_media_type("text")
    (True, False)
    """
    return _MEDIA_TYPE.fullmatch(names.media_type(content_type)) is not None


def is_printable(value: str) -> bool:
    r"""Tell whether a header can carry a value as it is: printable ASCII, spaces and tabs.

    >>> is_printable("text/plain; x=y"), is_printable("a\r\nX-Forged: b"), is_printable("é")
    (True, False, False)
    """
    return _PRINTABLE.fullmatch(value) is not None


def is_text(value: str) -> bool:
    """Tell whether text has a form in UTF-8: no half of a surrogate pair.

    >>> is_text("é"), is_text(chr(0xD800))
    (True, False)
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_instant(text: str) -> datetime | None:
    """Read an RFC 3339 instant (CREATE-11); None if it is none.

    >>> parse_instant("2030-01-31T12:00:00Z").year
    2030
    >>> parse_instant("2030-01-31") is None
    True
    """
    if not _INSTANT.fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text.upper())
        instant.timestamp()
    except (ValueError, OverflowError):
        return None
    return instant
