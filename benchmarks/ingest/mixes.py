"""Streams that are not quite as the schema says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

_ROWS_FOR_ONE: Final = 100_000


def _all_typed(texts: list[bytes]) -> list[bytes]:
    return texts


def _rare_unknown_field(texts: list[bytes]) -> list[bytes]:
    return [
        _with_unknown_field(text) if number % _ROWS_FOR_ONE == _ROWS_FOR_ONE // 2 else text
        for number, text in enumerate(texts)
    ]


def _unknown_field_everywhere(texts: list[bytes]) -> list[bytes]:
    return [_with_unknown_field(text) for text in texts]


def _undeclared_types(texts: list[bytes]) -> list[bytes]:
    """Every third event is of one of ten types that nobody declares."""
    return [
        text.replace(b'"type":"', b'"type":"telemetry-%d-' % (number % 10), 1)
        if number % 3 == 0
        else text
        for number, text in enumerate(texts)
    ]


def _controls(texts: list[bytes]) -> list[bytes]:
    """A snapshot mark before every thousandth event."""
    mark = b'{"headers":{"control":"snapshot-start","offset":"0"}}'
    return [mark if number % 1000 == 0 else text for number, text in enumerate(texts)]


def _with_unknown_field(text: bytes) -> bytes:
    return text.replace(b'"value":{', b'"value":{"editedBy":"u1",', 1)


MIXES: Final[Mapping[str, Callable[[list[bytes]], list[bytes]]]] = {
    "all typed": _all_typed,
    "an unknown field in one of 100,000": _rare_unknown_field,
    "an unknown field in every row": _unknown_field_everywhere,
    "a third of undeclared types": _undeclared_types,
    "a control message in every thousand": _controls,
}
