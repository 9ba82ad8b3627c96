"""JSON mode: how values become text on the wire, and batches become values again.

Writing goes through the standard library, but for text alone: msgspec's own encoder would write NaN
as null, and instants in a form whose text order is not time order.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeGuard, runtime_checkable

import msgspec

from streamdb.errors import StreamParseError
from streamdb.protocol.answers import preview

if TYPE_CHECKING:
    from streamdb.protocol.exchange import Batch

# What msgspec would write in a form of its own; `_text_of` has the last word on them.
_LEFT_ALONE: Final = (dt.datetime, dt.time, Decimal)
_MOST_DIGITS: Final = 4300  # as many as Python's integers are written with; "1E+999999999" is more


@runtime_checkable
class HasPlain(Protocol):
    """A value that takes itself apart, such as a row with further properties."""

    def __to_plain__(self) -> object:
        """Return what JSON shall hold in its place; the values inside may be of any kind."""
        ...


def encode(value: object) -> bytes:
    r"""Write a value as compact JSON text in UTF-8.

    Takes whatever msgspec can take apart (structs, dataclasses, mappings, sequences, dates, UUIDs)
    and values with a method ``__to_plain__``. Bytes inside a value are written in base64. A value
    that writes itself, such as a change event, has a method ``__json__`` that returns the text.

    What is read and written again is the same JSON value, but for this: *instants* are written in
    UTC with three fraction digits, six when microseconds need them, so that their text order is
    their time order (those that UTC has no year for keep their offset); *times* keep their offset
    and have the same digits, and neither keeps what is finer than microseconds; *UUIDs* are written
    in lower case, *decimals* as text without an exponent.

    >>> import datetime as dt
    >>> encode({"at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "to": "é"})
    b'{"at":"2026-01-02T00:00:00.000Z","to":"\xc3\xa9"}'
    >>> encode([Decimal("1.50"), dt.time(9, tzinfo=dt.timezone(dt.timedelta(hours=2))), b"hi"])
    b'["1.50","09:00:00.000+02:00","aGk="]'

    Raises:
        ValueError: NaN, an infinity, or an instant or time without a time zone.
        TypeError: a value that JSON has no form for; bytes, which may be JSON text already.
    """
    if type(value) is str:
        return _text_of_string(value)
    write = getattr(type(value), "__json__", None)
    if write is not None:
        text: bytes = write(value)
        return text
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("bytes are no JSON value: give the value that they stand for")
    plain = msgspec.to_builtins(
        value, builtin_types=_LEFT_ALONE, str_keys=True, enc_hook=_taken_apart
    )
    try:
        return _to_text(plain).encode()
    except UnicodeEncodeError:
        # A lone surrogate: legal in JSON as an escape, and only as that.
        return _to_ascii(plain).encode()


def _text_of_string(value: str) -> bytes:
    try:
        return _quick_text(value)
    except UnicodeEncodeError:  # likewise
        return _to_ascii(value).encode()


def instant(value: dt.datetime) -> str:
    """Return the text of an instant, as :func:`encode` writes it.

    Raises:
        ValueError: it is without a time zone.
    """
    if value.tzinfo is dt.UTC:  # as all that were read are
        text: str = msgspec.to_builtins(value)  # six digits or none, in a fifth of the time
        if not value.microsecond:
            return f"{text[:-1]}.000Z"
        return text if value.microsecond % 1000 else f"{text[:-4]}Z"
    try:
        return _with_fraction(value.astimezone(dt.UTC) if value.tzinfo else value)
    except OverflowError:  # the first and the last hours of the calendar
        return _with_fraction(value)


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


def _writer(*, ensure_ascii: bool) -> Callable[[object], str]:
    # Made once: `json.dumps` makes an encoder for every call that wants anything special.
    return json.JSONEncoder(
        ensure_ascii=ensure_ascii, allow_nan=False, separators=(",", ":"), default=_text_of
    ).encode


def _taken_apart(value: object) -> object:
    if isinstance(value, HasPlain):
        return value.__to_plain__()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _text_of(value: object) -> str:
    if isinstance(value, dt.datetime):
        return instant(value)
    if isinstance(value, dt.time):
        return _with_fraction(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _with_fraction(value: dt.datetime | dt.time) -> str:
    if value.utcoffset() is None:
        raise ValueError(f"{value.isoformat()} has no time zone: add tzinfo")
    digits = "microseconds" if value.microsecond % 1000 else "milliseconds"
    text = value.isoformat(timespec=digits)
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"Out of range decimal values are not JSON compliant: {value}")
    if abs(value.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"a decimal of more than {_MOST_DIGITS} digits")
    return format(value, "f")


_quick_text: Final = msgspec.json.Encoder().encode
_to_text: Final = _writer(ensure_ascii=False)
_to_ascii: Final = _writer(ensure_ascii=True)
