"""JSON mode: one request body in, the exact text of its messages out (JSON-1 to JSON-6, JSON-10).

Messages are stored as they were spelled, joined by commas: nothing is re-serialised, so integers
beyond 2**53, escapes and inner whitespace survive.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

import msgspec

_WHITESPACE: Final = " \t\r\n"


@dataclass(frozen=True, slots=True)
class InvalidContent:
    """A body that the stream's media type does not admit, and why."""

    reason: str


Content: TypeAlias = bytes | InvalidContent
"""What an append stores: bytes, or JSON messages joined by commas (see `flatten`)."""


def flatten(body: bytes) -> bytes | InvalidContent:
    """Return the messages of a JSON body joined by commas; empty for ``[]``.

    Exactly one array level is removed (JSON-3).

    >>> flatten(b'[[1], {"n": 9007199254740993}]')
    b'[1],{"n": 9007199254740993}'
    >>> flatten(b' 1.0 '), flatten(b"[]")
    (b'1.0', b'')
    >>> flatten(b"[1,")
    InvalidContent(reason='the body is not valid JSON: Expecting value at character 3')
    """
    try:
        text = body.decode("utf-8")
        try:
            messages = _split_fast(body)
        except msgspec.DecodeError:
            messages = _split_exactly(text)
    except UnicodeDecodeError:
        return InvalidContent("the body is not valid UTF-8, so it is not JSON")
    except RecursionError:
        return InvalidContent("the body is nested too deeply")
    except json.JSONDecodeError as error:
        return InvalidContent(f"the body is not valid JSON: {error.msg} at character {error.pos}")
    return b",".join(messages)


def as_array(contents: Iterable[bytes]) -> bytes:
    """Return the stored contents of appends as the JSON array that a reader gets (JSON-6).

    >>> as_array([b"1,2", b"3"]), as_array([])
    (b'[1,2,3]', b'[]')
    """
    return b"[%b]" % b",".join(contents)


def first_of(content: bytes, count: int) -> bytes | None:
    """Return the first messages of a stored content, or None if it holds fewer.

    >>> first_of(b'[1,2],"a,b",3', 2), first_of(b"1", 2)
    (b'[1,2],"a,b"', None)
    """
    body = as_array([content])
    try:
        messages = _split_fast(body)
    except msgspec.DecodeError:
        messages = _split_exactly(body.decode("utf-8"))
    return b",".join(messages[:count]) if count <= len(messages) else None


_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE: Final = msgspec.json.Decoder(msgspec.Raw)


def _split_fast(body: bytes) -> Sequence[bytes]:
    if body.lstrip()[:1] == b"[":
        return _LIST.decode(body)
    return [_VALUE.decode(body)]


def _split_exactly(text: str) -> Sequence[bytes]:
    """Split what msgspec refuses: the lone surrogates that JavaScript writes are legal JSON."""
    start = _skip(text, 0)
    if text[start : start + 1] != "[":
        _, end = _SCANNER.raw_decode(text, start)
        _expect_end(text, end)
        return [text[start:end].encode()]
    messages: list[bytes] = []
    position = _skip(text, start + 1)
    if text[position : position + 1] == "]":
        _expect_end(text, position + 1)
        return messages
    while True:
        _, end = _SCANNER.raw_decode(text, position)
        messages.append(text[position:end].encode())
        position = _skip(text, end)
        separator = text[position : position + 1]
        if separator == "]":
            _expect_end(text, position + 1)
            return messages
        if separator != ",":
            raise json.JSONDecodeError("Expecting ',' or ']'", text, position)
        position = _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    while text[position : position + 1] in _WHITESPACE and position < len(text):
        position += 1
    return position


def _expect_end(text: str, position: int) -> None:
    position = _skip(text, position)
    if position != len(text):
        raise json.JSONDecodeError("Extra data", text, position)


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


# Only the spans matter: numbers stay text, so that their length has no limit.
_SCANNER: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=str, parse_float=str)
