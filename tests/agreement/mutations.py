"""Changes to an instance, one at a time, of the kinds that validators are prone to judge apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Final

from tests.agreement.cases import Json

Path = tuple[str | int, ...]

_DROPPED: Final = object()
_EXACT: Final = 2**53  # doubles hold all integers below this

_OF_EVERY_TYPE: Final[Mapping[str, Json]] = {
    "null": None,
    "text": "text",
    "number": 7,
    "fraction": 0.5,
    "truth": True,
    "array": [],
    "object": {},
}

_BOUNDS: Final = frozenset(
    {
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "const",
        "enum",
    }
)


@dataclass(frozen=True)
class Change:
    """One thing done to one place of an instance."""

    kind: str
    path: Path
    put: Any

    @property
    def name(self) -> str:
        put = self.put
        is_number = isinstance(put, int | float) and not isinstance(put, bool)
        size = " (from 2^53)" if is_number and abs(put) >= _EXACT else ""
        return f"{self.kind}{size} at {''.join(f'/{step}' for step in self.path)}"

    def applied_to(self, value: Json) -> Json:
        """A changed copy."""
        return _replaced(value, self.path, self.put)


def changes(value: Json, bounds: Sequence[Json]) -> list[Change]:
    """Every change that can be made to a value.

    ``bounds`` are values at which its schema's verdict may turn (:func:`bounds_of`).
    """
    whole = [("other spelling of numbers", (), _numbers_respelt(value))]
    found = [Change(*change) for change in [*_inside(value, (), bounds), *whole]]
    return [change for change in found if not _is_same(change.applied_to(value), value)]


def bounds_of(schema: Json) -> list[Json]:
    """The constants and bounds in a schema, and the numbers beside each."""
    found: list[Json] = []
    for keyword, value in _keywords(schema):
        for bound in value if keyword == "enum" and isinstance(value, list) else [value]:
            found.append(bound)
            if isinstance(bound, int | float) and not isinstance(bound, bool):
                found += [bound - 1, bound + 1, bound + 0.5, -bound]
    unique = {repr(bound): bound for bound in found}
    return list(unique.values())


def _keywords(schema: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(schema, list):
        for item in schema:
            yield from _keywords(item)
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in _BOUNDS:
                yield key, value
            yield from _keywords(value)


def _inside(value: Json, path: Path, bounds: Sequence[Json]) -> Iterator[tuple[str, Path, Any]]:
    """The changes to a value and to everything in it."""
    for kind, other in _OF_EVERY_TYPE.items():
        yield kind, path, other
    for kind, other in _changed(value):
        yield kind, path, other
    if not isinstance(value, dict | list):
        for bound in bounds:
            yield "bound", path, bound
    steps = enumerate(value) if isinstance(value, list) else ()
    for step, inner in value.items() if isinstance(value, dict) else steps:
        yield "dropped", (*path, step), _DROPPED
        yield from _inside(inner, (*path, step), bounds)


@singledispatch
def _changed(value: Any) -> Iterator[tuple[str, Json]]:
    """The changes of a value of one type."""
    yield from ()


@_changed.register
def _(value: bool) -> Iterator[tuple[str, Json]]:
    yield "negated", not value
    yield "as a number", int(value)
    yield "as a fraction", float(value)


@_changed.register
def _(value: int) -> Iterator[tuple[str, Json]]:
    yield from _numbers_beside(value)
    yield "as a fraction", float(value) if abs(value) <= 2**53 else value
    yield "as a truth", bool(value)
    yield "beyond 64 bits", 2**64
    yield "beyond 53 bits", 2**53 + 1


@_changed.register
def _(value: float) -> Iterator[tuple[str, Json]]:
    yield from _numbers_beside(value)
    yield "rounded", int(value)
    yield "tiny", 5e-324
    yield "huge", 1e300


@_changed.register
def _(value: str) -> Iterator[tuple[str, Json]]:
    yield "empty", ""
    yield "composed", unicodedata.normalize("NFC", value)
    yield "decomposed", unicodedata.normalize("NFD", value)
    yield "longer", f"{value}x"
    yield "shorter", value[:-1]
    yield "composed letter", f"{value}\u00e9"
    yield "decomposed letter", f"{value}e\u0301"
    yield "astral", f"{value}\U0001f600"
    yield "only astral", "\U0001f600" * len(value)
    yield "other case", value.swapcase()
    yield "space before", f" {value}"
    yield "twice", value * 2
    yield "line end after", f"{value}\n"


@_changed.register
def _(value: list) -> Iterator[tuple[str, Json]]:  # type: ignore[type-arg]  # a class is dispatched on
    yield "empty", []
    yield "one more", [*value, None]
    yield "doubled", [*value, *value[-1:]]
    yield "reversed", value[::-1]


@_changed.register
def _(value: dict) -> Iterator[tuple[str, Json]]:  # type: ignore[type-arg]  # a class is dispatched on
    yield "empty", {}
    yield "extra key", {**value, "extra": 1}
    yield "empty key", {**value, "": "x"}
    yield "prototype", {**value, "__proto__": None}
    for form in ("NFC", "NFD"):
        yield (
            f"keys in {form}",
            {unicodedata.normalize(form, key): item for key, item in value.items()},
        )


def _numbers_beside(value: float) -> Iterator[tuple[str, Json]]:
    yield "one less", value - 1
    yield "one more", value + 1
    yield "half more", value + 0.5
    yield "negative", -value


def _numbers_respelt(value: Json) -> Json:
    """Whole numbers with a fraction of nothing, and the other way round."""
    if isinstance(value, dict):
        return {key: _numbers_respelt(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers_respelt(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    if type(value) is int and abs(value) <= 2**53:
        return float(value)
    return value


def _replaced(value: Json, path: Path, put: Any) -> Json:
    if not path:
        return put
    step, *rest = path
    copy: Any = value.copy()
    if put is _DROPPED and not rest:
        del copy[step]
    else:
        copy[step] = _replaced(copy[step], tuple(rest), put)
    return copy


def _is_same(left: Json, right: Json) -> bool:
    """Whether two values are written alike: 1, 1.0 and true are not."""
    return repr(left) == repr(right)
