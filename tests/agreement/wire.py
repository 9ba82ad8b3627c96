"""Whether two JSON values are the same on the wire."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from tests.agreement.cases import Json

_TIME_PATTERN: Final = r"\d\d:\d\d:\d\d(?P<fraction>\.\d+)?([Zz]|[+-]\d\d:\d\d)"
_INSTANT: Final = re.compile(rf"\d{{4}}-\d\d-\d\d[Tt]{_TIME_PATTERN}")
_TIME: Final = re.compile(_TIME_PATTERN)
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def is_same(left: Json, right: Json, *, spelt: bool = False) -> bool:
    """Whether two values are one JSON value.

    1 and 1.0 are, 1 and true are not. What has a canonical text is one value in every spelling: an
    instant, a time of day, and a UUID; unless it shall be ``spelt`` alike, too.

    >>> is_same({"a": [1, "2025-01-01T01:00:00+01:00"]}, {"a": [1.0, "2025-01-01T00:00:00.000Z"]})
    True
    >>> is_same([1], [True]), is_same({"a": None}, {})
    (False, False)
    """
    if isinstance(left, dict) and isinstance(right, dict):
        same_keys = left.keys() == right.keys()
        return same_keys and all(is_same(left[k], right[k], spelt=spelt) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(is_same(*pair, spelt=spelt) for pair in pairs)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, str) and isinstance(right, str):
        return left == right or (not spelt and _canonical(left) == _canonical(right))
    return bool(left == right)


def at_microseconds(value: Json) -> Json:
    """A value without what its instants and times have beyond microseconds.

    >>> at_microseconds(["23:59:59.9999999Z", "1.9999999Z"])
    ['23:59:59.999999Z', '1.9999999Z']
    """
    if isinstance(value, dict):
        return {name: at_microseconds(item) for name, item in value.items()}
    if isinstance(value, list):
        return [at_microseconds(item) for item in value]
    found = _moment(value) if isinstance(value, str) else None
    if found is None or found["fraction"] is None:
        return value
    start, end = found.span("fraction")
    return value[: min(start + len(".000000"), end)] + value[end:]


def _moment(text: str) -> re.Match[str] | None:
    return _INSTANT.fullmatch(text) or _TIME.fullmatch(text)


def _canonical(text: str) -> object:
    found = _moment(text)
    if found is not None:
        kind = dt.datetime if found.re is _INSTANT else dt.time
        finer = (found["fraction"] or "")[len(".000000") :].rstrip("0")
        return kind.fromisoformat(text.upper()), finer
    return text.lower() if _UUID.fullmatch(text) else text
