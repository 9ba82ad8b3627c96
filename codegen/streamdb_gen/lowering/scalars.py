"""Strings, numbers and literals: bounds, formats and the values of `enum` and `const`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal

from streamdb_gen.findings import shown
from streamdb_gen.fixes import drop_item
from streamdb_gen.formats import ALIASES, OVERRIDE_PATTERNS, SPELT_LENGTHS, TYPED
from streamdb_gen.ir import Constraints, LiteralValue, Scalar, ScalarKind
from streamdb_gen.json_equality import identity, integral
from streamdb_gen.json_source import JsonValue, Place
from streamdb_gen.lowering.beyond import Beyond
from streamdb_gen.lowering.keywords import Keywords, strings
from streamdb_gen.lowering.type_overrides import OVERRIDES
from streamdb_gen.meta_schema import near_miss
from streamdb_gen.portable_pattern import portable_pattern
from streamdb_gen.reporting import Report

# Beyond this, JavaScript readers round integers.
EXACT_INTEGER: Final = 2**53
# msgspec compares, counts and lists integers within 64 bits.
_INT64: Final = range(-(2**63), 2**63)


def string_type(keywords: Keywords, beyond: Beyond, report: Report, *, is_spelt: bool) -> Scalar:
    """A string with its constraints, or of a format that has a type of its own.

    One whose spelling counts is text of the format.
    """
    minimum, maximum = sizes("Length", keywords, beyond, report)
    pattern = _pattern(keywords.get("pattern"), beyond)
    constraints = constraints_or_none(min_length=minimum, max_length=maximum, pattern=pattern)
    format_ = _string_format(keywords.get("format"), report)
    override = _type_override(keywords)
    kind: ScalarKind = "string"
    if override is not None and override != "string":
        kind = override
        if format_ is not None:
            beyond.add("format")
    elif format_ is not None and override is None and not (is_spelt and format_ in SPELT_LENGTHS):
        kind = TYPED.get(format_, kind)
    if kind != "string":
        said = OVERRIDE_PATTERNS.get(str(keywords["x-streamdb-type"].value)) if override else None
        for name in ("minLength", "maxLength", "pattern"):
            if name in keywords and keywords[name].value != said:
                beyond.add(name)
        return Scalar(kind)
    if format_ is not None and pattern is not None:  # a type has one pattern
        beyond.add("pattern")
        constraints = constraints_or_none(min_length=minimum, max_length=maximum)
    return Scalar("string", constraints, format_)


def number_type(
    kind: Literal["integer", "number"], keywords: Keywords, beyond: Beyond, report: Report
) -> Scalar:
    """An integer or a number with its bounds, brought to the form that msgspec checks alike."""
    format_ = keywords.get("format")
    is_int64 = format_ is not None and format_.value == "int64"
    if format_ is not None and not is_int64 and isinstance(format_.value, str):
        message = f"the format {shown(format_.value)} of numbers is not checked"
        hint = "known format: int64; or give `minimum` and `maximum`"
        report.add("FORMAT_UNSUPPORTED", format_, message, hint)
    bounds = _integer_bounds if kind == "integer" else _number_bounds
    constraints = bounds(keywords, beyond, report)
    if kind == "integer" and not is_int64 and constraints is not None:
        _warn_of_rounding(keywords, report)
    return Scalar(kind, constraints)


def sizes(
    suffix: Literal["Length", "Items", "Properties"],
    keywords: Keywords,
    beyond: Beyond,
    report: Report,
) -> tuple[int | None, int | None]:
    """The bounds of a length; a lower bound of 0 says nothing."""
    low_place, high_place = keywords.get(f"min{suffix}"), keywords.get(f"max{suffix}")
    low = _size(low_place, beyond) or None
    high = _size(high_place, beyond)
    if low is not None and high is not None and low > high and high_place is not None:
        _report_empty(high_place, f"min{suffix}", f"max{suffix}", report)
    return low, high


def literal_values(
    keywords: Keywords, types: frozenset[str], report: Report
) -> tuple[JsonValue, ...]:
    """The values of `enum` or `const` that are of these types, each once."""
    values: dict[str, JsonValue] = {}
    for place in literal_places(keywords):
        value = integral(place.value)
        if not types & types_of(value):
            wanted = " or ".join(shown(name) for name in sorted(types))
            message = f"the value is not of type {wanted}, so it can never occur"
            fixer = drop_item if _own_type_refuses(place, keywords) else None
            hint = "delete it, or correct the type"
            report.add("ENUM_VALUE_TYPE", place, message, hint, fixer=fixer)
            continue
        values[identity(value)] = value
        if isinstance(value, int) and abs(value) > EXACT_INTEGER:
            _warn_of_rounding_at(place, report)
    return tuple(values.values())


def _own_type_refuses(place: Place, keywords: Keywords) -> bool:
    """Whether `type` in the same schema excludes a value of `enum`, and not all of the values.

    A schema that is joined to others may be used alone elsewhere.
    """
    enum, type_ = keywords.get("enum"), keywords.get("type")
    if enum is None or type_ is None or enum.file != type_.file:
        return False
    if enum.pointer.rpartition("/")[0] != type_.pointer.rpartition("/")[0]:
        return False
    own = {name for name, _ in strings(type_)}
    others = [item for item in enum.items() if types_of(item.value) & own]
    return bool(others) and not types_of(place.value) & own


def as_literals(values: Iterable[JsonValue]) -> tuple[LiteralValue, ...] | None:
    """The values, if a `Literal` can hold all: text, integers of 64 bits, booleans, null."""
    found: list[LiteralValue] = []
    for value in values:
        if isinstance(value, float | list | dict):
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value not in _INT64:
            return None
        found.append(value)
    return tuple(found)


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


def types_of(value: JsonValue) -> frozenset[str]:
    """The types of JSON Schema that a value is of."""
    return _TYPES_OF[type(integral(value))]


_TYPES_OF: Final[dict[type, frozenset[str]]] = {
    str: frozenset({"string"}),
    bool: frozenset({"boolean"}),
    int: frozenset({"integer", "number"}),
    float: frozenset({"number"}),
    list: frozenset({"array"}),
    dict: frozenset({"object"}),
    type(None): frozenset({"null"}),
}


def _integer_bounds(keywords: Keywords, beyond: Beyond, report: Report) -> Constraints | None:
    """Bounds of an integer, all inclusive: x > 1.5 is x >= 2."""
    bounds: dict[str, int] = {}
    for name, inclusive in _INCLUSIVE.items():
        for value in _numbers(name, keywords):
            bound = inclusive(value)
            if bound in _INT64:
                bounds[name] = bound
            else:
                beyond.add(name)
    ge = max((bounds[n] for n in _MINIMA if n in bounds), default=None)
    le = min((bounds[n] for n in _MAXIMA if n in bounds), default=None)
    if ge is not None and le is not None and ge > le:
        _report_contradiction(keywords, report)
    return constraints_or_none(ge=ge, le=le, multiple_of=_multiple_of(keywords, beyond))


_MINIMA: Final = ("minimum", "exclusiveMinimum")
_MAXIMA: Final = ("maximum", "exclusiveMaximum")
# The bound of integers that a keyword means.
_INCLUSIVE: Final[Mapping[str, Callable[[int | float], int]]] = {
    "minimum": math.ceil,
    "exclusiveMinimum": lambda value: math.floor(value) + 1,
    "maximum": math.floor,
    "exclusiveMaximum": lambda value: math.ceil(value) - 1,
}


def _number_bounds(keywords: Keywords, beyond: Beyond, report: Report) -> Constraints | None:
    if "multipleOf" in keywords:
        beyond.add("multipleOf")  # of numbers with fractions, which floating point rounds
    bounds: dict[str, int | float] = {}
    for name in (*_MINIMA, *_MAXIMA):
        for value in _numbers(name, keywords):
            if abs(value) < EXACT_INTEGER:
                bounds[name] = value
            else:
                beyond.add(name)  # values are compared as floats, so some count as the bound
    ge, gt, le, lt = map(bounds.get, (*_MINIMA, *_MAXIMA))
    if ge is not None and gt is not None:
        ge, gt = (ge, None) if ge > gt else (None, gt)
    if le is not None and lt is not None:
        le, lt = (le, None) if le < lt else (None, lt)
    low, high = (gt if ge is None else ge), (lt if le is None else le)
    if low is not None and high is not None:
        is_exclusive = gt is not None or lt is not None
        if low > high or (low == high and is_exclusive):
            _report_contradiction(keywords, report)
    return constraints_or_none(ge=ge, gt=gt, le=le, lt=lt)


def _report_contradiction(keywords: Keywords, report: Report) -> None:
    high = "maximum" if "maximum" in keywords else "exclusiveMaximum"
    low = "minimum" if "minimum" in keywords else "exclusiveMinimum"
    _report_empty(keywords[high], low, high, report)


def _report_empty(place: Place, low: str, high: str, report: Report) -> None:
    message = f"no value satisfies {shown(low)} and {shown(high)} together"
    report.add("BOUNDS_EXCLUDE_ALL", place, message, "swap or correct them")


def _multiple_of(keywords: Keywords, beyond: Beyond) -> int | None:
    for value in _numbers("multipleOf", keywords):
        if isinstance(value, int) and value in _INT64:
            return value
        beyond.add("multipleOf")
    return None


def _warn_of_rounding(keywords: Keywords, report: Report) -> None:
    for name in (*_MINIMA, *_MAXIMA):
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


def _size(place: Place | None, beyond: Beyond) -> int | None:
    value = integral(place.value) if place is not None else None
    if place is None or not isinstance(value, int):
        return None
    if value not in _INT64:
        beyond.add(place.pointer.rpartition("/")[2])
        return None
    return value


def _pattern(place: Place | None, beyond: Beyond) -> str | None:
    if place is None or not isinstance(place.value, str):
        return None
    translated = portable_pattern(place.value)
    if isinstance(translated, str):
        return translated
    beyond.add("pattern")
    return None


def _string_format(place: Place | None, report: Report) -> str | None:
    if place is None or not isinstance(place.value, str):
        return None
    if place.value in ALIASES:
        return place.value
    message = f"the format {shown(place.value)} of strings is not checked"
    known = f"known formats: {', '.join(sorted(ALIASES))}; or describe it by `pattern`"
    hint = near_miss(place.value, ALIASES) or known
    report.add("FORMAT_UNSUPPORTED", place, message, hint)
    return None


def _type_override(keywords: Keywords) -> ScalarKind | None:
    """The kind that the user chose for a string."""
    place = keywords.get("x-streamdb-type")
    return OVERRIDES.get(str(place.value)) if place is not None else None
