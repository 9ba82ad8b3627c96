"""JSON mode: how values become text on the wire, and batches become values again.

Writing goes through the standard library: msgspec's own encoder would write NaN as null, and
instants in a form whose text order is not time order.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any, Final, Protocol, TypeGuard, runtime_checkable

import msgspec

from streamdb.errors import StreamParseError
from streamdb.protocol.answers import preview
from streamdb.protocol.exchange import Batch

# What msgspec would write in a form of its own; `_written_by_us` has the last word on them.
_LEFT_ALONE: Final = (dt.datetime, bytes, bytearray, memoryview)


@runtime_checkable
class HasJson(Protocol):
    """A value that writes itself, such as a change event. No field of a row can be named so."""

    def __json__(self) -> bytes:
        """Return the compact JSON text in UTF-8."""
        ...


def encode(value: object) -> bytes:
    r"""Write a value as compact JSON text in UTF-8.

    Takes whatever msgspec can take apart: structs, dataclasses, mappings, sequences, dates, UUIDs.
    Instants are written in UTC with three fraction digits, six when microseconds need them, so
    that their text order is their time order.

    >>> import datetime as dt
    >>> encode({"at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "to": "é"})
    b'{"at":"2026-01-02T00:00:00.000Z","to":"\xc3\xa9"}'

    Raises:
        ValueError: NaN, an infinity, or an instant without a time zone.
        TypeError: a value that JSON has no form for.
    """
    if isinstance(value, HasJson):
        return value.__json__()
    plain = msgspec.to_builtins(value, builtin_types=_LEFT_ALONE, str_keys=True)
    text = json.dumps(
        plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_written_by_us
    )
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate: legal in JSON as an escape, and only as that.
        return json.dumps(
            plain, allow_nan=False, separators=(",", ":"), default=_written_by_us
        ).encode()


def frame(texts: Iterable[bytes]) -> bytes:
    """Join JSON texts to the array that stores each of them as one message (JSON-3, CLIENT-27).

    An array that is itself one message is wrapped like any value: the server takes one level off.

    >>> frame([b'{"n":1}', b"[2]"])
    b'[{"n":1},[2]]'
    """
    return b"[" + b",".join(texts) + b"]"


def messages(batch: Batch, *, url: str) -> list[Any]:
    """Parse the messages of a batch of a JSON stream (JSON-6, SSE-8).

    Raises:
        StreamParseError: it is not JSON; the beginning is quoted.
    """
    found: list[Any] = []
    for part in batch.parts:
        try:
            value = json.loads(part)
        except (ValueError, RecursionError) as error:
            raise StreamParseError(
                f"read: not JSON: {error}: {preview(part)}", url=url, offset=batch.offset
            ) from None
        found += value if is_array(value) else [value]
    return found


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a parsed value is an array."""
    return isinstance(value, list)


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a parsed value is an object."""
    return isinstance(value, dict)


def _written_by_us(value: object) -> str:
    if not isinstance(value, dt.datetime):
        raise TypeError(f"{type(value).__name__} has no JSON form")
    if value.tzinfo is None:
        raise ValueError(f"the instant {value.isoformat()} has no time zone: add tzinfo")
    utc = value.astimezone(dt.UTC)
    digits = "microseconds" if utc.microsecond % 1000 else "milliseconds"
    return utc.isoformat(timespec=digits).removesuffix("+00:00") + "Z"
