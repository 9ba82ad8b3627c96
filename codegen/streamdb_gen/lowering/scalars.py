"""Strings, numbers and literals: bounds, formats and the values of `enum` and `const`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, Literal

from streamdb_gen.findings import shown
from streamdb_gen.ir import Constraints, LiteralValue, Scalar, ScalarKind
from streamdb_gen.json_source import JsonValue, Place
from streamdb_gen.lowering.keywords import Keywords
from streamdb_gen.lowering.wire_text import check_wire_text
from streamdb_gen.portable_pattern import portable_pattern
from streamdb_gen.reporting import Report

# Beyond this, JavaScript readers round integers.
EXACT_INTEGER: Final = 2**53
# msgspec compares, counts and lists integers within 64 bits.
_INT64: Final = range(-(2**63), 2**63)

STRING_FORMATS: Final[dict[str, ScalarKind]] = {
    "date-time": "date-time",
    "date": "date",
    "uuid": "uuid",
}
_DATE: Final = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
_OFFSET: Final = r"(?:[Zz]|[+\-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
# The formats as patterns, for keys, which stay text.
FORMAT_PATTERNS: Final[dict[str, str]] = {
    "date-time": rf"^{_DATE}[Tt ]{_TIME}{_OFFSET}\Z",
    "date": rf"^{_DATE}\Z",
    "uuid": r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z",
}


def string_type(keywords: Keywords, report: Report) -> Scalar:
    """A string with its constraints, or one of the formats that have a type of their own."""
    minimum, maximum = sizes("Length", keywords, report)
    pattern = _pattern(keywords.get("pattern"), report)
    constraints = constraints_or_none(min_length=minimum, max_length=maximum, pattern=pattern)
    place = keywords.get("format")
    if place is None or not isinstance(place.value, str):
        return Scalar("string", constraints)
    kind = STRING_FORMATS.get(place.value)
    if kind is None:
        message = f"the format {shown(place.value)} cannot be compiled for strings"
        hint = "known formats: date-time, date, uuid; or describe it by `pattern`"
        report.add("FORMAT_UNSUPPORTED", place, message, hint)
        return Scalar("string", constraints)
    for name in ("minLength", "maxLength", "pattern"):
        if name in keywords:
            message = f"{shown(name)} beside the format {shown(place.value)} cannot be compiled"
            hint = f"the format settles the form of the text; delete {shown(name)}"
            report.add("KEYWORD_COMBINATION", keywords[name], message, hint, at_key=True)
    return Scalar(kind)


def number_type(kind: Literal["integer", "number"], keywords: Keywords, report: Report) -> Scalar:
    """An integer or a number with its bounds, brought to the form that msgspec checks alike."""
    format_ = keywords.get("format")
    is_int64 = format_ is not None and format_.value == "int64"
    if format_ is not None and not is_int64 and isinstance(format_.value, str):
        message = f"the format {shown(format_.value)} cannot be compiled for integers"
        hint = "known format: int64; or give `minimum` and `maximum`"
        report.add("FORMAT_UNSUPPORTED", format_, message, hint)
    bounds = _integer_bounds if kind == "integer" else _number_bounds
    constraints = bounds(keywords, report)
    if kind == "integer" and not is_int64 and constraints is not None:
        _warn_of_rounding(keywords, report)
    return Scalar(kind, constraints)


def sizes(
    suffix: Literal["Length", "Items", "Properties"], keywords: Keywords, report: Report
) -> tuple[int | None, int | None]:
    """The bounds of a length; a lower bound of 0 says nothing."""
    low_place, high_place = keywords.get(f"min{suffix}"), keywords.get(f"max{suffix}")
    low = _size(low_place, report) or None
    high = _size(high_place, report)
    if low is not None and high is not None and low > high and high_place is not None:
        _report_empty(high_place, f"min{suffix}", f"max{suffix}", report)
    return low, high


def literal_values(
    keywords: Keywords, types: frozenset[str] | None, report: Report
) -> tuple[LiteralValue, ...] | None:
    """The values of `enum` or `const`, each once; None where one cannot be compiled."""
    values: dict[tuple[type, LiteralValue], None] = {}
    complete = True
    for place in literal_places(keywords):
        value = _literal_value(place, types, report)
        if value is _REFUSED:
            complete = False
            continue
        assert value is None or isinstance(value, bool | int | str)  # noqa: S101 - narrows
        if (type(value), value) in values:
            message = "the value was listed before"
            report.add("ENUM_VALUE_DUPLICATE", place, message, "delete one of them")
        values[type(value), value] = None
    return tuple(value for _, value in values) if complete else None


def literal_places(keywords: Keywords) -> Iterator[Place]:
    """Where the values of `enum` and `const` stand."""
    if "const" in keywords:
        yield keywords["const"]
    elif "enum" in keywords:
        yield from keywords["enum"].items()


def constraints_or_none(
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    multiple_of: int | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
) -> Constraints | None:
    """Constraints, or None if nothing is constrained."""
    found = Constraints(ge, gt, le, lt, multiple_of, min_length, max_length, pattern)
    return None if found == Constraints() else found


_REFUSED: Final = object()


def _literal_value(place: Place, types: frozenset[str] | None, report: Report) -> object:
    value = integral(place.value)
    if isinstance(value, float | list | dict) or (
        isinstance(value, int) and not isinstance(value, bool) and value not in _INT64
    ):
        message = "this value cannot be compiled to a literal type"
        hint = "strings, integers of 64 bits, booleans and null can"
        report.add("ENUM_VALUE_UNSUPPORTED", place, message, hint)
        return _REFUSED
    if types is not None and not types & _TYPES_OF[type(value)]:
        wanted = " or ".join(shown(name) for name in sorted(types))
        message = f"the value is not of type {wanted}, so it can never occur"
        report.add("ENUM_VALUE_TYPE", place, message, "delete it, or correct the type")
        return _REFUSED
    if isinstance(value, int) and abs(value) > EXACT_INTEGER:
        _warn_of_rounding_at(place, report)
    return value


_TYPES_OF: Final[dict[type, frozenset[str]]] = {
    str: frozenset({"string"}),
    bool: frozenset({"boolean"}),
    int: frozenset({"integer", "number"}),
    type(None): frozenset({"null"}),
}


def integral(value: JsonValue) -> JsonValue:
    """The value; an integer if it is one in JSON Schema's eyes (``1.0``)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _integer_bounds(keywords: Keywords, report: Report) -> Constraints | None:
    """Bounds of an integer, all inclusive: x > 1.5 is x >= 2."""
    lows = [
        *(math.ceil(v) for v in _numbers("minimum", keywords)),
        *(math.floor(v) + 1 for v in _numbers("exclusiveMinimum", keywords)),
    ]
    highs = [
        *(math.floor(v) for v in _numbers("maximum", keywords)),
        *(math.ceil(v) - 1 for v in _numbers("exclusiveMaximum", keywords)),
    ]
    for name in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"):
        for value in _numbers(name, keywords):
            if int(value) not in _INT64:
                message = "the bound does not fit in 64 bits and cannot be checked"
                report.add("BOUND_UNSUPPORTED", keywords[name], message, "delete it")
                return None
    multiple_of = _multiple_of(keywords, report)
    ge, le = max(lows, default=None), min(highs, default=None)
    if ge is not None and le is not None and ge > le:
        _report_contradiction(keywords, report)
    return constraints_or_none(ge=ge, le=le, multiple_of=multiple_of)


