"""Texts that Python's types are written as; they are read from more."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from streamdb import formats

#: The expression of the texts that values of a type are written as, for Python's :func:`re.search`.
SPELLINGS: Final[Mapping[type, str]] = {
    dt.datetime: formats.PYTHON_PATTERNS["date-time"],
    dt.date: formats.PYTHON_PATTERNS["date"],
    dt.time: formats.PYTHON_PATTERNS["time"],
    uuid.UUID: formats.PYTHON_PATTERNS["uuid"],
    Decimal: formats.python_form(formats.DECIMAL),
    bytes: formats.python_form(formats.BASE64),
}


def is_spelt(kind: type, plain: object) -> bool:
    """Tell whether plain JSON is of the format that values of a type are written in.

    Other spellings are read as well: an instant with a space in the middle, a UUID without hyphens.

    >>> is_spelt(dt.date, "2026-01-02"), is_spelt(dt.date, "20260102"), is_spelt(str, "any")
    (True, False, True)
    """
    pattern = SPELLINGS.get(kind)
    return pattern is None or (isinstance(plain, str) and re.search(pattern, plain) is not None)
