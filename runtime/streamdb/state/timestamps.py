"""The instants at which changes happened, as their writers say (INVALID-7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from msgspec import UNSET

from streamdb.format_grammar import FULL_DATE, HOUR_MINUTE

# As the format date-time, and with leap seconds: nothing makes a datetime of it.
_RFC_3339: Final = (
    rf"{FULL_DATE}[Tt]{HOUR_MINUTE}:(?:[0-5][0-9]|60)(?:\.[0-9]+)?(?:[Zz]|[+-]{HOUR_MINUTE})"
)
_instant: Final = re.compile(_RFC_3339)
_instants: Final = re.compile(rf"(?:{_RFC_3339}\n)+")


def wrong_ones(timestamps: Sequence[Any]) -> list[int]:
    """Return the places of what is no instant of RFC 3339; UNSET stands for none at all.

    >>> wrong_ones(["2026-03-01T08:00:00Z", UNSET, "yesterday", "2026-03-01T08:00:00", 5])
    [2, 3, 4]
    """
    if timestamps.count(UNSET) == len(timestamps) or _are_right(timestamps):
        return []
    return [place for place, given in enumerate(timestamps) if not _is_right(given)]


def _are_right(timestamps: Sequence[Any]) -> bool:
    """Tell in one call whether all are there and right, as they mostly are."""
    try:
        lines = "\n".join(timestamps) + "\n"
    except TypeError:
        return False
    return lines.count("\n") == len(timestamps) and _instants.fullmatch(lines) is not None


def _is_right(given: Any) -> bool:
    return given is UNSET or (isinstance(given, str) and _instant.fullmatch(given) is not None)