def _number_bounds(keywords: Keywords, report: Report) -> Constraints | None:
    for name in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
        for value in _numbers(name, keywords):
            if not _is_exact_float(value):
                message = "the bound cannot be told apart from its neighbours as a number"
                report.add("BOUND_UNSUPPORTED", keywords[name], message, "give a rounder one")
                return None
    if "multipleOf" in keywords:
        message = "`multipleOf` of a number with fractions cannot be checked exactly"
        hint = 'use "type": "integer", or check it in the application'
        report.add("BOUND_UNSUPPORTED", keywords["multipleOf"], message, hint)
    ge = next(_numbers("minimum", keywords), None)
    gt = next(_numbers("exclusiveMinimum", keywords), None)
    le = next(_numbers("maximum", keywords), None)
    lt = next(_numbers("exclusiveMaximum", keywords), None)
    if ge is not None and gt is not None:
        ge, gt = (ge, None) if ge > gt else (None, gt)
    if le is not None and lt is not None:
        le, lt = (le, None) if le < lt else (None, lt)
    low, high = (gt if ge is None else ge), (lt if le is None else le)
    if low is not None and high is not None and (low > high or (low == high and (gt, lt) != _NONE)):
        _report_contradiction(keywords, report)
    return constraints_or_none(ge=ge, gt=gt, le=le, lt=lt)


_NONE: Final = (None, None)


def _report_contradiction(keywords: Keywords, report: Report) -> None:
    high = "maximum" if "maximum" in keywords else "exclusiveMaximum"
    low = "minimum" if "minimum" in keywords else "exclusiveMinimum"
    _report_empty(keywords[high], low, high, report)


def _report_empty(place: Place, low: str, high: str, report: Report) -> None:
    message = f"no value satisfies {shown(low)} and {shown(high)} together"
    report.add("BOUNDS_EXCLUDE_ALL", place, message, "swap or correct them")


def _multiple_of(keywords: Keywords, report: Report) -> int | None:
    for value in _numbers("multipleOf", keywords):
        if int(value) == value:
            return int(value)
        message = "`multipleOf` of an integer must be an integer itself"
        report.add("BOUND_UNSUPPORTED", keywords["multipleOf"], message)
    return None


def _warn_of_rounding(keywords: Keywords, report: Report) -> None:
    for name in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
        for value in _numbers(name, keywords):
            if abs(value) > EXACT_INTEGER:
                _warn_of_rounding_at(keywords[name], report)


def _warn_of_rounding_at(place: Place, report: Report) -> None:
    message = "JavaScript readers round integers beyond 2^53"
    hint = 'use a string, or say that it is meant: "format": "int64"'
    report.add("INTEGER_BEYOND_EXACT", place, message, hint)


def _numbers(name: str, keywords: Keywords) -> Iterator[int | float]:
    """The value of a numeric keyword: one or none."""
    value = integral(keywords[name].value) if name in keywords else None
    if isinstance(value, int | float):
        yield value


def _is_exact_float(value: int | float) -> bool:
    try:
        return float(value) == value
    except OverflowError:
        return False


def _size(place: Place | None, report: Report) -> int | None:
    value = integral(place.value) if place is not None else None
    if place is None or not isinstance(value, int):
        return None
    if value not in _INT64:
        message = "the bound does not fit in 64 bits and cannot be checked"
        report.add("BOUND_UNSUPPORTED", place, message, "delete it")
        return None
    return value


def _pattern(place: Place | None, report: Report) -> str | None:
    if place is None or not isinstance(place.value, str):
        return None
    translated = portable_pattern(place.value)
    if isinstance(translated, str):
        check_wire_text(place.value, place, report)
        return translated
    where = "" if translated.index == 0 else f" (at character {translated.index + 1})"
    message = f"the pattern is not portable{where}: {translated.reason}"
    hint = "classes like [0-9A-Za-z_] mean the same everywhere"
    report.add("PATTERN_UNSUPPORTED", place, message, hint)
    return None
